"""The newcomer's story in a browser: told no, why and by how much; released; confirmed."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from .conftest import Stage, log_in
from .screen import shoot
from .trade import MANAGER, SALES, Trade, sign

DESKTOP, PHONE = (1400, 900), (390, 844)
PANEL = ".o_credit_panel"
ORDER_PAGE = "/odoo/action-sale.action_quotations_with_onboarding/{}"
WHY = "Exposure $ 41,500.00 + this document $ 12,600.00 exceeds the limit of $ 50,000.00 by $ 4,100.00."
CUSTOMERS = [
    # name, limit, invoiced, days since due, ordered, wants to order
    ("Hengda Trading", 50_000, 32_000, -20, 9_500, 12_600),
    ("Northwind Machine Tools", 50_000, 32_000, -20, 9_500, 12_600),
    ("Suzhou Precision Parts", 80_000, 21_400, 45, 0, 6_800),
    ("Baltic Timber", 30_000, 6_200, -12, 4_100, 0),
    ("Lakeside Hardware", 15_000, 14_700, 3, 0, 1_900),
]


class Scene:
    """A company with trade on credit, a salesperson, and a credit manager who works in Chinese."""

    def __init__(self, stage: Stage) -> None:
        """Make it."""
        self.trade = trade = Trade(stage, stage.database())
        self.server = trade.server
        address = {"name": "Riverside Supplies", "tz": "Europe/Berlin"}
        trade.admin.call("res.partner", "write", [[1], address])
        self.seller = trade.user("sam", SALES, name="Sam Porter", tz="Europe/Berlin")
        self.manager = trade.user("chen", MANAGER, name="Chen Jing", lang="zh_CN", tz="Asia/Shanghai")
        everything = (MANAGER, "sales_team.group_sale_manager", "account.group_account_manager")
        trade.user("ada", *everything, name="Ada Berg", tz="Europe/Berlin")
        self.policy = trade.policy(
            ("utilisation", "hold", {"threshold": 100}),
            ("utilisation", "warn", {"threshold": 80}),
            ("days_overdue", "hold", {"threshold": 30}),
            ("account_status", "block", {"account_status": "blacklisted"}),
            ("no_limit", "warn", {}),
            name="Trade customers",
            controller_id=self.manager,
        )
        names = [row[0] for row in CUSTOMERS]
        self.customers = dict(zip(names, trade.customers(*names, user_id=self.seller), strict=True))
        self.accounts = dict(zip(names, [self.limit(name, limit) for name, limit, *_rest in CUSTOMERS], strict=True))
        self.quotations = {name: self.trade_with(name, *rest) for name, _limit, *rest in CUSTOMERS}

    def limit(self, name: str, amount: float) -> int:
        """Give a customer a limit and return the account."""
        return self.trade.limit([self.customers[name]], amount)[0]

    def trade_with(self, name: str, invoiced: float, days: int, ordered: float, wanted: float) -> int:
        """Invoice and deliver to a customer, and return the quotation of what is wanted."""
        due = str(date.today() - timedelta(days=days))
        [move] = self.trade.create(
            "account.move",
            {
                "move_type": "out_invoice",
                "partner_id": self.customers[name],
                "invoice_date": str(date.today() - timedelta(days=days + 30)),
                "invoice_date_due": due,
                "invoice_payment_term_id": False,
                "invoice_line_ids": [(0, 0, {"name": "Goods", "price_unit": invoiced, "tax_ids": [(5,)]})],
            },
        )
        self.trade.admin.call("account.move", "action_post", [[move]])
        if ordered:
            order = self.order(name, ordered)
            self.trade.admin.call("sale.order", "action_confirm", [[order]])
            assert self.trade.states([order])[0][0] == "sale"
        return self.order(name, wanted) if wanted else 0

    def order(self, name: str, amount: float) -> int:
        """Make a quotation of the salesperson."""
        return self.trade.order(self.customers[name], amount, user_id=self.seller)


@pytest.fixture(scope="module")
def scene(module_stage: Stage) -> Scene:
    """Return the company."""
    return Scene(module_stage)


def why(page: Page) -> None:
    """Assert that the panel says why and by how much, in figures."""
    # The figures' spaces are no-break ones, which Playwright takes for spaces.
    expect(page.locator(PANEL)).to_contain_text(WHY)
    over = page.locator(f"{PANEL} [data-figure=over]")
    expect(over).to_contain_text("4,100.00")


def current_state(page: Page, text: str) -> None:
    """Assert where the order is in the bar at its top."""
    expect(page.locator(".o_statusbar_status .o_arrow_button_current")).to_contain_text(text)


def test_the_newcomers_story(scene: Scene, new_page: Callable[..., Page]) -> None:
    """Salesperson: confirm, told no, request. Credit manager: release. Salesperson: confirmed."""
    order = scene.quotations["Hengda Trading"]
    [values] = scene.trade.read("sale.order", order, "name")
    number = values["name"]

    # The salesperson finds the quotation under Sales and sees what would happen.
    sales = new_page(*DESKTOP)
    log_in(sales, scene.server, "sam")
    sales.click(".o_navbar_apps_menu button")
    sales.click("[data-menu-xmlid='sale.sale_menu_root']")
    sales.locator(".o_data_row", has_text=number).locator("td[name=partner_id]").click()
    expect(sales.locator(PANEL)).to_contain_text("Will be held for credit when confirmed")
    why(sales)

    # Confirm: no, why, and by how much.
    sales.locator("button[name=action_confirm]:visible").click()
    message = sales.locator(".o_notification", has_text="Held for credit")
    expect(message).to_contain_text(f"{number} is on hold: {WHY}")
    expect(sales.locator(PANEL)).to_contain_text("On hold for credit: not confirmed")
    expect(sales.locator(PANEL)).to_contain_text("Request a release; Chen Jing decides.")
    why(sales)
    current_state(sales, "Quotation")

    # Ask for a release.
    sales.locator("button[name=action_credit_request_release]:visible").click()
    dialog = sales.locator(".modal")
    dialog.locator("[name=note] textarea:visible").fill("Pays the oldest invoice on Monday.")
    dialog.locator("button[name=action_apply]:visible").click()
    expect(sales.locator(PANEL)).to_contain_text("A release is requested; Chen Jing decides.")

    # The credit manager works in Chinese and finds it in the Invoicing app.
    credit = new_page(*DESKTOP, locale="zh-CN")
    log_in(credit, scene.server, "chen")
    credit.click(".o_navbar_apps_menu button")
    credit.click("[data-menu-xmlid='account.menu_finance']")
    expect(credit.locator("[data-menu-xmlid='credit_management.menu_credit']")).to_contain_text("信用")
    credit.click("[data-menu-xmlid='credit_management.menu_credit']")
    credit.click("[data-menu-xmlid='credit_management.menu_sale_order_held']")
    credit.locator(".o_data_row", has_text=number).locator("td[name=partner_id]").click()
    expect(credit.locator(PANEL)).to_contain_text(re.compile(r"41,500\.00.+额度.+4,100\.00"))
    expect(credit.locator(".o-mail-Message", has_text="Pays the oldest invoice on Monday.")).to_be_visible()
    credit.locator("button[name=action_credit_release]:visible").click()
    dialog = credit.locator(".modal")
    dialog.locator("[name=note] textarea:visible").fill("转账已预告")
    dialog.locator("button[name=action_apply]:visible").click()
    expect(dialog).to_have_count(0)
    expect(credit.locator("button[name=action_credit_release]:visible")).to_have_count(0)

    # The salesperson looks again.
    sales.reload()
    current_state(sales, "Sales Order")
    expect(sales.locator(PANEL)).to_contain_text("Released by Chen Jing: 转账已预告")
    assert scene.trade.states([order]) == [("sale", "released")]


@pytest.fixture(scope="module")
def held(scene: Scene) -> int:
    """Return an order on hold; two more wait beside it."""
    names = ["Northwind Machine Tools", "Suzhou Precision Parts", "Lakeside Hardware"]
    orders = [scene.quotations[name] for name in names]
    scene.trade.connect("sam").call("sale.order", "action_confirm", [orders])
    assert {state for _state, state in scene.trade.states(orders)} == {"on_hold"}
    return orders[0]


@pytest.mark.screenshots
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_screens(scene: Scene, held: int, new_page: Callable[..., Page], size: tuple[int, int]) -> None:
    """Each screen shows its figures and fits the window, also a phone's."""
    customer = "Northwind Machine Tools"
    contact = f"/odoo/action-base.action_partner_form/{scene.customers[customer]}"
    account = f"/odoo/credit-accounts/{scene.accounts[customer]}"
    screens = {
        "sam": [("order-on-hold", ORDER_PAGE.format(held), "On hold for credit: not confirmed")],
        "ada": [
            ("held-orders", "/odoo/held-orders", "Suzhou Precision Parts"),
            ("credit-account", account, "41,500.00"),
            ("customer-credit-tab", contact, "41,500.00"),
            ("policy", f"/odoo/credit-policies/{scene.policy}", "Days overdue"),
        ],
    }

    for login, pages in screens.items():
        page = new_page(*size)
        log_in(page, scene.server, login)
        for name, path, text in pages:
            page.goto(scene.server.url + path)
            if name == "customer-credit-tab":
                page.locator(".o_notebook .nav-link[name=credit]").click()
            expect(page.locator(".o_action_manager")).to_contain_text(text)
            check_width(page)
            shoot(page, name if size == DESKTOP else f"{name}-phone")


@pytest.mark.screenshots
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_portal_screen(scene: Scene, new_page: Callable[..., Page], size: tuple[int, int]) -> None:
    """The customer's page of a held order."""
    order = scene.order("Northwind Machine Tools", 14_400)
    path, _token = scene.trade.link(order)
    scene.trade.admin.call("sale.order", "action_quotation_sent", [[order]])
    page = new_page(*size)
    page.goto(scene.server.url + path)
    sign(page, "Lin Mei")
    expect(page.locator("#credit_in_review")).to_be_visible()

    check_width(page)
    shoot(page, "portal-order" if size == DESKTOP else "portal-order-phone")


def check_width(page: Page) -> None:
    """Assert that nothing makes the page scroll sideways."""
    width, wide = page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
    assert wide <= width
