"""Trade for the tests: users, customers with limits, orders, made as clients make them."""

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from playwright.sync_api import Page

from tools.ground.odoo import Odoo
from tools.ground.paths import BUILD
from tools.ground.rpc import Client

from .conftest import Stage, connect

SALES = "sales_team.group_sale_salesman"
MANAGER = "credit_management.group_credit_manager"
HOLD_OVER_LIMIT = ("utilisation", "hold", {"threshold": 100.0})
QUIET = {"odoobot_state": "disabled"}  # whose greeting opens over what a test wants to click
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
).decode()


class Trade:
    """Makes what a test needs, through the administrator's session; limits take a second manager."""

    def __init__(self, stage: Stage, database: str) -> None:
        """Start a server and log in."""
        self.server = stage.server(database, "--log-handler=odoo.http:ERROR")
        self.admin = connect(self.server)
        self._approver: Client | None = None
        self._product = 0

    def ref(self, xmlid: str) -> int:
        """Return the id behind an external id."""
        module, _dot, name = xmlid.partition(".")
        domain = [("module", "=", module), ("name", "=", name)]
        rows = self.admin.call("ir.model.data", "search_read", [domain, ["res_id"]])
        return rows[0]["res_id"]

    def create(self, model: str, *vals: dict[str, Any]) -> list[int]:
        """Make records and return their ids."""
        return self.admin.call(model, "create", [list(vals)])

    def read(self, model: str, ids: int | Iterable[int], *names: str) -> list[dict[str, Any]]:
        """Read records."""
        return self.admin.call(model, "read", [[ids] if isinstance(ids, int) else list(ids), list(names)])

    def user(self, login: str, *groups: str, **vals: Any) -> int:
        """Make a user whose password is the login."""
        return self.create(
            "res.users",
            {
                "name": login.replace("_", " ").title(),
                "login": login,
                "password": login,
                "email": f"{login}@example.com",
                "group_ids": [(6, 0, [self.ref(group) for group in groups])],
                **QUIET,
                **vals,
            },
        )[0]

    def connect(self, login: str) -> Client:
        """Return a session of a user."""
        return connect(self.server, login)

    def policy(self, *rules: tuple[str, str, dict], company: int = 1, **vals: Any) -> int:
        """Make an enforcing policy of rules (kind, outcome, values), the company's default."""
        policy = self.create(
            "credit.policy",
            {
                "name": "House rules",
                "mode": "enforcing",
                "company_id": company,
                "rule_ids": [
                    (0, 0, {"kind": kind, "outcome": outcome, **rule})
                    for kind, outcome, rule in rules or [HOLD_OVER_LIMIT]
                ],
                **vals,
            },
        )[0]
        self.admin.call("res.company", "write", [[company], {"credit_policy_id": policy}])
        return policy

    def customers(self, *names: str, **vals: Any) -> list[int]:
        """Make companies."""
        return self.create("res.partner", *({"name": name, "is_company": True, **vals} for name in names))

    def limit(self, customers: list[int], amount: float) -> list[int]:
        """Give customers a base limit, proposed by one manager and approved by another; return the accounts."""
        if not self._approver:
            self.user("approver", MANAGER)
            self._approver = self.connect("approver")
        accounts = self.create("credit.account", *({"partner_id": customer} for customer in customers))
        limits = self.create("credit.limit", *({"account_id": one, "amount": amount} for one in accounts))
        self.admin.call("credit.limit", "action_submit", [limits])
        self._approver.call("credit.limit", "action_approve", [limits])
        return accounts

    def order_vals(self, customer: int, amount: float, **vals: Any) -> dict[str, Any]:
        """Return the values of a quotation of one service line without taxes."""
        if not self._product:
            product = {"name": "Consulting", "type": "service", "invoice_policy": "order", "taxes_id": [(5,)]}
            self._product = self.create("product.product", product)[0]
        line = {"product_id": self._product, "price_unit": amount, "tax_ids": [(5,)]}
        return {"partner_id": customer, "order_line": [(0, 0, line)], **vals}

    def orders(self, *wanted: tuple[int, float, dict[str, Any]]) -> list[int]:
        """Make quotations: (customer, amount, values)."""
        return self.create(
            "sale.order", *(self.order_vals(customer, amount, **vals) for customer, amount, vals in wanted)
        )

    def order(self, customer: int, amount: float, **vals: Any) -> int:
        """Make one quotation."""
        return self.orders((customer, amount, vals))[0]

    def invoices(self, *wanted: tuple[int, float, date]) -> list[int]:
        """Post invoices of thirty days without taxes: (customer, amount, due date)."""
        moves = self.create(
            "account.move",
            *(
                {
                    "move_type": "out_invoice",
                    "partner_id": customer,
                    "invoice_date": str(due - timedelta(days=30)),
                    "invoice_date_due": str(due),
                    "invoice_payment_term_id": False,
                    "invoice_line_ids": [(0, 0, {"name": "Goods", "price_unit": amount, "tax_ids": [(5,)]})],
                }
                for customer, amount, due in wanted
            ),
        )
        self.admin.call("account.move", "action_post", [moves])
        return moves

    def states(self, orders: Iterable[int]) -> list[tuple[str, str]]:
        """Return the orders' states: core's and ours."""
        rows = self.read("sale.order", orders, "state", "credit_state")
        return [(row["state"], row["credit_state"]) for row in rows]

    def link(self, order: int) -> tuple[str, str]:
        """Return the path of the customer's page of an order, and its access token."""
        token = secrets.token_hex(8)
        self.admin.call("sale.order", "write", [[order], {"access_token": token}])
        return f"/my/orders/{order}?access_token={token}", token


def sign(page: Page, name: str) -> None:
    """Sign the order whose page the customer has open, and wait until the server has it."""
    page.locator("[data-bs-target='#modalaccept']:visible").first.click()
    # Once it has faded in, the dialog starts the signature anew.
    page.wait_for_function(
        "() => { const modal = document.querySelector('#modalaccept.show');"
        " return modal && getComputedStyle(modal).opacity === '1'"
        " && getComputedStyle(modal.querySelector('.modal-dialog')).transform === 'none'; }"
    )
    page.locator("#modalaccept input[name=signer]").fill(name)
    page.locator("#modalaccept .o_portal_sign_submit:enabled").click()
    page.wait_for_url("**message=sign_ok**")


def shell(odoo: Odoo, database: str, code: str) -> Any:
    """Run code in Odoo's shell and return what it assigned to `answer`, which JSON can hold."""
    target = BUILD / "shell" / f"{database}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    ending = f"\nimport json\nopen({str(target)!r}, 'w').write(json.dumps(answer))\nenv.cr.commit()\n"
    command = odoo.command("shell", "-d", database, "--no-http", "--log-level=warn")
    done = subprocess.run(
        command,
        input=f"answer = None\n{code}\n{ending}",
        env={**os.environ, **odoo.env},
        cwd=BUILD,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0 and target.exists(), done.stdout
    answer = json.loads(target.read_text())
    target.unlink()
    return answer
