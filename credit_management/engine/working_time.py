"""Deadlines in working time: from spans of work and a start to the moment at which it is over.

A span is (start, end), two datetimes in the calendar's own time without a zone; spans come sorted by their start and
don't overlap. They may be a generator: no more of them is asked for than it takes.
"""

from collections import defaultdict
from datetime import datetime, time, timedelta
from itertools import groupby

# Where nobody has entered a calendar.
OFFICE_HOURS = ((time(9), time(17)),)


def after_hours(start, hours, spans):
    """Return when so many hours have been worked after `start`; None if the spans end before."""
    left = timedelta(hours=hours)
    for first, last in spans:
        first = max(first, start)
        if last <= first:
            continue
        if last - first >= left:
            return first + left
        left -= last - first
    return None


def after_days(start, days, spans):
    """Return the end of the `days`-th working day after the day of `start`, which itself does not count."""
    following = (span for span in spans if span[0].date() > start.date())
    # The days come one after another, and no more of them are asked for than needed.
    by_day = groupby(following, key=lambda span: span[0].date())  # pylint: disable=bad-builtin-groupby
    for number, (_day, of_day) in enumerate(by_day, start=1):
        if number >= days:
            return max(last for _first, last in of_day)
    return None


def with_make_up_days(spans, days, hours):
    """Return the spans of a period in which some days are worked although the calendar says no.

    :param days: the dates
    :param hours: (from, to) times at which they are worked
    """
    kept = [span for span in spans if span[0].date() not in days]
    added = [(datetime.combine(day, first), datetime.combine(day, last)) for day in days for first, last in hours]
    return sorted(kept + added)


def longest_day(spans):
    """Return the (from, to) times of the longest of these days, the first of several: how a make-up day is worked."""
    by_day = defaultdict(list)
    for first, last in spans:
        by_day[first.date()].append((first, last))
    if not by_day:
        return OFFICE_HOURS
    best = max(sorted(by_day), key=lambda day: sum((last - first for first, last in by_day[day]), timedelta()))
    return tuple((first.time(), last.time()) for first, last in by_day[best])


def office_days(first, last):
    """Return the spans of Mondays to Fridays from one date to before another, where there is no calendar."""
    days = (first + timedelta(days=number) for number in range((last - first).days))
    return [
        (datetime.combine(day, start), datetime.combine(day, end))
        for day in days
        if day.weekday() < 5
        for start, end in OFFICE_HOURS
    ]
