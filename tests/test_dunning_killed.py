"""Reminders whose servers die, and whose mail server refuses: each customer is written to once, nobody is forgotten."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import psutil
import pytest

from tools.ground import databases
from tools.ground.odoo import Server

from .conftest import Stage
from .postbox import Postbox
from .trade import Trade

KILLS = int(os.environ.get("DUNNING_KILLS", "3"))
# One of each phase first: while mails are written, after one is claimed and before it leaves, after it has left.
PHASES = ("queueing", "begun", "accepted", "received", "answered")
CUSTOMERS = 60
JOBS = ("ir_cron_send", "ir_cron_render", "ir_cron_book")
WORKER = (
    "--max-cron-threads=1",
    # Core writes each refusal of a mail server into its log as an error; that of a conflict is run again.
    "--log-handler=odoo.addons.mail.models.mail_mail:CRITICAL",
    "--log-handler=odoo.sql_db:CRITICAL",
)


class Collections:
    """A collector's office, and two servers that share the jobs."""

    def __init__(self, stage: Stage, postbox: Postbox) -> None:
        """Start them, with a plan of one e-mail and no jobs but those of reminders and mails."""
        self.stage, self.postbox = stage, postbox
        self.trade = trade = Trade(stage, stage.database())
        self.database = trade.server.database
        self.admin = trade.admin
        jobs = [trade.ref(f"dunning_followup.{name}") for name in JOBS]
        self.send_job = jobs[0]
        self.mail_job = trade.ref("mail.ir_cron_mail_scheduler_action")
        jobs.append(self.mail_job)
        others = self.admin.call("ir.cron", "search", [[("id", "not in", jobs)]])
        self.admin.call("ir.cron", "write", [others, {"active": False}])
        trade.create(
            "ir.mail_server",
            {
                "name": "Postbox",
                "smtp_host": "127.0.0.1",
                "smtp_port": postbox.port,
                "smtp_encryption": "none",
                "smtp_authentication": "login",
            },
        )
        step = {
            "name": "Reminder",
            "days": 7,
            "channel": "email",
            "subject": "Open: {{numbers}}",
            "body": "<p>Dear {{contact}},</p>{{items}}",
        }
        [self.plan] = trade.create("dunning.plan", {"name": "One mail", "step_ids": [(0, 0, step)]})
        self.admin.call(
            "res.company", "write", [[1], {"dunning_plan_id": self.plan, "email": "accounts@seller.example"}]
        )
        self.workers = [self.worker(), self.worker()]

    def worker(self) -> Server:
        """Start a server that runs jobs."""
        return self.stage.server(self.database, *WORKER)

    def run_for(self, domain: str, count: int) -> int:
        """Simulate a run of new customers, each with an address of its own and an overdue invoice; return it."""
        trade = self.trade
        partners = trade.create(
            "res.partner",
            *(
                {"name": f"{domain} {number}", "is_company": True, "email": f"{number}@{domain}"}
                for number in range(count)
            ),
        )
        due = date.today() - timedelta(days=10)
        trade.invoices(*((partner, 100, due) for partner in partners))
        [run] = trade.create("dunning.run", {"name": domain, "partner_ids": [(6, 0, partners)]})
        self.admin.call("dunning.run", "action_simulate", [[run]])
        assert self.read(run)["notice_count"] == count
        return run

    def send(self, run: int) -> None:
        """Release a run."""
        self.admin.call("dunning.run", "action_send", [[run]])

    def read(self, run: int) -> dict[str, Any]:
        """Return where a run is."""
        names = ("state", "notice_count", "sent_count", "failed_count", "waiting_count")
        return self.trade.read("dunning.run", run, *names)[0]

    def notices(self, run: int, *domain: tuple) -> list[dict[str, Any]]:
        """Return the notices of a run, with the address that each goes to."""
        names = ["state", "reason", "attempts", "contact_id", "date_next"]
        rows = self.admin.call(
            "dunning.notice", "search_read", [[("run_id", "=", run), *domain], names], {"order": "id"}
        )
        contacts = self.trade.read("res.partner", [row["contact_id"][0] for row in rows], "email")
        return [{**row, "email": contact["email"]} for row, contact in zip(rows, contacts, strict=True)]

    def until(self, what: str, check: Callable[[], Any]) -> None:
        """Wait until something is so; the servers, which look for jobs once a minute, look now."""
        end = time.monotonic() + 120
        while not check():
            assert time.monotonic() < end, f"Not within two minutes: {what}."
            databases.query(self.stage.odoo, "postgres", f"NOTIFY cron_trigger, '{self.database}'")
            time.sleep(0.3)

    def until_done(self, run: int) -> None:
        """Wait until a run is done and all of it is noted."""

        def done() -> bool:
            return self.read(run)["state"] == "done" and not self.admin.call(
                "dunning.notice", "search_count", [[("run_id", "=", run), ("booked", "=", False)]]
            )

        self.until(f"run {run} is done", done)

    def later(self) -> None:
        """Let the time pass after which an abandoned notice is looked after and a failed one is tried again."""
        databases.query(
            self.stage.odoo,
            self.database,
            """
            UPDATE dunning_notice
               SET date_claimed = date_claimed - INTERVAL '1 hour', date_next = date_next - INTERVAL '1 hour'
             WHERE state IN ('sending', 'to_send')
            """,
        )
        self.look_at_notices()

    def look_at_notices(self) -> None:
        """Have the job run that hands notices over, wherever it may."""
        when = "now() AT TIME ZONE 'UTC'"
        statement = f"INSERT INTO ir_cron_trigger (cron_id, call_at) VALUES ({self.send_job:d}, {when})"  # noqa: S608
        databases.query(self.stage.odoo, self.database, statement)

    def waiting_for_job(self) -> list[tuple]:
        """Return what still asks for that job."""
        statement = f"SELECT id FROM ir_cron_trigger WHERE cron_id = {self.send_job:d}"  # noqa: S608
        return databases.query(self.stage.odoo, self.database, statement)

    def queue_rests(self) -> bool:
        """Tell whether nobody is sending mails: who does has the job locked."""
        statement = f"SELECT id FROM ir_cron WHERE id = {self.mail_job:d} FOR NO KEY UPDATE SKIP LOCKED"  # noqa: S608
        return bool(databases.query(self.stage.odoo, self.database, statement))

    def kill(self, client: int) -> None:
        """Kill the server at this end of a connection, and start another in its place."""
        [pid] = {
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.laddr and connection.laddr.port == client and connection.pid not in (None, os.getpid())
        }
        self.kill_server(next(one for one in self.workers if one.process and one.process.pid == pid))

    def kill_server(self, victim: Server) -> None:
        """Kill a server, and start another in its place."""
        assert victim.process
        victim.process.send_signal(signal.SIGKILL)
        victim.process.wait(10)
        self.postbox.go_on()
        self.workers[self.workers.index(victim)] = self.worker()


