from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'  # pylint: disable=consider-merging-classes-inherited

    scoring_tolerance_days = fields.Integer(related='company_id.scoring_tolerance_days', readonly=False)
    scoring_bill_settlement = fields.Selection(related='company_id.scoring_bill_settlement', readonly=False)
