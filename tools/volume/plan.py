"""What there is to be: customers and documents as plain rows, drawn from a seeded generator.

Nothing here knows Odoo or a database. A document is a copy of a seed (its
`shape`) with another customer, other dates, and amounts multiplied by `factor`.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate

SEED = 20260401
# Seeds are priced so that each multiple of a cent's hundredth stays exact: a
# unit of 20.00 with 15 % tax makes 23.00, and a hundredth of that has no half cents.
UNIT_TOTAL = 23
STEP = 0.02  # of factors; also half of an amount stays exact
HISTORY_DAYS = 540
OPEN_SHARE = 0.15
PARTLY_PAID_SHARE = 0.10  # of the open ones
LIMITED_SHARE = 0.80
OVER_LIMIT_SHARE = 0.28  # of the limited ones
CONTACT_SHARE = 0.30
FOREIGN_SHARE = 0.03
TERM_DAYS = {0: 10, 15: 20, 30: 45, 45: 15, 60: 10}
# Behaviour: share of the customers, days after the due date, spread.
PAYERS = {"prompt": (60, -2, 3), "slow": (30, 8, 6), "bad": (10, 30, 20)}
ORDER_LINES = (1, 2, 3, 4, 5)
FIRST_QUANTITY = 2  # of an order's first line, so that half of each can be delivered

SIZES = {"small": (2_000, 20_000, 4_000), "large": (20_000, 300_000, 30_000)}


@dataclass(frozen=True)
class Size:
    """How much to make."""

    customers: int
    invoices: int
    orders: int

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Read `small`, `large` or `customers/invoices/orders`."""
        if text in SIZES:
            return cls(*SIZES[text])
        if not re.fullmatch(r"[1-9]\d*/[1-9]\d*/[1-9]\d*", text):
            raise ValueError(f"{text!r} is no size: use {', '.join(SIZES)} or customers/invoices/orders.")
        return cls(*map(int, text.split("/")))

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        return f"{self.customers}/{self.invoices}/{self.orders}"


@dataclass
class Customer:
    """One company, with what decides its trade."""

    number: int
    term_days: int
    late_days: float
    late_spread: float
    foreign: bool
    contact: bool
    exposure: float = 0.0
    limit: float | None = None


@dataclass
class Document:
    """One copy of a seed; what is None does not occur in that shape."""

    shape: str
    customer: Customer
    factor: float
    date: date
    due: date
    paid: date
    numbers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """All that is to be made."""

    customers: list[Customer]
    documents: dict[str, list[Document]]  # by shape


def quantity(shape: str) -> int:
    """Return how many units the seed of a shape sells: one, or on the lines of an order 2, 3, 4 …"""
    match = re.search(r"_(\d)$", shape)
    return sum(range(FIRST_QUANTITY, FIRST_QUANTITY + int(match[1]))) if match else 1


def make_plan(size: Size, today: date) -> Plan:
    """Return the plan of a size; the same for the same size and day."""
    rng = random.Random(SEED)
    customers = [_customer(rng, number) for number in range(size.customers)]
    # A few customers buy most: weights fall as a power of the rank.
    ranks = list(range(1, size.customers + 1))
    rng.shuffle(ranks)
    weights = list(accumulate(rank**-0.8 for rank in ranks))
    documents = [
        *_invoices(rng, customers, weights, size, today),
        *_orders(rng, customers, weights, size, today),
    ]
    _decide_limits(rng, customers)
    by_shape = defaultdict(list)
    for document in documents:
        by_shape[document.shape].append(document)
    for same in by_shape.values():
        same.sort(key=lambda document: document.date)
    return Plan(customers, dict(sorted(by_shape.items())))


def _customer(rng: random.Random, number: int) -> Customer:
    _share, late, spread = rng.choices(list(PAYERS.values()), [share for share, *_rest in PAYERS.values()])[0]
    return Customer(
        number=number,
        term_days=rng.choices(list(TERM_DAYS), list(TERM_DAYS.values()))[0],
        late_days=late,
        late_spread=spread,
        foreign=rng.random() < FOREIGN_SHARE,
        contact=rng.random() < CONTACT_SHARE,
    )


def _factor(rng: random.Random, shape: str, median: float, foreign: bool) -> float:
    """Return a log-normal amount as a multiple of the seed; whole for foreign ones, whose rate keeps them exact."""
    factor = rng.lognormvariate(0, 1.0) * median / (UNIT_TOTAL * quantity(shape))
    return max(1, round(factor)) if foreign else max(1, round(factor / STEP)) * STEP


