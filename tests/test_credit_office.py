"""The credit office at work, as its users do it: each part through the browser, and what they see of it."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tools.ground.paths import ROOT

from .conftest import Stage
from .screen import choose, enter, fill, pick, press, shoot, state
from .trade import MANAGER, SALES, Trade

ANALYST = "credit_management.group_credit_analyst"
TEMPLATE = ROOT / "credit_management" / "static" / "xls" / "credit_limit.xlsx"
PANEL = ".o_credit_panel"
SOON = date.today() + timedelta(days=20)


class Office:
    """A company with a policy, a salesperson, an analyst and a credit manager; each test has its own customers."""

    def __init__(self, stage: Stage) -> None:
        """Make it."""
        self.trade = trade = Trade(stage, stage.database())
        trade.admin.call("res.partner", "write", [[1], {"name": "Riverside Supplies"}])
        # The zone of the machine, whose days the tests count in.
        zone = {"tz": "UTC"}
        self.sam = trade.user("sam", SALES, name="Sam Porter", **zone)
        self.tom = trade.user("tom", SALES, name="Tom Weber", **zone)
        self.ana = trade.user("ana", ANALYST, name="Ana Lopez", **zone)
        self.mona = trade.user("mona", MANAGER, name="Mona Berg", **zone)
        self.policy = trade.policy(
            ("utilisation", "hold", {"threshold": 100}),
            ("account_status", "block", {"account_status": "blacklisted"}),
            name="Trade customers",
            controller_id=self.mona,
            emergency_amount=10_000,
            checklist_ids=[
                (0, 0, {"name": "Registration code", "kind": "field", "field_name": "registration_code"}),
            ],
        )
        for name, users, amount in (("Desk", [self.ana, self.mona], 0), ("Director", [self.mona], 3_000)):
            trade.create(
                "credit.approval.level",
                {
                    "name": name,
                    "policy_id": self.policy,
                    "kind": "release",
                    "amount_from": amount,
                    "sequence": amount,
                    "user_ids": [(6, 0, users)],
                },
            )

    def customers(self, *names: str, limit: float = 0.0) -> tuple[list[int], list[int]]:
        """Make customers of the salesperson, with a base limit if one is given; return them and their accounts."""
        customers = self.trade.customers(*names, user_id=self.sam)
        if limit:
            return customers, self.trade.limit(customers, limit)
        return customers, self.trade.create("credit.account", *({"partner_id": customer} for customer in customers))

    def held(self, *wanted: tuple[int, float]) -> list[int]:
        """Make orders of the salesperson that are on hold."""
        orders = [self.trade.order(customer, amount, user_id=self.sam) for customer, amount in wanted]
        self.trade.connect("sam").call("sale.order", "action_confirm", [orders])
        assert self.trade.states(orders) == [("draft", "on_hold")] * len(orders)
        return orders

    def name(self, order: int) -> str:
        """Return an order's number."""
        return self.trade.read("sale.order", order, "name")[0]["name"]

    def open(self, page: Page, login: str, path: str) -> None:
        """Log somebody in and open a page of the web client, which is loaded once only."""
        enter(page, self.trade.server, login, path)

    def go(self, page: Page, path: str) -> None:
        """Open a page of the web client."""
        page.goto(self.trade.server.url + path)


@pytest.fixture(scope="module")
def office(module_stage: Stage) -> Office:
    """Return the office that the tests share."""
    return Office(module_stage)


def act_on(page: Page, rows: list[str], action: str) -> None:
    """Mark rows of a list and choose from its actions."""
    for row in rows:
        page.locator(".o_data_row", has_text=row).locator(".o_list_record_selector input").first.check()
    page.locator(".o_cp_action_menus button", has_text="Actions").click()
    page.locator(".o-dropdown--menu .o-dropdown-item", has_text=re.compile(f"^{re.escape(action)}$")).click()


def test_limit_is_proposed_and_approved(office: Office, new_page: Callable[..., Page]) -> None:
    """The analyst proposes; the manager finds it among the approvals, and it is in force."""
    office.customers("Alder Tools")
    desk = new_page()
    office.open(desk, "ana", "/odoo/credit-limits/new")
    pick(desk, "account_id", "Alder Tools")
    fill(desk, "amount", "5000")
    fill(desk, "reason", "Annual accounts seen")
    press(desk, "action_submit")
    state(desk, "Submitted")
    expect(desk.locator(".o_credit_approval")).to_contain_text("decides next")
    expect(desk.locator("button[name=action_approve]:visible")).to_have_count(0)

    manager = new_page()
    office.open(manager, "mona", "/odoo/credit-approvals")
    manager.locator(".o_data_row, .o_kanban_record", has_text="Alder Tools").get_by_role(
        "button", name="Approve"
    ).click()
    expect(manager.locator(".o_data_row, .o_kanban_record", has_text="Alder Tools")).to_have_count(0)
    desk.reload()
    expect(desk.locator(".ribbon")).to_contain_text("In Force")


