"""Odoo's log: which lines are problems, and which we know and accept."""

import re
from dataclasses import dataclass

LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+) \d+ (?P<level>[A-Z]+) (?P<database>\S+) "
    r"(?P<logger>[^:\s]+): (?P<message>.*)$"
)
BAD = {"WARNING", "ERROR", "CRITICAL"}


@dataclass(frozen=True)
class Record:
    """A record of the log: its first line taken apart, the rest as it is."""

    level: str
    logger: str
    message: str
    rest: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return message and rest."""
        return "\n".join((self.message, *self.rest))


@dataclass(frozen=True)
class Allowed:
    """A record that is accepted, and why."""

    logger: str
    pattern: str
    reason: str

    def matches(self, record: Record) -> bool:
        """Tell whether this entry covers the record."""
        return record.logger == self.logger and bool(re.search(self.pattern, record.text))


ALLOWED = [
    Allowed(
        "py.warnings",
        r"DeprecationWarning: 'werkzeug\.urls\.\w+' is deprecated",
        "Odoo's own calls; Odoo 19 pins Werkzeug 2 for Python 3.11",
    ),
    Allowed(
        "odoo.addons.base.models.assetsbundle",
        r"mail/static/lib/selfie_segmentation/selfie_segmentation\.js",
        "Debian's package leaves out this one file, which serves the video call's background",
    ),
    Allowed(
        "odoo.sql_db",
        r"could not serialize access",
        "two users at once: Odoo runs the loser again on fresh data",
    ),
    Allowed(
        "odoo.addons.bus.websocket",
        r"could not serialize access",
        "a page goes while another tells that it is there: Odoo does not run this again, the next sign of life does",
    ),
    Allowed(
        "odoo.sql_db",
        r'extension "pg_trgm" is not available',
        "the embedded PostgreSQL lacks pg_trgm; Odoo goes without trigram indexes",
    ),
    Allowed("odoo.service.db", r'extension "pg_trgm" is not available', "the same, told once more"),
]

# Odoo's runner logs a failed test and the sum as errors: they are counted as tests already.
TEST_RESULT = re.compile(r"^(FAIL|ERROR): |^\d+ failed, \d+ error\(s\) of \d+ tests")


def records(log: str) -> list[Record]:
    """Take a log apart; lines that start no record belong to the one before."""
    found: list[tuple[re.Match[str], list[str]]] = []
    for line in log.splitlines():
        match = LINE.match(line)
        if match:
            found.append((match, []))
        elif found:
            found[-1][1].append(line)
    return [Record(match["level"], match["logger"], match["message"], tuple(rest)) for match, rest in found]


def problems(log: str) -> list[Record]:
    """Return the warnings and errors that nobody accepted, each once."""
    bad = [
        record
        for record in records(log)
        if record.level in BAD
        and not TEST_RESULT.match(record.message)
        and not any(entry.matches(record) for entry in ALLOWED)
    ]
    first: dict[tuple[str, str], Record] = {}
    for record in bad:
        first.setdefault((record.logger, record.message), record)
    return list(first.values())


def failed_tests(log: str) -> list[Record]:
    """Return the failures and errors of Odoo's test runner."""
    return [record for record in records(log) if re.match(r"(FAIL|ERROR): ", record.message)]


def describe(record: Record, lines: int = 30) -> str:
    """Return a record for the user, its end kept when it is long."""
    rest = [f"    {line}" for line in record.rest if line.strip()][-lines:]
    return "\n".join([f"{record.level} {record.logger}: {record.message}", *rest])
