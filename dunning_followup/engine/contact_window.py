"""May this person be contacted now, and if not, when next: hours where the person is, days, caps and quiet time.

Moments are datetimes in UTC without a zone, as the ORM has them.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pytz

# For how long a moment is looked for.
HORIZON = timedelta(days=400)
WEEK = frozenset(range(7))


@dataclass(frozen=True)
class Cap:
    """At most so many contacts in so many days, the moment itself included; empty channels: through all of them."""

    count: int
    days: int
    channels: frozenset = frozenset()


@dataclass(frozen=True)
class Past:
    """A contact that was made; reached: somebody was spoken to."""

    moment: datetime
    channel: str
    reached: bool = False


@dataclass(frozen=True)
class Window:
    """What holds for a channel and a person. Hours are floats, 24 the end of the day; without `timed` they don't bind.

    Of several time zones, in any of which the person may be, each has to be within its hours.
    """

    timezones: tuple = ('UTC',)
    hour_from: float = 0.0
    hour_to: float = 24.0
    weekdays: frozenset = WEEK
    holidays: frozenset = frozenset()
    timed: bool = True
    caps: tuple = ()
    quiet_days: float = 0
    quiet_days_reached: float = 0
    quiet_until: datetime | None = None
    quiet_reason: str = 'dispute'


def next_moment(window, channel, moment, past=()):
    """Return the first moment from `moment` on at which a contact is allowed, and what stands against `moment`.

    :returns: (moment, reason): reason None if it is allowed at once, else the first of dispute, quiet, reached, cap,
        hours, day, holiday; moment None if there is none within a year
    """
    past = sorted(past, key=lambda contact: contact.moment)
    end = moment + HORIZON
    candidate, first_reason = moment, None
    while candidate and candidate <= end:
        later, reason = _postponed(window, channel, candidate, past)
        if reason is None:
            return candidate, first_reason
        first_reason = first_reason or reason
        candidate = later
    return None, first_reason


def strictest(answers):
    """Return the one answer (allowed, moment, reason) that holds for a message to several persons.

    One who may never be contacted counts most, then who has to be waited for longest.
    """
    against = [(moment, reason) for allowed, moment, reason in answers if not allowed]
    if not against:
        return True, None, False
    for moment, reason in against:
        if not moment:
            return False, None, reason
    return (False, *max(against))


def _postponed(window, channel, moment, past):
    """Return (a later moment, why not at this one); reason None if nothing stands against it."""
    if window.quiet_until and moment < window.quiet_until:
        return window.quiet_until, window.quiet_reason
    before = past[: bisect_right([contact.moment for contact in past], moment)]
    for reason, days, contacts in (
        ('quiet', window.quiet_days, before),
        ('reached', window.quiet_days_reached, [contact for contact in before if contact.reached]),
    ):
        if days and contacts and moment < contacts[-1].moment + timedelta(days=days):
            return contacts[-1].moment + timedelta(days=days), reason
    for cap in window.caps:
        if cap.channels and channel not in cap.channels:
            continue
        span = timedelta(days=cap.days)
        counted = [
            contact
            for contact in before
            if contact.moment > moment - span and (not cap.channels or contact.channel in cap.channels)
        ]
        if len(counted) >= cap.count:
            # Free again when the oldest of the last `count` leaves the window; a cap of none never.
            return (counted[-cap.count].moment + span, 'cap') if cap.count else (None, 'cap')
    for timezone in window.timezones if window.timed else ():
        later, reason = _opening(window, timezone, moment)
        if reason:
            return later, reason
    return moment, None


def _opening(window, timezone, moment):
    """Return (when the hours begin next in a time zone, why not now)."""
    zone = pytz.timezone(timezone)
    local = pytz.utc.localize(moment).astimezone(zone)
    if local.weekday() not in window.weekdays:
        reason = 'day'
    elif local.date() in window.holidays:
        reason = 'holiday'
    else:
        hour = local.hour + local.minute / 60 + local.second / 3600 + local.microsecond / 3.6e9
        if window.hour_from <= hour < window.hour_to:
            return moment, None
        if hour < window.hour_from:
            return _at(zone, local.date(), window.hour_from), 'hours'
        reason = 'hours'
    # The beginning of the next day, which is looked at in the next turn.
    return _at(zone, local.date() + timedelta(days=1), window.hour_from), reason


def _at(zone, day, hour):
    """Return a local time of day in UTC; one that the clock skips in spring is taken an hour later."""
    naive = datetime.combine(day, time.min) + timedelta(minutes=round(hour * 60))
    return zone.normalize(zone.localize(naive, is_dst=False)).astimezone(pytz.utc).replace(tzinfo=None)
