from odoo import fields, models


class DunningDecision(models.TransientModel):
    """Why some customers get nothing in a run, or not yet."""

    _name = 'dunning.decision'
    _description = "Exclude from a Run"

    notice_ids = fields.Many2many('dunning.notice', string="Notices", required=True)
    state = fields.Selection([('excluded', "Exclude"), ('held', "Hold")], required=True, default='excluded')
    reason = fields.Char(required=True, help="Kept with the run.")

    def action_decide(self):
        """Exclude or hold these notices; collectors only."""
        self.ensure_one()
        self.notice_ids._decide(self.state, self.reason)
        return {'type': 'ir.actions.act_window_close'}
