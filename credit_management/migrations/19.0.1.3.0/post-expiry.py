from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

from odoo.addons.credit_management.models.credit_policy import EXPIRY_GRACE_DAYS


def migrate(cr, version):
    """Say until when limits are in force; what runs on gets days of grace, and enforced or not, the policies warn."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for company in env['res.company'].with_context(active_test=False).search([('parent_id', '=', False)]):
        cr.execute(
            SQL(
                """
                UPDATE credit_limit decision
                   SET date_until = CASE
                       WHEN replaced.date_from = decision.date_from THEN decision.date_from - 1
                       WHEN decision.kind = 'base' AND decision.state = 'approved'
                            AND decision.superseded_by_id IS NULL AND decision.date_to >= %(today)s
                       THEN LEAST(decision.date_to + %(grace)s,
                                  (SELECT MIN(following.date_from) - 1
                                     FROM credit_limit following
                                    WHERE following.account_id = decision.account_id AND following.kind = 'base'
                                      AND following.state = 'approved' AND following.date_from > decision.date_to))
                       ELSE decision.date_to END
                  FROM credit_limit own
             LEFT JOIN credit_limit replaced ON replaced.id = own.superseded_by_id
                 WHERE own.id = decision.id
                   AND decision.company_id = %(company)s
                   AND decision.date_to IS NOT NULL
                   AND decision.state IN ('approved', 'superseded', 'expired')
                """,
                today=company._credit_today(),
                grace=EXPIRY_GRACE_DAYS,
                company=company.id,
            )
        )
    env['credit.limit'].invalidate_model(['date_until'])
    policies = env['credit.policy'].with_context(active_test=False).search([])
    for policy in policies.filtered(lambda policy: 'limit_expired' not in policy.rule_ids.mapped('kind')):
        env['credit.rule'].create(
            {
                'policy_id': policy.id,
                'kind': 'limit_expired',
                'outcome': 'warn',
                'sequence': max(policy.rule_ids.mapped('sequence'), default=0) + 1,
            }
        )
