{
    'name': "Customer Scoring",
    'version': '19.0.1.3.0',
    'category': 'Accounting/Accounting',
    'summary': "A credit score that explains itself, and what follows from it",
    'description': """
Customer Scoring
================

* Scorecards computed from the company's own ledger and from outside data
* Each score with its reasons, and what it takes to get a better one
* Financial statements, external ratings, outside factors, questionnaires
* Recommended limits with their derivation, early warnings, a monthly risk report
""",
    'author': "Credit Suite Team",
    'license': 'LGPL-3',
    'depends': ['credit_management'],
    'data': [
        'security/ir.model.access.csv',
        'security/scoring_entered_security.xml',
        'security/scoring_score_security.xml',
        'security/scoring_recommendation_security.xml',
        'security/scoring_risk_report_security.xml',
        'data/ir_cron_score_data.xml',
        'data/scoring_card_data.xml',
        'data/scoring_factor_type_data.xml',
        'data/scoring_questionnaire_data.xml',
        'data/ir_cron_recommendation_data.xml',
        'data/scoring_risk_report_data.xml',
        'wizard/scoring_rating_upload_views.xml',
        'views/scoring_card_views.xml',
        'views/scoring_score_views.xml',
        'views/scoring_override_views.xml',
        'views/scoring_run_views.xml',
        'views/scoring_trial_views.xml',
        'views/credit_account_score_views.xml',
        'views/credit_ledger_account_views.xml',
        'views/res_partner_score_views.xml',
        'views/res_config_settings_score_views.xml',
        'views/res_config_settings_explanation_views.xml',
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
        'views/credit_alert_scoring_views.xml',
        'views/menus.xml',
        'views/scoring_score_menus.xml',
        'views/scoring_entered_menus.xml',
        'views/scoring_recommendation_views.xml',
        'views/scoring_risk_report_views.xml',
        'report/scoring_explanation_templates.xml',
        'views/scoring_explanation_views.xml',
    ],
    'demo': [
        'demo/scoring_entered_demo.xml',
        'demo/account_move_demo.xml',
    ],
    'assets': {
        'web.assets_backend': [
            'customer_scoring/static/src/**/*',
            ('remove', 'customer_scoring/static/src/scoring_graph/**/*'),
        ],
        # Core loads its graph view only when one is opened.
        'web.assets_backend_lazy': [
            'customer_scoring/static/src/scoring_graph/**/*',
        ],
    },
    'post_init_hook': 'post_init_hook',
    'uninstall_hook': 'uninstall_hook',
}
