"""On which days something is due that comes back each week or month."""

from calendar import monthrange
from datetime import timedelta

WEEKLY, MONTHLY = 'weekly', 'monthly'


def last_due(rhythm, weekday, day, today):
    """Return the last day up to today on which it was due; None if it never is.

    :param weekday: of a weekly rhythm, 0 is Monday
    :param day: of a monthly one; a shorter month has its last day instead
    """
    if rhythm == WEEKLY:
        return today - timedelta(days=(today.weekday() - weekday) % 7)
    if rhythm != MONTHLY:
        return None
    due = _in_month(today, day)
    return due if due <= today else _in_month(today.replace(day=1) - timedelta(days=1), day)


def _in_month(some_day, day):
    return some_day.replace(day=min(day, monthrange(some_day.year, some_day.month)[1]))
