"""Who may read, change and decide what over the API, where no view hides anything."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Stage
from .trade import MANAGER, SALES, Trade, shell

AUDITOR = "credit_management.group_credit_auditor"
ANALYST = "credit_management.group_credit_analyst"
ACCOUNTANT = "account.group_account_invoice"
MODELS = [
    "credit.account",
    "credit.limit",
    "credit.exposure",
    "credit.check",
    "credit.check.line",
    "credit.release",
    "credit.approval",
    "credit.policy",
    "credit.rule",
]
FORBIDDEN = 403


@dataclass(frozen=True)
class Answer:
    """What the server answered: its status, and the value or the error."""

    status: int
    value: Any


class Api:
    """A user's key to `/json/2`."""

    def __init__(self, url: str, key: str) -> None:
        """Keep both."""
        self.url = url
        self.key = key

    def __call__(self, model: str, method: str, **body: Any) -> Answer:
        """Call a method."""
        request = urllib.request.Request(
            f"{self.url}/json/2/{model}/{method}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"bearer {self.key}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.load(error))

    def search(self, model: str, domain: list | None = None, *names: str) -> Answer:
        """Search and read."""
        return self(model, "search_read", domain=domain or [], fields=list(names) or ["id"])


KEYS = """
from datetime import datetime, timedelta
answer = {}
for user in env['res.users'].search([('login', 'in', %r)]):
    keys = env['res.users.apikeys'].with_user(user)
    answer[user.login] = keys._generate('rpc', 'tests', datetime.now() + timedelta(days=1))
"""


class World:
    """Two companies; in the first two salespeople, each with a customer whose order is on hold."""

    def __init__(self, stage: Stage) -> None:
        """Make it."""
        database = stage.database()
        self.trade = trade = Trade(stage, database)
        self.policy = trade.policy()
        self.seller = trade.user("seller", SALES)
        self.colleague = trade.user("colleague", SALES)
        for login, group in (("manager", MANAGER), ("analyst", ANALYST), ("auditor", AUDITOR)):
            trade.user(login, group)
        trade.user("accountant", ACCOUNTANT)
        trade.user("boss", MANAGER, "sales_team.group_sale_salesman_all_leads")
        [other] = trade.create("res.company", {"name": "Elsewhere"})
        place = {"company_id": other, "company_ids": [(6, 0, [other])]}
        trade.user("stranger", MANAGER, SALES, ACCOUNTANT, **place)
        [self.own] = trade.customers("Own Customer", user_id=self.seller)
        [self.foreign] = trade.customers("Foreign Customer", user_id=self.colleague)
        self.own_account, self.foreign_account = trade.limit([self.own, self.foreign], 100)
        self.own_order = self.held(self.own, self.seller)
        self.foreign_order = self.held(self.foreign, self.colleague)
        # A confirmed order, for an exposure of 50.
        order = trade.order(self.own, 50, user_id=self.seller)
        trade.connect("seller").call("sale.order", "action_confirm", [[order]])
        logins = ["seller", "boss", "manager", "analyst", "auditor", "accountant", "stranger"]
        # A request for a release, so that there is a record of it.
        client = trade.connect("seller")
        ask = {"decision": "request", "order_id": self.own_order, "note": "Pays on Friday."}
        [wizard] = client.call("credit.decision", "create", [[ask]])
        client.call("credit.decision", "action_apply", [[wizard]])
        keys = shell(stage.odoo, database, KEYS % logins)
        self.apis = {login: Api(trade.server.url, key) for login, key in keys.items()}

    def held(self, customer: int, seller: int) -> int:
        """Return an order of 1000 that its salesperson confirmed and that is held."""
        order = self.trade.order(customer, 1000, user_id=seller)
        login = "seller" if seller == self.seller else "colleague"
        self.trade.connect(login).call("sale.order", "action_confirm", [[order]])
        assert self.trade.states([order]) == [("draft", "on_hold")]
        return order


@pytest.fixture(scope="module")
def world(module_stage: Stage) -> World:
    """Return the two companies."""
    return World(module_stage)


@pytest.fixture
def seller(world: World) -> Api:
    """Return the salesperson's API."""
    return world.apis["seller"]


