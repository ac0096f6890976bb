"""In Odoo's process: `python -m tools.volume make DATABASE SIZE`, or `verify DATABASE`."""

import sys
import time

from tools.inside import environment, open_registry

from .make import make
from .plan import Size
from .verify import verify


def main(command: str, database: str, size: str = "") -> int:
    """Fill a database and say how long each part took, or say what is wrong with one."""
    start = time.monotonic()

    def report(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - start:6.1f} s  {text}\n")
        sys.stdout.flush()

    with environment(open_registry(database)) as env:
        if command == "verify":
            problems = verify(env)
            for problem in problems:
                report(problem)
            return 1 if problems else 0
        make(env, Size.parse(size), report)
        env.cr.commit()
    report("committed")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
