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
        'data/mail_activity_type_data.xml',
        'data/ir_cron_data.xml',
        'data/dunning_plan_data.xml',
        'report/dunning_letter_templates.xml',
        'views/dunning_item_views.xml',
        'views/dunning_step_views.xml',
        'views/dunning_plan_views.xml',
        'views/dunning_gateway_views.xml',
        'views/dunning_notice_views.xml',
        'views/dunning_run_views.xml',
        'views/credit_account_views.xml',
        'views/res_partner_views.xml',
        'views/account_move_views.xml',
        'views/res_config_settings_views.xml',
        'wizard/dunning_decision_views.xml',
        'wizard/dunning_customer_views.xml',
        'views/menus.xml',
    ],
    'demo': [
        'demo/dunning_demo.xml',
    ],
    'assets': {
        'web.assets_backend': [
            'dunning_followup/static/src/**/*',
        ],
    },
    'uninstall_hook': 'uninstall_hook',
}