# Reading ---------------------------------------------------------------------


@pytest.mark.parametrize("model", [*MODELS[1:], "credit.counter"])
def test_sales_reads_no_records_behind_the_figures(world: World, seller: Api, model: str) -> None:
    """Limits, documents, checks and policies are not for sales."""
    assert seller.search(model).status == FORBIDDEN


def test_sales_reads_the_accounts_of_own_customers_only(world: World, seller: Api) -> None:
    """The own customer with figures, the colleague's customer not at all."""
    found = seller.search("credit.account", [], "partner_id", "exposure", "available")
    other = seller("credit.account", "read", ids=[world.foreign_account], fields=["exposure"])
    groups = seller("credit.account", "formatted_read_group", domain=[], groupby=["partner_id"], aggregates=["__count"])

    assert [(row["partner_id"][0], row["exposure"], row["available"]) for row in found.value] == [
        (world.own, 50.0, 50.0)
    ]
    assert other.status == FORBIDDEN
    assert [row["partner_id"][0] for row in groups.value] == [world.own]


def test_sales_reads_no_credit_of_other_customers_on_the_contact(world: World, seller: Api) -> None:
    """The contact is public among the staff, its credit is not."""
    names = ["credit_visible", "credit_exposure", "credit_effective_limit", "credit_meter", "credit_account_id"]
    rows = seller("res.partner", "read", ids=[world.own, world.foreign], fields=names).value

    assert rows[0]["credit_visible"] and rows[0]["credit_exposure"] == 50.0
    assert not any(rows[1][name] for name in names)


def test_sales_reads_why_the_own_order_is_held(world: World, seller: Api) -> None:
    """Reasons and excess of the own order; nothing of the colleague's, no link to the checks."""
    names = ["credit_state", "credit_reason", "credit_excess"]
    [row] = seller("sale.order", "read", ids=[world.own_order], fields=names).value
    other = seller("sale.order", "read", ids=[world.foreign_order], fields=names)
    checks = seller("sale.order", "read", ids=[world.own_order], fields=["credit_check_ids"])

    # The confirmed one of 50 came after the hold, and before the release was asked for.
    assert (row["credit_state"], row["credit_excess"]) == ("on_hold", 950.0)
    assert "950.00" in row["credit_reason"]
    assert other.status == FORBIDDEN
    assert checks.status == FORBIDDEN


@pytest.mark.parametrize("login", ["auditor", "manager", "analyst", "accountant"])
def test_who_keeps_credit_reads_it(world: World, login: str) -> None:
    """Accounts read all figures; so do those who decide and those who audit."""
    api = world.apis[login]

    for model in MODELS:
        assert api.search(model).status == 200, model
    accounts = api.search("credit.account", [], "partner_id", "exposure")
    assert {row["partner_id"][0]: row["exposure"] for row in accounts.value} == {
        world.own: 50.0,
        world.foreign: 0.0,
    }
    [row] = api.search("credit.exposure", [], "category", "amount").value
    assert (row["category"], row["amount"]) == ("ordered", 50.0)


@pytest.mark.parametrize("model", MODELS)
def test_the_other_company_sees_nothing(world: World, model: str) -> None:
    """A manager elsewhere neither finds our records nor reads one whose number is guessed."""
    stranger = world.apis["stranger"]
    ids = world.trade.admin.call(model, "search", [[]])
    assert ids

    assert stranger.search(model).value == []
    guessed = stranger(model, "read", ids=ids[:1], fields=[])
    assert guessed.status == FORBIDDEN or guessed.value == []
    asked = stranger(model, "search_read", domain=[], fields=["id"], context={"allowed_company_ids": [1]})
    assert asked.status == FORBIDDEN or asked.value == []


# Changing --------------------------------------------------------------------