def test_limits_that_end_are_renewed_at_once(office: Office, new_page: Callable[..., Page]) -> None:
    """Two limits that end soon: one dialog, one batch, approved as a whole."""
    names = ["Birch Renewals", "Beech Renewals"]
    _customers, accounts = office.customers(*names)
    vals = {"amount": 4_000, "date_to": str(SOON)}
    limits = office.trade.create("credit.limit", *({"account_id": account, **vals} for account in accounts))
    office.trade.admin.call("credit.limit", "action_submit", [limits])
    office.trade.connect("mona").call("credit.limit", "action_approve", [limits])

    page = new_page()
    office.open(page, "ana", "/odoo/credit-accounts")
    act_on(page, names, "Renew Limits…")
    dialog = page.locator(".modal")
    expect(dialog.locator(".o_data_row")).to_have_count(2)
    fill(dialog, "reason", "Both pay on time")
    shoot(page, "renew")
    press(dialog, "action_apply")
    expect(dialog).to_have_count(0)
    approve_batch(office, new_page, names)
    found = office.trade.admin.call(
        "credit.limit",
        "search_read",
        [[("account_id", "in", accounts), ("id", "not in", limits)], ["state", "date_from"]],
    )
    assert {(row["state"], row["date_from"]) for row in found} == {("approved", str(SOON + timedelta(days=1)))}


def approve_batch(office: Office, new_page: Callable[..., Page], names: list[str]) -> None:
    """Approve what is submitted of some customers in one go, as another manager."""
    page = new_page()
    office.open(page, "mona", "/odoo/credit-limits")
    page.locator(".o_searchview_input").fill(names[0].split()[-1])
    # A row that is marked before the search is through would lose its mark.
    with page.expect_response(re.compile("/web_search_read")):
        page.locator(".o_searchview_input").press("Enter")
    expect(page.locator(".o_searchview_facet")).to_have_count(1)
    rows = page.locator(".o_data_row", has_text="Submitted")
    expect(rows).to_have_count(len(names))
    for number in range(len(names)):
        rows.nth(number).locator(".o_list_record_selector input").check()
    expect(page.locator(".o_selection_box")).to_contain_text(f"{len(names)}")
    page.locator(".o_cp_action_menus button", has_text="Actions").click()
    page.locator(".o-dropdown--menu .o-dropdown-item", has_text=re.compile("^Approve$")).click()
    expect(page.locator(".o_notification")).to_contain_text(f"{len(names)}")
    expect(page.locator(".o_data_row", has_text="Submitted")).to_have_count(0)


def test_limits_are_changed_with_a_preview(office: Office, new_page: Callable[..., Page]) -> None:
    """By 10 percent, rounded up to hundreds: each before and after, one customer left out."""
    names = ["Cedar Changes", "Cherry Changes", "Chestnut Changes"]
    _customers, accounts = office.customers(*names, limit=4_050)
    page = new_page()
    office.open(page, "ana", "/odoo/credit-accounts")
    act_on(page, names, "Change Limits…")
    dialog = page.locator(".modal")
    dialog.get_by_label("By percent").check()
    fill(dialog, "percent", "10")
    choose(dialog, "rounding", "Up to the next")
    fill(dialog, "rounding_unit", "100")
    row = dialog.locator(".o_data_row", has_text="Cedar Changes")
    expect(row.locator("[name=amount_before]")).to_contain_text("4,050.00")
    expect(row.locator("[name=amount_after]")).to_contain_text("4,500.00")
    dialog.locator(".o_data_row", has_text="Chestnut").locator("[name=included] input").click()
    expect(dialog.locator("[name=included_count]")).to_contain_text("2")
    fill(dialog, "reason", "Prices have risen")
    shoot(page, "change")
    press(dialog, "action_apply")
    expect(dialog).to_have_count(0)
    approve_batch(office, new_page, names[:2])
    figures = office.trade.read("credit.account", accounts, "limit_amount")
    assert [row["limit_amount"] for row in figures] == [4_500, 4_500, 4_050]


