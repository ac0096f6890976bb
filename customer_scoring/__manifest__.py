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
    ],
}
