"""The customer signs and pays on the order's own page: nothing is lost, nobody reads an error or a reason."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tools.ground.rpc import RpcError, Session

from .conftest import Stage
from .trade import PIXEL, Trade, sign

NEUTRAL = "We have received your order and are checking it"
# Words of ours that only the staff may read.
SECRETS = re.compile(r"exposure|exceeds|overdue|on hold|on_hold|credit limit|limit of", re.IGNORECASE)


class Visitor(Session):
    """A customer who opens the link of an order without logging in."""

    def __init__(self, trade: Trade, order: int) -> None:
        """Get the link."""
        super().__init__(trade.server.url)
        self.trade = trade
        self.order = order
        self.path, self.token = trade.link(order)

    def page(self) -> str:
        """Return the order's page."""
        status, text = self.get(self.path)
        assert status == 200
        return text

    def sign(self) -> dict[str, Any]:
        """Sign the order as its page does."""
        values = {"access_token": self.token, "name": "Lin Mei", "signature": PIXEL}
        return self.post(f"/my/orders/{self.order}/accept", values)

    def pay(self, amount: float) -> tuple[str, dict[str, Any]]:
        """Pay as the order's page and the page after it do; return the state and the transaction."""
        domain = [("code", "=", "demo")]
        [provider] = self.trade.admin.call("payment.provider", "search_read", [domain, ["payment_method_ids"]])
        values = {
            "access_token": self.token,
            "provider_id": provider["id"],
            "payment_method_id": provider["payment_method_ids"][0],
            "token_id": None,
            "amount": amount,
            "flow": "direct",
            "tokenization_requested": False,
            "landing_route": self.path,
        }
        reference = self.post(f"/my/orders/{self.order}/transaction", values)["reference"]
        answer = {"reference": reference, "payment_details": "1234", "simulated_state": "done"}
        self.post("/payment/demo/simulate_payment", answer)
        status = self.post("/payment/status/poll", {})
        [transaction] = self.trade.admin.call(
            "payment.transaction",
            "search_read",
            [[("reference", "=", reference)], ["state", "is_post_processed", "payment_id"]],
        )
        return status["state"], transaction


@pytest.fixture(scope="module")
def trade(module_stage: Stage) -> Trade:
    """Return a company whose customers have a limit of 100."""
    trade = Trade(module_stage, module_stage.database())
    trade.policy(default_limit_kind="amount", default_limit_amount=100)
    trade.user("seller", "sales_team.group_sale_salesman", lang="en_US")
    return trade


@pytest.fixture
def order_of(trade: Trade) -> Callable[..., int]:
    """Return a function that sends a quotation to a customer of its own."""

    def make(amount: float, **vals: Any) -> int:
        [customer] = trade.customers("Hengda Trading", email="hengda@example.com")
        [seller] = trade.admin.call("res.users", "search", [[("login", "=", "seller")]])
        order = trade.order(customer, amount, user_id=seller, **vals)
        trade.admin.call("sale.order", "action_quotation_sent", [[order]])
        return order

    return make


def mails(trade: Trade, order: int) -> list[str]:
    """Return what the customer was told, as far as the chatter knows."""
    domain = [
        ("model", "=", "sale.order"),
        ("res_id", "=", order),
        ("subtype_id.internal", "=", False),
        ("message_type", "in", ["comment", "email", "email_outgoing", "auto_comment"]),
    ]
    rows = trade.admin.call("mail.message", "search_read", [domain, ["subject", "body"]])
    return [f"{row['subject'] or ''} {row['body']}" for row in rows]


def check_page(text: str) -> None:
    """Assert that a held order's page says the neutral sentence and nothing of ours besides."""
    assert NEUTRAL in text
    assert not SECRETS.search(text)
    assert "has been confirmed" not in text


def test_signature_in_a_browser(trade: Trade, order_of: Callable[..., int], page: Page) -> None:
    """An order beyond the limit: the customer signs, is thanked, and the order waits."""
    order = order_of(1000, require_signature=True, require_payment=False)
    path, _token = trade.link(order)

    page.goto(trade.server.url + path)
    sign(page, "Lin Mei")

    expect(page.locator("#credit_in_review")).to_contain_text(NEUTRAL)
    expect(page.locator(".alert-success").first).to_contain_text("Your order has been signed.")
    check_page(page.locator("body").inner_text())
    assert trade.states([order]) == [("sent", "on_hold")]
    [values] = trade.read("sale.order", order, "signed_by", "signature", "signed_on")
    assert values["signed_by"] == "Lin Mei"
    assert values["signature"] and values["signed_on"]