def test_limits_are_imported_with_the_template(office: Office, new_page: Callable[..., Page], tmp_path: Path) -> None:
    """The dialog offers the template; a wrong row is named and nothing is half imported; then all of it is."""
    office.customers("Dogwood Imports", "Date Palm Imports")
    rows = [
        ["Dogwood Imports", "Base", "Amount", 7_000, "USD", date.today(), None, "Imported"],
        ["Nobody Knows Them", "Base", "Amount", 8_000, "USD", date.today(), None, "Imported"],
    ]
    page = new_page()
    office.open(page, "ana", "/odoo/credit-limits")
    page.locator(".o_cp_action_menus button").first.click()
    page.locator(".o_import_menu, .o-dropdown-item", has_text="Import records").first.click()
    with page.expect_download() as download:
        page.get_by_text("Import Template for Credit Limits").click()
    template = tmp_path / "template.xlsx"
    download.value.save_as(template)

    upload(page, template, rows)
    page.get_by_role("button", name="Import", exact=True).click()
    report = page.locator(".o_import_data_content, .o_import_action").filter(has_text="Nobody Knows Them").first
    expect(report).to_contain_text(re.compile("Error at row .: \"No customer has “Nobody Knows Them”"))
    shoot(page, "import-error")
    mine = [("reason", "=", "Imported")]
    assert office.trade.admin.call("credit.limit", "search_count", [mine]) == 0

    rows[1][0] = "Date Palm Imports"
    upload(page, template.rename(tmp_path / "corrected.xlsx"), rows)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".o_data_row", has_text="Date Palm Imports")).to_contain_text("8,000.00")
    found = office.trade.admin.call("credit.limit", "search_read", [mine, ["amount", "state"]])
    assert sorted((row["amount"], row["state"]) for row in found) == [(7_000, "draft"), (8_000, "draft")]


def upload(page: Page, template: Path, rows: list[list]) -> None:
    """Fill rows into the template and load it into the import dialog."""
    book = load_workbook(template)
    sheet = book.active
    sheet.delete_rows(2, sheet.max_row)
    for row in rows:
        sheet.append(row)
    book.save(template)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("(Upload|Load) Data File")).first.click()
    chooser.value.set_files(template)
    expect(page.locator(".o_import_data_content")).to_contain_text("Customer Reference or Name")


def test_application_becomes_a_limit(office: Office, new_page: Callable[..., Page]) -> None:
    """What the checklist asks for blocks; printed; proposed by the analyst; approved; the salesperson reads it."""
    office.customers("Elm Applicants")
    sales = new_page()
    office.open(sales, "sam", "/odoo/my-credit-applications/new")
    pick(sales, "partner_id", "Elm Applicants")
    fill(sales, "amount", "9000")
    press(sales, "action_submit")
    expect(sales.locator(".modal, .o_notification").first).to_contain_text("Registration code")
    sales.locator(".modal .btn-close, .modal .btn-primary").first.click()
    expect(sales.locator(".o_form_view .alert-warning", has_text="Still missing")).to_contain_text("Registration code")
    fill(sales, "registration_code", "91310000MA1K")
    press(sales, "action_submit")
    state(sales, "Submitted")

    desk = new_page()
    office.open(desk, "ana", "/odoo/credit-applications")
    desk.locator(".o_data_row", has_text="Elm Applicants").locator("td[name=partner_id]").click()
    with desk.expect_download(timeout=90_000) as download:
        desk.get_by_role("button", name="Print").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    press(desk, "action_propose")
    expect(desk.locator(".o_form_view")).to_contain_text("waits for approval")

    manager = new_page()
    office.open(manager, "mona", "/odoo/credit-approvals")
    manager.locator(".o_data_row, .o_kanban_record", has_text="Elm Applicants").get_by_role(
        "button", name="Approve"
    ).click()
    expect(manager.locator(".o_data_row, .o_kanban_record", has_text="Elm Applicants")).to_have_count(0)
    sales.reload()
    expect(sales.locator(".alert-success")).to_contain_text(re.compile(r"9,000\.00.*approved by"))


def test_grade_says_what_it_implies(office: Office, new_page: Callable[..., Page]) -> None:
    """From C to D halves the limit: seen before, proposed after."""
    _customers, [account] = office.customers("Fir Grades", limit=10_000)
    office.trade.admin.call(
        "credit.account", "write", [[account], {"grade_id": office.trade.ref("credit_management.grade_c")}]
    )
    page = new_page()
    office.open(page, "mona", f"/odoo/credit-accounts/{account}")
    press(page, "action_change_grade")
    dialog = page.locator(".modal")
    pick(dialog, "grade_id", "Weak")
    expect(dialog.locator("[name=limit_before]")).to_contain_text("10,000.00")
    expect(dialog.locator("[name=limit_after] input")).to_have_value("5,000.00")
    fill(dialog, "reason", "Three invoices late")
    shoot(page, "grade")
    press(dialog, "action_apply")
    expect(dialog).to_have_count(0)
    [values] = office.trade.read("credit.account", account, "grade_id", "limit_amount")
    assert values["grade_id"][1].startswith("D") and values["limit_amount"] == 10_000
    found = office.trade.admin.call(
        "credit.limit",
        "search_read",
        [[("account_id", "=", account), ("state", "=", "submitted")], ["amount", "origin"]],
    )
    assert [(row["amount"], row["origin"]) for row in found] == [(5_000, "grade")]


