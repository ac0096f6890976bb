"""What a customer owes and may come to owe, added up slowly from the documents.

This is the second opinion on `credit.exposure`: written from the words of the design, document by document, so that an
accountant can follow it. It shares no code with the SQL and must not be brought into line with it: where the two
differ, one of them is wrong. All amounts are in the currency of the company and not rounded: whoever compares
them allows for the rounding of each document line, since lines on screen have to add up to their figure.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

CATEGORIES = ('open_item', 'in_clearing', 'draft_invoice', 'delivered', 'ordered')
NOTHING = 1e-6  # what floats leave of an amount that is settled


@dataclass
class Item:
    """A receivable that is not settled, and what is left of it once credits are applied virtually."""

    original: float
    left: float
    due: object
    id: int


@dataclass
class Figures:
    """What one customer's account shows."""

    open_item: float = 0.0
    in_clearing: float = 0.0
    draft_invoice: float = 0.0
    delivered: float = 0.0
    ordered: float = 0.0
    unallocated_credit: float = 0.0
    overdue_booked: float = 0.0
    overdue_amount: float = 0.0
    days_overdue: int = 0
    ledger_balance: float = 0.0  # the trial balance: all posted debits less credits
    orders: dict = field(default_factory=dict)  # {order: what it adds}
    # An order came out below 0: the design says what its sum is, not which category bears it.
    stopped_at_zero: bool = False
    rows: int = 1  # documents and lines behind the figures, each of which is rounded

    @property
    def exposure(self):
        """Return the sum of the categories."""
        return sum(getattr(self, name) for name in CATEGORIES)


