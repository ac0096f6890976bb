"""What happened in the demo company, told in figures read back from the database."""

from typing import Any

from .rpc import Client

USERS = [
    ("admin", "administrator"),
    ("sales", "salesperson"),
    ("accountant", "accountant"),
    ("credit", "credit manager, works in Chinese"),
]
OUTCOMES = {
    "pass": "confirmed",
    "warn": "confirmed with a warning",
    "prepay": "waits for a prepayment",
    "hold": "ON HOLD",
    "block": "BLOCKED",
}


def tell(client: Client) -> list[str]:
    """Return the lines of the story."""
    states = client.call("sale.order", "formatted_read_group", [[], ["state"], ["__count"]])
    counts = {row["state"]: row["__count"] for row in states}
    checks = read(
        client,
        "credit.check",
        [("res_model", "=", "sale.order")],
        "document_name account_id company_id outcome exposure document_amount effective_limit limit_kind line_ids",
        "id",
    )
    lines = [
        "The demo company's customers have ordered, received, been invoiced and paid.",
        f"{counts.get('sale', 0)} orders are confirmed, "
        f"{counts.get('draft', 0) + counts.get('sent', 0)} are quotations.",
        "",
    ]
    reasons = messages(client, checks)
    for check in checks:
        lines += describe_check(check, reasons.get(check["id"], []))
    accounts = read(
        client,
        "credit.account",
        [],
        "partner_id currency_id limit_kind effective_limit exposure available utilisation overdue_amount days_overdue",
        "id",
    )
    held = read(
        client,
        "sale.order",
        [("credit_state", "=", "on_hold")],
        "name",
        "id",
    )
    currencies = " and ".join(sorted({account["currency_id"][1] for account in accounts}))
    lines += ["", f"Orders that wait on hold: {len(held)}."]
    if accounts:
        lines += [f"The customers' credit now, in {currencies}:", "", *account_table(accounts)]
    return lines


def read(client: Client, model: str, domain: list, names: str, order: str) -> list[dict[str, Any]]:
    """Return the records of a model, archived ones left out."""
    return client.call(model, "search_read", [domain, names.split()], {"order": order})


def messages(client: Client, checks: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Return the reasons of each check: the messages of its lines that did not pass."""
    ids = [line for check in checks for line in check["line_ids"]]
    rows = client.call("credit.check.line", "read", [ids, ["check_id", "verdict", "message"]])
    found: dict[int, list[str]] = {}
    for row in rows:
        if row["verdict"] != "pass" and row["message"]:
            found.setdefault(row["check_id"][0], []).append(row["message"])
    return found


def describe_check(check: dict[str, Any], reasons: list[str]) -> list[str]:
    """Return the lines about one check."""
    limit = amount(check["effective_limit"])
    if check["limit_kind"] == "unlimited":
        limit = "unlimited"
    before, document = check["exposure"], check["document_amount"]
    return [
        f"  {check['document_name']}, {check['account_id'][1]}: {OUTCOMES.get(check['outcome'], check['outcome'])}",
        f"    order {amount(document)}; exposure {amount(before)} before, "
        f"{amount(before + document)} with it; limit {limit}",
        *(f"    {reason}" for reason in reasons),
    ]


def account_table(accounts: list[dict[str, Any]]) -> list[str]:
    """Return a table of the credit accounts."""
    rows = [("customer", "limit", "exposure", "available", "used", "overdue", "days")]
    for account in accounts:
        unlimited = account["limit_kind"] == "unlimited"
        rows.append(
            (
                account["partner_id"][1],
                "unlimited" if unlimited else amount(account["effective_limit"]),
                amount(account["exposure"]),
                "" if unlimited else amount(account["available"]),
                "" if unlimited else f"{account['utilisation']:.0f} %",
                amount(account["overdue_amount"]),
                str(account["days_overdue"] or ""),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def amount(value: float) -> str:
    """Return an amount with thousands separated."""
    return f"{value:,.2f}"


def access(url: str) -> list[str]:
    """Return the address and the logins."""
    lines = [f"Odoo: {url}/odoo", "", "  login        password     who"]
    lines += [f"  {login:<12} {login:<12} {role}" for login, role in USERS]
    return lines