def test_blacklist_blocks_and_is_lifted(office: Office, new_page: Callable[..., Page]) -> None:
    """Blacklisted until a day: the salesperson is blocked and reads until when; lifted, the order passes."""
    [customer], [account] = office.customers("Gingko Traders", limit=10_000)
    manager = new_page()
    office.open(manager, "mona", f"/odoo/credit-accounts/{account}")
    press(manager, "action_blacklist")
    dialog = manager.locator(".modal")
    choose(dialog, "code", "Legal action")
    fill(dialog, "note", "Court order of Monday")
    fill(dialog, "until", SOON.strftime("%m/%d/%Y"))
    press(dialog, "action_apply")
    expect(manager.locator("[name=blacklist]")).to_contain_text("Court order of Monday")

    order = office.trade.order(customer, 100, user_id=office.sam)
    sales = new_page()
    office.open(sales, "sam", f"/odoo/action-sale.action_quotations_with_onboarding/{order}")
    press(sales, "action_confirm")
    expect(sales.locator(PANEL)).to_contain_text("Blocked for credit: not confirmed")
    expect(sales.locator(PANEL)).to_contain_text(
        re.compile("It would pass by itself on .*, when the blacklisting ends")
    )
    expect(sales.locator("button[name=action_credit_request_release]:visible")).to_have_count(0)
    shoot(sales, "blocked")

    press(manager, "action_lift_blacklist")
    fill(dialog, "note", "The claim was dropped")
    press(dialog, "action_apply")
    expect(manager.locator("[name=blacklist]")).to_be_hidden()
    sales.reload()
    expect(sales.locator(PANEL)).to_contain_text("On hold, but it would pass now")
    press(sales, "action_confirm")
    state(sales, "Sales Order")


def test_payment_is_asked_for_from_the_panel(office: Office, new_page: Callable[..., Page]) -> None:
    """Without a payment provider the mail names bank account, amount and reference; on a phone too."""
    trade = office.trade
    [customer], _accounts = office.customers("Hazel Payers", limit=1_000)
    trade.admin.call("res.partner", "write", [[customer], {"email": "hazel@example.com"}])
    providers = trade.admin.call("payment.provider", "search", [[("is_published", "=", True)]])
    trade.admin.call("payment.provider", "write", [providers, {"is_published": False}])
    bank = trade.create("res.partner.bank", {"acc_number": "BE71096123456769", "partner_id": 1})[0]
    journal = trade.admin.call("account.journal", "search", [[("type", "=", "bank")]], {"limit": 1})
    trade.admin.call("account.journal", "write", [journal, {"bank_account_id": bank}])
    [order] = office.held((customer, 1_600))

    page = new_page(390, 844)
    office.open(page, "sam", f"/odoo/my-held-orders/{order}")
    expect(page.locator(PANEL)).to_contain_text("A payment of $ 600.00 would let it pass.")
    shoot(page, "payment-panel-phone")
    page.set_viewport_size({"width": 1400, "height": 900})
    button = page.locator(f"{PANEL} [data-action=action_credit_request_payment]")
    expect(button).to_contain_text("Request Payment ($ 600.00)")
    shoot(page, "payment-panel")
    button.click()
    dialog = page.locator(".modal")
    expect(dialog.locator("[name=body]")).to_contain_text("BE71096123456769")
    expect(dialog.locator("[name=body]")).to_contain_text(office.name(order))
    shoot(page, "payment-mail")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".o-mail-Message", has_text="BE71096123456769").first).to_be_visible()


