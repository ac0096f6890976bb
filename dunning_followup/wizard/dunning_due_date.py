from odoo import fields, models
from odoo.exceptions import UserError


class DunningDueDate(models.TransientModel):
    """Changes the due date of a posted invoice, with the reason."""

    _name = 'dunning.due.date'
    _inherit = ['credit.dialog']
    _description = "Change Due Date"

    move_id = fields.Many2one('account.move', string="Invoice", required=True, readonly=True)
    date_before = fields.Date(related='move_id.invoice_date_due', string="Is Due")
    date_after = fields.Date(string="Is to Be Due", required=True)
    reason = fields.Char(required=True, help="Is kept with the invoice and in the credit file.")

    def action_apply(self):
        """Change the due date of what is open of the invoice.

        :raise UserError: if no reason is given, or the day is the same
        :raise AccessError: if the user may not change the invoice
        """
        self.ensure_one()
        move, date = self.move_id, self.date_after
        move.check_access('write')
        reason = (self.reason or '').strip()
        if not reason:
            raise UserError(self.env._("State a reason: it is kept with the invoice and in the credit file."))
        items = move._dunning_items()
        if not items:
            raise UserError(self.env._("%(invoice)s is paid: there is nothing that could be due.", invoice=move.name))
        if set(items.mapped('date_maturity')) == {date}:
            raise UserError(self.env._("It is due on that day already."))
        # On behalf of the system: made by this dialog only, which has asked for the reason.
        self.env['dunning.due.change'].sudo().create(
            {
                'move_id': move.id,
                'date_before': min(items.mapped('date_maturity')),
                'date_after': date,
                'reason': reason,
                'user_id': self.env.uid,
            }
        )
        if move.invoice_payment_term_id:
            # Of instalments what is open; the term itself is what was agreed and stays.
            items.date_maturity = date
        else:
            move.invoice_date_due = date
        return {'type': 'ir.actions.act_window_close'}
