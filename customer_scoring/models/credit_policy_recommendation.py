from odoo import fields, models

from ..engine.limit import Course


class CreditPolicy(models.Model):
    """How its customers' limits are recommended, and what is done with that."""

    _inherit = 'credit.policy'

    recommend_mode = fields.Selection(
        [('show', "Show only"), ('propose', "Propose"), ('apply', "Propose, and apply up to an amount")],
        string="Recommended Limits",
        required=True,
        default='show',
        tracking=True,
        help="What happens each month with the limits that are recommended for customers with a grade.\n"
        "Propose: they go to approval as one batch.\n"
        "Apply: limits up to the amount beside it are in force at once; higher ones go to approval. Never for natural "
        "persons: a person decides on them.",
    )
    recommend_apply_amount = fields.Monetary(
        string="Apply Up To",
        tracking=True,
        help="Recommended limits up to this amount need no approval. Company currency.",
    )
    recommend_growth_percent = fields.Float(
        string="Growth Allowed (%)",
        digits=(16, 1),
        default=20.0,
        tracking=True,
        help="So much more than in the last 12 months a customer may buy.",
    )
    recommend_net_worth_percent = fields.Float(
        string="Of the Net Worth (%)",
        digits=(16, 1),
        default=10.0,
        tracking=True,
        help="No limit is recommended above this share of the customer's equity in its last financial statement.",
    )
    recommend_concentration_percent = fields.Float(
        string="Of Our Sales (%)",
        digits=(16, 1),
        default=10.0,
        tracking=True,
        help="No limit is recommended above this share of what we invoiced to all customers in the last 12 months.",
    )
    recommend_margin_percent = fields.Float(
        string="Our Margin (%)",
        digits=(16, 1),
        default=0.0,
        tracking=True,
        help="What we earn of what is invoiced, taxes included. More than 0, and where the grade says how many "
        "default: no limit is recommended of which we expect to lose more than the customer's yearly margin, or the "
        "share of it below. 0: the expected loss caps nothing.",
    )
    recommend_tolerated_percent = fields.Float(
        string="Of the Margin May Be Lost (%)", digits=(16, 1), default=100.0, tracking=True
    )
    recommend_loss_percent = fields.Float(
        string="Lost in a Default (%)",
        digits=(16, 1),
        default=100.0,
        tracking=True,
        help="So much of the limit is lost if the customer does not pay; what a security or the estate gives is not.",
    )
    recommend_raise_after = fields.Integer(
        string="Good Months Before a Raise",
        default=3,
        tracking=True,
        help="A limit is raised after so many months without overdue debt since it was last changed. The days are "
        "counted from the first daily snapshot on.",
    )
    recommend_tolerance_days = fields.Integer(
        string="Days Tolerated",
        default=5,
        tracking=True,
        help="A month in which nothing was overdue for longer than this is a good month.",
    )
    recommend_overdue_lower_percent = fields.Float(
        string="Lower When Overdue (%)",
        digits=(16, 1),
        tracking=True,
        help="Overdue debt keeps a limit from rising. More than 0: it also lowers it by that much.",
    )
    recommend_min_change_percent = fields.Float(
        string="Smallest Change (%)",
        digits=(16, 1),
        default=10.0,
        tracking=True,
        help="Smaller changes of a limit are not worth a decision.",
    )

    _recommend_percents = models.Constraint(
        'CHECK (recommend_growth_percent >= -100 AND recommend_net_worth_percent >= 0'
        ' AND recommend_concentration_percent >= 0 AND recommend_min_change_percent >= 0'
        ' AND recommend_overdue_lower_percent >= 0 AND recommend_overdue_lower_percent <= 100'
        ' AND recommend_raise_after >= 0 AND recommend_tolerance_days >= 0 AND recommend_apply_amount >= 0'
        ' AND recommend_margin_percent >= 0 AND recommend_tolerated_percent >= 0 AND recommend_loss_percent >= 0)',
        "Percentages, months, days and amounts of recommended limits can't be negative, and a limit can't be lowered "
        "by more than 100 %.",
    )

    def _course(self):
        """Return how this policy, or none, lets limits move."""
        return Course(
            raise_after=self.recommend_raise_after if self else Course.raise_after,
            overdue_lower_percent=self.recommend_overdue_lower_percent,
            min_change_percent=self.recommend_min_change_percent if self else Course.min_change_percent,
        )
