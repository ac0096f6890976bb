"""One of each document, made through Odoo's own methods; SQL makes the many."""

from datetime import date, timedelta

from odoo import fields
from odoo.fields import Command

from .multiply import Anchors, Seed
from .plan import FIRST_QUANTITY, ORDER_LINES

SEED_AGE = 100  # days; so that the payment of a seed does not lie in the future
SEED_TERM = 30
SEED_PAID = 40
COMPANY_NAME, CONTACT_NAME = "Volume Seed Company", "Volume Seed Contact"
FOREIGN_RATE = 0.8
SALESPEOPLE = 5


class Seeds:
    """Makes the seeds in one company and knows which rows belong to each."""

    def __init__(self, env, today: date) -> None:
        """Prepare what documents need."""
        self.env = env
        self.date = today - timedelta(days=SEED_AGE)
        self.due = self.date + timedelta(days=SEED_TERM)
        self.paid = self.date + timedelta(days=SEED_PAID)
        self.today = today
        self.terms = self._terms()
        self.salespeople = self._salespeople()
        self.company, self.contact = self._partners()
        self.foreign = self._foreign_currency()
        self.products = self.env["product.product"].create(
            [
                {"name": f"Article {number}", "type": "consu", "list_price": 20, "invoice_policy": policy}
                for number, policy in zip(ORDER_LINES, ("order", "delivery") * 3, strict=False)
            ]
        )

    def anchors(self) -> Anchors:
        """Return what of the seeds stands for something of the plan."""
        return Anchors(
            today=self.today,
            dates={self.date: "date", self.due: "due", self.paid: "paid"},
            records={
                ("res_partner", self.company.id): "partner",
                ("res_partner", self.contact.id): "address",
                ("res_users", self.salespeople[0].id): "salesperson",
                ("account_payment_term", self.terms[SEED_TERM].id): "term",
            },
        )

    def _terms(self):
        """Return {days: payment term}."""
        names = {0: "immediate", 15: "15days", 30: "30days", 45: "45days"}
        terms = {days: self.env.ref(f"account.account_payment_term_{name}") for days, name in names.items()}
        line = {"value": "percent", "value_amount": 100, "nb_days": 60}
        terms[60] = self.env["account.payment.term"].create({"name": "60 Days", "line_ids": [Command.create(line)]})
        return terms

    def _salespeople(self):
        groups = self.env.ref("sales_team.group_sale_salesman") + self.env.ref("credit_management.group_credit_sales")
        return (
            self.env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                [
                    {"name": f"Salesperson {n}", "login": f"volume_sales_{n}", "group_ids": [Command.set(groups.ids)]}
                    for n in range(1, SALESPEOPLE + 1)
                ]
            )
        )

    def _partners(self):
        company = self.env["res.partner"].create(
            {
                "name": COMPANY_NAME,
                "is_company": True,
                "customer_rank": 1,
                "country_id": self.env.company.country_id.id or self.env.ref("base.us").id,
                "user_id": self.salespeople[0].id,
                "property_payment_term_id": self.terms[SEED_TERM].id,
            }
        )
        contact = self.env["res.partner"].create({"name": CONTACT_NAME, "type": "invoice", "parent_id": company.id})
        return company, contact

    def _foreign_currency(self):
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "EUR")])
        if currency == self.env.company.currency_id:
            currency = currency.with_context(active_test=False).search([("name", "=", "USD")])
        currency.active = True
        # One rate for all of the history: a copy keeps its company amount.
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "name": "2000-01-01", "rate": FOREIGN_RATE, "company_id": self.env.company.id}
        )
        return currency

    # ------------------------------------------------------------------

    def customer(self) -> Seed:
        """Return the seed of a customer: company, invoice address, credit account, limit."""
        account = self.env["credit.account"]._for_partners(self.company, self.env.company)
        limit = self.env["credit.limit"].create({"account_id": account.id, "amount": 1, "date_from": self.today})
        limit.action_submit()
        limit.action_approve()
        # What approving leaves to do belongs to the seed alone.
        limit.activity_ids.unlink()
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM credit_limit_author_rel WHERE limit_id = ANY(%s)", [limit.ids])
        return Seed(
            rows={
                "res_partner": sorted((self.company + self.contact).ids),
                "credit_account": account.ids,
                "credit_limit": limit.ids,
            },
            names={COMPANY_NAME: "name", CONTACT_NAME: "contact_name"},
            cells={
                ("res_partner", "property_payment_term_id"): f"jsonb_build_object({self.env.company.id}, p.term)",
            },
            only={("res_partner", self.contact.id): "p.contact", ("credit_limit", limit.id): "p.factor IS NOT NULL"},
        )

    def document(self, shape: str) -> Seed:
        """Return the seed of a document shape of the plan."""
        kind, *rest = shape.split("_")
        currency = self.foreign if "foreign" in rest else self.env.company.currency_id
        if shape in ("credit_note", "payment", "credited", "draft", "partly") or kind in ("paid", "open"):
            return self._ledger_seed(shape if shape == "credit_note" else kind, currency)
        return self._order_seed(shape.removesuffix("_foreign_2").rstrip("_12345"), int(rest[-1]), currency)

    def _ledger_seed(self, kind: str, currency) -> Seed:
        if kind == "payment":
            payment = self._new_payment(20 * 1.15, self.date, currency)
            return self._seed(payments=payment)
        move = self._new_invoice("out_refund" if kind == "credit_note" else "out_invoice", currency)
        if kind == "draft":
            return self._seed(moves=move)
        move.action_post()
        payments = self.env["account.payment"]
        if kind in ("paid", "partly"):
            payments = self._pay(move, move.amount_total / (2 if kind == "partly" else 1))
        elif kind == "credited":
            wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=move.ids)
            wizard = wizard.create({"journal_id": move.journal_id.id, "date": self.paid})
            wizard.reverse_moves()
            reversal = move.reversal_move_ids
            if reversal.state == "draft":
                reversal.action_post()
            receivable = (move + reversal).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            if not all(receivable.mapped("reconciled")):
                receivable.reconcile()
            move += reversal
        return self._seed(moves=move, payments=payments)

    def _order_seed(self, kind: str, lines: int, currency) -> Seed:
        order = self._new_order(lines, currency)
        if kind == "quotation":
            return self._seed(order=order)
        order.with_context(send_email=False).action_confirm()
        if kind != "ordered":
            for line in order.order_line:
                share = line.product_uom_qty // 2 if kind == "part_delivered" else line.product_uom_qty
                line.move_ids.quantity = share
                line.move_ids.picked = True
            order.picking_ids.with_context(skip_backorder=True, skip_sms=True).button_validate()
        if kind != "finished":
            return self._seed(order=order)
        invoice = order._create_invoices()
        invoice.write({"invoice_date": self.date, "invoice_payment_term_id": self.terms[SEED_TERM].id})
        invoice.action_post()
        return self._seed(order=order, moves=invoice, payments=self._pay(invoice, invoice.amount_total))

    def _new_order(self, lines: int, currency):
        pricelist = self.env["product.pricelist"]
        if currency != self.env.company.currency_id:
            pricelist = pricelist.create({"name": currency.name, "currency_id": currency.id})
        return self.env["sale.order"].create(
            {
                "partner_id": self.company.id,
                "partner_invoice_id": self.contact.id,
                "partner_shipping_id": self.company.id,
                "pricelist_id": pricelist.id,
                "user_id": self.salespeople[0].id,
                "payment_term_id": self.terms[SEED_TERM].id,
                "date_order": fields.Datetime.now(),
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": quantity, "price_unit": 20})
                    for quantity, product in enumerate(self.products[:lines], start=FIRST_QUANTITY)
                ],
            }
        )

    def _new_invoice(self, move_type: str, currency):
        line = {"product_id": self.products[0].id, "quantity": 1, "price_unit": 20}
        return self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.contact.id,
                "currency_id": currency.id,
                "invoice_date": self.date,
                "invoice_payment_term_id": self.terms[SEED_TERM].id,
                "invoice_user_id": self.salespeople[0].id,
                "invoice_line_ids": [Command.create(line)],
            }
        )

    def _new_payment(self, amount: float, day: date, currency):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.company.id,
                "amount": amount,
                "date": day,
                "currency_id": currency.id,
            }
        )
        payment.action_post()
        return payment

    def _pay(self, move, amount: float):
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        return wizard.create({"amount": amount, "payment_date": self.paid})._create_payments()

    def _seed(self, order=None, moves=None, payments=None) -> Seed:
        """Return the rows of a document and of all that hangs on it, and the names in them."""
        order = order if order is not None else self.env["sale.order"]
        moves = moves if moves is not None else self.env["account.move"]
        payments = payments if payments is not None else self.env["account.payment"]
        moves |= payments.move_id
        lines = moves.line_ids
        partials = lines.matched_debit_ids | lines.matched_credit_ids
        pickings, stock_moves = order.picking_ids, order.order_line.move_ids
        records = [
            order,
            order.order_line,
            order.stock_reference_ids,
            pickings,
            stock_moves,
            stock_moves.move_line_ids,
            moves,
            lines,
            payments,
            partials,
            lines.full_reconcile_id,
        ]
        self.env.flush_all()
        names = {COMPANY_NAME: "name", CONTACT_NAME: "contact_name"}
        names |= {move.name: "credit" if move.move_type == "out_refund" else "invoice" for move in moves if move.name}
        names |= {payment.name: "payment" for payment in payments}
        names |= {move.name: "payment" for move in payments.move_id}
        names |= {record.name: "sale_order" for record in order}
        for position, picking in enumerate(pickings.sorted("id"), start=1):
            names[picking.name] = f"picking_{position}"
        return Seed(rows={part._table: sorted(part.ids) for part in records if part}, names=names)
