"""What happened in the demo company, told in figures read back from the database."""

import unicodedata
from typing import Any

from .rpc import Client

USERS = [
    ("admin", "administrator"),
    ("sales", "salesperson"),
    ("accountant", "accountant"),
    ("analyst", "credit analyst, proposes limits"),
    ("credit", "credit manager, works in Chinese"),
]
SALESPERSON = "sales"
RESULTS = {
    "none": "",
    "passed": "confirmed",
    "warned": "confirmed, warned",
    "awaiting_payment": "awaits payment",
    "on_hold": "ON HOLD",
    "released": "released",
    "rejected": "rejected",
}
SHOWN = 13  # orders; more would hide what matters
STOPPING = ("hold", "block")


def tell(client: Client) -> list[str]:
    """Return the lines of the story."""
    accounts = read(
        client,
        "credit.account",
        [("salesperson_id.login", "=", SALESPERSON)],
        "company_id currency_id exposure exposure_open_item exposure_draft_invoice exposure_delivered "
        "exposure_ordered overdue_amount",
    )
    if not accounts:
        return ["The demo company has no customers with credit."]
    orders = read(
        client,
        "sale.order",
        [("user_id.login", "=", SALESPERSON)],
        "name partner_id user_id amount_total state credit_state credit_check_id credit_release_id credit_panel",
    )
    checked = [order for order in orders if order["credit_check_id"]]
    return [
        *describe_company(accounts, checked),
        "",
        *describe_orders(client, checked[-SHOWN:]),
        "",
        *describe_next(orders),
    ]


def describe_company(accounts: list[dict[str, Any]], orders: list[dict[str, Any]]) -> list[str]:
    """Return who the company is and what its customers owe."""
    sums = {
        name: amount(sum(account[name] for account in accounts))
        for name, value in accounts[0].items()
        if isinstance(value, float)
    }
    held = sum(order["credit_state"] == "on_hold" for order in orders)
    shown = f" The last {SHOWN}:" if len(orders) > SHOWN else ""
    seller = f"{orders[0]['user_id'][1]} wanted" if orders else "Nobody wanted"
    return [
        f"{accounts[0]['company_id'][1]} gives credit to {len(accounts)} customers; amounts in "
        f"{accounts[0]['currency_id'][1]}. They owe {sums['exposure_open_item']}, {sums['overdue_amount']} of it",
        f"overdue; {sums['exposure_draft_invoice']} is in draft invoices, {sums['exposure_delivered']} delivered, "
        f"{sums['exposure_ordered']} ordered: an exposure of {sums['exposure']}.",
        f"{seller} to confirm {len(orders)} orders: {len(orders) - held} went on, {held} are on hold.{shown}",
    ]


def describe_orders(client: Client, orders: list[dict[str, Any]]) -> list[str]:
    """Return a table of the checked orders, with the reasons below each."""
    ids = [order["credit_check_id"][0] for order in orders]
    rows = client.call(
        "credit.check",
        "read",
        [ids, ["partner_id", "outcome", "exposure", "document_amount", "unlimited", "effective_limit", "line_ids"]],
    )
    checks = {row["id"]: row for row in rows}
    reasons = describe_reasons(client, list(checks.values()))
    releases = describe_releases(client, orders)
    cells = [("order", "customer", "amount", "exposure", "with it", "limit", "result")]
    notes: list[list[str]] = [[]]
    for order in orders:
        check = checks[order["credit_check_id"][0]]
        blocked = order["credit_state"] == "on_hold" and check["outcome"] == "block"
        cells.append(
            (
                order["name"],
                check["partner_id"][1],  # who will owe it
                amount(check["document_amount"]),
                amount(check["exposure"]),
                amount(check["exposure"] + check["document_amount"]),
                "unlimited" if check["unlimited"] else amount(check["effective_limit"]),
                "BLOCKED" if blocked else RESULTS.get(order["credit_state"], order["credit_state"]),
            )
        )
        notes.append([*reasons.get(check["id"], []), *releases.get(order["id"], [])])
    lines = []
    for line, below in zip(table(cells), notes, strict=True):
        lines += [line, *(f"          {note}" for note in below)]
    return lines


