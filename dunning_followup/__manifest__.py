{
    'name': "Dunning and Follow-up",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'summary': "Reminders that go out right, once, and can be trusted to run alone",
    'description': """
Dunning and Follow-up
=====================

Reminder plans with steps and channels, runs to be simulated, reviewed and sent,
interest and fees, contact rules, and what is not to be chased.
""",
    'author': "Credit Suite Team",
    'license': 'LGPL-3',
    'depends': ['credit_management', 'sms'],
    'data': [
        'security/dunning_followup_security.xml',
        'security/ir.model.access.csv',
        'views/menus.xml',
    ],
}
