"""A scorecard's life in a browser: built, tried on customers, activated, read by the analyst, explained in print."""

import re
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Stage
from .screen import choose, enter, fill, pick, shoot
from .trade import MANAGER, SALES, Trade

ANALYST = "credit_management.group_credit_analyst"
PHONE = (390, 844)
PROMPT, SLOW, PERSON = "Alder Prompt", "Birch Slow", "Lena Fischer"
# How many days late each of the customers paid its invoices.
TRADE = {PROMPT: [0] * 6, SLOW: [20] * 6, PERSON: [0, 0, 0, 40]}
CARD = "Paying on time"
CHARACTERISTICS = [
    ("on_time_ratio", "Paid on time", [(0, 0), (50, 50), (90, 100)]),
    ("days_late_average", "Average days beyond terms", [(-999, 100), (10, 50), (30, 0)]),
]
BANDS = [(80, "a", "Excellent"), (50, "c", "Average"), (0, "e", "Poor")]


class Bureau:
    """A company whose customers have paid, a manager, an analyst, and a card that finds everybody excellent."""

    def __init__(self, stage: Stage) -> None:
        """Make it."""
        self.trade = trade = Trade(stage, stage.database())
        zone = {"tz": "UTC"}
        self.sam = trade.user("sam", SALES, name="Sam Porter", **zone)
        trade.user("ana", ANALYST, name="Ana Lopez", **zone)
        trade.user("mona", MANAGER, name="Mona Berg", **zone)
        companies = trade.customers(PROMPT, SLOW, user_id=self.sam)
        persons = trade.customers(PERSON, is_company=False, lang="zh_CN", user_id=self.sam)
        self.customers = dict(zip(TRADE, companies + persons, strict=True))
        self.accounts = {
            name: trade.create("credit.account", {"partner_id": customer})[0]
            for name, customer in self.customers.items()
        }
        for name, late in TRADE.items():
            self._pay(self.customers[name], late)
        bins = [{"low": 0, "points": 100}, {"low": 12, "points": 0}]
        card = trade.create(
            "scoring.card",
            {
                "name": "Whoever buys",
                "characteristic_ids": [
                    (0, 0, {"metric": "months_since_invoice", "bin_ids": [(0, 0, row) for row in bins]})
                ],
                "band_ids": [(0, 0, {"minimum": 0, "grade_id": trade.ref("credit_management.grade_a")})],
            },
        )
        trade.admin.call("scoring.card", "action_activate", [card])
        trade.admin.call("credit.account", "action_compute_score", [list(self.accounts.values())])

    def _pay(self, customer: int, late: list[int]) -> None:
        """Invoice a customer, due on days that lie apart, each paid so many days after."""
        call = self.trade.admin.call
        due = [date.today() - timedelta(days=60 + 20 * number) for number in range(len(late))]
        moves = self.trade.invoices(*((customer, 1_000, day) for day in due))
        for move, day, days in zip(moves, due, late, strict=True):
            context = {"context": {"active_model": "account.move", "active_ids": [move]}}
            values = {"payment_date": str(day + timedelta(days=days))}
            [wizard] = call("account.payment.register", "create", [[values]], context)
            call("account.payment.register", "action_create_payments", [[wizard]], context)

    def open(self, page: Page, login: str, path: str) -> None:
        """Log somebody in and open a page of the web client."""
        enter(page, self.trade.server, login, path)

    def go(self, page: Page, path: str) -> None:
        """Open a page of the web client."""
        page.goto(self.trade.server.url + path)
        page.wait_for_selector(".o_action_manager .o_view_controller")


@pytest.fixture(scope="module")
def bureau(module_stage: Stage) -> Bureau:
    """Return the company."""
    return Bureau(module_stage)


def add_line(scope: Locator, field: str) -> Locator:
    """Add a row to a list and return it, once it can be typed into."""
    rows = scope.locator(f".o_field_widget[name={field}] .o_data_row")
    number = rows.count()
    scope.locator(f".o_field_widget[name={field}] .o_field_x2many_list_row_add a").first.click()
    expect(rows).to_have_count(number + 1)
    row = rows.nth(number)
    expect(row).to_have_class(re.compile("o_selected_row"))
    return row


