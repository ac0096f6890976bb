from odoo import fields, models


class CreditPolicy(models.Model):
    """What a policy says about customers beside its rules: what an application needs, when the blacklist begins."""

    _inherit = 'credit.policy'  # pylint: disable=consider-merging-classes-inherited

    checklist_ids = fields.One2many(
        'credit.checklist.item',
        'policy_id',
        copy=True,
        help="What an application for credit needs before it can be submitted.",
    )
    blacklist_count = fields.Integer(
        string="Blacklist After",
        tracking=True,
        help="So many broken payment promises and returned payments put a customer on the blacklist by themselves. "
        "0: never. Not in shadow mode.",
    )
    blacklist_days = fields.Integer(
        string="Within (Days)",
        default=365,
        tracking=True,
        help="How far back broken promises and returned payments are counted.",
    )

    _blacklist_positive = models.Constraint(
        'CHECK (blacklist_count >= 0 AND blacklist_days > 0)',
        "The number of broken promises and returned payments can't be negative, and the days have to be at least 1.",
    )
