from odoo import fields, models

from odoo.addons.credit_management.models.credit_rule import THRESHOLD_UNITS

THRESHOLD_UNITS['score_below'] = 'points'


class CreditRule(models.Model):
    _inherit = 'credit.rule'

    kind = fields.Selection(
        selection_add=[('score_below', "Score below")],
        ondelete={'score_below': 'cascade'},
        help="Score below: the last score of the customer. One that was never scored passes, and so does a natural "
        "person, whose score is advice only.",
    )
