"""The benchmark: a throw-away copy of a volume database, measured in Odoo's own process."""

from . import databases, volume
from .console import Failure, say, step
from .odoo import Odoo
from .paths import BUILD

RESULT = BUILD / "bench.json"
MISSED = 3  # the exit code of a run that missed a target


def run(odoo: Odoo, source: str, runs: int, cases: list[str], *, strict: bool) -> int:
    """Measure on a copy of a database; print the table, return the exit code."""
    if runs < 1:
        raise Failure("RUNS has to be at least 1.")
    copy = databases.run_name("bench")
    with step(f"Copying {source}"):
        databases.copy(odoo, source, copy)
    say("- Measuring")
    try:
        code, _output = volume.run(
            odoo, "tools.bench", copy, str(runs), str(RESULT), *cases, log="bench", accept=(MISSED,), show=True
        )
    finally:
        databases.drop(odoo, copy)
    say(f"Also in {RESULT.relative_to(BUILD.parent)}.")
    return 1 if strict and code == MISSED else 0
