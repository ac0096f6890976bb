"""Two orders that fit alone but not together: never both confirmed, and nobody sees an error."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tools.ground import databases
from tools.ground.rpc import Client

from .conftest import Stage, connect
from .trade import QUIET, SALES, Trade

ROUNDS = 30
# Odoo lets a loser wait up to two seconds before it runs again; meanwhile others race.
AT_ONCE = 3
HELD, CONFIRMED = ("draft", "on_hold"), ("sale", "passed")


class Race:
    """Two salespeople, each on a server of their own, who confirm orders at the same moment."""

    def __init__(self, stage: Stage) -> None:
        """Start two servers on one database, with a policy that holds what exceeds the limit."""
        self.stage = stage
        self.database = stage.database()
        self.trade = Trade(stage, self.database)
        self.trade.policy(default_limit_kind="amount", default_limit_amount=100)
        self.servers = [self.trade.server, stage.server(self.database)]
        self.users = [self.trade.user(f"seller{number}", SALES) for number in (1, 2)]
        self.clients = [connect(server, f"seller{number}") for number, server in enumerate(self.servers, start=1)]
        # Both servers shall know the rules before the first race.
        [customer] = self.trade.customers("Warm-up")
        for client, user in zip(self.clients, self.users, strict=True):
            order = self.trade.order(customer, 10, user_id=user)
            client.call("sale.order", "action_confirm", [[order]])

    def pairs(self, kind: str, rounds: int, *, limited: bool) -> list[list[int]]:
        """Make a customer per round with a limit of 100, decided or by default, and two orders of 60."""
        customers = self.trade.customers(*(f"{kind} {number}" for number in range(1, rounds + 1)))
        if limited:
            self.trade.limit(customers, 100)
        wanted = [(customer, 60, {"user_id": user}) for customer in customers for user in self.users]
        orders = self.trade.orders(*wanted)
        return [orders[place : place + 2] for place in range(0, len(orders), 2)]

    def run(self, pair: list[int]) -> list[tuple[str, str]]:
        """Confirm two orders at the same moment, one per server; an error of either is raised."""
        barrier = Barrier(2)

        def confirm(client: Client, order: int) -> None:
            barrier.wait(30)
            client.call("sale.order", "action_confirm", [[order]])

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(confirm, self.clients, pair))
        return sorted(self.trade.states(pair))

    def run_all(self, pairs: list[list[int]]) -> list[list[tuple[str, str]]]:
        """Run all the races, a few side by side."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.run, pairs))

    def retries(self) -> int:
        """Return how often a server ran a request again because the other was first."""
        logs = [server.log.read_text(errors="replace") for server in self.servers]
        return sum(len(re.findall(r"SERIALIZATION_FAILURE, \d+ tries left", log)) for log in logs)


@pytest.fixture(scope="module")
def race(module_stage: Stage) -> Race:
    """Return the two salespeople."""
    return Race(module_stage)


def test_a_customer_with_a_limit(race: Race) -> None:
    """Limit 100, two orders of 60, two servers, 30 rounds."""
    pairs, before = race.pairs("Limited", ROUNDS, limited=True), race.retries()

    results = race.run_all(pairs)

    assert results == [[HELD, CONFIRMED]] * ROUNDS
    assert race.retries() > before, "the two never met, so nothing is proved"


def test_a_customer_without_a_credit_account(race: Race) -> None:
    """The first confirmations ever make the account, at the same moment; the policy's default limit is 100."""
    pairs, before = race.pairs("New", 12, limited=False), race.retries()

    results = race.run_all(pairs)

    assert results == [[HELD, CONFIRMED]] * 12
    assert race.retries() > before, "the two never met, so nothing is proved"


def test_two_customers_of_one_salesperson(race: Race) -> None:
    """What the salesperson's customers may owe together is 100; each of the two could have the 60 alone."""
    trade, rounds = race.trade, 12
    [policy] = trade.admin.call("credit.policy", "search", [[("name", "=", "House rules")]])
    trade.create("credit.rule", {"policy_id": policy, "kind": "team_limit", "outcome": "hold", "threshold": 100})
    owners = trade.create(
        "res.users", *({"name": f"Owner {one}", "login": f"owner{one}", **QUIET} for one in range(rounds))
    )
    trade.create("credit.team.limit", *({"user_id": owner, "amount": 100} for owner in owners))
    pairs = [
        trade.orders(
            *(
                (customer, 60, {"user_id": user})
                for customer, user in zip(
                    trade.customers(f"First of {owner}", f"Second of {owner}", user_id=owner), race.users, strict=True
                )
            )
        )
        for owner in owners
    ]
    before = race.retries()

    results = race.run_all(pairs)

    assert results == [[HELD, CONFIRMED]] * rounds
    assert race.retries() > before, "the two never met, so nothing is proved"


def test_both_in_one_batch(race: Race) -> None:
    """One call that confirms both: the first fits, the second is held, the call says so."""
    [pair] = race.pairs("Batch", 1, limited=True)
    manager = race.trade.admin

    answer = manager.call("sale.order", "action_confirm", [pair])

    assert race.trade.states(pair) == [CONFIRMED, HELD]
    [held] = race.trade.read("sale.order", pair[1], "name")
    assert answer["tag"] == "display_notification"
    assert held["name"] in answer["params"]["message"]


def test_without_the_counter_both_would_be_confirmed(race: Race) -> None:
    """The control: with the counter's writes swallowed, the same race confirms both."""
    databases.query(
        race.stage.odoo,
        race.database,
        """
        CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER swallow BEFORE INSERT ON credit_counter FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION swallow();
        """,
    )
    pairs = race.pairs("Control", 10, limited=True)

    results = (race.run(pair) for pair in pairs)

    assert [CONFIRMED, CONFIRMED] in results
