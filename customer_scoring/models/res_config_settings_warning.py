from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'  # pylint: disable=consider-merging-classes-inherited

    scoring_warn_score_drop = fields.Float(related='company_id.scoring_warn_score_drop', readonly=False)
    scoring_warn_slower_days = fields.Float(related='company_id.scoring_warn_slower_days', readonly=False)
    scoring_warn_silent_days = fields.Integer(related='company_id.scoring_warn_silent_days', readonly=False)
    scoring_warn_round_amount = fields.Monetary(related='company_id.scoring_warn_round_amount', readonly=False)
