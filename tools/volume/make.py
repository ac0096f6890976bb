"""Seeds, plan and multiplication put together."""

import random
import re
from collections.abc import Callable, Iterator

from . import plan as planning
from .multiply import Multiplier
from .plan import Customer, Document, Plan, Size
from .seeds import Seeds

# What is bulk-loaded: these tables get their indexes afterwards.
TABLES = [
    "account_full_reconcile",
    "account_move",
    "account_move_line",
    "account_partial_reconcile",
    "account_payment",
    "credit_account",
    "credit_limit",
    "res_partner",
    "sale_order",
    "sale_order_line",
    "sale_order_line_invoice_rel",
    "stock_move",
    "stock_move_line",
    "stock_picking",
    "stock_reference",
]
COMMON = {
    "partner": "int",
    "address": "int",
    "name": "text",
    "contact_name": "text",
    "salesperson": "int",
    "term": "int",
    "factor": "numeric",
    "date": "date",
    "due": "date",
    "paid": "date",
}
CUSTOMER_COLUMNS = {**COMMON, "contact": "boolean"}
NUMBERS = ("invoice", "credit", "payment", "sale_order", "picking_1", "picking_2")
DOCUMENT_COLUMNS = {**COMMON, **dict.fromkeys(NUMBERS, "text")}


def make(env, size: Size, report: Callable[[str], None]) -> None:
    """Fill the database of an environment; the caller commits."""
    today = env.company._credit_today()
    plan = planning.make_plan(size, today)
    report(f"planned {len(plan.customers)} customers, {sum(map(len, plan.documents.values()))} documents")
    env = env(
        context={
            **env.context,
            "tracking_disable": True,
            "mail_notrack": True,
            "mail_activity_quick_update": True,
            "no_reset_password": True,
        }
    )
    seeds = Seeds(env, today)
    customer_seed = seeds.customer()
    documents = {shape: seeds.document(shape) for shape in plan.documents}
    env.flush_all()
    # A wizard's links to the lines that it has paid are no part of a document.
    env["account.payment.register"].search([]).unlink()
    # Ranks and the like are written at the end of a transaction.
    env.cr.commit()
    _vacuum(env.cr)
    report(f"made {len(documents)} seeds")
    _number(env, plan, documents)
    multiplier = Multiplier(env.cr, seeds.anchors())
    rng = random.Random(planning.SEED)
    common = _CommonCells(seeds, plan.customers, rng)
    with multiplier.bulk(TABLES):
        rows = (common.of_customer(customer) for customer in plan.customers)
        bases = multiplier.copy(customer_seed, multiplier.plan(CUSTOMER_COLUMNS, rows))
        common.first_partner = bases["res_partner"]
        report("copied the customers")
        for shape, seed in documents.items():
            rows = (common.of_document(document) for document in plan.documents[shape])
            multiplier.copy(seed, multiplier.plan(DOCUMENT_COLUMNS, rows))
            report(f"copied {len(plan.documents[shape])} × {shape}")
    env.invalidate_all()
    report("built the indexes")


def _vacuum(cr) -> None:
    """Remove the old versions of updated rows.

    An index that is built beside them is passed over as long as any older
    transaction of the server runs.
    """
    cr._cnx.autocommit = True
    cr.execute("VACUUM")
    cr._cnx.autocommit = False


class _CommonCells:
    """The rows of the plan's table."""

    def __init__(self, seeds: Seeds, customers: list[Customer], rng: random.Random) -> None:
        self.seeds = seeds
        self.first_partner = 0
        self.salespeople = {customer.number: rng.choice(seeds.salespeople).id for customer in customers}

    def _cells(self, customer: Customer, factor, date, due, paid) -> tuple:
        # A customer is two rows: the company, and the contact that not all have.
        partner = self.first_partner + 2 * customer.number
        return (
            partner,
            partner + customer.contact,
            f"Customer {customer.number + 1:06d}",
            "Accounts Payable",
            self.salespeople[customer.number],
            self.seeds.terms[customer.term_days].id,
            factor,
            date,
            due,
            paid,
        )

    def of_customer(self, customer: Customer) -> tuple:
        today = self.seeds.today
        return *self._cells(customer, customer.limit, today, today, today), customer.contact

    def of_document(self, document: Document) -> tuple:
        cells = self._cells(document.customer, round(document.factor, 2), document.date, document.due, document.paid)
        return *cells, *(document.numbers.get(key) for key in NUMBERS)


def _number(env, plan: Plan, seeds: dict) -> None:
    """Give the documents their names, and set the sequences past them."""
    using = {
        key: [
            document
            for shape, seed in seeds.items()
            if key in seed.names.values()
            for document in plan.documents[shape]
        ]
        for key in NUMBERS
    }
    journals = {
        "invoice": ("date", env["account.move"], [("move_type", "=", "out_invoice")]),
        "credit": ("paid", env["account.move"], [("move_type", "=", "out_refund")]),
        "payment": ("paid", env["account.move"], [("origin_payment_id", "!=", False)]),
    }
    for key, (day, model, domain) in journals.items():
        taken: dict[int, int] = {}
        prefix = ""
        for move in model.search([*domain, ("state", "=", "posted")]):
            prefix, year, number = re.fullmatch(r"(.*/)(\d{4})/(\d+)", move.name).groups()
            taken[int(year)] = max(taken.get(int(year), 0), int(number))
        if using[key]:
            planning.number_by_year(using[key], prefix, taken, key, day)
    out_type = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1).out_type_id
    sequences = {
        "sale_order": env["ir.sequence"].search([("code", "=", "sale.order")], limit=1),
        "picking_1": out_type.sequence_id,
        "picking_2": out_type.sequence_id,
    }
    for key, sequence in sequences.items():
        if using[key]:
            planning.number(using[key], _next_names(env, sequence, len(using[key])), key)


def _next_names(env, sequence, count: int) -> Iterator[str]:
    """Return the next names of a sequence, which goes on after them."""
    env.cr.execute(f"SELECT last_value + is_called::int FROM ir_sequence_{sequence.id:03d}")
    [[first]] = env.cr.fetchall()
    env.cr.execute(f"SELECT setval('ir_sequence_{sequence.id:03d}', %s)", [first + count - 1])
    prefix = sequence._get_prefix_suffix()[0]
    return (f"{prefix}{number:0{sequence.padding}d}" for number in range(first, first + count))
