#!/usr/bin/env python3
"""Verify a credit file that was exported as JSON, without Odoo and without its database.

    python3 verify_credit_file.py credit-file.json

Prints what is wrong, one line per chain (the first broken link of each), and
ends with code 1; or says that all is sound, and ends with code 0. Code 2: the
file can't be read. Needs Python 3.8 or later and nothing else.

What is hashed
    An event's hash is the SHA-256 of this JSON text, in ASCII, with the keys in
    alphabetical order and no spaces; `payload` is a text that itself holds JSON:

        {"account_id":7,"date":"2026-11-21T10:30:00.123456Z","kind":"held",
         "number":3,"payload":"{...}","previous_hash":"...","user_id":2}

    `previous_hash` is the hash of the event before of the same account; the
    first has 64 zeros. A seal's hash is made in the same way of `company_id`,
    `date`, `heads`, `number` and `previous_hash`, where `heads` is a text
    "account number hash;account number hash;...": the last events of the
    accounts that had new ones since the seal before.

What an export can show
    Of a period or of some accounts only, what lies outside is not judged: not
    the link to the event before the first, not the end if the period has one.
    The program then says so; ask for an export of all if you did not want that.
"""

import hashlib
import json
import re
import sys
from bisect import bisect_left
from datetime import datetime, timedelta

GENESIS = "0" * 64
HEAD = re.compile(r"(\d{1,9}) (\d{1,9}) ([0-9a-f]{64})")
EVENT_KEYS = ("account_id", "date", "kind", "number", "payload", "previous_hash", "user_id")
SEAL_KEYS = ("company_id", "date", "heads", "number", "previous_hash")
SEARCHED = 10_000
# So far a date may go back: transactions take their time and cross the seals, clocks differ.
TOLERANCE = timedelta(days=1)
BEGINNING = datetime.min


def digest(record, keys, **changed):
    """Return the hash that a record should have."""
    content = {**{key: record[key] for key in keys}, **changed}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def verify(data):
    """Return the findings (kind, account id or None, number, sentence) of an export, the seals' first."""
    findings, sealed, last_seal = verify_seals(data)
    counters = {row["account_id"]: row for row in data["counters"]}
    events = {}
    for event in data["events"]:
        events.setdefault(event["account_id"], []).append(event)
    chosen = data["accounts"]
    for account in sorted({*counters, *sealed, *events}):
        # Whatever it says of itself, nothing that is in the file goes unlooked at.
        if chosen is None or account in chosen or account in events:
            heads = sealed.get(account, {})
            finding = verify_account(data, account, counters.get(account), heads, events.get(account, []), last_seal)
            findings += [(finding[0], account, *finding[1:])] if finding else []
    return findings


def verify_seals(data):
    """Return the findings about the seals, what those that are unchanged hold, and the last of them.

    What they hold is {account: {number: (hash, seal, seal before)}}; the seal
    before, as the last one, is (date, number).
    """
    number, last_hash, finding, sealed, before = 0, GENESIS, None, {}, (BEGINNING, 0)
    for seal in data["seals"]:
        genuine = digest(seal, SEAL_KEYS) == seal["hash"]
        if genuine:
            for head in seal["heads"].split(";"):
                match = HEAD.fullmatch(head)
                if match:
                    heads = sealed.setdefault(int(match[1]), {})
                    heads.setdefault(int(match[2]), (match[3], seal["number"], before))
            before = max(before, (moment(seal), seal["number"]))
        if finding:
            continue
        if seal["number"] > number + 1:
            finding = ("seal_gap", None, number + 1, f"Seals {number + 1} to {seal['number'] - 1} are missing.")
        elif not genuine or seal["number"] <= number:
            finding = ("seal_content", None, seal["number"], f"Seal {seal['number']} was changed.")
        elif seal["previous_hash"] != last_hash:
            text = f"Seal {seal['number']} does not follow from the one before, which was exchanged."
            finding = ("seal_link", None, seal["number"], text)
        number, last_hash = seal["number"], seal["hash"]
    counter = data["seal_counter"] or {"number": 0, "hash": GENESIS}
    if not finding and counter["number"] > number:
        finding = ("seal_tail", None, number + 1, f"Seals {number + 1} to {counter['number']} are missing.")
    if not finding and (counter["number"], counter["hash"]) != (number, last_hash):
        text = f"The company's counter was changed; it does not agree with the last seal, {number}."
        finding = ("seal_counter", None, number, text)
    return [finding] if finding else [], sealed, before