@pytest.mark.parametrize(
    "login, models",
    [
        ("auditor", MODELS),
        ("accountant", MODELS),
        ("seller", MODELS),
        (
            "analyst",
            ["credit.check", "credit.check.line", "credit.release", "credit.approval", "credit.policy", "credit.rule"],
        ),
        ("manager", ["credit.check", "credit.check.line", "credit.release", "credit.approval", "credit.exposure"]),
    ],
)
def test_who_only_reads_changes_nothing(world: World, login: str, models: list[str]) -> None:
    """Neither makes, changes nor deletes a record."""
    api = world.apis[login]

    for model in models:
        [record, *_rest] = world.trade.admin.call(model, "search", [[]])
        before = world.trade.read(model, record)
        answers = {
            "create": api(model, "create", vals_list=[{}]),
            "copy": api(model, "copy", ids=[record]),
            "write": api(model, "write", ids=[record], vals={"write_date": "2020-01-01 00:00:00"}),
            "unlink": api(model, "unlink", ids=[record]),
        }
        # 422: the model itself refuses, whoever asks.
        assert {name: answer for name, answer in answers.items() if answer.status not in (FORBIDDEN, 422)} == {}, model
        assert world.trade.read(model, record) == before


@pytest.mark.parametrize("login", ["seller", "analyst", "auditor", "accountant", "stranger"])
def test_nobody_else_decides(world: World, login: str) -> None:
    """Neither the button's wizard nor the limit's buttons work for who is no credit manager here."""
    api = world.apis[login]
    [limit] = world.trade.create("credit.limit", {"account_id": world.own_account, "amount": 5000, "reason": "wanted"})
    world.trade.admin.call("credit.limit", "action_submit", [[limit]])
    decisions = [
        {"decision": "release", "order_id": world.own_order},
        {"decision": "reject", "order_id": world.own_order},
        {"decision": "reject_limit", "limit_id": limit},
    ]

    for decision in decisions:
        wizard = api("credit.decision", "create", vals_list=[{**decision, "note": "please"}])
        if wizard.status == 200:
            assert api("credit.decision", "action_apply", ids=wizard.value).status == FORBIDDEN
        else:
            assert wizard.status == FORBIDDEN
    assert api("credit.limit", "action_approve", ids=[limit]).status == FORBIDDEN

    assert world.trade.states([world.own_order]) == [("draft", "on_hold")]
    assert world.trade.read("credit.limit", limit, "state")[0]["state"] == "submitted"
    world.trade.admin.call("credit.limit", "action_draft", [[limit]])


def test_who_wanted_the_order_does_not_release_it(world: World) -> None:
    """A manager who sells too is refused for the own order; another releases it, and it is confirmed."""
    boss, manager = world.apis["boss"], world.apis["manager"]
    order = world.trade.order(world.own, 1000)
    assert boss("sale.order", "action_confirm", ids=[order]).status == 200
    assert world.trade.states([order]) == [("draft", "on_hold")]
    decision = {"decision": "release", "order_id": order, "note": "A good customer."}

    [wizard] = boss("credit.decision", "create", vals_list=[decision]).value
    refused = boss("credit.decision", "action_apply", ids=[wizard])
    assert (refused.status, world.trade.states([order])) == (FORBIDDEN, [("draft", "on_hold")])
    [wizard] = manager("credit.decision", "create", vals_list=[decision]).value
    accepted = manager("credit.decision", "action_apply", ids=[wizard])

    assert (accepted.status, world.trade.states([order])) == (200, [("sale", "released")])
    world.trade.admin.call("sale.order", "action_cancel", [[order]])


# The state of an order -------------------------------------------------------


@pytest.mark.parametrize(
    "vals",
    [
        {"credit_state": "released"},
        {"credit_state": "none"},
        {"credit_check_id": False},
        {"credit_release_id": False},
        {"credit_checked_total": 9999},
        {"state": "sale", "credit_state": "passed"},
    ],
    ids=lambda vals: ",".join(vals),
)
def test_the_credit_state_cannot_be_written(world: World, seller: Api, vals: dict) -> None:
    """Neither on the order, nor through the form's own saving, nor through another record."""
    order = world.own_order
    answers = [
        seller("sale.order", "write", ids=[order], vals=vals),
        seller("sale.order", "web_save", ids=[order], vals=vals, specification={}),
        seller("res.partner", "write", ids=[world.own], vals={"sale_order_ids": [[1, order, vals]]}),
    ]

    assert [answer.status for answer in answers] == [FORBIDDEN] * 3
    assert world.trade.states([order]) == [("draft", "on_hold")]


