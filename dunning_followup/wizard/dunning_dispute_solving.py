from odoo import fields, models
from odoo.exceptions import UserError

from ..models.dunning_dispute import OUTCOMES


class DunningDisputeSolving(models.TransientModel):
    """Asks how disputes have ended, and in whose favour."""

    _name = 'dunning.dispute.solving'
    _inherit = ['credit.dialog']
    _description = "End of a Dispute"

    dispute_ids = fields.Many2many('dunning.dispute', string="Disputes", required=True, readonly=True)
    outcome = fields.Selection(OUTCOMES, string="Who Was Right")
    solution = fields.Char(string="How It Was Solved", help="Is kept with the dispute.")

    def action_solve(self):
        """Close the disputes.

        :raise AccessError: if the user may not
        :raise UserError: if it is not said who was right, or nothing is open any more
        """
        self.ensure_one()
        if not self.outcome:
            raise UserError(
                self.env._("State who was right: what customers dispute without reason counts against them.")
            )
        self.dispute_ids._solve(self.outcome, (self.solution or '').strip())
        return {'type': 'ir.actions.act_window_close'}
