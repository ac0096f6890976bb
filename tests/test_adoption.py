"""Core's credit limits before, with, and after the add-ons: taken over, mirrored, left behind, found again."""

import json
import os
import time
from typing import Any

import pytest

from tools.ground import databases, logcheck
from tools.ground.odoo import Odoo
from tools.ground.paths import addons

from .trade import shell

# A large company's: CREDIT_ADOPTION_N=20000, see CONTRIBUTING.md.
MANY = int(os.environ.get("CREDIT_ADOPTION_N", "1000"))

# Core's credit limits in use: one company with a default and a branch, one
# without a default, one where the alert is off.
CORE = f"""
from odoo.tools import SQL

main = env.company
main.account_use_credit_limit = True
env['ir.default'].set('res.partner', 'credit_limit', 1000.0, company_id=main.id)
branch = env['res.company'].create({{'name': 'Branch', 'parent_id': main.id}})
plain = env['res.company'].create({{'name': 'Plain', 'account_use_credit_limit': True}})
off = env['res.company'].create({{'name': 'Off'}})
names = ('amount', 'free', 'undecided', 'differing', 'branch_only')
customers = dict(zip(names, env['res.partner'].create([{{'name': name, 'is_company': True}} for name in names])))
contact = env['res.partner'].create({{'name': 'Contact', 'parent_id': customers['amount'].id}})


def write(name, company, number):
    customers[name].with_company(company).credit_limit = number


write('amount', main, 5000)
write('amount', plain, 70)
write('amount', off, 80)
write('free', main, 0)
write('differing', main, 600)
write('differing', branch, 700)
write('branch_only', branch, 900)
env.flush_all()
env.execute_query(SQL(
    '''INSERT INTO res_partner
            SELECT made.*
              FROM res_partner partner, generate_series(1, {MANY}) AS n,
                   LATERAL (SELECT nextval('res_partner_id_seq') AS next WHERE n > 0) AS sequence,
                   jsonb_populate_record(partner, jsonb_build_object(
                       'id', next, 'commercial_partner_id', next, 'name', 'Customer ' || n,
                       'credit_limit', jsonb_build_object(%s, 2000 + n %% 50))) AS made
             WHERE partner.id = %s RETURNING id''', str(main.id), customers['undecided'].id))
answer = {{
    'company': {{'main': main.id, 'branch': branch.id, 'plain': plain.id, 'off': off.id}},
    'customer': {{name: customer.id for name, customer in customers.items()}},
    'contact': contact.id,
}}
"""  # noqa: S608
LIMITS = """
limits = env['credit.limit'].search([('state', 'in', ('draft', 'submitted', 'approved'))], order='id')
policies = env['credit.policy'].search([])
answer = {
    'limits': [
        [limit.partner_id.id, limit.company_id.id, limit.state, limit.limit_kind, limit.amount, limit.origin]
        for limit in limits
    ],
    'reasons': {limit.partner_id.id: limit.reason for limit in limits if limit.reason},
    'accounts': env['credit.account'].with_context(active_test=False).search_count([]),
    'events': env['credit.event'].search_count([]),
    'policies': [
        [policy.company_id.id, policy.mode, policy.default_limit_kind, policy.default_limit_amount]
        for policy in policies
    ],
    'switches': {company.id: company.account_use_credit_limit for company in env['res.company'].search([])},
}
"""
NUMBERS = "SELECT id, credit_limit FROM res_partner WHERE credit_limit IS NOT NULL"
DEFAULTS = (
    "SELECT d.company_id, d.json_value FROM ir_default d JOIN ir_model_fields f ON f.id = d.field_id "
    "WHERE f.model = 'res.partner' AND f.name = 'credit_limit'"
)


def numbers(odoo: Odoo, database: str) -> dict[int, dict[int, float]]:
    """Return core's numbers: {partner id: {company id: number}}."""
    rows = databases.query(odoo, database, NUMBERS)
    return {partner: {int(company): number for company, number in value.items()} for partner, value in rows}


def defaults(odoo: Odoo, database: str) -> dict[int, float]:
    """Return core's default limits by company."""
    return {company: json.loads(value) for company, value in databases.query(odoo, database, DEFAULTS)}


def run(odoo: Odoo, *args: str, log: str) -> float:
    """Run Odoo to its end and return the seconds; a warning in the log fails the test."""
    start = time.monotonic()
    output = odoo.run(*args, log=log)
    assert [logcheck.describe(problem) for problem in logcheck.problems(output)] == []
    return time.monotonic() - start


def install(odoo: Odoo, database: str) -> float:
    """Install our add-ons."""
    names = ",".join(addons())
    return run(odoo, "-d", database, "-i", names, "--stop-after-init", "--no-http", log="e2e-adoption-install")


@pytest.fixture(scope="module")
def company(odoo: Odoo, template: str):
    """Return a database where core's credit limits are in use, and the ids of what is in it."""
    name = databases.run_name("adoption")
    databases.copy(odoo, databases.ensure_base(odoo), name)
    yield name, shell(odoo, name, CORE)
    databases.drop(odoo, name)


