from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    scoring_statement_months = fields.Integer(related='company_id.scoring_statement_months', readonly=False)
