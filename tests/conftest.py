"""The stage for end-to-end tests: copies of the template database, servers, users, browsers."""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tools.ground import databases, logcheck, odoo_source, postgres, warmup
from tools.ground.odoo import Odoo, Server
from tools.ground.rpc import Client

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Debian's Odoo lacks one file of the video call's background blur; the web client says so.
ALLOWED_CONSOLE_ERRORS = re.compile(r"selfie_segmentation")
COUNTER = itertools.count(1)


class Stage:
    """What a test needs from outside; all of it is put away, and the logs are read, at the end."""

    def __init__(self, odoo: Odoo, template: str) -> None:
        """Prepare an empty stage."""
        self.odoo = odoo
        self.template = template
        self._stack = ExitStack()
        self._servers: list[Server] = []

    def database(self) -> str:
        """Return a fresh database with our add-ons and no demo data."""
        name = databases.run_name(f"e2e{next(COUNTER)}")
        databases.copy(self.odoo, self.template, name)
        self._stack.callback(databases.drop, self.odoo, name)
        return name

    def server(self, database: str, *options: str) -> Server:
        """Return a running server on the database; several may share one."""
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # several processes run tests at the same time
        log = f"e2e-server-{worker}-{next(COUNTER)}"
        server = Server(self.odoo, database, "--max-cron-threads=0", *options, log=log)
        self._servers.append(server)
        return self._stack.enter_context(server)

    def close(self) -> None:
        """Stop the servers, drop the databases; fail on a warning or an error in a log."""
        # What a server says while it goes is about requests of pages that were cut off.
        logs = [(server, server.log.read_text(errors="replace")) for server in self._servers]
        self._stack.close()
        found = []
        for server, log in logs:
            problems = logcheck.problems(log)
            found += [f"{server.log.name}: {logcheck.describe(item)}" for item in problems]
        if found:
            pytest.fail("The server complains:\n" + "\n".join(found), pytrace=False)


@pytest.fixture(scope="session")
def odoo() -> Odoo:
    """Return Odoo with its PostgreSQL running."""
    return Odoo(odoo_source.ensure(), postgres.ensure())


@pytest.fixture(scope="session")
def template(odoo: Odoo) -> str:
    """Return the template database with our add-ons as they are now."""
    return warmup.ensure(odoo)


@pytest.fixture
def stage(odoo: Odoo, template: str) -> Iterator[Stage]:
    """Give one test a stage of its own."""
    stage = Stage(odoo, template)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def module_stage(odoo: Odoo, template: str) -> Iterator[Stage]:
    """Give the tests of a module a stage that they share."""
    stage = Stage(odoo, template)
    yield stage
    stage.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the machine's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if not path:
        pytest.fail("No Chromium on this machine.", pytrace=False)
    expect.set_options(timeout=60_000)  # as long as the pages have, see `open_page`
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a session of its own; a console error fails the test."""
    errors: list[str] = []
    with ExitStack() as stack:

        def on_console(message: ConsoleMessage) -> None:
            where = f"{message.text} ({message.location.get('url', '')})"
            if message.type == "error" and not ALLOWED_CONSOLE_ERRORS.search(where):
                errors.append(where)

        def open_page(width: int = 1400, height: int = 900, locale: str = "en-US") -> Page:
            context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.on("console", on_console)
            page.on("pageerror", lambda error: errors.append(str(error)))
            return page

        yield open_page
    if errors:
        pytest.fail("The browser's console shows errors:\n" + "\n".join(errors), pytrace=False)


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """Return a page at desktop width."""
    return new_page()


def connect(server: Server, login: str = "admin", password: str | None = None) -> Client:
    """Return a session of a user, whose password is the login unless another is given."""
    return Client(server.url, server.database, login, password or login)


def log_in(page: Page, server: Server, login: str = "admin", password: str | None = None) -> None:
    """Log a user in through the login page and wait for the web client."""
    page.goto(f"{server.url}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password or login)
    page.click("button[type=submit]")
    page.wait_for_selector(".o_web_client .o_main_navbar")