def test_signature_within_the_limit_confirms(trade: Trade, order_of: Callable[..., int]) -> None:
    """The same customer's page when the order fits: confirmed, no word of checking."""
    order = order_of(90, require_signature=True, require_payment=False)
    visitor = Visitor(trade, order)

    answer = visitor.sign()

    assert "error" not in answer
    assert trade.states([order]) == [("sale", "passed")]
    assert NEUTRAL not in visitor.page()


def test_signature_tells_the_staff_and_not_the_customer(trade: Trade, order_of: Callable[..., int]) -> None:
    """The salesperson reads the reason, the customer gets neither a confirmation nor the reason."""
    order = order_of(1000, require_signature=True, require_payment=False)

    answer = Visitor(trade, order).sign()

    assert "error" not in answer
    assert answer["redirect_url"].startswith(f"/my/orders/{order}")
    told = mails(trade, order)
    assert any("signed by" in text for text in told)
    assert not any(SECRETS.search(text) or "confirm" in text.lower() for text in told)
    domain = [("model", "=", "sale.order"), ("res_id", "=", order), ("subtype_id.internal", "=", True)]
    notes = trade.admin.call("mail.message", "search_read", [domain, ["body", "notified_partner_ids"]])
    [note] = [note for note in notes if "On hold for credit" in note["body"]]
    assert "exceeds the limit of $&nbsp;100.00 by $&nbsp;900.00" in note["body"]
    [seller] = trade.admin.call("res.users", "search_read", [[("login", "=", "seller")], ["partner_id"]])
    assert note["notified_partner_ids"] == [seller["partner_id"][0]]


def test_full_payment_of_an_order_beyond_the_limit(trade: Trade, order_of: Callable[..., int]) -> None:
    """Paid in advance, nothing is at risk: the order passes."""
    order = order_of(1000, require_signature=False, require_payment=True)
    visitor = Visitor(trade, order)

    state, transaction = visitor.pay(1000)

    assert (state, transaction["state"], transaction["is_post_processed"]) == ("done", "done", True)
    assert transaction["payment_id"]
    assert trade.states([order]) == [("sale", "passed")]
    assert NEUTRAL not in visitor.page()


def test_part_payment_of_an_order_beyond_the_limit(trade: Trade, order_of: Callable[..., int]) -> None:
    """A prepayment of 300 on 1000 against a limit of 100: the money is booked, the order waits."""
    order = order_of(1000, require_signature=False, require_payment=True, prepayment_percent=0.3)
    visitor = Visitor(trade, order)

    state, transaction = visitor.pay(300)

    assert (state, transaction["state"], transaction["is_post_processed"]) == ("done", "done", True)
    assert transaction["payment_id"]
    assert trade.states([order]) == [("sent", "on_hold")]
    check_page(visitor.page())
    [check] = trade.admin.call(
        "credit.check",
        "search_read",
        [[("res_model", "=", "sale.order"), ("res_id", "=", order)], ["document_paid", "excess"]],
    )
    assert (check["document_paid"], check["excess"]) == (300.0, 600.0)
    assert not any(SECRETS.search(text) for text in mails(trade, order))


def test_part_payment_that_is_enough(trade: Trade, order_of: Callable[..., int]) -> None:
    """A prepayment of 950 on 1000 leaves 50 at risk, which the limit of 100 covers."""
    order = order_of(1000, require_signature=False, require_payment=True, prepayment_percent=0.95)

    _state, transaction = Visitor(trade, order).pay(950)

    assert transaction["is_post_processed"]
    assert trade.states([order]) == [("sale", "passed")]


def test_a_customer_who_is_logged_in_reads_no_reasons_over_the_api(trade: Trade) -> None:
    """Portal users may read their orders over RPC; what is the staff's is not theirs."""
    [customer] = trade.customers("Portal Trading", email="portal.trading@example.com")
    trade.user("customer", "base.group_portal", partner_id=customer, email="portal.trading@example.com")
    order = trade.order(customer, 1000)
    trade.admin.call("sale.order", "action_confirm", [[order]])
    assert trade.states([order]) == [("draft", "on_hold")]
    trade.admin.call("sale.order", "message_subscribe", [[order], [customer]])
    client = trade.connect("customer")
    assert client.call("sale.order", "read", [[order], ["name"]])

    fields = client.call("sale.order", "fields_get", [[], ["type"]])

    assert not [name for name in fields if name.startswith("credit_")]
    for name in ("credit_state", "credit_reason", "credit_panel", "credit_excess", "credit_check_id"):
        with pytest.raises(RpcError) as error:
            client.call("sale.order", "read", [[order], [name]])
        assert error.value.name.endswith("AccessError"), name
