from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    credit_policy_id = fields.Many2one(related='company_id.credit_policy_id', readonly=False)
    credit_remainder_days = fields.Integer(related='company_id.credit_remainder_days', readonly=False)
    credit_policy_mode = fields.Selection(related='company_id.credit_policy_id.mode', readonly=False)
    credit_snapshot_days = fields.Integer(related='company_id.credit_snapshot_days', readonly=False)

    def action_credit_create_standard_policy(self):
        """Make the standard policy of the company, in shadow mode, and open it."""
        self.ensure_one()
        policy = self.env['credit.policy']._create_standard(self.company_id.root_id)
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'credit.policy',
            'res_id': policy.id,
            'views': [(False, 'form')],
        }
