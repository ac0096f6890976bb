from odoo import fields, models


class CreditPolicy(models.Model):
    """Who approves what under a policy, and what is beyond it."""

    _inherit = 'credit.policy'  # pylint: disable=consider-merging-classes-inherited

    approval_level_ids = fields.One2many('credit.approval.level', 'policy_id', string="Approval Levels", copy=True)
    max_limit_amount = fields.Monetary(
        string="Highest Limit",
        tracking=True,
        help="A higher limit, in company currency, is a decision outside the policy: it is marked and needs a reason. "
        "0: no bound.",
    )
    max_release_excess_percent = fields.Float(
        string="Highest Excess of a Release (%)",
        tracking=True,
        help="To release an order that exceeds the customer's limit by more than this percentage of it is a decision "
        "outside the policy: it is marked and needs a reason. 0: no bound.",
    )
    emergency_amount = fields.Monetary(
        string="Emergency Release up to",
        tracking=True,
        help="Up to this order total, in company currency, anybody of a level may release alone when it can't wait. "
        "The level that would have had to decide confirms it until the end of the next working day. 0: never.",
    )

    _bounds_positive = models.Constraint(
        'CHECK (max_limit_amount >= 0 AND max_release_excess_percent >= 0 AND emergency_amount >= 0)',
        "The bounds of a policy can't be negative. 0 means that there is none.",
    )

    def _approval_levels(self, kind, request, account):
        """Return the levels that are asked about a request, in their order; see `credit.approval.level._matches`."""
        return self.approval_level_ids.filtered(lambda level: level._matches(kind, request, account))
