"""Reminders as a collections manager sends them, through the browser: plan, preview, run, letter, pause."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from PyPDF2 import PdfReader

from .conftest import Stage, log_in
from .postbox import Postbox
from .screen import fill, pick, press, shoot, state
from .trade import SALES, Trade

MANAGER = "dunning_followup.group_collections_manager"
JOBS = (
    "dunning_followup.ir_cron_send",
    "dunning_followup.ir_cron_render",
    "mail.ir_cron_mail_scheduler_action",
    "dunning_followup.ir_cron_book",
)


class Desk:
    """A company whose customers are late, its collections manager, and a salesperson."""

    def __init__(self, stage: Stage, postbox: Postbox) -> None:
        """Make them."""
        self.postbox = postbox
        self.trade = trade = Trade(stage, stage.database())
        seller = {"name": "Riverside Supplies", "email": "accounts@riverside.example", "street": "4 Mill Lane"}
        trade.admin.call("res.partner", "write", [[1], seller])
        trade.create("res.partner.bank", {"acc_number": "BE71096123456769", "partner_id": 1})
        self.sam = trade.user("sam", SALES, name="Sam Porter")
        trade.user("cora", MANAGER, name="Cora Lind", tz="UTC")
        # name, days overdue; a letter is due after 30 days, mails before
        self.customers, self.invoices = {}, {}
        for name, days in (("Ash Bakery", 8), ("Birch Bikes", 35), ("Cedar Clocks", 7)):
            [customer] = trade.customers(
                name, user_id=self.sam, email=f"{name.split()[0].lower()}@customers.example", street="1 High Street"
            )
            self.customers[name], self.invoices[name] = customer, self.invoice(customer, days)
        # What the salesperson is told of new customers: reminders are what is sent here.
        trade.admin.call("mail.mail", "unlink", [trade.admin.call("mail.mail", "search", [[]])])
        server = {"smtp_host": "127.0.0.1", "smtp_port": postbox.port, "smtp_encryption": "none"}
        trade.create("ir.mail_server", {"name": "Postbox", **server})

    def invoice(self, customer: int, days: int) -> str:
        """Post an invoice that has been overdue for so many days; return its number."""
        due = date.today() - timedelta(days=days)
        [move] = self.trade.invoices((customer, 250, due))
        return self.trade.read("account.move", move, "name")[0]["name"]

    def work(self) -> None:
        """Let the jobs run."""
        for job in JOBS:
            self.trade.admin.call("ir.cron", "method_direct_trigger", [[self.trade.ref(job)]])

    def go(self, page: Page, path: str) -> None:
        """Open a page of the web client."""
        page.goto(self.trade.server.url + path)

    def customer(self, page: Page, name: str) -> None:
        """Open the tab of a customer."""
        self.go(page, f"/odoo/res.partner/{self.customers[name]}")
        page.locator(".o_notebook_headers a", has_text="Collections").click()


@pytest.fixture(scope="module")
def postbox() -> Iterator[Postbox]:
    """Return a mail server."""
    with Postbox() as box:
        yield box


@pytest.fixture(scope="module")
def desk(module_stage: Stage, postbox: Postbox) -> Desk:
    """Return the desk that the tests share."""
    return Desk(module_stage, postbox)


@pytest.mark.screenshots
def test_from_plan_to_letter(desk: Desk, page: Page, tmp_path: Path) -> None:
    """A preset becomes the house's plan; a run is simulated, one excluded, the rest goes out, a letter is printed."""
    log_in(page, desk.trade.server, "cora")
    make_plan(desk, page)

    desk.go(page, "/odoo/reminder-runs/new")
    press(page, "action_simulate")
    state(page, "To review")
    expect(page.locator("[name=summary]")).to_contain_text("House reminder")
    shoot(page, "reminder-run")
    press(page, "action_view_notices")
    exclude(page, "Cedar Clocks", "Is being talked to")
    page.locator(".breadcrumb-item a, .o_back_button a").last.click()
    press(page, "action_send")
    page.locator(".modal .btn-primary").click()
    state(page, "Sending")
    desk.work()
    print_letter(desk, page, tmp_path)
    desk.work()
    page.reload()
    state(page, "Done")
    expect(page.locator(".o-mail-Message", has_text="Sent: 2. Failed: 0.").first).to_be_visible()
    assert dict(desk.postbox.received("customers.example")) == {"ash@customers.example": 1}
    [mail] = desk.postbox.mails
    assert mail.subject == f"A friendly reminder: {desk.invoices['Ash Bakery']}"
    assert "Dear Ash Bakery" in mail.text

    desk.go(page, "/odoo/reminders")
    page.locator(".o_data_row", has_text="Ash Bakery").locator("td[name=partner_id]").click()
    page.locator(".o_notebook_headers a", has_text="As Sent").click()
    expect(page.locator(".o_field_widget[name=content]")).to_contain_text(desk.invoices["Ash Bakery"])
    shoot(page, "reminder-as-sent")


