"""The credit file's chains: what is hashed, and where a chain breaks first.

Each event carries the SHA-256 of its content, which includes the hash of the
event before of the same account; each seal that of the heads which changed
since the seal before. `static/verify/verify_credit_file.py` does the same
outside Odoo, in code of its own; both are tested on the same tampering.
"""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

# What the first of a chain has as the hash before.
GENESIS = '0' * 64
# An event that stands in a wrong place is looked for among so many.
SEARCHED = 10_000
# So far a date may go back: transactions take their time and cross the seals, clocks differ.
TOLERANCE = timedelta(days=1)

_encode = json.JSONEncoder(sort_keys=True, separators=(',', ':')).encode


class Event(NamedTuple):
    """An event as the database has it."""

    account_id: int
    number: int
    kind: str
    date: datetime
    user_id: int
    payload: str
    previous_hash: str
    hash: str


class Seal(NamedTuple):
    """A seal as the database has it; `heads` as made by `heads_text`."""

    company_id: int
    number: int
    date: datetime
    heads: str
    previous_hash: str
    hash: str


class Since(NamedTuple):
    """The date before which an event can't have happened, and the seal that says so; 0: the event before."""

    date: datetime = datetime.min
    seal: int = 0


EVER = Since()


class Head(NamedTuple):
    """Where a chain ends, or ended when it was sealed: the number and hash of its last link."""

    number: int
    hash: str
    seal: int = 0
    since: Since = EVER  # what is new in the seal was not there at the seal before


@dataclass(frozen=True)
class Finding:
    """The first broken link of a chain."""

    kind: str
    account_id: int | None = None
    number: int = 0  # of the event, or of the seal if there is no account
    until: int = 0  # the last one missing; the number that it was written as
    seal: int = 0  # the seal that says otherwise; 0: the counter
    table: str = ''


def stamp(date):
    """Return a date as it is hashed: UTC, with microseconds."""
    return f"{date.isoformat(timespec='microseconds')}Z"


def digest(content: Mapping) -> str:
    """Return the SHA-256 of a content in its canonical form: JSON in ASCII, sorted keys, no spaces."""
    return hashlib.sha256(_encode(content).encode()).hexdigest()


def event_hash(event: Event, number: int | None = None) -> str:
    """Return the hash that an event should have, or would have under another number."""
    return digest(
        {
            'account_id': event.account_id,
            'date': stamp(event.date),
            'kind': event.kind,
            'number': event.number if number is None else number,
            'payload': event.payload,
            'previous_hash': event.previous_hash,
            'user_id': event.user_id,
        }
    )


def seal_hash(seal: Seal) -> str:
    """Return the hash that a seal should have."""
    return digest(
        {
            'company_id': seal.company_id,
            'date': stamp(seal.date),
            'heads': seal.heads,
            'number': seal.number,
            'previous_hash': seal.previous_hash,
        }
    )


def heads_text(heads: Iterable[tuple[int, int, str]]) -> str:
    """Return the heads of a seal as they are hashed: `account number hash` each, separated by `;`."""
    return ';'.join(f"{account_id} {number} {hash_}" for account_id, number, hash_ in heads)


def check_account(
    account_id: int,
    counter: Head | None,
    sealed: Mapping[int, Head],
    events: Iterable[Event],
    since: Since = EVER,
) -> tuple[int, Finding | None]:
    """Go through the chain of one account.

    :param counter: what the counter says about the chain's end
    :param sealed: {number: head} that seals hold of this account
    :param events: in the order of their numbers
    :param since: the last seal, before which nothing can have happened that no seal holds
    :returns: how many events there are, and the first broken link
    """
    count, last, finding = 0, Head(0, GENESIS), None
    ends, latest = sorted(sealed), EVER
    for event in events:
        count += 1
        if not finding:
            place = bisect_left(ends, event.number)
            floor = sealed[ends[place]].since if place < len(ends) else since
            finding = _check_event(event, last, sealed) or _check_date(event, max(latest, floor))
            last, latest = Head(event.number, event.hash), max(latest, Since(event.date))
    return count, finding or _check_end(account_id, count, last, counter, sealed)


def _check_event(event, last, sealed):
    place = (event.account_id, event.number)
    if event.number > last.number + 1:
        return Finding('gap', event.account_id, last.number + 1, until=event.number - 1)
    if event.number <= last.number:
        return Finding('order', *place, until=event.number)
    if event_hash(event) != event.hash:
        written = next((n for n in range(1, SEARCHED) if event_hash(event, n) == event.hash), 0)
        return Finding('order', *place, until=written) if written else Finding('content', *place)
    head = sealed.get(event.number)
    if head and head.hash != event.hash:
        return Finding('rewritten', *place, seal=head.seal)
    if event.previous_hash != last.hash:
        return Finding('link', *place)
    return None


def _check_date(event, since):
    if since.date - event.date > TOLERANCE:
        return Finding('date', event.account_id, event.number, seal=since.seal)
    return None


def _check_end(account_id, count, last, counter, sealed):
    latest = max(sealed.values(), default=Head(0, GENESIS))
    counted = counter or Head(0, GENESIS)
    expected = max(latest.number, counted.number)
    if expected > last.number:
        witness = latest.seal if latest.number > last.number else 0
        return Finding('tail' if count else 'removed', account_id, last.number + 1, until=expected, seal=witness)
    if counted[:2] != last[:2]:
        return Finding('counter', account_id, last.number, until=counted.number)
    return None


def check_seals(
    counter: Head | None, seals: Iterable[Seal]
) -> tuple[dict[int, Since], Since, Seal | None, Finding | None]:
    """Go through the seals of one company, in the order of their numbers.

    :param counter: what the counter says about the last seal
    :returns: {number: when the one before was made} of the seals whose own
        content is unchanged, when the last of them was made, the last seal, and
        the first broken link
    """
    sound, since, seal, last, finding = {}, EVER, None, Head(0, GENESIS), None
    for seal in seals:
        genuine = seal_hash(seal) == seal.hash
        if genuine:
            sound[seal.number] = since
            since = max(since, Since(seal.date, seal.number))
        if not finding:
            finding = _check_seal(seal, genuine, last)
            last = Head(seal.number, seal.hash)
    counted = counter or Head(0, GENESIS)
    if not finding and counted.number > last.number:
        finding = Finding('seal_tail', number=last.number + 1, until=counted.number)
    if not finding and counted[:2] != last[:2]:
        finding = Finding('seal_counter', number=last.number, until=counted.number)
    return sound, since, seal, finding


def _check_seal(seal, genuine, last):
    if seal.number > last.number + 1:
        return Finding('seal_gap', number=last.number + 1, until=seal.number - 1)
    if not genuine or seal.number <= last.number:
        return Finding('seal_content', number=seal.number)
    if seal.previous_hash != last.hash:
        return Finding('seal_link', number=seal.number)
    return None
