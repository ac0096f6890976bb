"""The limit that a customer's trade calls for, with its derivation.

The need is what is open at the same time when a customer buys as he did: what he is billed in a month, for as
long as he takes to pay, within bounds. It is scaled by the grade, and capped by what the customer can bear (a share
of net worth), by what we can (a share of our own yearly sales with one customer), and by what we expect to lose of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

DAYS_PER_MONTH = 30
# Even what is payable at once is open for some days: from delivery to payment, a week at least.
LEAST_DAYS = 7.0
# So many late days count at most, and no more than the days of credit: who pays ever later gets no ever higher limit.
MOST_LATE_DAYS = 30.0
# How exact a recommended limit is: 39 225 becomes 39 200.
DIGITS = 3


@dataclass(frozen=True)
class Basis:
    """What a recommendation rests on; amounts in company currency, taxes included."""

    monthly_billing: float
    terms_days: float
    late_days: float
    growth_percent: float
    grade_factor: float
    rounding: float  # the smallest unit of the currency
    net_worth: float | None = None  # None: not known
    net_worth_percent: float = 10.0
    own_sales: float | None = None  # a year's, over all customers
    concentration_percent: float = 10.0
    default_percent: float = 0.0  # of the customers of this grade that do not pay within a year; 0: not known
    loss_percent: float = 100.0  # of the limit that is lost then
    margin_percent: float = 0.0  # of what is invoiced; 0: no cap by the expected loss
    tolerated_percent: float = 100.0  # of the customer's yearly margin that may be lost


@dataclass(frozen=True)
class Step:
    """One line of the derivation: what it says and the amount it leads to."""

    code: str  # need, grade, net_worth, concentration, expected_loss
    amount: float
    binding: bool = False
    days: float = 0.0  # of the need: so many were counted


@dataclass(frozen=True)
class Recommendation:
    """The amount, rounded, and how it came about."""

    amount: float
    steps: tuple[Step, ...]


def recommend(basis: Basis) -> Recommendation:
    """Return the recommended limit.

    need = monthly billing × days ÷ 30 × (1 + growth ÷ 100), times the grade's factor, see `counted_days`;
    then not above net worth × p ÷ 100 nor own sales × c ÷ 100, where these are known. A net worth below 0 leaves
    nothing. Nor above the limit at which probability of default × share lost × limit reaches the share of the
    customer's yearly margin that may be lost, where probability and margin are known. After the need method and the
    net worth ceiling of credit management practice (10 % of net worth, 10 % of own sales), with the customer's own
    lateness in the period.
    """
    days = counted_days(basis.terms_days, basis.late_days)
    need = max(0.0, basis.monthly_billing) * days / DAYS_PER_MONTH * (1 + basis.growth_percent / 100)
    graded = need * basis.grade_factor
    steps = [Step('need', need, days=days), Step('grade', graded)]
    caps = []
    if basis.net_worth is not None:
        caps.append(('net_worth', max(0.0, basis.net_worth) * basis.net_worth_percent / 100))
    if basis.own_sales is not None and basis.own_sales > 0:
        caps.append(('concentration', basis.own_sales * basis.concentration_percent / 100))
    loss = basis.default_percent * basis.loss_percent / 100 / 100
    if loss > 0 and basis.margin_percent > 0:
        margin = max(0.0, basis.monthly_billing) * 12 * basis.margin_percent / 100
        caps.append(('expected_loss', margin * basis.tolerated_percent / 100 / loss))
    lowest = min([graded, *(amount for _code, amount in caps)])
    steps += [Step(code, amount, binding=amount == lowest < graded) for code, amount in caps]
    return Recommendation(_round_down(lowest, basis.rounding), tuple(steps))


def counted_days(terms_days: float, late_days: float) -> float:
    """Return for how many days of billing a customer needs credit.

    The days of credit, at least LEAST_DAYS, and the days beyond them. Who pays early needs no less than he was
    given, and lateness is no reason for a limit without bound: at most MOST_LATE_DAYS, and no more than the credit.
    """
    credit = max(terms_days, LEAST_DAYS)
    return credit + min(max(late_days, 0.0), credit, MOST_LATE_DAYS)


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest of the values with at least that share of them at or below it."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _round_down(amount: float, unit: float) -> float:
    """Cut to three digits, but never finer than the currency: a cap stays a cap."""
    if amount < unit:
        return 0.0
    step = max(unit, 10.0 ** (floor(log10(amount)) - DIGITS + 1))
    # The small addition keeps 0.1 × 3 from losing a step.
    return round(floor(amount / step + 1e-9) * step, 9)


@dataclass(frozen=True)
class Standing:
    """What bears on whether the present limit should move."""

    present: float | None  # None: none decided
    good_periods: int  # in a row up to now, with nothing overdue and no worse grade
    overdue: float  # beyond the floor; 0 if none


@dataclass(frozen=True)
class Course:
    """How a policy lets limits move."""

    raise_after: int = 3  # good periods
    overdue_lower_percent: float = 0.0  # 0: overdue debt freezes the limit, more: it lowers it by that much
    min_change_percent: float = 10.0


def next_limit(recommended: float, standing: Standing, course: Course, rounding: float) -> tuple[str, float | None]:
    """Return what to propose: (verdict, amount or None).

    Verdicts: first (there was no limit), raise, lower; without an amount same (too little to change), wait (not
    enough good periods yet), frozen (overdue). Overdue debt lets no limit begin or rise; whether it lowers one is
    the policy's. A limit that need or grade no longer justify is lowered whatever else.
    """
    present, overdue = standing.present, standing.overdue > 0
    if present is None:
        if not recommended:
            return 'same', None
        return ('frozen', None) if overdue else ('first', recommended)
    target = recommended
    if overdue and course.overdue_lower_percent > 0:
        target = min(target, _round_down(present * (1 - course.overdue_lower_percent / 100), rounding))
    change = target - present
    if not change or abs(change) * 100 < course.min_change_percent * max(present, target):
        return 'same', None
    if change < 0:
        return 'lower', target
    if overdue:
        return 'frozen', None
    if standing.good_periods < course.raise_after:
        return 'wait', None
    return 'raise', target
