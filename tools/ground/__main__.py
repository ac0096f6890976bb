"""The command line: `python3 -m tools.ground COMMAND`; see the Makefile for what there is."""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Iterator

from . import odoo_source, postgres, venv
from .console import Failure, say
from .odoo import Odoo
from .paths import BUILD, LOCK, ROOT, VENV, VENV_PYTHON

WITH_TEMPLATE = {"test", "i18n", "screenshots"}


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Let one process at a time make things in our folder."""
    BUILD.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("- Waiting for another run in this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def enter_venv(argv: list[str]) -> None:
    """Go on in the environment's Python, which has what the rest of us imports."""
    if sys.prefix == str(VENV):
        return
    with locked():
        venv.ensure()
    os.chdir(ROOT)
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), "-m", "tools.ground", *argv])


def parser() -> argparse.ArgumentParser:
    """Return the parser of our command line."""
    root = argparse.ArgumentParser(prog="ground", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="make the demo company, tell its story, serve it")
    demo.add_argument("--no-serve", action="store_true", help="end after the story")
    test = commands.add_parser("test", help="run the tests")
    test.add_argument("target", nargs="?", default="", help="a path or an Odoo test tag")
    bench = commands.add_parser("bench", help="measure ours beside core's on a volume database")
    bench.add_argument("cases", nargs="*", help="only these: exposure, list, search, confirm, panel, …")
    bench.add_argument("--size", default="small", help="small, large or customers/invoices/orders")
    bench.add_argument("--runs", type=int, default=5)
    bench.add_argument("--database", default="", help="an existing database instead of one of that size")
    bench.add_argument("--strict", action="store_true", help="a missed target is an error")
    volume = commands.add_parser("volume", help="make the volume database of a size, print its name")
    volume.add_argument("size", nargs="?", default="small")
    commands.add_parser("lint", help="run ruff and pylint-odoo")
    i18n = commands.add_parser("i18n", help="export the terms, bring zh_CN.po up to date")
    i18n.add_argument("--check", action="store_true", help="only say what is out of date")
    commands.add_parser("screenshots", help="take the screenshots that the docs show")
    commands.add_parser("clean", help="stop the private PostgreSQL, remove all we made")
    odoo = commands.add_parser("odoo", help="run Odoo's command line on our databases")
    odoo.add_argument("args", nargs=argparse.REMAINDER)
    template = commands.add_parser("template", help="build the template database, print its name")
    template.add_argument("--base", action="store_true", help="the one without our add-ons")
    copy = commands.add_parser("copy", help="copy a database (`base`, `template` or a name)")
    copy.add_argument("source")
    copy.add_argument("target")
    drop = commands.add_parser("drop", help="drop databases")
    drop.add_argument("names", nargs="+")
    commands.add_parser("env", help="print the variables for psql and the like")
    return root


def clean() -> int:
    """Remove all we made; return the exit code."""
    postgres.stop()
    shutil.rmtree(BUILD, ignore_errors=True)
    if postgres.given():
        say("The databases credit_* stay on the server that the PG* variables name.")
    return 0


def dispatch(options: argparse.Namespace) -> int:
    """Run one command inside the environment; return the exit code."""
    from . import bench, databases, demo, i18n, lint, testing, volume

    command = options.command
    if command == "lint":
        return lint.run()
    if command in {"test", "screenshots"}:
        testing.ensure_tools()
    with locked():
        odoo = Odoo(odoo_source.ensure(), postgres.ensure())
        template = databases.ensure_template(odoo) if command in WITH_TEMPLATE else ""
        if command == "demo":
            demo.prepare(odoo)
        if command == "bench":
            ledger = options.database or volume.ensure(odoo, options.size)
    match command:
        case "demo":
            return demo.run(odoo, serve=not options.no_serve)
        case "test":
            return testing.run(odoo, template, options.target)
        case "screenshots":
            return testing.take_screenshots()
        case "i18n":
            return i18n.run(odoo, template, check=options.check)
        case "bench":
            return bench.run(odoo, ledger, options.runs, options.cases, strict=options.strict)
        case "odoo":
            args = options.args[1:] if options.args[:1] == ["--"] else options.args
            os.chdir(BUILD)
            line = odoo.command(*args)
            os.execve(line[0], line, {**os.environ, **odoo.env})
    for answer in work_on_databases(odoo, options):
        sys.__stdout__.write(f"{answer}\n")
    return 0


def work_on_databases(odoo: Odoo, options: argparse.Namespace) -> list[str]:
    """Make, copy or drop databases; return what a script wants to read."""
    from . import databases, volume

    match options.command:
        case "template":
            return [(databases.ensure_base if options.base else databases.ensure_template)(odoo)]
        case "volume":
            with locked():
                return [volume.ensure(odoo, options.size)]
        case "copy":
            special = {"base": databases.ensure_base, "template": databases.ensure_template}
            ensure = special.get(options.source)
            databases.copy(odoo, ensure(odoo) if ensure else options.source, options.target)
        case "drop":
            for name in options.names:
                databases.drop(odoo, name)
        case "env":
            return [f"export {key}='{value}'" for key, value in odoo.pg_env.items()]
    return []


def main(argv: list[str]) -> int:
    """Run the command line; return the exit code."""
    options = parser().parse_args(argv)
    # However we are told to end, the server that we started ends with us.
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    try:
        if options.command == "clean":
            return clean()
        # What a script reads must not be mixed with what we say about the progress.
        piped = options.command in {"env", "template", "volume"}
        with contextlib.redirect_stdout(sys.stderr if piped else sys.stdout):
            enter_venv(argv)
            return dispatch(options)
    except Failure as failure:
        say(f"\n{failure}")
    except KeyboardInterrupt:
        say("\nStopped.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