def _invoices(
    rng: random.Random, customers: list[Customer], weights: list[float], size: Size, today: date
) -> Iterable[Document]:
    """Return the posted invoices, those paid last still open, and what lies around them."""
    documents = []
    for customer in rng.choices(customers, cum_weights=weights, k=size.invoices):
        # Growing trade: half of the history's invoices are of its last third.
        day = today - timedelta(days=round(HISTORY_DAYS * (1 - rng.random() ** 0.5)))
        due = day + timedelta(days=customer.term_days)
        paid = due + timedelta(days=round(rng.gauss(customer.late_days, customer.late_spread)))
        documents.append(Document("paid", customer, 0, day, due, max(day, paid)))
    documents.sort(key=lambda document: (document.paid, document.date, document.customer.number))
    still_open = round(size.invoices * OPEN_SHARE)
    first_open = size.invoices - still_open
    partly = set(rng.sample(range(first_open, size.invoices), round(still_open * PARTLY_PAID_SHARE)))
    # As many finished orders as open ones: an old company is full of them.
    ordered = set(rng.sample(range(first_open), min(first_open, size.orders)))
    credited = set(rng.sample(range(first_open), round(first_open * 0.01))) - ordered
    for position, document in enumerate(documents):
        foreign = document.customer.foreign
        if position >= first_open:
            document.shape = "partly" if position in partly and not foreign else "open"
            document.paid = min(max(document.date, document.paid), today)
        elif position in ordered and not foreign:
            document.shape = f"finished_{rng.choice(ORDER_LINES)}"
        elif position in credited and not foreign:
            document.shape = "credited"
        document.shape += "_foreign" if foreign else ""
        document.paid = min(document.paid, today)
        document.factor = _factor(rng, document.shape, 800, foreign)
        if position >= first_open:
            total = document.factor * UNIT_TOTAL * (1.25 if foreign else 1)
            document.customer.exposure += total / 2 if document.shape == "partly" else total
    for shape, share, sign in (("draft", 0.01, 1), ("credit_note", 0.005, -1), ("payment", 0.01, -1)):
        for customer in rng.choices(customers, cum_weights=weights, k=max(1, round(size.invoices * share))):
            day = today - timedelta(days=rng.randrange(30 if sign > 0 else 90))
            due = day + timedelta(days=customer.term_days)
            factor = _factor(rng, shape, 800 if sign > 0 else 200, False)
            documents.append(Document(shape, customer, factor, day, due, day))
            customer.exposure += sign * factor * UNIT_TOTAL
    return documents


def _orders(
    rng: random.Random, customers: list[Customer], weights: list[float], size: Size, today: date
) -> Iterable[Document]:
    """Return the open orders: ordered, half delivered, delivered but not invoiced, and quotations besides."""
    kinds = {"ordered": 60, "part_delivered": 10, "delivered": 30}
    open_kinds = rng.choices(list(kinds), list(kinds.values()), k=size.orders)
    quotations = ["quotation"] * (size.orders // 4)
    for kind in [*open_kinds, *quotations]:
        [customer] = rng.choices(customers, cum_weights=weights)
        foreign = customer.foreign and kind == "ordered"
        shape = f"{kind}_{rng.choice(ORDER_LINES)}"
        shape = f"{kind}_foreign_2" if foreign else shape
        day = today - timedelta(days=rng.randrange(60))
        factor = _factor(rng, shape, 1_200, foreign)
        if kind != "quotation":
            customer.exposure += factor * UNIT_TOTAL * quantity(shape) * (1.25 if foreign else 1)
        yield Document(shape, customer, factor, day, day, day)


def _decide_limits(rng: random.Random, customers: list[Customer]) -> None:
    """Give most customers a limit, so that the wanted share of those is above it."""
    limited = rng.sample(customers, round(len(customers) * LIMITED_SHARE))
    exposed = [customer for customer in limited if customer.exposure > 100]
    over = rng.sample(exposed, min(len(exposed), round(len(limited) * OVER_LIMIT_SHARE)))
    for customer in limited:
        customer.limit = round(max(1_000, customer.exposure * rng.uniform(1.1, 4)), -2)
    for customer in over:
        customer.limit = round(customer.exposure * rng.uniform(0.3, 0.9), 2)


def number_by_year(documents: Iterable[Document], prefix: str, taken: dict[int, int], key: str, day: str) -> None:
    """Give documents names as `INV/2026/00001`, in the order of their date, after those taken of a year."""
    last = dict(taken)
    for document in sorted(documents, key=lambda document: getattr(document, day)):
        year = getattr(document, day).year
        last[year] = last.get(year, 0) + 1
        document.numbers[key] = f"{prefix}{year}/{last[year]:05d}"


def number(documents: Iterable[Document], names: Iterator[str], key: str) -> None:
    """Give documents the next names of a plain sequence."""
    for document in documents:
        document.numbers[key] = next(names)
