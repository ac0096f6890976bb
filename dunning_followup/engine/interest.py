"""Late-payment interest: from a sum, what lowered it, and dated rates to the segments of the calculation.

Simple interest. The first day that counts is the day after the due date, the last one the day of payment. Sums and
percents are Decimals; nothing is rounded here but the quotient of the total, so that the caller rounds once.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

# Days over which the percent runs: a year of so many days, or one day.
BASES = {'365': 365, '360': 360, 'day': 1}
ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rate:
    """A percent that holds from a day on, until that of a later day."""

    date_from: date
    percent: Decimal


@dataclass(frozen=True)
class Change:
    """What lowers the sum, from the day after its date on: a payment or credit note; negative: raises it again."""

    date: date
    amount: Decimal


@dataclass(frozen=True)
class Segment:
    """Some days on which sum and rate stay the same; percent None: no rate is known for them."""

    date_from: date
    date_to: date
    principal: Decimal
    percent: Decimal | None
    basis: str = '365'

    @property
    def days(self):
        """Return how many days, first and last included."""
        return (self.date_to - self.date_from).days + 1

    @property
    def weight(self):
        """Return principal × percent × days: interest is the sum of these over 100 × basis."""
        return self.principal * (self.percent or ZERO) * self.days

    @property
    def interest(self):
        """Return the interest of these days, not rounded."""
        return self.weight / (100 * BASES[self.basis])


def segments(principal, date_due, until, rates, changes=(), basis='365', since=None, rate_stays=False):
    """Return the segments of the days after the due date, in order; those without a sum are left out.

    :param until: the last day that counts
    :param since: the first day, where what lies before is claimed already
    :param rate_stays: whether the rate of the day after the due date holds for the whole delay
    """
    start = max(date_due + ONE_DAY, since or date.min)
    if start > until:
        return ()
    rates = sorted(rates, key=lambda rate: rate.date_from)
    if rate_stays:
        rates = [rate for rate in rates if rate.date_from <= date_due + ONE_DAY][-1:]
    borders = {start} | {rate.date_from for rate in rates} | {change.date + ONE_DAY for change in changes}
    first_days = sorted(day for day in borders if start <= day <= until)
    result = []
    for day, following in zip(first_days, [*first_days[1:], until + ONE_DAY], strict=True):
        left = max(ZERO, principal - sum((change.amount for change in changes if change.date < day), ZERO))
        percent = next((rate.percent for rate in reversed(rates) if rate.date_from <= day), None)
        last = result[-1] if result else None
        if last and (last.principal, last.percent) == (left, percent):
            result[-1] = Segment(last.date_from, following - ONE_DAY, left, percent, basis)
        else:
            result.append(Segment(day, following - ONE_DAY, left, percent, basis))
    return tuple(segment for segment in result if segment.principal)


def total(parts):
    """Return the interest of segments of one basis, divided once: splitting a period changes nothing."""
    return sum((part.weight for part in parts), ZERO) / (100 * BASES[parts[0].basis]) if parts else ZERO


def cover(items, credits):
    """Apply credits that nobody has matched yet to the oldest items.

    :param items: (key, open amount) in the order of due dates
    :param credits: (date, amount) in the order of dates
    :returns: {key: [Change]}; what is left of the credits pays nothing
    """
    result = {}
    credits = iter(credits)
    day, amount = next(credits, (None, ZERO))
    for key, left in items:
        while left > 0 and day:
            if amount <= 0:
                day, amount = next(credits, (None, ZERO))
                continue
            taken = min(left, amount)
            result.setdefault(key, []).append(Change(day, taken))
            left -= taken
            amount -= taken
    return result


def flat_sum(principal, bands):
    """Return the flat compensation for a claim of this size: that of the highest band it reaches, else 0.

    :param bands: (from which sum on, compensation)
    """
    reached = [band for band in bands if principal >= band[0]]
    return max(reached)[1] if reached and principal > 0 else ZERO
