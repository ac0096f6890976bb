from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditDecision(models.TransientModel):
    """Asks for the reason of a request or a decision; the documents check the rights."""

    _name = 'credit.decision'
    _inherit = ['credit.dialog']
    _description = "Credit Decision"

    decision = fields.Selection(
        [
            ('request', "Request release"),
            ('release', "Release"),
            ('reject', "Reject"),
            ('reject_limit', "Reject the limit"),
        ],
        required=True,
        readonly=True,
    )
    order_id = fields.Many2one('sale.order', readonly=True)
    # For those who decide on limits only: the name of whatever a wizard refers to
    # is read on behalf of the system, and a limit's name has its amount.
    limit_id = fields.Many2one('credit.limit', readonly=True, groups='credit_management.group_credit_manager')
    reason = fields.Text(string="Why it is on hold", compute='_compute_reason')
    note = fields.Text(string="Reason", help="Is kept with the decision.")

    @api.depends('order_id')
    def _compute_reason(self):
        for wizard in self:
            # Not as a related field, which would read any order for anybody.
            wizard.order_id.check_access('read')
            wizard.reason = wizard.order_id.credit_reason

    def action_apply(self):
        """Carry out the request or the decision.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        note = (self.note or '').strip()
        if not note:
            raise UserError(self.env._("State a reason: it is kept with the decision."))
        if self.decision == 'reject_limit':
            self.limit_id._reject(note)
        elif self.decision == 'request':
            self.order_id._credit_request_release(note)
        elif self.decision == 'release':
            self.order_id._credit_release(note)
        else:
            self.order_id._credit_reject(note)
        return {'type': 'ir.actions.act_window_close'}
