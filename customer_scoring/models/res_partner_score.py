from odoo import fields, models

from odoo.addons.credit_management.models.res_partner import READERS

from .scoring_score import READERS as SCORE_READERS


class ResPartner(models.Model):
    _inherit = 'res.partner'  # pylint: disable=consider-merging-classes-inherited

    # Only of customers whose credit the user may see, as `credit_account_id`.
    credit_grade_id = fields.Many2one(
        related='credit_account_id.grade_id', string="Grade", groups=READERS, related_sudo=True
    )
    credit_score = fields.Float(
        related='credit_account_id.score', string="Credit Score", groups=SCORE_READERS, related_sudo=True
    )
    credit_scored_on = fields.Date(
        related='credit_account_id.score_date', string="Scored On", groups=SCORE_READERS, related_sudo=True
    )
