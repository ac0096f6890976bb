from odoo import SUPERUSER_ID, api

FORMER = "['|', ('account_id.company_id', 'parent_of', company_ids), ('company_id', 'parent_of', company_ids)]"
DOMAIN = (
    "['|', '|', ('account_id.company_id', 'parent_of', company_ids), ('company_id', 'parent_of', company_ids), "
    "('team_limit_id.company_id', 'parent_of', company_ids)]"
)


def migrate(cr, version):
    """Let managers see the counters of salespeople's and teams' limits, unless they have a rule of their own."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    rule = env.ref('credit_management.credit_counter_rule_company', raise_if_not_found=False)
    if rule and rule.domain_force == FORMER:
        rule.domain_force = DOMAIN
