"""From metrics to a score that explains itself.

A card gives points for each characteristic; the score is what was reached in
percent of what could be, from 0 (bad) to 100 (good). What rests on few invoices
is drawn towards the average of the segment. Characteristics about the amount at
stake make a score of their own: how well somebody pays says nothing about how
much he owes, nor the other way round.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

from odoo.tools.float_utils import float_round

from .history import CODES, History
from .metric import ENTERED, ON_TIME, PAY, WAIT, Metric

REACH = 'reach'
# So many further invoices are still something that a customer can be told.
MANY = 60
# Values are compared after rounding: 12.0000001 days are 12.
DIGITS = 4


@dataclass(frozen=True)
class Bin:
    """Points for the values from `low` up to the next bin; of the lowest bin also for all below.

    Of a characteristic by values, points for exactly `low`.
    """

    low: float
    points: float
    id: int = 0
    label: str = ''


@dataclass(frozen=True)
class Characteristic:
    """What is looked at, its weight, and the points. `missing` None: left out where there is no value."""

    metric: Metric
    weight: float
    bins: tuple  # of Bin, ascending
    missing: float | None = None
    exact: bool = False
    id: int = 0

    # Asked for hundreds of times for each customer.
    @cached_property
    def best(self):
        return max(item.points for item in self.bins)

    @cached_property
    def _lows(self):
        return [round(item.low, DIGITS) for item in self.bins]

    def bin_of(self, value):
        """Return the position of a value's bin; None if there is none."""
        value = round(value, DIGITS)
        if self.exact:
            return self._lows.index(value) if value in self._lows else None
        return max(bisect_right(self._lows, value) - 1, 0)

    def points_of(self, value):
        """Return (points, bin) of a value; points None where the characteristic is left out."""
        place = None if value is None else self.bin_of(value)
        return (self.missing, None) if place is None else (self.bins[place].points, self.bins[place])

    def next_bin(self, value):
        """Return (the nearest bin with more points, the value that it takes), or None.

        For a bin that lies below the value is the limit, it has to be less.
        """
        if value is None or (place := self.bin_of(value)) is None:
            return None
        better = [other for other, item in enumerate(self.bins) if item.points > self.bins[place].points]
        if not better:
            return None
        up = self.metric.higher_is_better
        target = min(better, key=lambda other: (abs(other - place), (other > place) != up))
        bound = self.bins[target].low if self.exact or target > place else self.bins[target + 1].low
        return self.bins[target], bound


@dataclass(frozen=True)
class Band:
    """A grade and the lowest score that has it; `rank` counts from the best grade."""

    minimum: float
    grade_id: int
    rank: int = 0


@dataclass(frozen=True)
class Card:
    """A scorecard. `pull` is the number of invoices that the segment's average weighs."""

    characteristics: tuple
    bands: tuple
    pull: float = 5.0
    little: int = 3
    id: int = 0

    def band(self, score):
        """Return the band of a score: that with the highest minimum it reaches, else the lowest; None without bands."""
        bands = self._bands
        return next((band for band in bands if score >= band.minimum), bands[-1] if bands else None)

    @cached_property
    def _bands(self):
        return sorted(self.bands, key=lambda band: -band.minimum)

    def side(self, stake):
        """Return (metric, weight, weight × most points, whether a mean over invoices) of what one side counts.

        A mean over invoices about the amount at stake says nothing of the way of
        paying: that side has none.
        """
        return self._sides[stake]

    @cached_property
    def _sides(self):
        return {
            stake: [
                (item.metric.code, item.weight, item.weight * item.best, item.metric.by_invoice and not stake)
                for item in self.characteristics
                if item.metric.stake == stake
            ]
            for stake in (False, True)
        }


@dataclass(frozen=True)
class Customer:
    """What is known of one customer: the history of payments, and all other metrics by code."""

    history: History = field(default_factory=History)
    others: dict = field(default_factory=dict)

    def value(self, code):
        return self.history.value(code) if code in CODES else self.others.get(code)


