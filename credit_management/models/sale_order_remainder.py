from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

from .sale_order import STAFF


class SaleOrder(models.Model):
    """Closing what is left of a confirmed order, see `credit.remainder`."""

    _inherit = 'sale.order'

    credit_can_close_remainder = fields.Boolean(compute='_compute_credit_remainder', groups=STAFF)
    credit_can_reopen_remainder = fields.Boolean(compute='_compute_credit_remainder', groups=STAFF)

    @api.depends('state', 'order_line.credit_closed_quantity', 'order_line.qty_delivered', 'order_line.qty_invoiced')
    @api.depends_context('uid')
    def _compute_credit_remainder(self):
        confirmed = self.filtered(lambda order: order._origin and order.state == 'sale')._origin
        mine = confirmed.filtered(lambda order: order._credit_may_close())
        # A sum per order that the user may read.
        amounts = self.env['credit.remainder'].sudo()._amounts(mine.sudo()) if mine else {}
        for order in self:
            order.credit_can_close_remainder = amounts.get(order._origin.id, 0.0) > 0
            order.credit_can_reopen_remainder = order._origin in mine and bool(
                order.sudo().order_line._credit_reopenable()
            )

    # -------------------------------------------------------------------------
    # Buttons
    # -------------------------------------------------------------------------

    def action_credit_close_remainder(self):
        """Ask for the reason of closing what is left of these orders."""
        return self._credit_remainder_action('close', self.env._("Close Remainder"))

    def action_credit_reopen_remainder(self):
        """Ask for the reason of opening the closed remainders again."""
        return self._credit_remainder_action('reopen', self.env._("Reopen Remainder"))

    def _credit_remainder_action(self, decision, title):
        return {
            'type': 'ir.actions.act_window',
            'name': title,
            'res_model': 'credit.remainder.close',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_decision': decision, 'default_order_ids': self.ids},
        }

    def _credit_remainder_summary(self, decision):
        """Return one line per order with the amount that is to be closed or reopened."""
        if decision == 'close':
            amounts = self.env['credit.remainder'].sudo()._amounts(self.sudo())
            figures = [(order, amounts[order.id], order.company_id.root_id.currency_id) for order in self]
        else:
            figures = [(order, order.sudo().order_line._credit_closed_value(), order.currency_id) for order in self]
        return '\n'.join(
            f"{order.name}, {order.partner_id.display_name}: {formatLang(self.env, amount, currency_obj=currency)}"
            for order, amount, currency in figures
        )

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def _credit_may_close(self):
        """Tell whether the user may close the remainder of this order: who may write it, or who analyses credit."""
        self.ensure_one()
        user = self.env.user
        if self.env.su or user.has_group('credit_management.group_credit_analyst'):
            return self.has_access('read')
        return user.has_group('sales_team.group_sale_salesman') and self.has_access('write')

    def _credit_check_may_close(self):
        self.ensure_one()
        if not self._credit_may_close():
            raise AccessError(
                self.env._(
                    "You can't close or reopen the remainder of %(order)s. Ask its salesperson or a credit analyst.",
                    order=self.sudo().name,
                )
            )
        if self.state != 'sale':
            raise UserError(self.env._("%(order)s is not a confirmed order.", order=self.name))

    def _credit_close_remainders(self, note):
        """Close the remainders of some orders; see `_credit_remainder_batch` for what comes back."""
        return self._credit_remainder_batch(
            lambda order: order._credit_close_remainder(note), self.env._("Remainders closed: %(count)s.")
        )

    def _credit_reopen_remainders(self, note):
        """Open closed remainders again; see `_credit_remainder_batch` for what comes back."""
        return self._credit_remainder_batch(
            lambda order: order._credit_reopen_remainder(note), self.env._("Remainders reopened: %(count)s.")
        )

    def _credit_remainder_batch(self, work, done):
        """Do something to each order and report it; of several, one that is refused stops no other.

        :returns: the action that closes the dialog, for several orders with a notification
        :raise UserError, AccessError: if it is refused to a single order
        """
        close = {'type': 'ir.actions.act_window_close'}
        if len(self) == 1:
            work(self)
            return close
        refused = []
        for order in self:
            try:
                with self.env.cr.savepoint():
                    work(order)
            except (AccessError, UserError) as error:
                refused.append(str(error))
        message = ' '.join([done % {'count': len(self) - len(refused)}, *refused])
        return self._credit_notification(
            self.env._("Open Remainders"), message, 'warning' if refused else 'success', 'soft_reload'
        )

    def _credit_close_remainder(self, note):
        """Let this order owe no more than what is delivered or invoiced.

        :param note: the reason, kept in the chatter
        :raise AccessError: if the user may neither write the order nor analyses credit
        :raise UserError: if nothing is left of it, or it can't be stopped any more
        """
        self.ensure_one()
        self._credit_check_may_close()
        # Whoever may close need not have the rights on lines and deliveries;
        # the sums are of an order that he reads.
        order = self.sudo()
        Remainder = order.env['credit.remainder']
        before = Remainder._amounts(order)[order.id]
        # A discount or a trade-in stays: it lowers what is owed for the rest.
        rows = {line_id: row for line_id, row in Remainder._lines(order).items() if row['ordered'] > 0}
        if not rows or order.company_id.root_id.currency_id.compare_amounts(before, 0.0) <= 0:
            raise UserError(self.env._("Nothing is left of %(order)s to be delivered.", order=order.name))
        order._credit_stop_deliveries(order.env['sale.order.line'].browse(rows))
        for line in order.env['sale.order.line'].browse(rows):
            row = rows[line.id]
            line.credit_closed_quantity = max(0.0, line.product_uom_qty - (row['due'] - row['missing']))
        self._credit_note_remainder(self.env._("Remainder of %(amount)s closed by %(user)s"), before, note)

    def _credit_stop_deliveries(self, lines):
        """Cancel what is under way to deliver these lines; the stock bridge does.

        :raise UserError: if something can't be stopped any more
        """

    def _credit_reopen_remainder(self, note):
        """Let the closed remainder be owed again, checked like any growth of a confirmed order.

        :raise AccessError: if the user may neither write the order nor analyses credit
        :raise UserError: if nothing is closed, or the customer's credit is not enough
        """
        self.ensure_one()
        self._credit_check_may_close()
        order = self.sudo()
        lines = order.order_line._credit_reopenable()
        if not lines:
            raise UserError(
                self.env._("Nothing of %(order)s can be reopened. Raise the quantities instead.", order=order.name)
            )
        before = order.env['credit.remainder']._amounts(order)[order.id]
        # Watched on behalf of the person, who is refused what the credit does
        # not allow; the line is the system's to write.
        with self._credit_watch():
            lines.credit_closed_quantity = 0.0
        self._credit_note_remainder(self.env._("Remainder of %(amount)s reopened by %(user)s"), before, note)

    def _credit_note_remainder(self, title, before, note):
        """Record by how much the open amount has changed: in the chatter and in the customer's credit file."""
        order = self.sudo()
        company = order.company_id.root_id
        amount = before - order.env['credit.remainder']._amounts(order)[order.id]
        self._credit_post(
            title
            % {
                'amount': formatLang(self.env, abs(amount), currency_obj=company.currency_id),
                'user': self.env.user.name,
            },
            [note],
            notify=True,
        )
        # Looking after remainders opens no account.
        account = order.env['credit.account'].search(
            [
                ('partner_id', '=', order.partner_invoice_id.commercial_partner_id.id),
                ('company_id', '=', company.id),
            ]
        )
        payload = {
            'order_id': order.id,
            'amount': company.currency_id.round(amount),
            'currency_id': company.currency_id.id,
        }
        self.env['credit.event']._record([(account, 'remainder_closed', payload)] if account else [])
        self.invalidate_recordset(['credit_can_close_remainder', 'credit_can_reopen_remainder'])

    def _credit_owed_total(self):
        """Return the taxed total without the closed remainders: what the customer will owe in the end."""
        self.ensure_one()
        return self.amount_total - self.order_line._credit_closed_value()

    def _credit_forget_remainders(self):
        """Forget what was closed of orders that are no longer confirmed: they are checked as a whole again."""
        # Only the flow writes it, on behalf of whoever cancels.
        self.sudo().order_line._credit_closed().write({'credit_closed_quantity': 0.0})
