"""The pure parts of our tools, and who waits for whom."""

from pathlib import Path
from threading import Thread

import pytest

from tools.ground import databases, logcheck, postgres, story, testing
from tools.ground.console import Failure
from tools.ground.odoo import Odoo
from tools.ground.odoo_source import Mirror, find_mirror, locate, parse_deb822, parse_list
from tools.ground.paths import digest
from tools.ground.testing import Result, Selection

DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
# another
Components: main
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: https://vendor.example/debian
Suites: stable
Components: contrib
"""


def test_deb822_names_the_mirror_not_security_nor_vendors() -> None:
    assert parse_deb822(DEB822) == [Mirror("http://mirror.example/debian", "/keys/debian.gpg")]


def test_deb822_that_is_disabled_or_for_sources_only_is_left_out() -> None:
    stanza = "Types: {}\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\n{}"

    assert parse_deb822(stanza.format("deb-src", "")) == []
    assert parse_deb822(stanza.format("deb", "Enabled: no\n")) == []


def test_deb822_with_the_key_written_out_leaves_the_choice_to_the_system() -> None:
    text = (
        "Types: deb deb-src\nURIs: http://m.example/debian/\nSuites: trixie\n"
        "Components:\n main\n contrib\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
    )

    assert parse_deb822(text) == [Mirror("http://m.example/debian/", "")]


def test_one_line_format_names_the_mirror() -> None:
    text = (
        "# deb http://old.example/debian bookworm main\n"
        "deb-src http://m.example/debian bookworm main\n"
        "deb http://m.example/debian-security bookworm-security main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main # ours\n"
    )

    assert parse_list(text) == [Mirror("http://m.example/debian", "/k.gpg")]


def test_files_that_apt_ignores_are_ignored(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "a.sources.off").write_text(DEB822.replace("mirror.example", "off.example"))
    assert find_mirror(tmp_path) is None

    (parts / "b.sources").write_text(DEB822)
    assert find_mirror(tmp_path) == Mirror("http://mirror.example/debian", "/keys/debian.gpg")


def test_odoo_is_found_in_a_checkout_and_in_a_package_folder(tmp_path: Path) -> None:
    package = tmp_path / "odoo"
    (package / "addons" / "base").mkdir(parents=True)
    (package / "release.py").write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")
    (tmp_path / "addons" / "account").mkdir(parents=True)

    source = locate(tmp_path)

    assert source.python_path == tmp_path
    assert source.addons_paths == (package / "addons", tmp_path / "addons")
    assert locate(package).python_path == tmp_path


def test_another_odoo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No Odoo in"):
        locate(tmp_path)
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo" / "release.py").write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
    with pytest.raises(Failure, match=r"holds Odoo 18\.0"):
        locate(tmp_path)


def test_the_newest_postgresql_is_taken() -> None:
    paths = [Path(f"/usr/lib/postgresql/{version}/bin/postgres") for version in ("9.6", "15", "13")]

    assert postgres.newest(paths) == paths[1]
    assert postgres.newest([]) is None


def test_a_given_server_is_recognised() -> None:
    assert postgres.given({"PGHOST": "db", "PGUSER": "", "HOME": "/"}) == {"PGHOST": "db"}


def test_digest_minds_the_borders() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a") == digest(b"a")


LOG = """\
2026-01-02 03:04:05,678 42 INFO db odoo.tests.stats: credit_management: 7 tests 1.20s 99 queries
2026-01-02 03:04:05,678 42 INFO db odoo.addons.x.tests.test_x: skipped TestX.test_y : no reason
2026-01-02 03:04:05,678 42 ERROR db odoo.addons.x.tests.test_x: FAIL: TestX.test_z
Traceback (most recent call last):
AssertionError: 1 != 2
2026-01-02 03:04:05,678 42 WARNING db py.warnings: a: DeprecationWarning: 'werkzeug.urls.x' is deprecated
  x()
2026-01-02 03:04:05,678 42 WARNING db odoo.addons.credit: careful
 because
2026-01-02 03:04:06,678 42 WARNING db odoo.addons.credit: careful
2026-01-02 03:04:05,678 42 ERROR db odoo.tests.result: 1 failed, 0 error(s) of 7 tests when loading
"""


def test_the_summary_is_read() -> None:
    assert testing.parse_summary(LOG) == Result(5, 1)
    assert testing.parse_counts(LOG) == {"credit_management": 7}


def test_a_problem_is_told_once_with_its_lines() -> None:
    assert [record.text for record in logcheck.problems(LOG)] == ["careful\n because"]
    assert [record.message for record in logcheck.failed_tests(LOG)] == ["FAIL: TestX.test_z"]


def test_problems_fail_the_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)

    assert testing.judge_odoo(log, 1, []) == Result(5, 2)


def test_a_run_that_died_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()

    assert testing.judge_odoo(log, 1, []).failed == 1


def test_junit_counts_each_test_once() -> None:
    text = (
        "<testsuites><testsuite><testcase classname='a' name='one'/>"
        "<testcase classname='a' name='one'><error/></testcase>"
        "<testcase classname='a' name='two'/><testcase classname='a' name='three'><skipped/></testcase>"
        "</testsuite></testsuites>"
    )

    assert testing.parse_junit(text) == Result(1, 1)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", Selection(("/a", "/b"), ("tests",))),
        ("tests/test_x.py::test_y", Selection(pytest=("tests/test_x.py::test_y",))),
        ("a/tests/test_x.py", Selection(("/a/tests/test_x.py",))),
        ("./a/", Selection(("/a",))),
        ("a/tests", Selection(("/a",))),
        ("/a:TestX.test_y", Selection(("/a:TestX.test_y",))),
    ],
)
def test_what_to_run_is_understood(target: str, expected: Selection) -> None:
    assert testing.select(target, ["a", "b"]) == expected


def test_chinese_takes_two_columns() -> None:
    lines = story.table([("customer", "a"), ("上海 Hengda", "b")])

    assert story.width("上海 Hengda") == 11
    assert len({story.width(line) for line in lines}) == 1


def test_who_builds_the_same_database_waits_for_the_first(odoo: Odoo) -> None:
    done = []
    name = databases.run_name("locked")
    waiting = "SELECT objid FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"

    def build(who: str) -> None:
        with databases.locked(odoo, name):
            done.append(who)

    second = Thread(target=build, args=["second"])
    with databases.locked(odoo, name):
        second.start()
        while second.is_alive() and not databases.query(odoo, "postgres", waiting):
            pass
        done.append("first")
    second.join()

    assert done == ["first", "second"]
