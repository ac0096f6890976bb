"""Installing into a company at work, uninstalling without a trace, and costing nothing unasked."""

from typing import Any

import pytest

from tools.ground import databases, logcheck
from tools.ground.odoo import Odoo
from tools.ground.paths import addons

from .trade import shell

# A company that sells with core's credit limit switched on.
TRADE = """
company = env.company
company.account_use_credit_limit = True
customer = env['res.partner'].create({'name': 'Old Customer', 'is_company': True})
customer.credit_limit = 5000.0
product = env['product.product'].create(
    {'name': 'Consulting', 'type': 'service', 'invoice_policy': 'delivery', 'taxes_id': [(5,)]}
)
tax = env['account.tax'].create({'name': 'Ten', 'amount': 10, 'company_id': company.id})
order = env['sale.order'].create(
    {
        'partner_id': customer.id,
        'order_line': [
            (0, 0, {'product_id': product.id, 'product_uom_qty': 2, 'price_unit': 100, 'tax_ids': [(5,)]}),
            (0, 0, {'product_id': product.id, 'product_uom_qty': 0, 'price_unit': 50, 'tax_ids': [(6, 0, tax.ids)]}),
        ],
    }
)
order.action_confirm()
order.order_line[1].qty_delivered = 3
quotation = order.copy()
answer = {'customer': customer.id, 'order': order.id, 'quotation': quotation.id, 'product': product.id}
"""
CONFIRM = """
order = env['sale.order'].browse(%d)
order.action_confirm()
answer = {
    'state': order.state,
    'wrapped': hasattr(type(order).action_confirm, 'credit_origin'),
    'limit': order.partner_id.credit_limit,
    'fields': [name for name in order._fields if name.startswith('credit_')],
}
"""
# Whatever a database knows of tables, columns, indexes, constraints, functions and triggers.
CATALOGUE = {
    "column": "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'",
    "index": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraint": "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint WHERE connamespace = "
    "'public'::regnamespace",
    "function": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "trigger": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    "sequence": "SELECT sequence_name FROM information_schema.sequences",
    "model": "SELECT model FROM ir_model",
    # Core keeps the names of the mixins' own reflections.
    "name": "SELECT module || '.' || name FROM ir_model_data WHERE name !~ '^(selection|model_inherit)__'",
    "parameter": "SELECT key FROM ir_config_parameter",
    "cron": "SELECT cron_name FROM ir_cron",
    "group": "SELECT gid || ' implies ' || hid FROM res_groups_implied_rel",
}


def catalogue(odoo: Odoo, database: str) -> dict[str, set[str]]:
    """Return what the database consists of."""
    return {kind: {row[0] for row in databases.query(odoo, database, sql)} for kind, sql in CATALOGUE.items()}


def install(odoo: Odoo, database: str) -> None:
    """Install our add-ons; a warning in the log fails the test."""
    log = odoo.install(database, addons(), "--no-http", "--max-cron-threads=0", log="e2e-install")
    assert [logcheck.describe(problem) for problem in logcheck.problems(log)] == []


@pytest.fixture(scope="module")
def company(odoo: Odoo, template: str):
    """Return a database without our add-ons, its trade, and what it consists of."""
    name = databases.run_name("install")
    databases.copy(odoo, databases.ensure_base(odoo), name)
    trade = shell(odoo, name, TRADE)
    yield name, trade, catalogue(odoo, name)
    databases.drop(odoo, name)


def test_install_use_uninstall_install(odoo: Odoo, company: tuple[str, dict[str, int], Any]) -> None:
    """One after the other on one database, because each starts from what the one before left."""
    database, trade, before = company

    install(odoo, database)
    figures = shell(
        odoo,
        database,
        f"""
order = env['sale.order'].browse({trade['order']})
line = order.order_line[1]
figures = env['credit.account']._figures(env.company, order.partner_id.ids)[order.partner_id.id]
answer = {{
    'state': (order.state, order.credit_state),
    'price': line.credit_unit_price,
    'core': order.partner_id.credit_limit,
    'exposure': [figures['exposure_delivered'], figures['exposure_ordered']],
    'new': order.copy().id,
    'accounts': env['credit.account'].search_count([]),
}}
""",
    )
    assert figures["state"] == ["sale", "none"]
    # 3 of the line without an ordered quantity, at 50 and a tax of 10 %.
    assert figures["price"] == pytest.approx(55)
    assert figures["exposure"] == pytest.approx([165, 200])
    assert (figures["core"], figures["accounts"]) == (5000, 1)  # taken over, see test_adoption.py
    with_policy = shell(
        odoo,
        database,
        f"""
policy = env['credit.policy']._create_standard(env.company)
policy.mode = 'enforcing'
order = env['sale.order'].browse({figures['new']})
order.order_line[0].price_unit = 5000
order.action_confirm()
env['credit.seal']._seal(env.company)
answer = [order.state, order.credit_state] + [
    env[model].search_count([]) for model in ('credit.check', 'credit.event', 'credit.seal')
]
""",
    )
    # The database guards the credit file; uninstalling gets past it and leaves nothing of it.
    # Its events are the limit taken over and the order held.
    assert with_policy == ["draft", "on_hold", 1, 2, 1]

    odoo.run("module", "uninstall", "-d", database, *addons(), log="e2e-uninstall")
    after = catalogue(odoo, database)
    assert {kind: sorted(after[kind] - before[kind]) for kind in before if after[kind] - before[kind]} == {}
    assert {kind: sorted(before[kind] - after[kind]) for kind in before if before[kind] - after[kind]} == {}
    held = shell(odoo, database, CONFIRM % figures["new"])
    assert held == {"state": "sale", "wrapped": False, "limit": 5000, "fields": []}

    install(odoo, database)
    again = shell(odoo, database, CONFIRM % trade["quotation"])
    assert (again["state"], again["wrapped"]) == ("sale", True)


COUNT = """
customer = env['res.partner'].create({'name': 'Counted', 'is_company': True})
product = env['product.product'].create({'name': 'Consulting', 'type': 'service'})
goods = env['product.product'].create({'name': 'Goods', 'type': 'consu', 'is_storable': True})
user = env['res.users'].create(
    {'name': 'Seller', 'login': 'seller', 'group_ids': [(6, 0, [env.ref('sales_team.group_sale_salesman').id])]}
)


def confirm(count):
    orders = env['sale.order'].create(
        [
            {
                'partner_id': customer.id,
                'user_id': user.id,
                'order_line': [(0, 0, {'product_id': one.id, 'price_unit': 10}) for one in (product, goods)],
            }
            for _number in range(count)
        ]
    ).with_user(user)
    env.flush_all()
    env.invalidate_all()
    before = env.cr.sql_log_count
    orders.action_confirm()
    env.flush_all()
    return env.cr.sql_log_count - before


confirm(1)  # fills the caches
answer = [confirm(1), confirm(1), confirm(5)]
env.cr.rollback()
"""


def test_without_an_active_policy_confirming_costs_no_statement(odoo: Odoo, template: str) -> None:
    """The same confirmation with and without our add-ons; archived policies count as none."""
    counts = {}
    for kind, source in (("without", databases.ensure_base(odoo)), ("with", template)):
        name = databases.run_name(f"count{kind}")
        databases.copy(odoo, source, name)
        if kind == "with":
            shell(odoo, name, "env['credit.policy'].create({'name': 'Old', 'active': False})")
        counts[kind] = shell(odoo, name, COUNT)
        databases.drop(odoo, name)

    # Core's own are now and then one more or less.
    more = [ours - core for ours, core in zip(counts["with"], counts["without"], strict=True)]
    assert max(more) <= 0, counts