def test_no_way_around_the_check(world: World, seller: Api) -> None:
    """Writing the state, importing it, copying with it, creating with it: each is a confirmation that is checked."""
    order = world.own_order
    new = world.trade.order_vals(world.own, 1000, user_id=world.seller)

    seller("sale.order", "write", ids=[order], vals={"state": "sale"})
    seller("sale.order", "web_save", ids=[order], vals={"state": "sale"}, specification={})
    seller("sale.order", "load", fields=[".id", "state"], data=[[str(order), "sale"]])
    seller("sale.order", "load", fields=[".id", "credit_state"], data=[[str(order), "released"]])
    made = [
        *seller("sale.order", "create", vals_list=[{**new, "state": "sale"}]).value,
        *seller("sale.order", "create", vals_list=[new], context={"default_state": "sale"}).value,
        *seller("sale.order", "copy", ids=[order], default={"state": "sale"}).value,
    ]

    assert world.trade.states([order]) == [("draft", "on_hold")]
    assert world.trade.states(made) == [("draft", "on_hold")] * 3
    refused = seller("sale.order", "create", vals_list=[{**new, "credit_state": "released"}])
    assert refused.status == FORBIDDEN


@pytest.mark.parametrize(
    "context",
    [
        {"default_credit_state": "released", "default_credit_checked_total": 9999},
        {"skip_credit_check": True, "credit_management.passed": {"1": 9999}, "force": True},
        {"install_mode": True, "import_file": True, "tracking_disable": True, "bypass_credit": True},
        {"active_test": False, "check_move_validity": False, "allowed_company_ids": [1]},
    ],
    ids=lambda context: next(iter(context)),
)
def test_context_keys_do_not_help(world: World, seller: Api, context: dict) -> None:
    """No decision reads the context of a client."""
    values = world.trade.order_vals(world.own, 500, user_id=world.seller)
    [order] = seller("sale.order", "create", vals_list=[values], context=context).value

    answer = seller("sale.order", "action_confirm", ids=[order], context=context)

    assert answer.status == 200
    assert world.trade.states([order]) == [("draft", "on_hold")]


@pytest.mark.parametrize(
    "model, method",
    [
        ("sale.order", "_credit_write"),
        ("sale.order", "_credit_release"),
        ("sale.order", "_credit_decide"),
        ("sale.order", "_credit_apply"),
        ("sale.order", "_confirm_checked"),
        ("credit.limit", "_write_flow"),
        ("credit.account", "_for_partners"),
        ("credit.check", "_run"),
        ("credit.counter", "_bump"),
        ("credit.counter", "_advance"),
        ("credit.event", "_record"),
        ("credit.event", "_verify_chain"),
        ("credit.seal", "_seal"),
        ("sale.order", "_credit_release_alone"),
        ("sale.order", "_credit_approve_raise"),
        ("sale.order", "_credit_decide_each"),
        ("credit.handover", "_carry_out"),
        ("credit.account", "_blacklist"),
        ("credit.alert", "_handle"),
        ("credit.recheck", "_mark_all"),
        ("credit.approval", "_pass_over"),
    ],
)
@pytest.mark.parametrize("login", ["seller", "manager"])
def test_what_is_private_is_not_called(world: World, login: str, model: str, method: str) -> None:
    """The server refuses before it looks at the arguments."""
    assert world.apis[login](model, method, ids=[world.own_order]).status in (FORBIDDEN, 404)


def test_sales_cannot_work_on_accounts(world: World, seller: Api) -> None:
    """Making accounts, matching payments, settings and policies are not theirs."""
    partners = {"partner_ids": [world.own]}
    answers = [
        seller("credit.account", "action_open_for_partners", **partners),
        seller("credit.account", "action_match", ids=[world.own_account]),
        seller("credit.policy", "action_shadow", ids=[world.policy]),
        seller("credit.policy", "write", ids=[world.policy], vals={"mode": "shadow"}),
        seller("res.company", "write", ids=[1], vals={"credit_policy_id": False}),
        seller("res.config.settings", "create", vals_list=[{"credit_policy_id": False}]),
    ]

    assert [answer.status for answer in answers] == [FORBIDDEN] * len(answers)


