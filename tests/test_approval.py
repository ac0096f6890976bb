"""An approver decides on his phone: from what he is asked to the decision."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from .conftest import Stage, log_in
from .screen import shoot
from .trade import SALES, Trade

PHONE = (390, 844)
ANALYST = "credit_management.group_credit_analyst"


def test_approver_decides_on_the_phone(stage: Stage, new_page: Callable[..., Page]) -> None:
    """A limit from its form and a release from the list of approvals, each with a big button."""
    trade = Trade(stage, stage.database())
    policy = trade.policy()
    director = trade.user("director", ANALYST, name="Dora Frank")
    seller = trade.user("seller", SALES)
    trade.create("credit.approval.level", {"name": "Director", "policy_id": policy, "user_ids": [(6, 0, [director])]})
    [customer] = trade.customers("Hengda Trading", user_id=seller)
    [account] = trade.create("credit.account", {"partner_id": customer})
    [limit] = trade.create("credit.limit", {"account_id": account, "amount": 100})
    trade.admin.call("credit.limit", "action_submit", [[limit]])

    page = new_page(*PHONE)
    log_in(page, trade.server, "director")
    page.goto(f"{trade.server.url}/odoo/credit-limits/{limit}")
    banner = page.locator(".o_credit_approval")
    expect(banner).to_contain_text("Dora Frank decides next")
    shoot(page, "limit-phone")
    banner.get_by_role("button", name="Approve").click()
    expect(banner).to_be_hidden()
    assert trade.read("credit.limit", limit, "state")[0]["state"] == "approved"

    order = trade.order(customer, 500, user_id=seller)
    client = trade.connect("seller")
    client.call("sale.order", "action_confirm", [[order]])
    ask = {"decision": "request", "order_id": order, "note": "Pays on Friday"}
    [dialog] = client.call("credit.decision", "create", [[ask]])
    client.call("credit.decision", "action_apply", [[dialog]])

    page.goto(f"{trade.server.url}/odoo/credit-approvals")
    card = page.locator(".o_kanban_record:not(.o_kanban_ghost)")
    expect(card).to_contain_text("Hengda Trading")
    shoot(page, "approvals-phone")
    card.get_by_role("button", name="Approve").click()
    dialog_box = page.locator(".modal-dialog")
    dialog_box.locator("[name=note] textarea").fill("Known for years")
    shoot(page, "release-phone")
    dialog_box.get_by_role("button", name="Release and Confirm").click()
    expect(card).to_have_count(0)
    assert trade.states([order]) == [("sale", "released")]
