"""The volume database is one that Odoo could have made, and goes on from."""

from collections.abc import Iterator

import pytest

from tools.ground import databases, volume
from tools.ground.console import Failure
from tools.ground.odoo import Odoo
from tools.volume.plan import Size, make_plan

from .conftest import Stage

SIZE = "60/400/160"  # enough for each kind of document to occur


@pytest.fixture(scope="module")
def ledger(odoo: Odoo, template: str, module_stage: Stage) -> Iterator[str]:
    """Return a small volume database."""
    name = module_stage.database()
    volume.fill(odoo, name, SIZE)
    return name


def test_odoo_computes_what_is_stored_and_goes_on_making_documents(odoo: Odoo, ledger: str) -> None:
    """Balances, residuals, references, recomputed samples, and a new order, delivery, invoice and payment."""
    assert volume.problems(odoo, ledger) == ""


def test_a_broken_ledger_is_found(odoo: Odoo, module_stage: Stage, ledger: str) -> None:
    """The verification would see a wrong residual, a wrong quantity and a reference that leads nowhere."""
    broken = databases.run_name("volume_broken")
    databases.copy(odoo, ledger, broken)
    try:
        databases.query(
            odoo,
            broken,
            """
            SET session_replication_role = replica;
            UPDATE account_move_line SET amount_residual = amount_residual + 1
             WHERE id = (SELECT MAX(id) FROM account_move_line WHERE display_type = 'payment_term');
            UPDATE sale_order_line SET qty_invoiced = qty_invoiced + 1;
            UPDATE sale_order SET partner_id = 999999 WHERE id = (SELECT MAX(id) FROM sale_order);
            """,
        )
        found = volume.problems(odoo, broken)
    finally:
        databases.drop(odoo, broken)
    for text in ("residual is not the balance", "qty_invoiced is", "sale_order.partner_id leads nowhere"):
        assert text in found


def test_the_size_is_what_was_asked_for(odoo: Odoo, ledger: str) -> None:
    """As many customers, posted invoices and open orders as asked for, 15 % of the invoices open."""

    def count(table: str, condition: str) -> int:
        [[found]] = databases.query(odoo, ledger, f"SELECT COUNT(*) FROM {table} WHERE {condition}")  # noqa: S608
        return found

    # The seeds are there too: one account, one document of each kind.
    copied = "partner_id NOT IN (SELECT id FROM res_partner WHERE complete_name LIKE 'Volume Seed%')"
    invoices = f"move_type = 'out_invoice' AND state = 'posted' AND {copied}"
    assert count("credit_account", copied) == 60
    assert count("credit_limit", f"state = 'approved' AND {copied}") == 48
    assert count("account_move", invoices) == 400
    assert count("account_move", f"{invoices} AND payment_state IN ('not_paid', 'partial')") == 60
    assert count("account_move", f"{invoices} AND payment_state = 'partial'") > 0
    assert count("sale_order", f"state = 'sale' AND invoice_status <> 'invoiced' AND {copied}") == 160


def test_the_plan_is_the_same_each_time() -> None:
    """Two runs on one day give one ledger."""
    from datetime import date

    first, second = (make_plan(Size(50, 300, 60), date(2026, 11, 21)) for _run in range(2))

    assert first == second


@pytest.mark.parametrize("text", ["huge", "1/2", "0/1/1", "1/2/3/4"])
def test_a_size_that_is_none_is_refused_in_words(text: str) -> None:
    """The message says what may be given."""
    with pytest.raises(Failure, match="small, large or customers/invoices/orders"):
        volume.parse_size(text)