def add_characteristic(page: Page, metric: str, bins: list[tuple[float, float]]) -> None:
    """Add what is looked at, with its points, in the dialog of the row."""
    page.locator(".o_field_widget[name=characteristic_ids] .o_field_x2many_list_row_add a").click()
    dialog = page.locator(".modal")
    choose(dialog, "metric", metric, exact=True)
    for low, points in bins:
        row = add_line(dialog, "bin_ids")
        fill(row, "low", str(low))
        fill(row, "points", str(points))
    dialog.locator(".o_form_button_save").click()
    expect(dialog).to_have_count(0)
    row = page.locator(".o_field_widget[name=characteristic_ids] .o_data_row", has_text=metric)
    expect(row).to_contain_text(f"from {bins[-1][0]}: {bins[-1][1]}")


@pytest.mark.screenshots
def test_scorecard_is_built_tried_and_activated(bureau: Bureau, new_page: Callable[..., Page]) -> None:
    """The manager sees who would move before anything changes; then the card scores, and one grade is another."""
    page = new_page()
    bureau.open(page, "mona", "/odoo/scorecards/new")
    fill(page, "name", CARD)
    for _metric, label, bins in CHARACTERISTICS:
        add_characteristic(page, label, bins)
    page.get_by_role("tab", name="Grades").click()
    for minimum, _code, grade in BANDS:
        row = add_line(page.locator(".o_form_view"), "band_ids")
        fill(row, "minimum", str(minimum))
        pick(row, "grade_id", grade)
    page.locator(".o_form_button_save").click()
    expect(page.locator(".o_breadcrumb")).to_contain_text(CARD)
    shoot(page, "scorecard")

    page.locator("button[name=action_try]:visible").click()
    page.wait_for_selector(".o_form_view button[name=action_try].btn-primary")
    page.locator("button[name=action_try]:visible").click()
    moves = page.locator(".o_field_widget[name=line_ids] .o_data_row")
    expect(moves.filter(has_text=SLOW)).to_contain_text(re.compile("A · Excellent.*E · Poor.*Worse"))
    expect(moves.filter(has_text=PROMPT)).to_contain_text("Same")
    expect(page.locator("[name=down_count]")).to_contain_text("2")
    expect(moves.filter(has_text=PERSON)).to_contain_text("Worse")
    shoot(page, "trial")
    [slow] = bureau.trade.read("credit.account", bureau.accounts[SLOW], "grade_id", "score")
    assert slow["grade_id"][0] == bureau.trade.ref("credit_management.grade_a"), "A trial changes nothing"

    bureau.go(page, "/odoo/scorecards")
    page.locator(".o_data_row", has_text=CARD).locator("td[name=name]").click()
    page.locator("button[name=action_activate]:visible").click()
    page.locator(".modal .btn-primary").click()
    expect(page.locator(".o_statusbar_status .o_arrow_button_current")).to_contain_text("Active")
    expect(page.locator("button[name=action_new_version]:visible")).to_have_count(1)
    states = bureau.trade.admin.call("scoring.card", "search_read", [[("name", "=", "Whoever buys")], ["state"]])
    assert [row["state"] for row in states] == ["retired"]

    bureau.go(page, f"/odoo/credit-accounts/{bureau.accounts[SLOW]}")
    page.get_by_role("tab", name="Score", exact=True).click()
    page.locator("button[name=action_compute_score]:visible").click()
    expect(page.locator("[name=score_grade_id]")).to_contain_text("Poor")
    [slow] = bureau.trade.read("credit.account", bureau.accounts[SLOW], "grade_id")
    assert slow["grade_id"][0] == bureau.trade.ref("credit_management.grade_e")


def printed(page: Page, tmp_path: Path) -> int:
    """Print the explanation, and return how many pages it has."""
    with page.expect_download(timeout=90_000) as download:
        page.locator("button[name=action_print_explanation]:visible").first.click()
    target = tmp_path / "explanation.pdf"
    download.value.save_as(target)
    info = subprocess.run(["pdfinfo", target], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"Pages:\s+(\d+)", info)[1])


def letter(bureau: Bureau, name: str) -> str:
    """Return the explanation as the analyst gets it by its address, before it is made a PDF."""
    [account] = bureau.trade.read("credit.account", bureau.accounts[name], "score_id")
    path = f"/report/html/customer_scoring.report_scoring_explanation/{account['score_id'][0]}"
    status, text = bureau.trade.connect("ana").get(path)
    assert status == 200
    return " ".join(text.split())


