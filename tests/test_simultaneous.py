"""Decisions and jobs at the same moment on two servers: done once, and the credit file stays whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tools.ground.rpc import Client, RpcError

from .conftest import Stage, connect
from .trade import MANAGER, Trade

ROUNDS = 10
GROUPS = ("sales_team.group_sale_manager", MANAGER)


class Pair:
    """Two credit managers, each on a server of their own."""

    def __init__(self, stage: Stage) -> None:
        """Start two servers on one database, with a policy that holds what exceeds the limit."""
        self.trade = Trade(stage, stage.database())
        self.trade.policy()
        servers = [self.trade.server, stage.server(self.trade.server.database, "--log-handler=odoo.http:ERROR")]
        self.admins = [connect(server) for server in servers]
        for number in (1, 2):
            self.trade.user(f"manager{number}", *GROUPS)
        self.clients = [connect(server, f"manager{number}") for number, server in enumerate(servers, start=1)]

    def at_once(self, work: Callable[[Client, Any], Any], things: list, clients: list[Client] | None = None) -> list:
        """Let each do something at the same moment; return what came back, or the error."""
        barrier = Barrier(2)

        def run(client: Client, thing: Any) -> Any:
            barrier.wait(30)
            try:
                return work(client, thing)
            except RpcError as error:
                return error

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(run, clients or self.clients, things))

    def account(self, name: str) -> tuple[int, int]:
        """Make a customer with a credit account; return both ids."""
        [customer] = self.trade.customers(name)
        [account] = self.trade.create("credit.account", {"partner_id": customer})
        return customer, account

    def proposals(self, account: int, *amounts: float) -> list[int]:
        """Hand limits in."""
        limits = self.trade.create("credit.limit", *({"account_id": account, "amount": one} for one in amounts))
        self.trade.admin.call("credit.limit", "action_submit", [limits])
        return limits

    def search(self, model: str, domain: list, *names: str) -> list[dict[str, Any]]:
        """Read what the administrator finds."""
        return self.trade.admin.call(model, "search_read", [domain, list(names)], {"order": "id"})

    def jobs(self, xmlid: str) -> list[int]:
        """Return a job and a copy of it, which the lock on a job does not keep apart."""
        job = self.trade.ref(f"credit_management.{xmlid}")
        copied = self.trade.admin.call("ir.cron", "copy", [[job]])
        return [job, copied[0] if isinstance(copied, list) else copied]

    def assert_sound(self) -> None:
        """Check the whole credit file."""
        admin = self.trade.admin
        [verification] = self.trade.create("credit.verification", {"company_id": 1})
        admin.call("credit.verification", "action_verify", [[verification]])
        [found] = self.trade.read("credit.verification", verification, "state", "summary")
        assert found["state"] == "sound", found["summary"]


@pytest.fixture(scope="module")
def pair(module_stage: Stage) -> Pair:
    """Return the two credit managers."""
    return Pair(module_stage)


def approve(client: Client, limit: int) -> None:
    """Approve a limit."""
    client.call("credit.limit", "action_approve", [[limit]])


def test_two_limits_of_a_customer(pair: Pair) -> None:
    """The later decision replaces the earlier one, whichever that is; never are both in force."""
    for number in range(ROUNDS):
        _customer, account = pair.account(f"Two limits {number}")
        limits = pair.proposals(account, 100, 200)

        answers = pair.at_once(approve, limits)

        assert not [answer for answer in answers if isinstance(answer, RpcError)], answers
        rows = pair.search("credit.limit", [("account_id", "=", account)], "state")
        assert sorted(row["state"] for row in rows) == ["approved", "superseded"]
    pair.assert_sound()


def test_one_limit_approved_twice(pair: Pair) -> None:
    """One approves, the other is told that it is decided already; the file has one approval."""
    for number in range(ROUNDS):
        _customer, account = pair.account(f"One limit {number}")
        [limit] = pair.proposals(account, 100)

        answers = pair.at_once(approve, [limit, limit])

        [refused] = [answer for answer in answers if isinstance(answer, RpcError)]
        assert "Only a submitted limit can be approved" in str(refused)
        events = pair.search("credit.event", [("account_id", "=", account), ("kind", "=", "limit_approved")], "kind")
        assert len(events) == 1
    pair.assert_sound()


def test_one_remainder_closed_twice(pair: Pair) -> None:
    """One closes it, the other is told that nothing is left; the file has it once."""

    def close(client: Client, order: int) -> None:
        values = {"decision": "close", "order_ids": [(6, 0, [order])], "note": "Not produced any more"}
        [wizard] = client.call("credit.remainder.close", "create", [[values]])
        client.call("credit.remainder.close", "action_apply", [[wizard]])

    for number in range(ROUNDS):
        customer, account = pair.account(f"Remainder {number}")
        approve(pair.clients[0], *pair.proposals(account, 1000))
        order = pair.trade.order(customer, 60)
        pair.trade.admin.call("sale.order", "action_confirm", [[order]])

        answers = pair.at_once(close, [order, order])

        [refused] = [answer for answer in answers if isinstance(answer, RpcError)]
        assert "Nothing is left of" in str(refused)
        events = pair.search("credit.event", [("account_id", "=", account), ("kind", "=", "remainder_closed")], "kind")
        assert len(events) == 1
    pair.assert_sound()


def test_jobs_that_run_twice(pair: Pair) -> None:
    """A second run of a job beside the first, as after a failover: one snapshot a day, seals that follow."""

    def trigger(client: Client, job: int) -> None:
        client.call("ir.cron", "method_direct_trigger", [[job]])

    for xmlid in ("ir_cron_take_snapshots", "ir_cron_seal", "ir_cron_mirror_limits", "ir_cron_close_limits"):
        jobs = pair.jobs(xmlid)
        for number in range(3):
            pair.account(f"{xmlid} {number}")
            pair.proposals(pair.account(f"{xmlid} with a limit {number}")[1], 100)

            answers = pair.at_once(trigger, jobs, pair.admins)

            assert not [answer for answer in answers if isinstance(answer, RpcError)], answers
    days = pair.search("credit.snapshot.run", [("kind", "=", "daily"), ("company_id", "=", 1)], "state")
    assert [day["state"] for day in days] == ["done"]
    assert pair.search("credit.seal", [], "number")
    pair.assert_sound()


def test_level_approved_twice(pair: Pair) -> None:
    """Of two members of the first level one decides; the other's click does not count for the second level."""
    trade = pair.trade
    [policy] = pair.search("credit.policy", [("name", "=", "House rules")], "name")
    members = [(6, 0, [client.uid for client in pair.clients])]
    levels = trade.create(
        "credit.approval.level",
        *({"name": name, "policy_id": policy["id"], "user_ids": members} for name in ("First", "Second")),
    )
    try:
        for number in range(3):
            _customer, account = pair.account(f"Two levels {number}")
            [limit] = pair.proposals(account, 100)
            [step] = pair.search("credit.approval", [("account_id", "=", account), ("state", "=", "pending")], "state")
            seen = {"context": {"credit_approval": step["id"]}}

            answers = pair.at_once(
                lambda client, limit, seen=seen: client.call("credit.limit", "action_approve", [[limit]], seen),
                [limit, limit],
            )

            [refused] = [answer for answer in answers if isinstance(answer, RpcError)]
            assert "has been decided meanwhile by Manager" in str(refused)
            steps = pair.search("credit.approval", [("account_id", "=", account)], "state")
            assert [step["state"] for step in steps] == ["approved", "pending"]
    finally:
        trade.admin.call("credit.approval.level", "write", [levels, {"active": False}])
    pair.assert_sound()


