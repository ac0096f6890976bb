from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Hide what rules in record-only mode found from who may not see shadow mode; the rule is noupdate."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    rule = env.ref('credit_management.credit_check_line_rule_shadow', raise_if_not_found=False)
    if rule and rule.domain_force == "[('check_id.shadow', '=', False)]":
        rule.domain_force = "[('check_id.shadow', '=', False), ('shadow', '=', False)]"