def moment(record):
    """Return the date of an event or a seal."""
    return datetime.strptime(record["date"], "%Y-%m-%dT%H:%M:%S.%fZ")


def verify_account(data, account, counter, sealed, events, last_seal):
    """Return the first finding (kind, number, sentence) of one account, or None."""
    number, last_hash, latest, ends = 0, GENESIS, (BEGINNING, 0), sorted(sealed)
    if data["date_from"]:
        if not events:
            return None  # none in the period
        # What was before is not in the export; the first event is taken at its word.
        number, last_hash = events[0]["number"] - 1, events[0]["previous_hash"]
    for event in events:
        finding = verify_event(account, event, number, last_hash, sealed)
        if finding:
            return finding
        # What a seal was the first to hold was not there at the seal before.
        place = bisect_left(ends, event["number"])
        since = max(latest, sealed[ends[place]][2] if place < len(ends) else last_seal)
        if since[0] - moment(event) > TOLERANCE:
            return backdated(account, event["number"], since[1])
        number, last_hash, latest = event["number"], event["hash"], max(latest, (moment(event), 0))
    if data["date_to"]:
        return None  # what came after is not in the export
    counted = (counter["number"], counter["hash"]) if counter else (0, GENESIS)
    latest = max(sealed, default=0)
    expected = max(latest, counted[0])
    if expected > number:
        witness = f"seal {sealed[latest][1]} has them" if latest > number else "the counter has them"
        if events:
            text = f"Account {account}: the end is cut off, events {number + 1} to {expected}; {witness}."
            return ("tail", number + 1, text)
        return ("removed", 1, f"Account {account}: the whole file is gone, events 1 to {expected}; {witness}.")
    if counted != (number, last_hash):
        text = f"Account {account}: the counter was changed; it does not agree with the last event, {number}."
        return ("counter", number, text)
    return None


def backdated(account, number, seal):
    """Return the finding about an event dated before what precedes it: a seal, or another event."""
    if seal:
        text = f"is dated before seal {seal}, which was made without it. It was added later under an earlier date"
    else:
        text = "is dated more than a day before one that precedes it. One of them was added under a false date"
    return ("date", number, f"Account {account}: event {number} {text}, or the server's clock was wrong.")


def verify_event(account, event, number, last_hash, sealed):
    """Return the finding about one event that follows another, or None."""
    here, wanted = event["number"], number + 1
    if here > wanted:
        return ("gap", wanted, f"Account {account}: events {wanted} to {here - 1} are missing.")
    if here < wanted:
        return ("order", here, f"Account {account}: there is more than one event {here}.")
    if digest(event, EVENT_KEYS) != event["hash"]:
        for written in range(1, SEARCHED):
            if digest(event, EVENT_KEYS, number=written) == event["hash"]:
                text = f"event {here} stands in the wrong place; it was written as number {written}."
                return ("order", here, f"Account {account}: {text}")
        return ("content", here, f"Account {account}: event {here} was changed.")
    if here in sealed and sealed[here][0] != event["hash"]:
        return ("rewritten", here, f"Account {account}: event {here} was rewritten after seal {sealed[here][1]}.")
    if event["previous_hash"] != last_hash:
        text = f"event {here} does not follow from the one before, which was exchanged."
        return ("link", here, f"Account {account}: {text}")
    return None


def main(arguments):
    """Verify the file that the command line names; return the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(__doc__)
        return 2
    try:
        with open(arguments[0], encoding="ascii") as source:
            data = json.load(source)
        if data["format"] != "credit-file/1":
            raise ValueError(f"unknown format {data['format']!r}")
        findings = verify(data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"This is no credit file that can be read: {error}\n")
        return 2
    for _kind, _account, _number, text in findings:
        sys.stdout.write(f"{text}\n")
    events, seals = data["events"], data["seals"]
    limits = [f"{key}: {data[key]}" for key in ("accounts", "date_from", "date_to") if data[key] is not None]
    if limits:
        sys.stdout.write(f"Only a part was exported, the rest is not judged ({'; '.join(limits)}).\n")
    if findings:
        sys.stdout.write(f"BROKEN: {len(findings)} chains; {len(events)} events read.\n")
        return 1
    accounts = len({event["account_id"] for event in events})
    sys.stdout.write(f"All is sound: {len(events)} events of {accounts} accounts, {len(seals)} seals.\n")
    if seals:
        sys.stdout.write(f"Last seal: {seals[-1]['number']} of {seals[-1]['date']}, {seals[-1]['hash']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