@pytest.mark.timeout(1800)  # two installations, an uninstallation, 20 000 customers
def test_take_over_mirror_uninstall_and_install_again(odoo: Odoo, company: tuple[str, dict[str, Any]]) -> None:
    """One after the other on one database, because each starts from what the one before left."""
    database, made = company
    ids, who = made["company"], made["customer"]
    before = numbers(odoo, database)
    many = {partner: found for partner, found in before.items() if partner > max(*who.values(), made["contact"])}
    assert len(many) == MANY

    seconds = install(odoo, database)
    print(f"\nInstalled beside {MANY} limits in {seconds:.0f} s")  # noqa: T201

    taken = shell(odoo, database, LIMITS)
    limits = {(partner, company): rest for partner, company, *rest in taken["limits"]}
    main, plain, off, branch = (ids[name] for name in ("main", "plain", "off", "branch"))
    assert len(limits) == len(taken["limits"]) == MANY + 6
    assert limits[who["amount"], main] == ["approved", "amount", 5000, "core"]
    assert limits[who["amount"], plain] == ["approved", "amount", 70, "core"]
    assert limits[who["amount"], off] == ["draft", "amount", 80, "core"]
    assert limits[who["free"], main] == ["approved", "unlimited", 0, "core"]
    assert limits[who["differing"], main] == ["approved", "amount", 600, "core"]
    assert limits[who["branch_only"], main] == ["draft", "amount", 900, "core"]
    assert (who["undecided"], main) not in limits
    assert "700" in taken["reasons"][str(who["differing"])]
    for partner, found in many.items():
        assert limits[partner, main] == ["approved", "amount", found[main], "core"]
    assert taken["events"] == MANY + 6
    assert taken["policies"] == [[main, "shadow", "amount", 1000]]
    assert taken["switches"][str(off)] is False

    # The main company's numbers are its branches' now; drafts keep theirs.
    mirrored = numbers(odoo, database)
    assert mirrored[who["amount"]] == {main: 5000, branch: 5000, plain: 70, off: 80}
    assert mirrored[made["contact"]] == mirrored[who["amount"]]
    assert mirrored[who["free"]] == {main: 0, branch: 0}
    assert mirrored[who["differing"]] == {main: 600, branch: 600}
    assert mirrored[who["branch_only"]] == {branch: 900}
    assert who["undecided"] not in mirrored
    assert defaults(odoo, database) == {main: 1000, branch: 1000}

    # Both ways: decided here, written there.
    change = f"""
partners = env['res.partner'].browse({list(many)[:50]})
partners.credit_limit = 99999
account = env['credit.account'].search([('partner_id', '=', {who['free']}), ('company_id', '=', {main})])
limit = env['credit.limit'].create({{'account_id': account.id, 'amount': 0}})
limit.action_submit()
limit.action_approve()
env['ir.default'].set('res.partner', 'credit_limit', 88888, company_id={main})
env.company.credit_policy_id.default_limit_amount = 1500
answer = [partners[0].credit_limit, env['res.partner'].browse({who['free']}).credit_limit]
"""
    first = next(iter(many))
    assert shell(odoo, database, change) == [many[first][main], pytest.approx(0.01)]
    mirrored = numbers(odoo, database)
    for partner, found in many.items():
        assert mirrored[partner] == {main: found[main], branch: found[main]}
    assert defaults(odoo, database) == {main: 1500, branch: 1500}
    with_ours = shell(odoo, database, LIMITS)

    run(odoo, "module", "uninstall", "-d", database, *addons(), log="e2e-adoption-uninstall")

    assert numbers(odoo, database) == mirrored
    assert defaults(odoo, database) == {main: 1500, branch: 1500}

    print(f"Installed again in {install(odoo, database):.0f} s")  # noqa: T201

    again = shell(odoo, database, LIMITS)

    def decided(state: dict[str, Any]) -> list[list]:
        return sorted(limit[:5] for limit in state["limits"] if limit[2] == "approved")

    assert decided(again) == decided(with_ours)
    assert [limit[:5] for limit in again["limits"] if limit[2] == "draft" and limit[1] == off] == [
        [who["amount"], off, "draft", "amount", 80]
    ]
    assert again["accounts"] == MANY + 6
    assert again["policies"] == [[main, "shadow", "amount", 1500]]
    assert numbers(odoo, database) == mirrored


def test_upgrade_from_the_first_version_takes_over(odoo: Odoo, template: str) -> None:
    """19.0.1.0.0 left core's limits where they were."""
    database = databases.run_name("adoptionupgrade")
    databases.copy(odoo, template, database)
    prepared = """
main = env.company
main.account_use_credit_limit = True
old, decided = env['res.partner'].create([{'name': 'Old'}, {'name': 'Decided'}])
account = env['credit.account']._for_partners(decided, main)
limit = env['credit.limit'].create({'account_id': account.id, 'amount': 300})
limit.action_submit()
limit.action_approve()
env['ir.cron'].search([('cron_name', 'ilike', 'credit limits of contacts')]).unlink()
answer = [old.id, decided.id, main.id]
"""
    old, decided, main = shell(odoo, database, prepared)
    for partner in (old, decided):
        below = f"UPDATE res_partner SET credit_limit = '{{\"{main}\": 5000}}' WHERE id = {partner} RETURNING id"  # noqa: S608
        databases.query(odoo, database, below)
    databases.query(
        odoo,
        database,
        "UPDATE ir_module_module SET latest_version = '19.0.1.0.0' WHERE name = 'credit_management' RETURNING id",
    )

    run(odoo, "-d", database, "-u", "credit_management", "--stop-after-init", "--no-http", log="e2e-adoption-upgrade")

    taken = shell(odoo, database, LIMITS)
    limits = {partner: rest for partner, _company, *rest in taken["limits"]}
    assert limits == {old: ["approved", "amount", 5000, "core"], decided: ["approved", "amount", 300, "manual"]}
    assert numbers(odoo, database) == {old: {main: 5000}, decided: {main: 300}}
    assert shell(odoo, database, "answer = env.ref('credit_management.ir_cron_mirror_limits').active") is True
    databases.drop(odoo, database)
