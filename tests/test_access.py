"""What holds for every model of ours, whoever adds one: access rights, company rules, no door for the public."""

import pytest

from tools.ground import databases
from tools.ground.odoo import Odoo
from tools.ground.paths import addons

from .trade import shell

MODELS = """
modules = %r
ids = env['ir.model.data'].search([('module', 'in', modules), ('model', '=', 'ir.model')])
answer = {}
for model in env['ir.model'].browse(ids.mapped('res_id')):
    if model.model not in env:
        continue
    kind = env[model.model]
    own = [module for module in model.modules.split(', ')]
    if kind._abstract or not set(own) <= set(modules):
        continue
    access = env['ir.model.access'].search([('model_id', '=', model.id)])
    rules = env['ir.rule'].search([('model_id', '=', model.id)])
    company = kind._fields.get('company_id')
    for_companies = rules.filtered(lambda rule: not rule.groups and 'company_ids' in (rule.domain_force or ''))
    answer[model.model] = {
        'access': len(access),
        'for_all': access.filtered(lambda line: not line.group_id).mapped('name'),
        'public': [
            line.name
            for line in access
            if {'base.group_public', 'base.group_portal'} & set(line.group_id.get_external_id().values())
        ],
        'transient': kind._transient,
        'company': bool(company and company.type == 'many2one'),
        'company_rules': len(for_companies),
    }
"""


@pytest.fixture(scope="module")
def models(odoo: Odoo, template: str) -> dict[str, dict]:
    """Return what guards each of our models."""
    database = databases.run_name("access")
    databases.copy(odoo, template, database)
    try:
        return shell(odoo, database, MODELS % (addons(),))
    finally:
        databases.drop(odoo, database)


def test_there_are_models(models: dict[str, dict]) -> None:
    """Else the others prove nothing."""
    assert {"credit.account", "credit.event", "credit.limit"} <= models.keys()


def test_each_model_names_who_may_what(models: dict[str, dict]) -> None:
    """A model without access rights is nobody's, and its screens are empty for all but the system."""
    assert [name for name, facts in models.items() if not facts["access"]] == []


def test_no_right_is_everybodys(models: dict[str, dict]) -> None:
    """Neither an access right without a group nor one for visitors."""
    assert {name: facts["for_all"] for name, facts in models.items() if facts["for_all"]} == {}
    assert {name: facts["public"] for name, facts in models.items() if facts["public"]} == {}


def test_what_belongs_to_a_company_is_seen_there_only(models: dict[str, dict]) -> None:
    """Each stored model with a company has a rule for all users that asks for it."""
    lacking = [
        name
        for name, facts in models.items()
        if facts["company"] and not facts["transient"] and not facts["company_rules"]
    ]
    assert lacking == []