class Oracle:
    """Adds up the figures of all customers of one company tree on a date."""

    def __init__(self, env, company, today):
        """Look at the documents of a root company and its branches with everybody's eyes."""
        self.env = env(su=True)
        self.company = company.sudo()
        self.companies = self.env['res.company'].search([('id', 'child_of', company.id)])
        self.today = today

    def figures(self):
        """Return {customer: its figures}; a customer with nothing is not in it."""
        found = defaultdict(Figures)
        self._add_ledger(found)
        self._add_drafts(found)
        self._add_orders(found)
        return found

    def _in_company_currency(self, amount, currency):
        # At the rate of the day of the check.
        return currency._convert(amount, self.company.currency_id, self.company, self.today, round=False)

    # -------------------------------------------------------------------------
    # Ledger
    # -------------------------------------------------------------------------

    def _add_ledger(self, found):
        """Add posted receivables; credit notes and advance payments reduce them at once."""
        lines = self.env['account.move.line'].search(
            [
                ('company_id', 'in', self.companies.ids),
                ('parent_state', '=', 'posted'),
                ('account_id.account_type', '=', 'asset_receivable'),
                ('partner_id', '!=', False),
            ],
            order='id',
        )
        by_customer = defaultdict(list)
        for line in lines:
            by_customer[line.partner_id.commercial_partner_id].append(line)
        for customer, entries in by_customer.items():
            figures = found[customer]
            figures.ledger_balance = sum(line.debit - line.credit for line in entries)
            residuals = {line: self._residual(line) for line in entries}
            figures.open_item = sum(residuals.values())
            self._age(figures, residuals)

    def _residual(self, line):
        """Return what posted entries leave open of an item."""
        # An entry that is set back to draft stays matched in Odoo, but it is not
        # in the ledger: it has settled nothing.
        settled_by_drafts = sum(
            partial.amount for partial in line.matched_credit_ids if partial.credit_move_id.parent_state != 'posted'
        ) - sum(partial.amount for partial in line.matched_debit_ids if partial.debit_move_id.parent_state != 'posted')
        return line.amount_residual + settled_by_drafts

    def _age(self, figures, residuals):
        """Pay the oldest items with the credits that nobody has matched; what is left then has an age."""
        policy = self.company.credit_policy_id
        item_floor = policy.item_floor_percent / 100 if policy else 0.01
        customer_floor = policy.customer_floor if policy else 50.0

        items = [
            Item(abs(line.balance), left, line.date_maturity or line.date, line.id)
            for line, left in residuals.items()
            if left > NOTHING
        ]
        items.sort(key=lambda item: (item.due, item.id))
        figures.overdue_booked = sum(item.left for item in items if item.due < self.today)
        credit = sum(-left for left in residuals.values() if left < 0)
        figures.unallocated_credit = credit
        for item in items:
            paid = min(item.left, credit)
            item.left -= paid
            credit -= paid

        overdue = [
            item
            for item in items
            if item.due < self.today and item.left > item.original * item_floor + NOTHING and item.left > NOTHING
        ]
        amount = sum(item.left for item in overdue)
        if amount > customer_floor + NOTHING:
            figures.overdue_amount = amount
            figures.days_overdue = (self.today - min(item.due for item in overdue)) // timedelta(days=1)

    # -------------------------------------------------------------------------
    # Drafts
    # -------------------------------------------------------------------------

    def _add_drafts(self, found):
        """Add draft customer invoices with their taxes; draft credit notes count nowhere."""
        drafts = self.env['account.move'].search(
            [
                ('company_id', 'in', self.companies.ids),
                ('move_type', '=', 'out_invoice'),
                ('state', '=', 'draft'),
                ('partner_id', '!=', False),
            ]
        )
        for draft in drafts:
            found[draft.commercial_partner_id].rows += 1
            found[draft.commercial_partner_id].draft_invoice += self._in_company_currency(
                draft.amount_total, draft.currency_id
            )

    # -------------------------------------------------------------------------
    # Orders
    # -------------------------------------------------------------------------

    def _add_orders(self, found):
        """Add confirmed orders, locked ones too, to whoever will owe them."""
        orders = self.env['sale.order'].search([('company_id', 'in', self.companies.ids), ('state', '=', 'sale')])
        for order in orders:
            figures = found[order.partner_invoice_id.commercial_partner_id]
            delivered, ordered = self._order(order)
            if delivered + ordered < 0:
                figures.stopped_at_zero = True
                delivered = ordered = 0.0
            figures.delivered += delivered
            figures.ordered += ordered
            figures.orders[order] = delivered + ordered
            figures.rows += 1 + len(order.order_line)

    def _order(self, order):
        """Return what is delivered but not invoiced, and what is still to be delivered, less down payments.

        The sum is not below 0; the caller sees to that.
        """
        delivered = ordered = 0.0
        for line in order.order_line:
            if line.display_type or line.is_downpayment:
                continue
            price, line_delivered, line_ordered = self._line(line)
            delivered += self._in_company_currency(price * line_delivered, order.currency_id)
            ordered += self._in_company_currency(price * line_ordered, order.currency_id)
        down_payment = self._down_payments(order)
        from_ordered = min(down_payment, max(0.0, ordered))
        ordered -= from_ordered
        delivered -= down_payment - from_ordered
        return delivered, ordered

    def _line(self, line):
        """Return the price of one unit, the units delivered but not invoiced, and those still to be delivered."""
        done = line.qty_delivered
        total = self._total_quantity(line)
        invoiced = self._invoiced_quantity(line)
        open_quantity = max(0.0, total - invoiced)
        delivered = max(0.0, min(total, done) - invoiced)
        return self._unit_price(line), delivered, open_quantity - delivered

    def _unit_price(self, line):
        """Return the price of one unit with its taxes."""
        if line.product_uom_qty:
            return line.price_total / line.product_uom_qty
        net = line.price_unit * (1 - line.discount / 100)
        # The trade of these tests knows percentages only.
        return net * (1 + sum(tax.amount / 100 for tax in line.tax_ids if not tax.price_include))

    def _total_quantity(self, line):
        """Return what the line will come to: the stock moves say it, else order and delivery do."""
        if not line.move_ids:
            return max(line.product_uom_qty, line.qty_delivered)
        coming = 0.0
        for move in line.move_ids:
            if move.state not in ('done', 'cancel') and self._goes_to_customer(move):
                coming += move.product_uom._compute_quantity(move.product_uom_qty, line.product_uom_id, round=False)
        return line.qty_delivered + coming

    def _goes_to_customer(self, move):
        # A warehouse that picks first books the way to the door and makes the
        # delivery itself only then.
        if move.location_dest_id.usage == 'customer':
            return True
        return move.location_final_id.usage == 'customer' and not move.move_dest_ids

    def _invoiced_quantity(self, line):
        """Return the quantity on customer invoices in the unit of the order."""
        invoiced = 0.0
        for invoice_line in line.invoice_lines:
            move = invoice_line.move_id
            quantity = invoice_line.product_uom_id._compute_quantity(
                invoice_line.quantity, line.product_uom_id, round=False
            )
            if move.move_type == 'out_invoice' and move.state != 'cancel' and not self._reversed_in_full(move):
                invoiced += quantity
            elif move.move_type == 'out_refund' and move.state == 'posted' and not move.reversed_entry_id:
                invoiced -= quantity
        return invoiced

    def _reversed_in_full(self, invoice):
        """Tell whether posted credit notes take back all of an invoice."""
        notes = self.env['account.move'].search([('reversed_entry_id', '=', invoice.id), ('state', '=', 'posted')])
        taken_back = sum(note.amount_total for note in notes)
        return bool(notes) and taken_back > invoice.amount_total - invoice.currency_id.rounding / 2

    def _down_payments(self, order):
        """Return what has been invoiced in advance and not yet been deducted from an invoice."""
        return max(0.0, self._down_payments_signed(order))

    def _down_payments_signed(self, order):
        total = 0.0
        for line in order.order_line:
            if not line.is_downpayment or line.display_type:
                continue
            for invoice_line in line.invoice_lines:
                move = invoice_line.move_id
                amount = self._in_company_currency(invoice_line.price_total, invoice_line.currency_id)
                if move.move_type == 'out_invoice' and move.state != 'cancel':
                    total += amount
                elif move.move_type == 'out_refund' and move.state == 'posted':
                    total -= amount
        return total