@pytest.mark.parametrize("login", ["seller", "analyst", "accountant", "auditor"])
def test_only_managers_decide_how_strictly_rules_are_enforced(world: World, login: str) -> None:
    """Modes of rules, segments, starts, acceptances, what would be held: policy is the managers'."""
    api = world.apis[login]
    [rule] = world.apis["manager"].search("credit.rule", [("policy_id", "=", world.policy)]).value
    answers = [
        api("credit.rule", "write", ids=[rule["id"]], vals={"mode": "watch"}),
        api("credit.rule", "write", ids=[rule["id"]], vals={"demoted": True, "demoted_reason": "x"}),
        api("credit.rule", "action_demote", ids=[rule["id"]]),
        api("credit.rule", "action_promote", ids=[rule["id"]]),
        api("credit.policy", "write", ids=[world.policy], vals={"date_start": "2999-01-01"}),
        api("credit.policy", "action_dry_run", ids=[world.policy]),
        api("credit.dry.run", "action_open"),
        api("credit.account", "action_accept", ids=[world.own_account]),
        api("credit.account", "action_end_acceptance", ids=[world.own_account]),
        api("credit.account", "write", ids=[world.own_account], vals={"accepted_exposure": 1e9}),
        api("credit.acceptance", "create", vals_list=[{"account_ids": [world.own_account]}]),
        api("sale.order", "action_credit_judge_false_hold", ids=[world.own_order]),
        api("credit.false.hold", "create", vals_list=[{"res_model": "sale.order", "res_id": world.own_order}]),
        api("credit.false.hold", "_judge", ids=[1]),
    ]

    assert [answer.status for answer in answers] == [FORBIDDEN] * len(answers)


def test_sales_reports_a_false_hold_of_own_orders_only(world: World, seller: Api) -> None:
    """The report is recorded, seen by its reporter, not changed or decided by him; a manager's word ends it."""

    def report(order: int) -> Answer:
        values = {"step": "report", "order_id": order, "reason": "paid"}
        wizard = seller("credit.false.hold.decision", "create", vals_list=[values])
        if wizard.status != 200:  # refused to name the order at all
            return wizard
        return seller("credit.false.hold.decision", "action_report", ids=wizard.value)

    assert report(world.foreign_order).status == FORBIDDEN
    assert report(world.own_order).status == 200
    [found] = seller.search("credit.false.hold", [], "state").value
    step = {"step": "judge", "order_id": world.own_order}
    wizard = seller("credit.false.hold.decision", "create", vals_list=[step]).value
    assert seller("credit.false.hold.decision", "action_justified", ids=wizard).status == FORBIDDEN
    assert seller("credit.false.hold", "write", ids=[found["id"]], vals={"state": "justified"}).status != 200
    assert seller.search("credit.false.hold", [], "state").value[0]["state"] == "reported"
    assert world.apis["stranger"].search("credit.false.hold").value == []
    manager = world.apis["manager"]
    wizard = manager("credit.false.hold.decision", "create", vals_list=[step]).value
    assert manager("credit.false.hold.decision", "action_justified", ids=wizard).status == 200
    assert seller.search("credit.false.hold", [], "state").value[0]["state"] == "justified"


def test_statistic_and_dry_list_are_not_for_sales(world: World, seller: Api) -> None:
    """What a rule would have done is for managers and auditors."""
    for model in ("credit.rule.statistic", "credit.dry.line", "credit.dry.run"):
        assert seller.search(model).status == FORBIDDEN, model
        assert world.apis["analyst"].search(model).status == FORBIDDEN, model
    assert world.apis["auditor"].search("credit.rule.statistic").status == 200


# Approvals, limits of teams, hand-overs, alerts, applications ----------------


def figures(answer: Answer) -> list[str]:
    """Return the amounts that a refusal gives away: of orders, limits and exposures of this world."""
    text = str(answer.value.get("message", "")) if isinstance(answer.value, dict) else str(answer.value)
    return [amount for amount in ("1,000.00", "1000.0", "900.00", "950.00", "100.00", "50.00") if amount in text]


