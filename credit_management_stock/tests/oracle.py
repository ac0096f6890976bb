"""What a customer owes and may come to owe, added up slowly from the documents.

This is the second opinion on `credit.exposure`: written from the words of the design, document by document, so that an
accountant can follow it. It shares no code with the SQL and must not be brought into line with it: where the two
differ, one of them is wrong. All amounts are in the currency of the company and not rounded: whoever compares
them allows for the rounding of each document line, since lines on screen have to add up to their figure.
"""

from collections import defaultdict
from dataclasses import dataclass, field

CATEGORIES = ('open_item', 'in_clearing', 'draft_invoice', 'delivered', 'ordered')
ROLES = ('receivable', 'advance', 'other', 'clearing')
GRACES = (0, 7, 30, 60)
NOTHING = 1e-6  # what floats leave of an amount that is settled


@dataclass
class Item:
    """Something owed that is not settled, and what is left of it once credits are applied virtually."""

    original: float
    left: float
    due: object  # None where only a balance is known, of which nobody can tell the age
    id: int

    def age(self, today):
        """Return the days since it was due, below 0 if it is not due yet or never."""
        return (today - self.due).days if self.due else -1


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
    overdue_after: dict = field(default_factory=lambda: dict.fromkeys(GRACES, 0.0))  # {days of grace: amount}
    days_overdue: int = 0
    oldest_due: object = False
    ledger: dict = field(default_factory=lambda: dict.fromkeys(ROLES, 0.0))  # {role: what its accounts add}
    trial_balance: float = 0.0  # of the receivable accounts: all posted debits less credits
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
        """Add what is posted on the accounts that count; credit notes and advance payments reduce it at once."""
        roles = self._roles()
        lines = self.env['account.move.line'].search(
            [
                ('company_id', 'in', self.companies.ids),
                ('parent_state', '=', 'posted'),
                ('account_id', 'in', [account.id for account in roles]),
                ('partner_id', '!=', False),
            ],
            order='id',
        )
        by_customer = defaultdict(list)
        for line in lines:
            by_customer[line.partner_id.commercial_partner_id].append(line)
        for customer, entries in by_customer.items():
            self._add_entries(found[customer], entries, roles, self._floors(customer))

    def _roles(self):
        """Return {account that counts: its role}: receivables by their type, the others as the company chose."""
        accounts = self.env['account.account'].with_context(active_test=False)
        receivables = accounts.search(
            [('account_type', '=', 'asset_receivable'), ('company_ids', 'in', self.companies.ids)]
        )
        roles = dict.fromkeys(receivables, 'receivable')
        for chosen in self.env['credit.ledger.account'].search([('company_id', '=', self.company.id)]):
            roles[chosen.account_id] = chosen.role
        return {account: role for account, role in roles.items() if role != 'ignored'}

    def _add_entries(self, figures, entries, roles, floors):
        """Add one customer's entries: one by one where they are matched, else the balance of their account."""
        left, balances = [], defaultdict(float)
        for line in entries:
            role = roles[line.account_id]
            if role == 'receivable':
                figures.trial_balance += line.debit - line.credit
            # A document counts once: this one comes off its order.
            if role == 'advance' and self._is_down_payment_of_an_order(line):
                continue
            if line.account_id.reconcile:
                due = line.date_maturity or line.date
                left.append((role, Item(abs(line.balance), self._residual(line), due, line.id)))
            else:
                balances[line.account_id] += line.debit - line.credit
        # The branches are one company with their root.
        left += [
            (roles[account], Item(abs(balance), balance, None, account.id)) for account, balance in balances.items()
        ]
        for role, item in left:
            figures.ledger[role] += item.left
        figures.in_clearing = figures.ledger['clearing']
        figures.open_item = sum(figures.ledger.values()) - figures.in_clearing
        # Who has paid by a bill is not overdue with what he paid.
        self._age(figures, [item for role, item in left if role != 'clearing'], *floors)

    def _is_down_payment_of_an_order(self, line):
        # A tax without an account of its own is booked on that of its base.
        bases = line
        if line.tax_line_id:
            bases = line.move_id.line_ids.filtered(lambda base: base.account_id == line.account_id)
        return any(sold.is_downpayment and sold.state == 'sale' for sold in bases.sale_line_ids)

    def _floors(self, customer):
        """Return the share of an item, and the amount in sum, up to which nothing is overdue."""
        policy = self._policy(customer)
        return (policy.item_floor_percent / 100, policy.customer_floor) if policy else (0.01, 50.0)

    def _policy(self, customer):
        """Return the policy that fits best: the account's own, one for the customer's tags, the company's."""
        account = self.env['credit.account'].search(
            [('partner_id', '=', customer.id), ('company_id', '=', self.company.id)]
        )
        segments = self.env['credit.policy'].search([('company_id', '=', self.company.id), ('tag_ids', '!=', False)])
        fitting = segments.filtered(lambda policy: policy.tag_ids & customer.category_id).sorted('sequence')
        return account.policy_id or fitting[:1] or self.company.credit_policy_id

    def _residual(self, line):
        """Return what posted entries leave open of an item."""
        # An entry that is set back to draft stays matched in Odoo, but it is not
        # in the ledger: it has settled nothing.
        settled_by_drafts = sum(
            partial.amount for partial in line.matched_credit_ids if partial.credit_move_id.parent_state != 'posted'
        ) - sum(partial.amount for partial in line.matched_debit_ids if partial.debit_move_id.parent_state != 'posted')
        return line.amount_residual + settled_by_drafts

    def _age(self, figures, entries, item_floor, customer_floor):
        """Pay the oldest items with the credits that nobody has matched; what is left then has an age."""
        items = [item for item in entries if item.left > NOTHING]
        items.sort(key=lambda item: (item.due is None, item.due, item.id))
        figures.overdue_booked = sum(item.left for item in items if item.age(self.today) > 0)
        credit = sum(-item.left for item in entries if item.left < 0)
        figures.unallocated_credit = credit
        for item in items:
            paid = min(item.left, credit)
            item.left -= paid
            credit -= paid

        overdue = [
            item
            for item in items
            if item.age(self.today) > 0 and item.left > item.original * item_floor + NOTHING and item.left > NOTHING
        ]
        amount = sum(item.left for item in overdue)
        if amount > customer_floor + NOTHING:
            figures.overdue_amount = amount
            figures.overdue_after = {
                grace: sum(item.left for item in overdue if item.age(self.today) > grace) for grace in GRACES
            }
            figures.oldest_due = min(item.due for item in overdue)
            figures.days_overdue = (self.today - figures.oldest_due).days

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
