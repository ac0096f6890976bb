from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_plan_id = fields.Many2one(related='company_id.dunning_plan_id', readonly=False)
    dunning_mode = fields.Selection(related='company_id.dunning_mode', readonly=False)
    dunning_hour = fields.Integer(related='company_id.dunning_hour', readonly=False)
    dunning_workdays = fields.Boolean(related='company_id.dunning_workdays', readonly=False)
    dunning_user_id = fields.Many2one(related='company_id.dunning_user_id', readonly=False)
