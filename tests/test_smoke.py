"""The server answers, a user logs in, the Invoicing app opens."""

import pytest
from playwright.sync_api import Page

from tools.ground.odoo import Server
from tools.ground.paths import addons

from .conftest import Stage, connect, log_in


@pytest.fixture(scope="module")
def server(module_stage: Stage) -> Server:
    """Return a server on a fresh database."""
    return module_stage.server(module_stage.database())


def test_our_addons_are_installed(server: Server) -> None:
    """A server that left one out would pass every other test here."""
    client = connect(server)

    installed = client.call("ir.module.module", "search_read", [[("state", "=", "installed")], ["name"]])

    assert set(addons()) <= {module["name"] for module in installed}


def test_pages_answer(server: Server) -> None:
    """The login page and the web client's page come with status 200."""
    client = connect(server)

    for path in ("/web/login", "/odoo", "/my"):
        status, _text = client.get(path)
        assert status == 200, path


def test_the_invoicing_app_opens(server: Server, page: Page) -> None:
    """The administrator logs in and opens Invoicing from the menu of apps."""
    log_in(page, server)

    page.click(".o_navbar_apps_menu button")
    page.click("[data-menu-xmlid='account.menu_finance']")

    page.wait_for_selector(".o_menu_brand:has-text('Invoicing')")
    page.wait_for_selector(".o_action_manager .o_view_controller")
