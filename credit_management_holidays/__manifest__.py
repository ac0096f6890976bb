{
    'name': "Credit Management: Time Off",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'summary': "Passes over approvers who are on leave",
    'description': """
Credit Management: Time Off
===========================

Installs itself where Credit Management and Time Off meet. An approver on
approved leave is passed over at once for his substitute: the person named in
his preferences, else his manager, else the next who may decide.
""",
    'author': "Credit Suite Team",
    'license': 'LGPL-3',
    'depends': ['credit_management', 'hr_holidays'],
    'data': [
        'views/res_users_views.xml',
    ],
    'auto_install': True,
}