@pytest.fixture(scope="module")
def postbox() -> Iterator[Postbox]:
    """Return a mail server."""
    with Postbox() as box:
        yield box


@pytest.fixture(scope="module")
def collections(module_stage: Stage, postbox: Postbox) -> Collections:
    """Return the office that the tests share."""
    return Collections(module_stage, postbox)


@pytest.mark.timeout(300 + 60 * KILLS)
def test_server_killed_while_it_sends(collections: Collections) -> None:
    """While mails are written, before one leaves, accepted without our knowing, not accepted, told; then at any."""
    rng = random.Random(int(os.environ.get("DUNNING_SEED", "1")))
    for number in range(KILLS):
        moment = PHASES[number] if number < len(PHASES) else rng.choice(PHASES)
        domain = f"round{number}.example"
        run = collections.run_for(domain, CUSTOMERS)
        if moment == "queueing":
            collections.send(run)
            time.sleep(rng.random())
            collections.kill_server(rng.choice(collections.workers))
        else:
            collections.postbox.stop_at(rng.randrange(5, CUSTOMERS - 5), moment)
            collections.send(run)
            collections.kill(collections.postbox.wait())

        def settled(run: int = run) -> bool:
            waiting = collections.notices(run, ("state", "in", ("to_send", "queued")))
            return not waiting and collections.queue_rests()

        collections.until("the others are through", settled)
        received = collections.postbox.received(domain)
        hanging = collections.notices(run, ("state", "=", "sending"))
        assert len(hanging) <= 1, (moment, hanging)
        if moment in ("begun", "received", "accepted"):
            assert [received[notice["email"]] for notice in hanging] == [moment == "accepted"]
        if hanging:
            collections.later()
            collections.until_done(run)
            [notice] = collections.notices(run, ("state", "=", "failed"))
            assert "it is not known whether it went out" in notice["reason"]
            assert collections.read(run)["failed_count"] == 1
            # A person looks at the mail server.
            method = "action_mark_sent" if received[notice["email"]] else "action_retry"
            collections.admin.call("dunning.notice", method, [[notice["id"]]])
        collections.until_done(run)

        assert_all_are_reminded_once(collections, run, domain, CUSTOMERS)