def assert_refused(answers: dict[str, Answer], *statuses: int) -> None:
    """Check that all were refused, without a figure and without the server stumbling."""
    wrong = {name: answer for name, answer in answers.items() if answer.status not in (statuses or (FORBIDDEN,))}
    assert wrong == {}
    assert {name: figures(answer) for name, answer in answers.items() if figures(answer)} == {}


ORDER_ACTIONS = [
    "action_credit_evaluate",
    "action_credit_release_selected",
    "action_credit_reject_selected",
    "action_credit_ask_raise",
    "action_credit_approve_raise",
    "action_credit_refuse_raise",
    "action_credit_release_alone",
    "action_credit_confirm_release",
    "action_credit_refuse_release",
]


@pytest.mark.parametrize("login", ["seller", "stranger"])
def test_buttons_of_another_ones_order_do_nothing(world: World, login: str) -> None:
    """Not even a dialog opens about an order that one does not read."""
    api = world.apis[login]

    assert_refused({name: api("sale.order", name, ids=[world.foreign_order]) for name in ORDER_ACTIONS})

    assert world.trade.states([world.foreign_order]) == [("draft", "on_hold")]


def test_accountant_reads_orders_but_has_none_checked_or_decided_on(world: World) -> None:
    """Core lets billing read orders; a dialog that opens on one decides nothing, see below."""
    api = world.apis["accountant"]
    names = ["action_credit_evaluate", "action_credit_release_selected", "action_credit_reject_selected"]

    assert_refused({name: api("sale.order", name, ids=[world.own_order]) for name in names})
    opened = [api("sale.order", name, ids=[world.own_order]) for name in ORDER_ACTIONS if name not in names]
    assert not [answer for answer in opened if answer.status != 200 or figures(answer)]


def test_own_order_is_checked_again_by_its_salesperson_and_the_analyst(world: World, seller: Api) -> None:
    """Both learn what has become of it, and it is still on hold."""
    for api in (seller, world.apis["analyst"]):
        assert api("sale.order", "action_credit_evaluate", ids=[world.own_order]).status == 200
    mixed = seller("sale.order", "action_credit_evaluate", ids=[world.own_order, world.foreign_order])

    assert_refused({"mixed": mixed})
    assert world.trade.states([world.own_order]) == [("draft", "on_hold")]


@pytest.mark.parametrize("login", ["seller", "accountant", "analyst", "auditor", "stranger"])
def test_nobody_else_releases_alone_raises_or_decides_on_several(world: World, login: str) -> None:
    """Whatever dialog is filled in: the order stays on hold."""
    api = world.apis[login]
    decisions = ["release", "emergency", "confirm", "refuse", "approve_raise", "refuse_raise"]
    [reason] = world.apis["manager"]("credit.reason", "search", domain=[("for_emergency", "=", True)], limit=1).value
    answers = {}

    for decision in decisions:
        vals = {"decision": decision, "order_id": world.own_order, "note": "please"}
        if decision == "emergency":
            vals["reason_id"] = reason
        answers[decision] = api("credit.decision", "create", vals_list=[vals])
        if answers[decision].status == 200:
            answers[decision] = api("credit.decision", "action_apply", ids=answers[decision].value)
    line = {"decision": "release", "note": "please", "line_ids": [[0, 0, {"order_id": world.own_order}]]}
    answers["several"] = api("credit.mass.decision", "create", vals_list=[line])
    if answers["several"].status == 200:
        api("credit.mass.decision", "action_apply", ids=answers["several"].value)
        del answers["several"]

    # 422: there is nothing of the kind to decide about.
    assert_refused(answers, FORBIDDEN, 422)
    assert world.trade.states([world.own_order]) == [("draft", "on_hold")]


