"""What the user sees: steps with elapsed time, and failures without a traceback."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .paths import LOGS, ROOT

SPINNER = "|/-\\"
HEARTBEAT = 30  # seconds between two signs of life where no terminal shows a spinner


class Failure(Exception):
    """A step failed; the message is written for the user."""


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tail(path: Path, lines: int = 25) -> str:
    """Return the last lines of a log, indented."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show that work is going on, for how long, and how it ended."""
    start = time.monotonic()
    done = threading.Event()
    tty = sys.stdout.isatty()

    def elapsed() -> str:
        return f"{time.monotonic() - start:.0f} s"

    def show() -> None:
        if not tty:
            while not done.wait(HEARTBEAT):
                say(f"  … {text}: {elapsed()}")
            return
        for turn in range(1_000_000):
            sys.stdout.write(f"\r\033[K{SPINNER[turn % 4]} {text} {elapsed()}")
            sys.stdout.flush()
            if done.wait(0.2):
                return

    if not tty:
        say(f"- {text}")
    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    mark = "failed"
    try:
        yield
        mark = "done"
    finally:
        done.set()
        thread.join()
        if tty:
            sys.stdout.write("\r\033[K")
            say(f"{'✓' if mark == 'done' else '✗'} {text} ({elapsed()})")
        elif mark == "failed" or time.monotonic() - start > 2:
            say(f"  {mark} after {elapsed()}")


def run(
    command: Sequence[str | Path],
    *,
    log: str,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    hint: str = "",
) -> str:
    """Run a command with its output in a log; return the output, raise Failure on an error."""
    path = log_path(log)
    with path.open("wb") as out:
        try:
            code = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                check=False,
            ).returncode
        except FileNotFoundError as error:
            raise Failure(f"The program {error.filename} is missing. {hint}".strip()) from None
    if code:
        name = Path(str(command[0])).name
        raise Failure(f"{name} ended with exit code {code}. {hint}\n{tail(path)}\n  The whole log: {path}")
    return path.read_text(errors="replace")


def log_path(name: str) -> Path:
    """Return the path of a log, its folder made."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{name}.log"
