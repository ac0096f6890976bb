"""In Odoo's process: `python -m tools.bench DATABASE RUNS RESULT [CASE…]`; prints the table, writes RESULT as JSON."""

import json
import os
import random
import sys
import time

from tools.inside import environment, open_registry

from .cases import CASES, LIST_VIEW, Bench, Row, Skipped
from .measure import Meter, Result
from .stage import Stage

WIDTHS = (56, 26, 26)


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def machine(cr) -> dict:
    """Return what the figures depend on."""
    cr.execute("SHOW server_version")
    [[version]] = cr.fetchall()
    cr.execute("SHOW shared_buffers")
    [[buffers]] = cr.fetchall()
    cr.execute(
        """
        SELECT (SELECT COUNT(*) FROM credit_account),
               (SELECT COUNT(*) FROM account_move WHERE move_type = 'out_invoice'),
               (SELECT COUNT(*) FROM sale_order), (SELECT COUNT(*) FROM account_move_line)
        """
    )
    counts = dict(zip(("accounts", "invoices", "orders", "journal_items"), cr.fetchall()[0], strict=True))
    return {
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "postgresql": version,
        "shared_buffers": buffers,
        "python": sys.version.split()[0],
        **counts,
    }


def cell(result: Result | None) -> str:
    """Return a result in short: median (minimum) ms, statements, memory."""
    if result is None:
        return ""
    memory = "" if result.memory is None else f" {result.memory:.0f} MB"
    return f"{result.median:,.1f} ({min(result.times):,.1f}) {result.statements}{memory}"


def show(row: Row) -> None:
    """Print a row and its targets."""
    cells = (row.name, cell(row.ours), cell(row.core))
    say("  ".join(f"{text:<{width}}" for text, width in zip(cells, WIDTHS, strict=True)) + f"  {row.note}".rstrip())
    for target in row.targets:
        say(f"    {'✓' if target.met else '✗'} {target.text}")


def main(database: str, runs: str, path: str, *chosen: str) -> int:
    """Measure; return 0 if all targets are met, 3 if some are missed."""
    registry = open_registry(database)
    with environment(registry) as env:
        facts = machine(env.cr)
        say(", ".join(f"{name} {value}" for name, value in facts.items()))
        stage = Stage(env, int(runs))
        company = env.company
        context = {"lang": "en_US", "tz": "UTC", "allowed_company_ids": company.ids}
        everything = env["credit.account"].search([]).ids
    sample = random.Random(1).sample(everything, min(LIST_VIEW, len(everything)))
    bench = Bench(Meter(registry, stage.uid, context, int(runs)), stage, sample, everything, say)
    say()
    head = ("", "ours: ms (min) SQL extra MB", "core: ms (min) SQL extra MB")
    say("  ".join(f"{text:<{width}}" for text, width in zip(head, WIDTHS, strict=True)))
    rows, start = [], time.monotonic()
    for title, function in CASES:
        if chosen and title not in chosen:
            continue
        try:
            for row in function(bench):
                show(row)
                rows.append(row)
        except Skipped as reason:
            say(f"{title}: {reason}")
    missed = [f"{row.name}: {target.text}" for row in rows for target in row.targets if not target.met]
    say()
    say(f"{len(missed)} targets missed; load average now {os.getloadavg()[0]:.1f}; {time.monotonic() - start:.0f} s")
    result = {
        "machine": facts,
        "runs": int(runs),
        "rows": [
            {
                "name": row.name,
                "note": row.note,
                "ours": row.ours and row.ours.as_dict(),
                "core": row.core and row.core.as_dict(),
                "targets": [vars(target) for target in row.targets],
            }
            for row in rows
        ],
    }
    with open(path, "w") as file:
        json.dump(result, file, indent=1)
    return 3 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