def assert_all_are_reminded_once(collections: Collections, run: int, domain: str, count: int) -> None:
    """Check what went out against what is noted: notices, progress, credit file, report."""
    mails = [mail for mail in collections.postbox.mails if mail.recipient.endswith(f"@{domain}")]
    received = collections.postbox.received(domain)
    assert set(received) == {f"{number}@{domain}" for number in range(count)}
    assert set(received.values()) == {1}, received.most_common(3)
    assert len({mail.message_id for mail in mails}) == count
    figures = collections.read(run)
    assert (figures["state"], figures["sent_count"], figures["failed_count"]) == ("done", count, 0)
    of_run = [("notice_id.run_id", "=", run)]
    assert collections.admin.call("dunning.progress", "search_count", [of_run]) == count
    partners = [notice["contact_id"][0] for notice in collections.notices(run)]
    events = [("account_id.partner_id", "in", partners), ("kind", "=", "dunning_sent")]
    assert collections.admin.call("credit.event", "search_count", [events]) == count


def test_mail_server_that_refuses_for_a_while(collections: Collections) -> None:
    """Reminders stay to send with what the server said, wait, and go out once when it takes them again."""
    postbox, domain = collections.postbox, "refused.example"
    run = collections.run_for(domain, 5)
    postbox.refusing = "connections"
    collections.send(run)

    collections.until("all are refused", lambda: tried(collections, run, 1))
    for notice in collections.notices(run):
        assert notice["state"] == "to_send" and notice["date_next"]
        assert "Connection failed" in notice["reason"] and "The mail room is closed" in notice["reason"]
    assert collections.read(run) | {"id": run} == {
        "id": run,
        "state": "sending",
        "notice_count": 5,
        "sent_count": 0,
        "failed_count": 0,
        "waiting_count": 5,
    }
    # Not before its time.
    collections.look_at_notices()
    collections.until("the job has run", lambda: not collections.waiting_for_job())
    assert tried(collections, run, 1)

    postbox.refusing = "recipients"
    collections.later()
    collections.until("all are refused again", lambda: tried(collections, run, 2))
    assert {notice["state"] for notice in collections.notices(run)} == {"to_send"}
    assert all("Come back later" in notice["reason"] for notice in collections.notices(run))

    postbox.refusing = ""
    first = collections.notices(run)[0]
    collections.admin.call("dunning.notice", "action_retry", [[first["id"]]])
    collections.until("one is sent by hand", lambda: collections.read(run)["sent_count"] == 1)
    assert sum(postbox.received(domain).values()) == 1
    collections.later()
    collections.until_done(run)

    assert_all_are_reminded_once(collections, run, domain, 5)


def tried(collections: Collections, run: int, times: int) -> bool:
    """Tell whether each notice of a run was tried so often."""
    return {notice["attempts"] for notice in collections.notices(run)} == {times}
