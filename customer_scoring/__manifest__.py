{
    'name': "Customer Scoring",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'summary': "A credit score that explains itself, and what follows from it",
    'description': """
Customer Scoring
================

Scorecards computed from the company's own ledger and from outside data: grades,
recommended limits and early warnings, each with its reasons.
""",
    'author': "Credit Suite Team",
    'license': 'LGPL-3',
    'depends': ['credit_management'],
    'data': [
        'security/ir.model.access.csv',
        'security/scoring_recommendation_security.xml',
        'data/ir_cron_recommendation_data.xml',
        'views/menus.xml',
        'views/scoring_recommendation_views.xml',
        'security/customer_scoring_security.xml',
        'security/scoring_entered_security.xml',
        'data/scoring_factor_type_data.xml',
        'data/scoring_questionnaire_data.xml',
        'wizard/scoring_rating_upload_views.xml',
        'views/scoring_statement_views.xml',
        'views/scoring_rating_provider_views.xml',
        'views/scoring_rating_views.xml',
        'views/scoring_rating_import_views.xml',
        'views/scoring_factor_type_views.xml',
        'views/scoring_factor_views.xml',
        'views/scoring_risk_views.xml',
        'views/scoring_questionnaire_views.xml',
        'views/scoring_answer_views.xml',
        'views/credit_account_entered_views.xml',
        'views/res_config_settings_entered_views.xml',
        'views/menus.xml',
        'views/scoring_entered_menus.xml',
    ],
    'demo': [
        'demo/scoring_entered_demo.xml',
    ],
    'assets': {
        'web.assets_backend': [
            'customer_scoring/static/src/**/*',
        ],
    },
}