@pytest.mark.parametrize("login", ["seller", "accountant", "analyst", "auditor", "stranger"])
def test_approvals_are_decided_by_who_is_asked(world: World, login: str) -> None:
    """The step stays pending; its fields are not for anybody to write."""
    api = world.apis[login]
    [step] = world.trade.admin.call("credit.approval", "search", [[("state", "=", "pending")]], {"limit": 1})
    [limit] = world.trade.create("credit.limit", {"account_id": world.own_account, "amount": 7000, "reason": "wanted"})
    world.trade.admin.call("credit.limit", "action_submit", [[limit]])
    asked = [("res_model", "=", "credit.limit"), ("res_id", "=", limit), ("state", "=", "pending")]
    [mine] = world.trade.admin.call("credit.approval", "search", [asked])

    assert_refused(
        {
            "approve": api("credit.approval", "action_approve", ids=[mine]),
            "selected": api("credit.limit", "action_approve", ids=[limit]),
            "outside": api("credit.limit", "_approve", ids=[limit]),
            "flow": api("credit.approval", "_ask", ids=[mine]),
            "decide": api("credit.limit", "_approval_decide", ids=[limit], state="approved"),
            "user": api("credit.approval", "write", ids=[mine], vals={"user_id": 2}),
            "marks": api("credit.limit", "write", ids=[limit], vals={"outside_policy": True}),
        },
    )
    opened = [api("credit.approval", method, ids=[step]) for method in ("action_approve", "action_reject")]

    # A dialog may open for who reads the order; it decides nothing, see above.
    assert not [answer for answer in opened if answer.status not in (200, FORBIDDEN)]
    if login in ("seller", "stranger"):
        assert_refused(dict(enumerate(opened)))
    assert world.trade.read("credit.limit", limit, "state")[0]["state"] == "submitted"
    assert world.trade.read("credit.approval", step, "state")[0]["state"] == "pending"
    world.trade.admin.call("credit.limit", "action_draft", [[limit]])


@pytest.mark.parametrize("login", ["seller", "accountant", "analyst", "auditor"])
def test_only_managers_blacklist_hand_over_and_set_limits_of_teams(world: World, login: str) -> None:
    """Neither by the button nor by the dialog behind it nor by writing."""
    api = world.apis[login]
    manager = world.apis["manager"]
    handover = {"user_id": world.seller, "successor_id": world.colleague}
    [made] = manager("credit.handover", "create", vals_list=[handover]).value
    assert manager("credit.handover", "action_confirm", ids=[made]).status == 200
    dialog = {"step": "blacklist", "account_ids": [[6, 0, [world.own_account]]], "note": "bad"}
    [policy] = manager.search("credit.policy", [("id", "=", world.policy)]).value

    assert_refused(
        {
            "blacklist": api("credit.account", "action_blacklist", ids=[world.own_account]),
            "lift": api("credit.account", "action_lift_blacklist", ids=[world.own_account]),
            "dialog": api("credit.blacklisting", "create", vals_list=[dialog]),
            "status": api("credit.account", "write", ids=[world.own_account], vals={"status": "blacklisted"}),
            "carry out": api("credit.handover", "action_carry_out", ids=[made]),
            "new": api("credit.handover", "create", vals_list=[handover]),
            "change": api("credit.handover", "write", ids=[made], vals={"successor_id": 2}),
            "team": api("credit.team.limit", "create", vals_list=[{"user_id": world.seller, "amount": 1}]),
            "level": api("credit.approval.level", "create", vals_list=[{"name": "me", "policy_id": policy["id"]}]),
        },
        FORBIDDEN,
        422,
    )

    assert world.trade.read("credit.account", world.own_account, "status")[0]["status"] == "normal"
    assert world.trade.read("credit.handover", made, "state")[0]["state"] == "confirmed"
    manager("credit.handover", "action_cancel", ids=[made])


