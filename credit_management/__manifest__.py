{
    'name': "Credit Management",
    'version': '19.0.1.4.0',
    'category': 'Accounting/Accounting',
    'summary': "Credit limits, live exposure and the check that stops an order before it is a loss",
    'description': """
Credit Management
=================

Give customers credit, know at any moment what you stand to lose, and stop an
order that goes beyond it when it is confirmed, not when it is invoiced.

* Credit accounts and dated limits: proposed by an analyst, approved by a manager
* Live exposure: open items, draft invoices, delivered and ordered, each figure
  down to its documents
* Policies and rules: utilisation, overdue amount and age, single order amount,
  account status, no limit decided; outcomes warn, hold and block
* Orders on hold with every reason and figure; request, release and reject
* Shadow mode: see what would have been held before anything is
* The credit file: an audit trail of hash chains that nobody can rewrite unseen, to
  be verified in Odoo and outside
* Two orders that fit alone but not together are never both confirmed
""",
    'author': "Credit Suite Team",
    'license': 'LGPL-3',
    'depends': ['account', 'base_import', 'sale'],
    'data': [
        'security/credit_management_security.xml',
        'security/ir.model.access.csv',
        'security/credit_application_security.xml',
        'security/credit_handover_security.xml',
        'data/credit_checkpoint_data.xml',
        'data/mail_activity_type_data.xml',
        'data/credit_reason_data.xml',
        'data/credit_application_data.xml',
        'data/credit_grade_data.xml',
        'data/ir_cron_data.xml',
        'data/ir_sequence_data.xml',
        'data/ir_cron_handover_data.xml',
        'data/mail_activity_type_handover_data.xml',
        'data/mail_template_data.xml',
        'views/credit_account_views.xml',
        'views/credit_ledger_account_views.xml',
        'views/credit_limit_views.xml',
        'views/credit_team_limit_views.xml',
        'views/credit_exposure_views.xml',
        'views/credit_check_views.xml',
        'views/credit_release_views.xml',
        'views/credit_event_views.xml',
        'views/credit_seal_views.xml',
        'views/credit_remainder_views.xml',
        'views/credit_policy_views.xml',
        'views/credit_approval_views.xml',
        'views/credit_approval_level_views.xml',
        'views/credit_absence_views.xml',
        'views/credit_reason_views.xml',
        'views/credit_working_day_views.xml',
        'views/credit_grade_views.xml',
        'views/credit_policy_customer_views.xml',
        'views/credit_account_blacklist_views.xml',
        'report/credit_application_report.xml',
        'views/credit_application_views.xml',
        'wizard/credit_grade_change_views.xml',
        'wizard/credit_blacklisting_views.xml',
        'wizard/credit_application_refusal_views.xml',
        'wizard/credit_snapshot_backfill_views.xml',
        'views/credit_snapshot_views.xml',
        'views/credit_snapshot_run_views.xml',
        'wizard/credit_decision_views.xml',
        'wizard/credit_decision_condition_views.xml',
        'wizard/credit_mass_decision_views.xml',
        'wizard/credit_file_export_views.xml',
        'wizard/credit_verification_views.xml',
        'wizard/credit_remainder_close_views.xml',
        'views/credit_false_hold_views.xml',
        'views/credit_rule_statistic_views.xml',
        'views/credit_alert_views.xml',
        'views/credit_exception_views.xml',
        'wizard/credit_alert_closing_views.xml',
        'wizard/credit_duty_notice_views.xml',
        'report/credit_handover_templates.xml',
        'wizard/credit_acceptance_views.xml',
        'wizard/credit_dry_line_views.xml',
        'wizard/credit_false_hold_decision_views.xml',
        'wizard/credit_rule_demotion_views.xml',
        'wizard/credit_limit_change_views.xml',
        'views/account_move_line_views.xml',
        'views/credit_handover_views.xml',
        'views/sale_order_views.xml',
        'views/sale_order_hold_views.xml',
        'views/sale_order_approval_views.xml',
        'views/sale_order_application_views.xml',
        'views/sale_order_queue_views.xml',
        'views/sale_order_release_views.xml',
        'views/sale_portal_templates.xml',
        'views/res_partner_views.xml',
        'views/res_partner_application_views.xml',
        'views/res_config_settings_views.xml',
        'views/menus.xml',
    ],
    'demo': [
        'demo/res_users_demo.xml',
        'demo/res_partner_demo.xml',
        'demo/product_demo.xml',
        'demo/credit_policy_demo.xml',
        'demo/credit_limit_demo.xml',
        'demo/credit_application_demo.xml',
        'demo/account_move_demo.xml',
        'demo/sale_order_demo.xml',
    ],
    'assets': {
        'web.assets_backend': [
            'credit_management/static/src/**/*',
            ('remove', 'credit_management/static/src/credit_history_graph/**/*'),
        ],
        # Core loads its graph view only when one is opened.
        'web.assets_backend_lazy': [
            'credit_management/static/src/credit_history_graph/**/*',
        ],
    },
    'pre_init_hook': 'pre_init_hook',
    'post_init_hook': 'post_init_hook',
    'uninstall_hook': 'uninstall_hook',
}