@dataclass(frozen=True)
class Step:
    """What it takes to get into the next better bin, and what the whole score would be then.

    kind: `on_time` (number: further invoices paid on time), `pay` (number: an
    amount), `wait` (until an event is old enough), `reach` (`bound`: the value).
    """

    kind: str
    bin: Bin
    bound: float
    number: float
    score: float
    gain: float
    grade_id: int


@dataclass(frozen=True)
class Line:
    """One characteristic of a score: `share` of the score's 100 points that it gave, of `most` that it could."""

    characteristic: Characteristic
    value: float | None
    bin: Bin | None
    points: float | None
    share: float
    most: float
    case: '_Case' = field(compare=False, repr=False)

    @property
    def lost(self):
        return self.most - self.share

    # Only where it is asked for: on most days most scores are what they were, and a trial doesn't show it.
    @cached_property
    def step(self):
        """Return the Step to the next better bin, or None."""
        return _step(self.case, self.characteristic)


@dataclass(frozen=True)
class Result:
    """A score from 0 to 100, its grade, and all that explains it.

    The shares of the lines and `drawn` (towards the segment) add up to the
    score. `behaviour` is what the invoices alone give, before they are drawn;
    None without any. `stake` is the score of the amount at stake, None if the
    card has no such characteristic.
    """

    score: float
    band: Band | None
    count: int
    little: bool
    behaviour: float | None
    prior: float
    drawn: float
    stake: float | None
    lines: tuple

    @property
    def grade_id(self):
        return self.band.grade_id if self.band else 0


def evaluate(card, customer, prior):
    """Return the Result of a customer on a card, or None if there is neither an invoice nor an own fact to judge by.

    :param prior: the average `behaviour` of the segment, 0 to 100
    """
    values = {item.metric.code: customer.value(item.metric.code) for item in card.characteristics}
    if not customer.history.count and not any(
        values[item.metric.code] is not None and item.metric.source == ENTERED and not item.metric.shared
        for item in card.characteristics
    ):
        # The average of others, and that nothing bad has happened yet, say nothing of this customer.
        return None
    case = _Case(card, customer, prior, values)
    if case.score is None:
        return None
    band, count = card.band(case.score), customer.history.count
    lines = tuple(
        Line(
            item,
            values[item.metric.code],
            *reversed(case.given[item.metric.code]),
            *_part(item, case.given[item.metric.code][0], case.stake_total if item.metric.stake else case.total),
            case,
        )
        for item in card.characteristics
    )
    drawn = case.score - sum(line.share for line in lines if not line.characteristic.metric.stake)
    return Result(
        case.score,
        band,
        count,
        count < card.little,
        case.behaviour,
        prior,
        round(drawn, DIGITS),
        case.stake,
        lines,
    )


