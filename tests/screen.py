"""What tests in the browser do with Odoo's widgets, and pictures for whoever wants to look at them."""

import os
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from tools.ground.odoo import Server
from tools.ground.paths import SCREENSHOTS

# What the docs show.
SHOWN = {
    "order-on-hold",
    "order-on-hold-phone",
    "held-orders",
    "credit-account",
    "customer-credit-tab",
    "policy",
    "portal-order",
    "reminder-plan",
    "reminder-run",
    "scorecard",
    "why",
}


def enter(page: Page, server: Server, login: str, path: str) -> None:
    """Log somebody in and open a page of the web client, which is loaded once only."""
    page.goto(f"{server.url}/web/login?redirect={quote(path)}")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", login)
    page.click("button[type=submit]")
    page.wait_for_selector(".o_action_manager .o_view_controller")


def shoot(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it, and for the docs when they are asked for."""
    if folder := os.environ.get("CREDIT_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")
    if os.environ.get("SCREENSHOTS") and name in SHOWN:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        if page.locator(".o-mail-Chatter").count():
            page.locator(".o-mail-Chatter .o-mail-Message").first.wait_for()
        page.wait_for_function("document.fonts.ready.then(() => true)")
        page.wait_for_function("[...document.images].every((image) => image.complete)")
        page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


def fill(scope: Page | Locator, field: str, value: str) -> None:
    """Enter something in a field and leave it."""
    box = scope.locator(f".o_field_widget[name={field}]:visible").locator("input, textarea").first
    box.fill(value)
    box.press("Tab")


def pick(scope: Page | Locator, field: str, text: str) -> None:
    """Choose a record by its name."""
    scope.locator(f".o_field_widget[name={field}]:visible input").first.fill(text)
    item = ".o-autocomplete--dropdown-item:not(.o_m2o_dropdown_option)"
    _page(scope).locator(item, has_text=text).first.click()


def choose(scope: Page | Locator, field: str, text: str, *, exact: bool = False) -> None:
    """Choose an entry of a selection."""
    scope.locator(f".o_field_widget[name={field}]:visible input").first.click()
    _page(scope).locator(".o_select_menu_item").get_by_text(text, exact=exact).first.click()


def press(scope: Page | Locator, name: str) -> None:
    """Press the button of a method."""
    scope.locator(f"button[name={name}]:visible").first.click()


def state(page: Page, text: str) -> None:
    """Assert where the document is in the bar at its top."""
    expect(page.locator(".o_statusbar_status .o_arrow_button_current")).to_contain_text(text)


def _page(scope: Page | Locator) -> Page:
    return scope if isinstance(scope, Page) else scope.page