def test_release_against_a_proof_of_payment(office: Office, new_page: Callable[..., Page]) -> None:
    """The slip is attached, the money has to come: the order goes on at once and says on what condition."""
    [customer], _accounts = office.customers("Ivy Proofs", limit=1_000)
    [order] = office.held((customer, 1_500))
    page = new_page()
    office.open(page, "mona", f"/odoo/held-orders/{order}")
    press(page, "action_credit_release")
    dialog = page.locator(".modal")
    fill(dialog, "note", "Transfer slip seen")
    choose(dialog, "condition", "Proof of payment")
    fill(dialog, "condition_amount", "500")
    fill(dialog, "condition_due", (date.today() + timedelta(days=3)).strftime("%m/%d/%Y"))
    slip = {"name": "slip.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 slip"}
    dialog.locator(".o_field_widget[name=proof] input[type=file]").set_input_files(slip)
    shoot(page, "proof")
    press(dialog, "action_apply")
    expect(dialog).to_have_count(0)
    assert office.trade.states([order]) == [("sale", "released")]
    office.go(page, f"/odoo/held-orders/{order}")
    expect(page.locator(PANEL)).to_contain_text("Proof of payment: $ 500.00 is to come")


def test_emergency_release_is_confirmed_by_the_manager(office: Office, new_page: Callable[..., Page]) -> None:
    """The analyst may decide up to 3,000 only: alone in an emergency, confirmed by the proper level."""
    [customer], _accounts = office.customers("Juniper Emergencies", limit=1_000)
    [order] = office.held((customer, 5_000))
    desk = new_page()
    office.open(desk, "ana", f"/odoo/held-orders/{order}")
    press(desk, "action_credit_release_alone")
    dialog = desk.locator(".modal")
    pick(dialog, "reason_id", "Goods are at the dock")
    fill(dialog, "note", "Their line stands still")
    shoot(desk, "emergency")
    press(dialog, "action_apply")
    expect(dialog).to_have_count(0)
    assert office.trade.states([order]) == [("sale", "released")]

    manager = new_page()
    office.open(manager, "mona", "/odoo/credit-approvals")
    manager.locator(".o_data_row, .o_kanban_record", has_text="Juniper Emergencies").get_by_role(
        "button", name=re.compile("Approve|Confirm")
    ).first.click()
    dialog = manager.locator(".modal")
    press(dialog, "action_apply")
    expect(dialog).to_have_count(0)
    [values] = office.trade.read("sale.order", order, "credit_emergency_state")
    assert values["credit_emergency_state"] == "confirmed"


def test_held_orders_are_released_together(office: Office, new_page: Callable[..., Page]) -> None:
    """Two marked in the queue, one reason, both confirmed; the third stays."""
    [customer], _accounts = office.customers("Larch Queue", limit=100)
    orders = office.held((customer, 500), (customer, 600), (customer, 700))
    names = [office.name(order) for order in orders]
    page = new_page()
    office.open(page, "mona", "/odoo/held-orders")
    for name in names[:2]:
        page.locator(".o_data_row", has_text=name).locator(".o_list_record_selector input").check()
    press(page, "action_credit_release_selected")
    dialog = page.locator(".modal")
    expect(dialog.locator(".o_data_row")).to_have_count(2)
    fill(dialog, "note", "Transfers announced by their bank")
    shoot(page, "mass-release")
    press(dialog, "action_apply")
    expect(page.locator(".o_data_row", has_text=names[0])).to_have_count(0)
    expect(page.locator(".o_data_row", has_text=names[2])).to_be_visible()
    assert office.trade.states(orders) == [("sale", "released"), ("sale", "released"), ("draft", "on_hold")]


def test_customers_are_handed_over_with_a_sheet(office: Office, new_page: Callable[..., Page], tmp_path: Path) -> None:
    """From one salesperson to another: the balances on the form, the sheet to sign, and then it is carried out."""
    trade = office.trade
    [customer] = trade.customers("Maple Territory", user_id=office.tom)
    trade.limit([customer], 2_000)
    page = new_page()
    office.open(page, "mona", "/odoo/credit-hand-overs/new")
    pick(page, "user_id", "Tom Weber")
    pick(page, "successor_id", "Sam Porter")
    fill(page, "reason", "Change of territory")
    page.locator(".o_form_button_save").click()
    expect(page.locator(".o_data_row", has_text="Maple Territory")).to_be_visible()
    shoot(page, "hand-over")
    with page.expect_download(timeout=90_000) as download:
        press(page, "action_print")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    with page.expect_download() as download:
        press(page, "action_export")
    workbook = tmp_path / download.value.suggested_filename
    download.value.save_as(workbook)
    cells = [cell for row in load_workbook(workbook).active.iter_rows(values_only=True) for cell in row]
    assert "Maple Territory" in cells
    press(page, "action_confirm")
    page.locator(".modal .btn-primary").click()
    state(page, "Signed")
    press(page, "action_carry_out")
    page.locator(".modal .btn-primary").click()
    state(page, "Done")
    assert trade.read("res.partner", customer, "user_id")[0]["user_id"][0] == office.sam