class _Case:
    """A customer on a card, and what is asked for again for each step to something better."""

    def __init__(self, card, customer, prior, values):
        self.card, self.customer, self.prior, self.values = card, customer, prior, values
        self.given = {item.metric.code: item.points_of(values[item.metric.code]) for item in card.characteristics}
        count = customer.history.count
        self.score, self.total, self.behaviour = self._sum(values, self.given, count, stake=False)
        self.stake, self.stake_total, _none = self._sum(values, self.given, count, stake=True)
        self._later = {}

    def _sum(self, values, given, count, stake):
        """Return (score of one side of the card, the weight of all that counts, behaviour).

        The score is None where the side has nothing; so is the behaviour, what the
        means over invoices give in percent of what they could, where there is none.
        """
        weight_invoices = weight_others = points_others = points = most = 0.0
        for code, weight, best, by_invoice in self.card.side(stake):
            got = given[code][0]
            if by_invoice:
                # All of them stand for the way of paying, also those without a value yet.
                weight_invoices += best
                # Where there is no invoice, points for a missing value say nothing of behaviour.
                if values[code] is not None:
                    points += weight * (got or 0.0)
                    most += best
            elif got is not None:
                weight_others += best
                points_others += weight * got
        total = weight_invoices + weight_others
        behaviour = 100.0 * points / most if most else None
        if not total:
            return None, 0.0, behaviour
        pull = self.card.pull
        own = 0.0 if behaviour is None else count / (count + pull) if count + pull else 1.0
        drawn = own * (behaviour or 0.0) + (1 - own) * self.prior
        score = float_round((weight_invoices * drawn + 100.0 * points_others) / total, precision_digits=1)
        return score, total, behaviour

    def with_value(self, item, value):
        """Return the score of the item's side if this one value were another."""
        code = item.metric.code
        given = {**self.given, code: item.points_of(value)}
        values = {**self.values, code: value}
        return self._sum(values, given, self.customer.history.count, item.metric.stake)[0]

    def after(self, history, stake=False):
        """Return the score of one side of the card with another history of payments."""
        values, given = dict(self.values), dict(self.given)
        for item in self.card.characteristics:
            code = item.metric.code
            if code in CODES:
                values[code] = history.value(code)
                given[code] = item.points_of(values[code])
        return self._sum(values, given, history.count, stake)[0]

    def with_prompt(self, number):
        """Return the history after so many invoices paid on time: several characteristics ask for the same."""
        if number not in self._later:
            self._later[number] = self.customer.history.with_prompt(number)
        return self._later[number]


def _part(item, given, total):
    """Return (what a characteristic gave, what it could give) of the 100 points of its side."""
    if not total or (given is None and not item.metric.by_invoice):
        return 0.0, 0.0
    return 100.0 * item.weight * (given or 0.0) / total, 100.0 * item.weight * item.best / total


def _step(case, item):
    """Return what it takes to get into the next better bin of a characteristic, computed, not guessed."""
    found = item.next_bin(case.values[item.metric.code])
    if not found:
        return None
    target, bound = found
    kind, number, history, stake = item.metric.improved_by, 0.0, case.customer.history, item.metric.stake
    if kind == ON_TIME:
        number, history = _prompt_invoices(case, item, target.points)
        kind = ON_TIME if number else REACH
    elif kind == PAY:
        number, history = _payment(item, history, bound)
        kind = PAY if number else REACH
    elif kind != WAIT:
        kind = REACH
    if kind in (REACH, WAIT):
        new = case.with_value(item, _inside(item, target, bound))
    else:
        new = case.after(history, stake)
    base = case.stake if stake else case.score
    band = None if stake else case.card.band(new)
    return Step(kind, target, bound, number, new, round(new - base, 1), band.grade_id if band else 0)


def _inside(item, target, bound):
    """Return a value of the target bin, next to its bound."""
    if item.exact or target.low == bound:
        return target.low
    return bound - 10**-DIGITS


def _prompt_invoices(case, item, wanted):
    """Return how many further invoices paid on time give the points wanted, and the history then; 0 if too many.

    The smallest number, unless the score would fall with it: more invoices are
    also less of the segment's average, which may be the better one.
    """

    def reached(number):
        points, _bin = item.points_of(case.with_prompt(number).value(item.metric.code))
        return points is not None and points >= wanted

    if not reached(MANY):
        return 0, case.customer.history
    low, high = 0, MANY
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    while high <= MANY:
        history = case.with_prompt(high)
        if case.after(history) >= case.score:
            return high, history
        high *= 2
    return 0, case.customer.history


def _payment(item, history, bound):
    """Return the payment of the oldest overdue items that gets below a bound, and the history after it."""
    if item.metric.code == 'overdue_days':
        amount = sum(left for age, left in history.overdue if age >= bound)
    else:
        # Just below the bound of a share of what was invoiced.
        allowed = max(0.0, bound - 10**-DIGITS) / 100.0 * history.billed_year
        amount = ceil((history.overdue_amount - allowed) * 100) / 100
    amount = min(amount, history.overdue_amount)
    return (amount, history.with_payment(amount)) if amount > 0 else (0.0, history)
