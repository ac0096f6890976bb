from odoo import api, fields, models

from odoo.addons.credit_management.models.res_partner import READERS

from .scoring_score import READERS as SCORE_READERS


class ResPartner(models.Model):
    _inherit = 'res.partner'

    # Only of customers whose credit the user may see, as `credit_account_id`.
    credit_grade_id = fields.Many2one('credit.grade', compute='_compute_credit_score', string="Grade", groups=READERS)
    credit_score = fields.Float(compute='_compute_credit_score', digits=(16, 1), groups=SCORE_READERS)
    credit_scored_on = fields.Date(compute='_compute_credit_score', string="Scored On", groups=SCORE_READERS)

    @api.depends('credit_account_id')
    def _compute_credit_score(self):
        for partner in self:
            # Who may see the account, may see its grade; the score has groups of its own.
            account = partner.credit_account_id.sudo()
            partner.credit_grade_id = account.grade_id
            partner.credit_score = account.score
            partner.credit_scored_on = account.score_date

    def _scoring_natural_person(self):
        """Tell whether this customer is a natural person: no company, nor anybody's contact."""
        self.ensure_one()
        customer = self.commercial_partner_id
        return not customer.is_company and not customer.parent_id
