from odoo import fields, models
from odoo.exceptions import UserError


class CreditApplicationRefusal(models.TransientModel):
    """Asks why an application is rejected before a limit is proposed; the application checks the rights."""

    _name = 'credit.application.refusal'
    _inherit = ['credit.dialog']
    _description = "Reject an Application"

    application_id = fields.Many2one('credit.application', required=True, readonly=True)
    note = fields.Text(string="Reason", help="Is kept with the application and told to the applicant.")

    def action_apply(self):
        """Reject the application.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        note = (self.note or '').strip()
        if not note:
            raise UserError(self.env._("State a reason: it is kept with the decision."))
        self.application_id._decline(note)
        return {'type': 'ir.actions.act_window_close'}
