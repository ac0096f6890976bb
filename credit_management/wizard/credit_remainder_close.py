from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditRemainderClose(models.TransientModel):
    """Asks for the reason before remainders are closed or opened again; the orders check the rights."""

    _name = 'credit.remainder.close'
    _inherit = ['credit.dialog']
    _description = "Close Remainder"

    decision = fields.Selection([('close', "Close"), ('reopen', "Reopen")], required=True, readonly=True)
    order_ids = fields.Many2many('sale.order', readonly=True)
    summary = fields.Text(compute='_compute_summary')
    note = fields.Text(string="Reason", help="Is kept in the order's messages.")

    @api.depends('order_ids', 'decision')
    def _compute_summary(self):
        for wizard in self:
            # In the dialog they are new records that stand for the saved ones.
            orders = wizard.order_ids._origin
            orders.check_access('read')
            wizard.summary = orders._credit_remainder_summary(wizard.decision)

    def action_apply(self):
        """Close or reopen; one order that can't be closed says why, several go on past it and report it.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        note = (self.note or '').strip()
        if not note:
            raise UserError(self.env._("State a reason: it is kept with the order."))
        if self.decision == 'reopen':
            return self.order_ids._credit_reopen_remainders(note)
        return self.order_ids._credit_close_remainders(note)
