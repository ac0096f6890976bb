from odoo import fields, models

from .credit_alert import DAYS_BEFORE, NEAR_PERCENT


class CreditPolicy(models.Model):
    """When its customers' alerts are raised."""

    _inherit = 'credit.policy'  # pylint: disable=consider-merging-classes-inherited

    near_limit_percent = fields.Float(
        string="Near Limit From (%)",
        required=True,
        default=NEAR_PERCENT,
        tracking=True,
        help="From this utilisation on, the controller and the salesperson are told that the customer is near its "
        "limit. 100: only when it is used up.",
    )
    limit_alert_days = fields.Integer(
        string="Days Before a Limit Ends",
        required=True,
        default=DAYS_BEFORE,
        tracking=True,
        help="So many days before its last day they are told that a limit ends.",
    )

    _alert_thresholds = models.Constraint(
        'CHECK (near_limit_percent > 0 AND near_limit_percent <= 100 AND limit_alert_days >= 0)',
        "A customer is near its limit from a utilisation above 0 and up to 100 %, and the days before a limit ends "
        "can't be negative.",
    )
