"""The tests: Odoo's runner on a copy of the template, then pytest, then one closing line."""

import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import crc32

from . import databases, logcheck, volume
from .console import Failure, log_path, say, step, tail
from .odoo import Odoo
from .paths import BUILD, ROOT, VENV_PYTHON, addons
from .postgres import free_port
from .system import ensure_packages

PACKAGES = ["chromium", "fonts-noto-cjk", "poppler-utils", "wkhtmltopdf"]
SUMMARY = BUILD / "summary"
STAGED = "credit_staged_"


@dataclass(frozen=True)
class Selection:
    """What is to run: tags for Odoo's runner, one run for each; arguments for pytest. Empty means none."""

    tags: tuple[str, ...] = ()
    pytest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """How many tests passed and failed."""

    passed: int = 0
    failed: int = 0

    def __add__(self, other: "Result") -> "Result":
        """Add two results."""
        return Result(self.passed + other.passed, self.failed + other.failed)

    def __str__(self) -> str:
        """Return the closing line."""
        return f"{self.passed} passed, {self.failed} failed"


def select(target: str, own: list[str]) -> Selection:
    """Read `T=…`: a path below tests/, an add-on or a file of its tests, or an Odoo test tag."""
    if not target:
        return Selection(tuple(share(own)), ("tests",))
    path = target.strip().rstrip("/").removeprefix("./")
    if path == "tests" or path.startswith("tests/"):
        return Selection(pytest=(path,))
    addon, _slash, rest = path.partition("/")
    if addon in own:
        return Selection((f"/{path}" if rest.endswith(".py") else f"/{addon}",))
    return Selection((path,))


def share(own: list[str]) -> list[str]:
    """Return two tags of about as many tests: each run of Odoo first updates all add-ons, which takes a minute."""
    shares: list[list[str]] = [[], []]
    sizes = {addon: 1 + sum(path.read_text().count("    def test_") for path in tests_of(addon)) for addon in own}
    for addon in sorted(own, key=lambda addon: (-sizes[addon], addon)):
        min(shares, key=lambda part: sum(sizes[other] for other in part)).append(addon)
    return [",".join(f"/{addon}" for addon in sorted(part)) for part in shares if part]


def tests_of(addon: str) -> list[Path]:
    """Return the files with an add-on's tests."""
    return list((ROOT / addon / "tests").glob("test_*.py"))


def run(odoo: Odoo, template: str, target: str) -> int:
    """Run the tests, several runs at the same time; print the closing line last and return the exit code."""
    selection = select(target, addons())
    staged = stage(odoo, template) if selection.tags else template
    runs = [partial(run_odoo, odoo, staged, tag, everything=not target) for tag in selection.tags]
    if selection.pytest:
        runs.append(partial(run_pytest, selection.pytest))
    # Odoo's runner keeps no more than one core busy, the browser's tests wait a lot: all fit on two cores.
    with ThreadPoolExecutor(max(3, os.cpu_count() or 1)) as pool:
        result = sum(pool.map(lambda start: start(), runs), Result())
    if not result.passed and not result.failed:
        say(f"No test matches {target!r}.")
        result += Result(failed=1)
    say()
    say(str(result))
    SUMMARY.write_text(f"{result}\n")
    return 1 if result.failed else 0


def stage(odoo: Odoo, template: str) -> str:
    """Return a copy of the template with what all test classes of the add-ons begin with; kept with the template."""
    name = STAGED + template.rpartition("_")[2]
    with databases.locked(odoo, name):
        if not databases.exists(odoo, name):
            databases.drop_others(odoo, STAGED, keep=name)
            with step("Preparing the tests"), databases.building(odoo, name) as temporary:
                databases.copy(odoo, template, temporary)
                volume.run(odoo, "tools.staging", temporary, log="staging")
    return name