def make_plan(desk: Desk, page: Page) -> None:
    """Duplicate a preset, change its first step with a look at a real customer, and make it the company's default."""
    desk.go(page, "/odoo/reminder-plans")
    page.locator(".o_data_row", has_text="Standard").locator("td[name=name]").click()
    expect(page.locator(".o_form_view [name=timeline]")).to_be_visible()
    page.get_by_role("button", name="Actions menu").click()
    page.locator(".o-dropdown--menu .o-dropdown-item", has_text="Duplicate").click()
    expect(page.locator(".o_field_widget[name=name] input").first).to_have_value("Standard (copy)")
    fill(page, "name", "House plan")
    page.locator("[name=step_ids] .o_data_row", has_text="Friendly reminder").locator("td[name=name]").click()
    dialog = page.locator(".modal")
    fill(dialog, "name", "House reminder")
    dialog.locator(".o_notebook_headers a", has_text="Preview").click()
    pick(dialog, "preview_partner_id", "Ash Bakery")
    expect(dialog.locator(".o_field_widget[name=preview]")).to_contain_text(desk.invoices["Ash Bakery"])
    expect(dialog.locator(".o_field_widget[name=preview]")).to_contain_text("Dear Ash Bakery")
    shoot(page, "reminder-preview")
    dialog.locator(".o_form_button_save").click()
    expect(dialog).to_have_count(0)
    page.locator(".o_form_button_save").click()
    expect(page.locator(".o_form_button_save")).to_be_hidden()
    expect(page.locator("[name=timeline]")).to_contain_text("House reminder")
    shoot(page, "reminder-plan")
    [plan] = desk.trade.admin.call("dunning.plan", "search", [[("name", "=", "House plan")]])
    desk.trade.admin.call("res.company", "write", [[1], {"dunning_plan_id": plan}])


def exclude(page: Page, name: str, reason: str) -> None:
    """Leave one customer out of the run."""
    row = page.locator(".o_data_row", has_text=name)
    row.locator("button[name=action_exclude]").click()
    dialog = page.locator(".modal")
    fill(dialog, "reason", reason)
    shoot(page, "reminder-exclude")
    press(dialog, "action_decide")
    expect(dialog).to_have_count(0)
    expect(row.locator("td[name=state]")).to_contain_text("Excluded")
    expect(row.locator("td[name=reason]")).to_contain_text(reason)


def print_letter(desk: Desk, page: Page, folder: Path) -> None:
    """Print the letter, look into it, and note that it is posted."""
    page.reload()
    with page.expect_download() as download, page.context.expect_page():
        press(page, "action_print_letters")
    letter = folder / "letter.pdf"
    download.value.save_as(letter)
    pages = PdfReader(letter).pages
    assert len(pages) == 1
    text = " ".join(pages[0].extract_text().split())
    assert desk.invoices["Birch Bikes"] in text and "BE71096123456769" in text and "Riverside Supplies" in text
    press(page, "action_letters_posted")
    page.locator(".modal .btn-primary").click()
    expect(page.locator("button[name=action_letters_posted]:visible")).to_have_count(0)


def test_where_a_customer_is_and_a_pause(desk: Desk, page: Page, new_page: Callable[..., Page]) -> None:
    """The step on invoice and customer, for the salesperson too and on a phone; a pause with its reason."""
    log_in(page, desk.trade.server, "cora")
    [move] = desk.trade.admin.call("account.move", "search", [[("name", "=", desk.invoices["Birch Bikes"])]])
    desk.go(page, f"/odoo/account.move/{move}")
    page.locator(".o_notebook_headers a", has_text="Collections").click()
    expect(page.locator("[name=dunning_step_id]")).to_contain_text("Second reminder")
    shoot(page, "reminder-invoice")
    expect(page.locator(".o_notebook_headers a", has_text="Reminders")).to_have_count(0)

    desk.customer(page, "Birch Bikes")
    expect(page.locator(".o_field_widget[name=dunning_step_id]")).to_contain_text("Second reminder")
    expect(page.locator("[name=dunning_notice_ids] .o_data_row")).to_have_count(1)
    press(page, "action_dunning_pause")
    dialog = page.locator(".modal")
    dialog.get_by_label("Pause until a day").check()
    fill(dialog, "date_until", (date.today() + timedelta(days=14)).strftime("%m/%d/%Y"))
    fill(dialog, "reason", "New bank, pays on Friday")
    shoot(page, "reminder-pause")
    dialog.locator(".o_form_button_save").click()
    expect(dialog).to_have_count(0)
    desk.customer(page, "Birch Bikes")
    expect(page.locator("[name=dunning_not_chased]")).to_contain_text("New bank, pays on Friday")
    shoot(page, "reminder-customer")

    phone = new_page(390, 844)
    log_in(phone, desk.trade.server, "cora")
    desk.customer(phone, "Birch Bikes")
    expect(phone.locator("[name=dunning_not_chased]")).to_contain_text("New bank, pays on Friday")
    expect(phone.locator("[name=dunning_notice_ids] .o_kanban_record", has_text="Second reminder")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(phone, "reminder-customer-phone")

    sales = new_page()
    log_in(sales, desk.trade.server, "sam")
    desk.customer(sales, "Birch Bikes")
    expect(sales.locator(".o_field_widget[name=dunning_step_id]")).to_contain_text("Second reminder")
    expect(sales.locator("button[name=action_dunning_pause]:visible")).to_have_count(0)
    shoot(sales, "reminder-customer-sales")


def test_paused_customer_is_left_out_of_the_next_run(desk: Desk, page: Page) -> None:
    """The next run says so, and proposes the one that was excluded before."""
    desk.invoice(desk.customers["Birch Bikes"], 60)
    log_in(page, desk.trade.server, "cora")
    desk.go(page, "/odoo/reminder-runs/new")
    press(page, "action_simulate")
    state(page, "To review")
    press(page, "action_view_exclusions")
    expect(page.locator(".o_data_row", has_text="Birch Bikes").first).to_contain_text("New bank, pays on Friday")
    page.locator(".breadcrumb-item a, .o_back_button a").last.click()
    press(page, "action_view_notices")
    expect(page.locator(".o_data_row")).to_have_count(1)
    expect(page.locator(".o_data_row")).to_contain_text("Cedar Clocks")