def explained(bureau: Bureau, name: str) -> int:
    """Return how often the credit file says that an explanation was printed."""
    domain = [("account_id", "=", bureau.accounts[name]), ("kind", "=", "explained")]
    return bureau.trade.admin.call("credit.event", "search_count", [domain])


def score(bureau: Bureau, name: str) -> None:
    """Score a customer with a card that looks at the way of paying, which is made active if none is."""
    call = bureau.trade.admin.call
    if not call("scoring.card", "search_count", [[("name", "=", CARD), ("state", "=", "active")]]):
        metrics = [
            {"metric": metric, "bin_ids": [(0, 0, {"low": low, "points": points}) for low, points in bins]}
            for metric, _label, bins in CHARACTERISTICS
        ]
        bands = [
            {"minimum": minimum, "grade_id": bureau.trade.ref(f"credit_management.grade_{code}")}
            for minimum, code, _name in BANDS
        ]
        card = bureau.trade.create(
            "scoring.card",
            {
                "name": CARD,
                "characteristic_ids": [(0, 0, metric) for metric in metrics],
                "band_ids": [(0, 0, band) for band in bands],
            },
        )
        call("scoring.card", "action_activate", [card])
    call("credit.account", "action_compute_score", [[bureau.accounts[name]]])


@pytest.mark.screenshots
def test_analyst_reads_why_and_prints_it(bureau: Bureau, new_page: Callable[..., Page], tmp_path: Path) -> None:
    """What was found of each characteristic, what it takes, the documents behind it; the letter to the customer."""
    score(bureau, SLOW)
    page = new_page()
    bureau.open(page, "ana", f"/odoo/credit-accounts/{bureau.accounts[SLOW]}")
    page.get_by_role("tab", name="Score", exact=True).click()
    why = page.locator(".o_field_widget[name=score_line_ids] .o_data_row")
    expect(why.filter(has_text="Average days beyond terms")).to_contain_text("20 days")
    on_time = why.filter(has_text="Paid on time")
    expect(on_time).to_contain_text("0 %")
    expect(on_time).to_contain_text(re.compile(r"Pay on time \d+ more invoices: \+\d"))
    why.last.scroll_into_view_if_needed()
    shoot(page, "why")

    assert printed(page, tmp_path) >= 1
    assert explained(bureau, SLOW) == 1
    text = letter(bureau, SLOW)
    for part in ("How we came to your credit score", SLOW, "You paid 0 % of your invoices", "Which data it rests on"):
        assert part in text, text
    # Asked for by its address, in a transaction that only reads, it is on file too.
    assert explained(bureau, SLOW) == 2

    on_time.locator("button[name=action_view_documents]").click()
    expect(page.locator(".o_list_view .o_data_row")).to_have_count(6)


def test_natural_person_decided_by_somebody_and_explained(
    bureau: Bureau, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    """On a phone: the score of a person is advice, its grade is somebody's decision, the letter is in its language."""
    score(bureau, PERSON)
    page = new_page(*PHONE)
    bureau.open(page, "ana", f"/odoo/credit-accounts/{bureau.accounts[PERSON]}")
    page.get_by_role("tab", name="Score", exact=True).click()
    expect(page.locator(".alert-info", has_text="A natural person").last).to_be_visible()
    cards = page.locator(".o_field_widget[name=score_line_ids] .o_kanban_record:not(.o_kanban_ghost)")
    expect(cards.filter(has_text="Paid on time")).to_contain_text("75 %")
    shoot(page, "why-phone")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE[0], f"The page is {width} wide"
    assert printed(page, tmp_path) >= 1
    text = letter(bureau, PERSON)
    assert PERSON in text
    assert "按时付款率" in text
    assert "Paid on time" not in text


def test_sales_see_neither_score_nor_letter(bureau: Bureau, new_page: Callable[..., Page]) -> None:
    """The salesperson of the customer has the grade, and no way to the rest."""
    page = new_page()
    bureau.open(page, "sam", f"/odoo/res.partner/{bureau.customers[SLOW]}")
    expect(page.locator(".o_form_view")).to_contain_text(SLOW)
    expect(page.locator("button[name=action_print_explanation]")).to_have_count(0)
    expect(page.get_by_role("tab", name="Score", exact=True)).to_have_count(0)
    address = "/report/pdf/customer_scoring.report_scoring_explanation/1"
    status, text = bureau.trade.connect("sam").get(address)
    assert (status, "Only credit analysts" in text or status == 403) == (403, True)