def run_odoo(odoo: Odoo, template: str, tag: str, *, everything: bool) -> Result:
    """Run the add-ons' tests of a tag by Odoo's runner, in a database of their own; print what failed."""
    path = log_path("odoo-tests-" + re.sub(r"\W+", "-", tag).strip("-")[:160])
    database = databases.run_name(f"addons_{crc32(tag.encode())}")
    databases.copy(odoo, template, database)
    # Updating the add-ons lets their at_install tests run too, and proves the update.
    command = odoo.command(
        "-d",
        database,
        "-u",
        ",".join(addons()),
        "--test-tags",
        tag,
        "--max-cron-threads=0",
        f"--http-port={free_port()}",
    )
    with step(f"Running the add-ons' tests ({tag})"), path.open("wb") as out:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **odoo.env},
            cwd=BUILD,
            check=False,
        ).returncode
    databases.drop(odoo, database)
    return judge_odoo(path, code, [addon for addon in addons() if everything and f"/{addon}" in tag.split(",")])


def judge_odoo(path: Path, code: int, expected: list[str]) -> Result:
    """Read the log of a test run: failed tests, problems in the log, add-ons without tests."""
    log = path.read_text(errors="replace")
    result = parse_summary(log)
    complaints = [logcheck.describe(record) for record in logcheck.failed_tests(log)]
    extra = [logcheck.describe(problem) for problem in logcheck.problems(log)]
    counts = parse_counts(log)
    extra += [f"{addon} has tests, but none ran." for addon in expected if tests_of(addon) and not counts.get(addon)]
    if code and not result.failed and not extra:
        extra.append(f"Odoo ended with exit code {code}.\n{tail(path)}\n  The whole log: {path}")
    for text in complaints + extra:
        say(text)
    total = result + Result(failed=len(extra))
    say(f"  add-ons: {total}")
    return total


def parse_summary(log: str) -> Result:
    """Return the sum that Odoo's runner logs at the end."""
    pattern = r"odoo\.tests\.result: (\d+) failed, (\d+) error\(s\) of (\d+) tests"
    result = Result()
    for failures, errors, count in re.findall(pattern, log):
        failed = int(failures) + int(errors)
        result += Result(max(0, int(count) - failed), failed)
    skipped = len(re.findall(r" INFO \S+ \S+: skipped ", log))
    return Result(max(0, result.passed - skipped), result.failed)


def parse_counts(log: str) -> dict[str, int]:
    """Return how many tests ran per add-on."""
    pairs = re.findall(r"odoo\.tests\.stats: (\w+): (\d+) tests", log)
    return {addon: int(count) for addon, count in pairs}


def run_pytest(args: tuple[str, ...]) -> Result:
    """Run pytest on our end-to-end tests, its output shown as it comes; all of them in several processes."""
    report = BUILD / "pytest.xml"
    # A file stays in one process: its tests share servers and databases. As they come: the longest is not the last.
    spread = ["-n", str(max(2, (os.cpu_count() or 1) // 2)), "--dist", "loadfile", "--no-loadscope-reorder"]
    report.unlink(missing_ok=True)
    say(f"- Running the end-to-end tests ({' '.join(args)})")
    code = subprocess.run(
        [VENV_PYTHON, "-m", "pytest", "-q", f"--junitxml={report}", *(spread if args == ("tests",) else ()), *args],
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        check=False,
    ).returncode
    if not report.exists():
        raise Failure(f"pytest ended with exit code {code} before it wrote its report.")
    result = parse_junit(report.read_text())
    if code not in (0, 5) and not result.failed:
        result += Result(failed=1)
    return result


def parse_junit(text: str) -> Result:
    """Return the sum of pytest's report; a test whose teardown fails too counts once."""
    failed, passed = set(), set()
    for case in ElementTree.fromstring(text).iter("testcase"):
        name = (case.get("classname"), case.get("name"))
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        elif case.find("skipped") is None:
            passed.add(name)
    return Result(len(passed - failed), len(failed))


def take_screenshots() -> int:
    """Run the end-to-end tests that leave the docs' screenshots; return the exit code."""
    say("- Taking the screenshots")
    return subprocess.run(
        [VENV_PYTHON, "-m", "pytest", "-q", "-m", "screenshots", "tests"],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "SCREENSHOTS": "1"},
        cwd=ROOT,
        check=False,
    ).returncode


def ensure_tools() -> None:
    """Install what the tests need beside Odoo."""
    ensure_packages(PACKAGES, "the tests")
