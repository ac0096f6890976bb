"""The credit file: whole whatever happens at once, closed to clients, verified outside Odoo."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tools.ground import databases
from tools.ground.console import Failure
from tools.ground.paths import ROOT
from tools.ground.rpc import Client, RpcError

from .conftest import Stage, connect
from .trade import MANAGER, SALES, Trade

AUDITOR = "credit_management.group_credit_auditor"
ANALYST = "credit_management.group_credit_analyst"
PROGRAM = ROOT / "credit_management/static/verify/verify_credit_file.py"
ROUNDS = 12


class File:
    """One customer whose orders are all held, by a rule that has no need to queue; two servers."""

    def __init__(self, stage: Stage) -> None:
        """Make it."""
        self.odoo = stage.odoo
        self.database = stage.database()
        self.trade = trade = Trade(stage, self.database)
        trade.policy(("order_amount", "hold", {"threshold": 10}))
        self.servers = [trade.server, stage.server(self.database, "--log-handler=odoo.http:ERROR")]
        for login, group in (("auditor", AUDITOR), ("analyst", ANALYST), ("boss", MANAGER)):
            trade.user(login, group)
        self.users = [trade.user(f"seller{number}", SALES) for number in (1, 2)]
        self.clients = [connect(server, f"seller{number}") for number, server in enumerate(self.servers, start=1)]
        [self.customer] = trade.customers("Busy Customer")
        for client, user in zip(self.clients, self.users, strict=True):
            client.call("sale.order", "action_confirm", [[trade.order(self.customer, 100, user_id=user)]])
        self.auditor = trade.connect("auditor")

    def verify(self, client: Client | None = None) -> dict:
        """Verify the file as the auditor does."""
        client = client or self.auditor
        [wizard] = client.call("credit.verification", "create", [[{}]])
        client.call("credit.verification", "action_verify", [[wizard]])
        return client.call("credit.verification", "read", [[wizard], ["state", "summary", "seal_text"]])[0]

    def export(self, folder: Path) -> Path:
        """Download the file as the auditor does."""
        [wizard] = self.auditor.call("credit.file.export", "create", [[{}]])
        action = self.auditor.call("credit.file.export", "action_export", [[wizard]])
        status, text = self.auditor.get(action["url"])
        assert status == 200
        (folder / "file.json").write_text(text)
        return folder / "file.json"

    def query(self, statement: str) -> list[tuple]:
        """Return the rows of a statement of the database's owner."""
        return databases.query(self.odoo, self.database, statement)


def outside(path: Path) -> tuple[int, str]:
    """Verify an exported file without Odoo."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM), str(path)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def file(module_stage: Stage) -> File:
    """Return the customer's file."""
    return File(module_stage)


def test_appends_at_the_same_moment_keep_the_chain_whole(file: File, tmp_path: Path) -> None:
    """Two servers, each confirming an order that is held, again and again at once."""
    wanted = [(file.customer, 100, {"user_id": user}) for _round in range(ROUNDS) for user in file.users]
    orders = file.trade.orders(*wanted)

    for place in range(0, len(orders), 2):
        barrier = Barrier(2)

        def confirm(client: Client, order: int, barrier: Barrier = barrier) -> None:
            barrier.wait(30)
            client.call("sale.order", "action_confirm", [[order]])

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(confirm, file.clients, orders[place : place + 2]))

    assert set(file.trade.states(orders)) == {("draft", "on_hold")}
    numbers = file.query("SELECT number FROM credit_event ORDER BY number")
    assert numbers == [(number,) for number in range(1, 2 * ROUNDS + 3)]
    logs = [server.log.read_text(errors="replace") for server in file.servers]
    assert any("SERIALIZATION_FAILURE" in log for log in logs), "the two never met, so nothing is proved"
    assert file.verify()["state"] == "sound"
    code, text = outside(file.export(tmp_path))
    assert (code, f"{2 * ROUNDS + 2} events of 1 accounts" in text) == (0, True), text


def test_database_refuses_and_what_gets_past_it_is_found(file: File, tmp_path: Path) -> None:
    """The owner is refused; with the trigger off he is not, and the next look names what he did."""
    for statement in ("UPDATE credit_event SET kind = 'released'", "DELETE FROM credit_event", "TRUNCATE credit_event"):
        with pytest.raises(Failure, match="credit file is kept as it is"):
            file.query(statement)
    before = file.verify()
    assert before["state"] == "sound"

    file.query("ALTER TABLE credit_event DISABLE TRIGGER USER")
    [(payload,)] = file.query("SELECT payload FROM credit_event WHERE number = 2")
    file.query("UPDATE credit_event SET payload = '{}' WHERE number = 2")
    broken = file.verify()

    assert broken["state"] == "broken"
    assert "Broken chains: 2" in broken["summary"]  # the event, and the trigger that is off
    code, text = outside(file.export(tmp_path))
    assert code == 1
    assert "event 2 was changed" in text

    file.query("UPDATE credit_event SET payload = '{}' WHERE number = 2".replace("{}", payload.replace("'", "''")))
    file.query("ALTER TABLE credit_event ENABLE ALWAYS TRIGGER credit_file_locked")
    file.query("ALTER TABLE credit_event ENABLE ALWAYS TRIGGER credit_file_locked_truncate")
    assert file.verify()["state"] == "sound"


def test_a_file_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    """Code 2, not 0 and not 1."""
    (tmp_path / "file.json").write_text('{"format": "something else"}')
    code, text = outside(tmp_path / "file.json")
    assert (code, "no credit file" in text) == (2, True)


def test_nobody_writes_the_file(file: File) -> None:
    """Not the administrator either."""
    [event] = file.trade.admin.call("credit.event", "search", [[["number", "=", 1]]])
    for client in (file.trade.admin, file.trade.connect("boss"), file.auditor, file.clients[0]):
        for method, arguments in (
            ("write", [[event], {"payload": "{}"}]),
            ("unlink", [[event]]),
            ("create", [[{"kind": "status"}]]),
        ):
            with pytest.raises(RpcError) as refusal:
                client.call("credit.event", method, arguments)
            assert refusal.value.name in ("odoo.exceptions.AccessError", "odoo.exceptions.UserError")


def test_who_reads_verifies_and_exports(file: File) -> None:
    """Sales read nothing, analysts read, auditors and managers verify and export."""
    seller, analyst, boss = file.clients[0], file.trade.connect("analyst"), file.trade.connect("boss")
    for model in ("credit.event", "credit.seal", "credit.counter"):
        with pytest.raises(RpcError, match="not allowed"):
            seller.call(model, "search_read", [[], ["id"]])
    assert analyst.call("credit.event", "search_count", [[]]) > 0
    assert file.verify(boss)["state"] == "sound"
    for client in (seller, analyst):
        for model in ("credit.verification", "credit.file.export"):
            with pytest.raises(RpcError, match="not allowed"):
                client.call(model, "create", [[{}]])


def test_download_is_for_who_asked_for_it(file: File) -> None:
    """Another auditor asks for a file of his own."""
    [wizard] = file.auditor.call("credit.file.export", "create", [[{}]])
    url = f"/credit_management/file/{wizard}"
    assert file.auditor.get(url)[0] == 200
    for client in (file.clients[0], file.trade.connect("boss"), file.trade.connect("analyst")):
        assert client.get(url)[0] == 403
    status, text = file.auditor.get("/credit_management/static/verify/verify_credit_file.py")
    assert (status, text) == (200, PROGRAM.read_text())
