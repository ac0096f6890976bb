from odoo import fields, models

# What a reason is for; the decision dialog offers those of its decision.
PURPOSES = ('release', 'reject', 'limit', 'emergency', 'outside')


class CreditReason(models.Model):
    """Why something was decided, as a code that can be counted."""

    _name = 'credit.reason'
    _description = "Credit Reason"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    for_release = fields.Boolean(string="Release", help="Why an order on hold goes on.")
    for_reject = fields.Boolean(string="Rejection", help="Why an order or a limit is refused.")
    for_limit = fields.Boolean(string="Limit", help="Why a limit is approved.")
    for_emergency = fields.Boolean(
        string="Emergency", help="Why an order can't wait for those who would have to decide."
    )
    for_outside = fields.Boolean(
        string="Outside Policy", help="Why more is allowed than the policy allows. Such a decision needs a reason."
    )
    note_required = fields.Boolean(string="Needs a Note", help="The reason alone doesn't say enough.")

    _has_purpose = models.Constraint(
        'CHECK (for_release OR for_reject OR for_limit OR for_emergency OR for_outside)',
        "Say for which decisions the reason is.",
    )
