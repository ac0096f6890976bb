from odoo import fields, models
from odoo.exceptions import UserError


class DunningClaimWaiver(models.TransientModel):
    """Asks why claims are waived, or reinstated; the claims check the rights."""

    _name = 'dunning.claim.waiver'
    _inherit = ['credit.dialog']
    _description = "Waive Claims"

    claim_ids = fields.Many2many('dunning.claim', string="Claims", required=True, readonly=True)
    reinstate = fields.Boolean(readonly=True)
    reason = fields.Char(required=True, help="Is kept with the claims and in the credit file.")
    for_good = fields.Boolean(
        string="No Further Interest",
        default=True,
        help="No more interest accrues on these items either. Else what accrues from the next day on is a new claim.",
    )

    def action_apply(self):
        """Waive or reinstate the claims.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        reason = (self.reason or '').strip()
        if not reason:
            raise UserError(self.env._("State a reason: it is kept with the claims."))
        if self.reinstate:
            self.claim_ids._reinstate(reason)
        else:
            self.claim_ids._waive(reason, self.for_good)
        return {'type': 'ir.actions.act_window_close'}
