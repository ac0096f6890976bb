from dataclasses import dataclass

from odoo import api, models

from odoo.addons.credit_management.engine.facts import Facts


@dataclass(frozen=True)
class DunningFacts(Facts):
    """With the number of open items that have reached a step after which there is no more credit."""

    dunning_stopped: int = 0


class CreditCheck(models.Model):
    _inherit = 'credit.check'

    @api.model
    def _facts(self, row, graces, company, ordered=0.0, **values):
        # EXTENDS credit_management
        facts = super()._facts(row, graces, company, ordered, **values)
        return DunningFacts(**vars(facts), dunning_stopped=row.get('dunning_stopped', 0))