def test_reports_and_marks_of_the_job_are_not_for_sales(world: World, seller: Api) -> None:
    """Decisions outside policy, limits of teams, hand-overs, approvals, marks: not a row, not a count."""
    accountant, analyst = world.apis["accountant"], world.apis["analyst"]
    closed = {
        seller: [
            "credit.approval",
            "credit.approval.level",
            "credit.exception",
            "credit.exception.report",
            "credit.handover",
            "credit.handover.line",
            "credit.mass.decision",
            "credit.recheck",
            "credit.team.limit",
        ],
        accountant: ["credit.exception", "credit.exception.report", "credit.handover", "credit.recheck"],
        analyst: ["credit.exception", "credit.exception.report", "credit.recheck"],
    }

    for api, models in closed.items():
        for model in models:
            assert_refused({f"{model} {name}": api(model, name, domain=[]) for name in ("search_read", "search_count")})
            assert_refused({model: api(model, "formatted_read_group", domain=[], groupby=[], aggregates=["__count"])})
    assert world.apis["auditor"].search("credit.exception", [], "amount").status == 200


def test_alerts_are_read_of_own_customers_and_closed_by_analysts(world: World, seller: Api) -> None:
    """Near the limit: the salesperson of the customer sees it, a colleague and the other company do not."""
    trade = world.trade
    boss, stranger = world.apis["boss"], world.apis["stranger"]
    orders = [trade.order(customer, amount) for customer, amount in ((world.own, 45), (world.foreign, 95))]
    trade.admin.call("sale.order", "action_confirm", [orders])
    assert world.apis["analyst"]("credit.alert", "action_update", ids=[]).status == 200
    found = boss.search("credit.alert", [], "partner_id").value
    assert {row["partner_id"][0] for row in found} == {world.own, world.foreign}
    alerts = {row["partner_id"][0]: row["id"] for row in found}

    assert [row["partner_id"][0] for row in seller.search("credit.alert", [], "partner_id").value] == [world.own]
    assert stranger.search("credit.alert").value == []
    closing = {"step": "close", "note": "seen", "alert_ids": [[6, 0, [alerts[world.own]]]]}
    for api in (seller, world.apis["accountant"]):
        assert_refused(
            {
                "close": api("credit.alert", "action_close", ids=[alerts[world.own]]),
                "snooze": api("credit.alert", "action_snooze", ids=[alerts[world.own]]),
                "update": api("credit.alert", "action_update", ids=[]),
                "write": api("credit.alert", "write", ids=[alerts[world.own]], vals={"state": "closed"}),
                "dialog": api("credit.alert.closing", "create", vals_list=[closing]),
            }
        )
    assert_refused(
        {
            "read": seller("credit.alert", "read", ids=[alerts[world.foreign]], fields=[]),
            "account": seller("credit.alert", "action_open_account", ids=[alerts[world.foreign]]),
        }
    )
    trade.admin.call("sale.order", "action_cancel", [orders])


def test_applications_are_made_for_own_customers_only(world: World, seller: Api) -> None:
    """The own draft is the salesperson's to hand in, not to propose or decline; a colleague's is not there."""
    manager = world.apis["manager"]
    vals = {"partner_id": world.foreign, "amount": 777, "company_id": 1}
    [theirs] = manager("credit.application", "create", vals_list=[vals]).value
    [own] = seller("credit.application", "create", vals_list=[{**vals, "partner_id": world.own}]).value

    assert [row["id"] for row in seller.search("credit.application").value] == [own]
    refused = {
        "create": seller("credit.application", "create", vals_list=[vals]),
        "button": seller("res.partner", "action_credit_apply", ids=[world.foreign]),
        "propose": seller("credit.application", "action_propose", ids=[own]),
        "decline": seller("credit.application", "action_decline", ids=[own]),
        "state": seller("credit.application", "write", ids=[own], vals={"state": "submitted"}),
        "accountant": world.apis["accountant"]("credit.application", "action_submit", ids=[own]),
    }
    for method in ("action_submit", "action_propose", "action_decline", "action_withdraw", "unlink"):
        refused[method] = seller("credit.application", method, ids=[theirs])
    refused["read"] = seller("credit.application", "read", ids=[theirs], fields=["amount"])
    refused["write"] = seller("credit.application", "write", ids=[theirs], vals={"amount": 1})
    assert_refused(refused)
    # It belongs to its customer, whoever asks.
    assert_refused({"move": seller("credit.application", "write", ids=[own], vals={"partner_id": world.foreign})}, 422)
    assert not [name for name, answer in refused.items() if "777" in str(answer.value.get("message"))]
    assert world.apis["stranger"].search("credit.application").value == []