def test_order_released_twice(pair: Pair) -> None:
    """One releases, the other is told that the order is not on hold any more; one release, one event."""

    def release(client: Client, order: int) -> None:
        [dialog] = client.call(
            "credit.decision", "create", [[{"decision": "release", "order_id": order, "note": "Known customer"}]]
        )
        client.call("credit.decision", "action_apply", [[dialog]])

    for number in range(3):
        customer, account = pair.account(f"Released twice {number}")
        approve(pair.clients[0], *pair.proposals(account, 10))
        order = pair.trade.order(customer, 60)
        pair.trade.admin.call("sale.order", "action_confirm", [[order]])

        answers = pair.at_once(release, [order, order])

        [refused] = [answer for answer in answers if isinstance(answer, RpcError)]
        assert "is not on hold" in str(refused)
        assert pair.trade.states([order]) == [("sale", "released")]
        assert len(pair.search("credit.release", [("account_id", "=", account)], "state")) == 1
        events = pair.search("credit.event", [("account_id", "=", account), ("kind", "=", "released")], "kind")
        assert len(events) == 1
    pair.assert_sound()


def test_held_orders_are_looked_at_by_one_of_two_jobs(pair: Pair) -> None:
    """Each customer is taken by one of two jobs at the same moment: confirmed once, told once."""

    def trigger(client: Client, job: int) -> None:
        client.call("ir.cron", "method_direct_trigger", [[job]])

    policies = [row["id"] for row in pair.search("credit.policy", [], "id")]
    pair.trade.admin.call("credit.policy", "write", [policies, {"recheck": "confirm"}])
    jobs = pair.jobs("ir_cron_recheck")
    orders = []
    for number in range(ROUNDS):
        customer, account = pair.account(f"Recheck {number}")
        approve(pair.clients[0], *pair.proposals(account, 10))
        orders.append(pair.trade.order(customer, 60))
        pair.trade.admin.call("sale.order", "action_confirm", [orders[-1:]])
        approve(pair.clients[0], *pair.proposals(account, 100))
    assert set(pair.trade.states(orders)) == {("draft", "on_hold")}

    answers = pair.at_once(trigger, jobs, pair.admins)

    assert not [answer for answer in answers if isinstance(answer, RpcError)], answers
    assert set(pair.trade.states(orders)) == {("sale", "passed")}
    told = [("model", "=", "sale.order"), ("res_id", "in", orders), ("body", "ilike", "Confirmed by the system")]
    assert len(pair.search("mail.message", told, "id")) == ROUNDS
    checks = [("res_model", "=", "sale.order"), ("res_id", "in", orders), ("outcome", "=", "pass")]
    assert len(pair.search("credit.check", checks, "id")) == ROUNDS
    assert not pair.search("credit.recheck", [], "id")
    pair.assert_sound()
