from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    scoring_legal_basis = fields.Selection(related='company_id.scoring_legal_basis', readonly=False)
    scoring_tolerance_days = fields.Integer(related='company_id.scoring_tolerance_days', readonly=False)
    scoring_bill_settlement = fields.Selection(related='company_id.scoring_bill_settlement', readonly=False)
    scoring_warn_score_drop = fields.Float(related='company_id.scoring_warn_score_drop', readonly=False)
    scoring_warn_slower_days = fields.Float(related='company_id.scoring_warn_slower_days', readonly=False)
    scoring_warn_silent_days = fields.Integer(related='company_id.scoring_warn_silent_days', readonly=False)
    scoring_warn_round_amount = fields.Monetary(related='company_id.scoring_warn_round_amount', readonly=False)
    scoring_statement_months = fields.Integer(related='company_id.scoring_statement_months', readonly=False)