def describe_reasons(client: Client, checks: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Return the reasons of each check: what stopped the order, else what was warned of."""
    outcomes = {check["id"]: check["outcome"] for check in checks}
    ids = [line for check in checks for line in check["line_ids"]]
    found: dict[int, list[str]] = {}
    for row in client.call("credit.check.line", "read", [ids, ["check_id", "verdict", "message"]]):
        check = row["check_id"][0]
        wanted = STOPPING if outcomes[check] in STOPPING else ("warn",)
        if row["verdict"] in wanted:
            found.setdefault(check, []).append(plain(row["message"]))
    return found


def describe_releases(client: Client, orders: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Return who asked for a release of each order, and who decided."""
    ids = {order["credit_release_id"][0]: order["id"] for order in orders if order["credit_release_id"]}
    names = ["state", "requested_by_id", "request_note", "decided_by_id", "decision_note"]
    found = {}
    for row in client.call("credit.release", "read", [list(ids), names]):
        if row["state"] == "requested":
            note = f"Release requested by {row['requested_by_id'][1]}: {row['request_note']}"
        elif row["decided_by_id"]:
            note = f"{row['state'].capitalize()} by {row['decided_by_id'][1]}: {row['decision_note']}"
        else:
            continue
        found[ids[row["id"]]] = [note]
    return found


def describe_next(orders: list[dict[str, Any]]) -> list[str]:
    """Return what a newcomer can try, with the figures of an order that would be held."""
    quotations = [order for order in orders if order["state"] in ("draft", "sent") and order["credit_panel"]]
    waiting = [
        order
        for order in quotations
        if order["credit_state"] == "none"
        and any(reason["verdict"] in STOPPING for reason in order["credit_panel"]["reasons"])
    ]
    lines = []
    if waiting:
        # The one with the most at stake; a customer without any credit is the lesser story.
        order = max(waiting, key=lambda item: item["credit_panel"]["meter"]["effective_limit"])
        meter = order["credit_panel"]["meter"]
        after = meter["exposure"] + meter["document"]
        lines += [
            f"Quotation {order['name']} of {order['partner_id'][1]} is not confirmed yet:",
            f"  limit {amount(meter['effective_limit'])}, exposure {amount(meter['exposure'])}, "
            f"available {amount(meter['available'])}; with its {amount(meter['document'])} the exposure would be "
            f"{amount(after)}.",
            "",
            "Try next:",
            f"  Log in as sales, open quotation {order['name']} and press Confirm. It stays a quotation, on hold;",
            "  read why, and press Request Release. Then log in as credit, open it under Invoicing, Credit,",
            "  Held Orders, and press Release: it is confirmed.",
        ]
    requested = [order["name"] for order in quotations if order["credit_release_id"]]
    if requested:
        lines.append(f"  A decision of credit is awaited on {', '.join(requested)}.")
    return lines


def read(client: Client, model: str, domain: list, names: str) -> list[dict[str, Any]]:
    """Return the records of a model in the order in which they were made."""
    return client.call(model, "search_read", [domain, names.split()], {"order": "id"})


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return the rows in columns: amounts to the right, the rest to the left."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    left = (0, 1, len(widths) - 1)
    lines = []
    for row in rows:
        cells = [pad(cell, size, at in left) for at, (cell, size) in enumerate(zip(row, widths, strict=True))]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines


def pad(text: str, size: int, left: bool) -> str:
    """Return the text with blanks up to a width on the screen."""
    blanks = " " * (size - width(text))
    return text + blanks if left else blanks + text


def width(text: str) -> int:
    """Return the columns that a text takes on the screen; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def plain(text: str) -> str:
    """Return a text with ordinary blanks."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def amount(value: float) -> str:
    """Return an amount with thousands separated, and cents where there are any."""
    return f"{value:,.2f}".removesuffix(".00")


def access(url: str) -> list[str]:
    """Return the address and the logins."""
    lines = [f"Odoo: {url}/odoo", "", "  login        password     who"]
    lines += [f"  {login:<12} {login:<12} {role}" for login, role in USERS]
    return lines
