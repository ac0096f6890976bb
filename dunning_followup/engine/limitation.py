"""When a claim becomes barred by lapse of time: from the due date, a country's rule, and what restarted the period."""

from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

# When somebody is warned: days before the end.
LEVELS = (180, 90, 30)


@dataclass(frozen=True)
class Rule:
    """So many years from the due date, or from the end of the year in which it lies.

    What restarts the period does so from its own day, whatever the first start was.
    """

    years: int
    from_year_end: bool = False
    restarts: frozenset = frozenset()


@dataclass(frozen=True)
class Restart:
    """Something that happened on a day; the rule says whether its kind restarts the period."""

    date: date
    kind: str


def last_day(date_due, rule, events=()):
    """Return the last day on which the claim can be brought, and the event that the period runs from, if any.

    What happens after the period has ended does not bring it back.
    """
    start = date(date_due.year, 12, 31) if rule.from_year_end else date_due
    end, since = start + relativedelta(years=rule.years), None
    for event in sorted(events, key=lambda event: (event.date, event.kind)):
        if event.kind not in rule.restarts or event.date > end:
            continue
        restarted = event.date + relativedelta(years=rule.years)
        if restarted > end:
            end, since = restarted, event
    return end, since


def level(end, today):
    """Return the narrowest of the warning levels that today has reached; None before them."""
    left = (end - today).days
    return next((days for days in sorted(LEVELS) if left <= days), None)
