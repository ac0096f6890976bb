"""Early warnings: what has changed for the worse with a customer, and by how much.

Each warning compares the customer with himself: with the score before, with his own habit of paying, buying and
reporting. What is not known (None, too short a history) warns of nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from .limit import quantile


@dataclass(frozen=True)
class Payment:
    """One payment of a customer, in the order in which they came."""

    payer: str  # the account or person it came from
    method: str
    amount: float
    is_bill: bool = False
    is_part: bool = False  # it left a rest of what it paid


@dataclass(frozen=True)
class Facts:
    """What is known of one customer, from the oldest to the newest; amounts in company currency."""

    score: float | None = None
    score_before: float | None = None
    score_since: str = ''  # the day of the score before
    score_first: bool = False  # it is the first by this version of the card, which is younger than the comparison
    grade_rank: int | None = None  # higher is worse
    grade_rank_before: int | None = None
    days_late: tuple[float, ...] = ()  # of settled items, by the day of their payment
    overdue: tuple[float, ...] = ()  # at the end of each of the last periods
    payments: tuple[Payment, ...] = ()
    days_since_invoice: int | None = None
    usual_gap: float | None = None  # days between two invoices
    owing: float = 0.0
    ratios: dict = field(default_factory=dict)
    ratios_before: dict = field(default_factory=dict)
    industry_risk: float | None = None
    industry_risk_before: float | None = None
    country_risk: float | None = None
    country_risk_before: float | None = None
    statement_months: int | None = None  # since the end of the last statement's year


@dataclass(frozen=True)
class Thresholds:
    """From where on something is worth a warning."""

    score_drop: float = 10.0
    recent_items: int = 3
    habit_items: int = 6
    slower_days: float = 10.0
    overdue_periods: int = 3
    overdue_growth_percent: float = 20.0
    recent_payments: int = 3
    habit_payments: int = 6
    round_amount: float = 1000.0
    silent_gaps: float = 3.0
    silent_days: int = 45
    ratio_worse_percent: float = 20.0
    statement_months: int = 18  # 0: statements don't get old


@dataclass(frozen=True)
class Warning:
    """What was found: its kind, and the figures behind it."""

    kind: str
    figures: dict


Finder = Callable[[Facts, Thresholds], dict | None]
FINDERS: dict[str, Finder] = {}


def finder(kind: str) -> Callable[[Finder], Finder]:
    """Add a function that returns the figures of a warning, or None."""

    def add(function: Finder) -> Finder:
        FINDERS[kind] = function
        return function

    return add


def warnings(facts: Facts, thresholds: Thresholds) -> tuple[Warning, ...]:
    """Return what is worth a warning, in the order of FINDERS."""
    found = ((kind, find(facts, thresholds)) for kind, find in FINDERS.items())
    return tuple(Warning(kind, figures) for kind, figures in found if figures is not None)


@finder('score_drop')
def _score_drop(facts, thresholds):
    if facts.score is None or facts.score_before is None:
        return None
    if facts.score_before - facts.score < thresholds.score_drop:
        return None
    return {'before': facts.score_before, 'now': facts.score, **_since(facts)}


def _since(facts):
    """Return the figures that say with which score the one of today was compared."""
    return {'since': facts.score_since, 'first': facts.score_first} if facts.score_since else {}


@finder('grade_down')
def _grade_down(facts, _thresholds):
    if facts.grade_rank is None or facts.grade_rank_before is None or facts.grade_rank <= facts.grade_rank_before:
        return None
    return _since(facts)


@finder('slower')
def _slower(facts, thresholds):
    """Report the last items if their median lies beyond the habit's, and beyond four fifths of it."""
    count = thresholds.recent_items
    recent, habit = facts.days_late[-count:], facts.days_late[:-count]
    if len(recent) < count or len(habit) < thresholds.habit_items:
        return None
    now, before = median(recent), median(habit)
    if now - before < thresholds.slower_days or now <= quantile(habit, 0.8):
        return None
    return {'before': before, 'now': now}


@finder('overdue_trend')
def _overdue_trend(facts, thresholds):
    """Report overdue debt that has grown in each of the last periods."""
    series = facts.overdue[-thresholds.overdue_periods - 1 :]
    if len(series) <= thresholds.overdue_periods or series[-1] <= 0:
        return None
    if any(later <= earlier for earlier, later in zip(series, series[1:], strict=False)):
        return None
    if series[-1] < series[0] * (1 + thresholds.overdue_growth_percent / 100):
        return None
    return {'before': series[0], 'now': series[-1]}


@finder('irregular')
def _irregular(facts, thresholds):
    """Report payers, methods or kinds of amount that the customer did not use before."""
    count = thresholds.recent_payments
    recent, habit = facts.payments[-count:], facts.payments[:-count]
    if len(recent) < count or len(habit) < thresholds.habit_payments:
        return None
    signs = []
    if {payment.payer for payment in recent}.isdisjoint(payment.payer for payment in habit):
        signs.append('payer')
    # Bills are what a customer who has no cash pays with; any other change of method is one of its own.
    if all(payment.is_bill for payment in recent) and not any(payment.is_bill for payment in habit):
        signs.append('bills')
    elif {payment.method for payment in recent}.isdisjoint(payment.method for payment in habit):
        signs.append('method')
    if sum(_is_round_part(payment, thresholds) for payment in recent) > count / 2 and not any(
        _is_round_part(payment, thresholds) for payment in habit
    ):
        signs.append('round')
    return {'signs': signs} if signs else None


@finder('stopped_buying')
def _stopped_buying(facts, thresholds):
    if facts.owing <= 0 or facts.days_since_invoice is None or not facts.usual_gap:
        return None
    if facts.days_since_invoice < max(thresholds.silent_days, thresholds.silent_gaps * facts.usual_gap):
        return None
    return {'days': facts.days_since_invoice, 'usual': facts.usual_gap, 'owing': facts.owing}


@finder('ratios')
def _ratios(facts, thresholds):
    """Report ratios that are worse than the year before by a share of the value then; of all of them more is better."""
    worse = {}
    for name, before in facts.ratios_before.items():
        now = facts.ratios.get(name)
        if now is None or before is None or not before:
            continue
        if (before - now) / abs(before) * 100 >= thresholds.ratio_worse_percent:
            worse[name] = [before, now]
    return {'ratios': worse} if worse else None


@finder('industry_risk')
def _industry_risk(facts, _thresholds):
    return _raised(facts.industry_risk_before, facts.industry_risk)


@finder('country_risk')
def _country_risk(facts, _thresholds):
    return _raised(facts.country_risk_before, facts.country_risk)


@finder('statement_old')
def _statement_old(facts, thresholds):
    if not thresholds.statement_months or facts.statement_months is None:
        return None
    if facts.statement_months < thresholds.statement_months:
        return None
    return {'months': facts.statement_months}


def _raised(before, now):
    if before is None or now is None or now <= before:
        return None
    return {'before': before, 'now': now}


def _is_round_part(payment, thresholds):
    unit = thresholds.round_amount
    # Whole cents: money is never compared as it lies in memory.
    return payment.is_part and payment.amount > 0 and round(payment.amount * 100) % round(unit * 100) == 0
