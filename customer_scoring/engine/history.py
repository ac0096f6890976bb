"""A customer's way of paying, in sums: what the metrics are computed from."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from .payment_index import payment_index

# An invoice due half a year before counts half in the recent average.
HALF_LIFE_DAYS = 180
# Invoices due longer ago than this don't count any more.
WINDOW_MONTHS = 24
# Of what was written off nobody knows how late it would have come: at least so.
LOST_DAYS = 120
# The late ratio on a weekday is drawn towards the customer's own with so many invoices.
WEEKDAY_PRIOR = 3


@dataclass(frozen=True)
class History:
    """What is known of a customer's payments as of a date.

    An experience is an instalment of a posted invoice that was paid, or is past
    due. `days` are their days beyond terms in ascending order, negative when
    early; `amount_days` is the sum of days × amount, `weight_days` of days ×
    weight, where an experience loses half of its weight in HALF_LIFE_DAYS since
    its due date (not since its payment: paying later must not make it count
    more, or less). `overdue` are (age in days, amount left) of what is past due
    now. Amounts are in company currency, `tolerance` in days.
    """

    days: tuple = ()
    in_order: tuple = ()  # the same in the order of their due dates
    amount: float = 0.0
    amount_days: float = 0.0
    weight: float = 0.0
    weight_days: float = 0.0
    days_now: float | None = None  # average of the last half year, of `count_now` experiences
    days_before: float | None = None
    count_now: int = 0
    due_amount: float = 0.0
    lost_amount: float = 0.0
    weekday_count: int = 0
    weekday_late: int = 0
    overdue: tuple = ()
    billed_year: float = 0.0
    tolerance: int = 0

    @property
    def count(self):
        """The number of experiences."""
        return len(self.days)

    @property
    def overdue_amount(self):
        return sum(amount for _age, amount in self.overdue)

    def value(self, code):
        """Return one metric of `values`; None where it is not known."""
        return getattr(self, f'_{code}')()

    def values(self):
        """Return {code: value or None} of all metrics that follow from the payments."""
        return {code: self.value(code) for code in CODES}

    def with_prompt(self, number):
        """Return this history after `number` further invoices of average amount, each paid on its due date."""
        if number <= 0:
            return self
        average = self.amount / self.count if self.count else 1.0
        days = tuple(sorted((*self.days, *(0,) * number)))
        return replace(
            self,
            days=days,
            amount=self.amount + average * number,
            weight=self.weight + number,
            due_amount=self.due_amount + average * number,
            days_now=_mixed(self.days_now, self.count_now, number),
            count_now=self.count_now + number,
        )

    def with_payment(self, amount):
        """Return this history after a payment that goes to the oldest overdue items first."""
        left = []
        for age, due in sorted(self.overdue, reverse=True):
            paid = min(amount, due)
            amount -= paid
            if due - paid > 0.005:
                left.append((age, due - paid))
        return replace(self, overdue=tuple(left))

    def _payment_index(self):
        return payment_index(self.amount_days / self.amount) if self.amount > 0 else None

    def _on_time_ratio(self):
        return 100.0 * bisect_right(self.days, self.tolerance) / self.count if self.days else None

    def _days_late_average(self):
        return sum(self.days) / self.count if self.days else None

    def _days_late_median(self):
        if not self.days:
            return None
        middle = self.count // 2
        return float(self.days[middle]) if self.count % 2 else (self.days[middle - 1] + self.days[middle]) / 2

    def _days_late_recent(self):
        return self.weight_days / self.weight if self.weight > 0 else None

    def _days_late_worst(self):
        return float(self.days[-1]) if self.days else None

    def _days_late_trend(self):
        return None if self.days_now is None or self.days_before is None else self.days_now - self.days_before

    def _weekday_late_ratio(self):
        if not self.weekday_count:
            return None
        own = 1 - bisect_right(self.days, self.tolerance) / self.count
        return 100.0 * (self.weekday_late + WEEKDAY_PRIOR * own) / (self.weekday_count + WEEKDAY_PRIOR)

    def _written_off_share(self):
        return 100.0 * self.lost_amount / self.due_amount if self.due_amount > 0 else None

    def _overdue_share(self):
        # Of what was invoiced, not of what is open: paying one invoice early
        # must not make the share of another one rise.
        overdue = self.overdue_amount
        return 100.0 * overdue / max(self.billed_year, overdue) if overdue > 0 else 0.0 if self._known else None

    def _overdue_days(self):
        return float(max(age for age, _amount in self.overdue)) if self.overdue else 0.0 if self._known else None

    @property
    def _known(self):
        return bool(self.days) or self.billed_year > 0


# The metrics of `History.value`.
CODES = (
    'payment_index',
    'on_time_ratio',
    'days_late_average',
    'days_late_median',
    'days_late_recent',
    'days_late_worst',
    'days_late_trend',
    'weekday_late_ratio',
    'written_off_share',
    'overdue_share',
    'overdue_days',
)


def _mixed(average, count, number):
    return None if average is None else average * count / (count + number)
