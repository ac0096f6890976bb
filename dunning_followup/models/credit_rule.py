from odoo import fields, models

from odoo.addons.credit_management.engine.verdict import evaluator


class CreditRule(models.Model):
    _inherit = 'credit.rule'

    kind = fields.Selection(
        selection_add=[('dunning_no_more_credit', "Reminded: no more credit")],
        ondelete={'dunning_no_more_credit': 'cascade'},
    )


@evaluator('dunning_no_more_credit')
def _dunning_no_more_credit(facts, rule):
    # Nothing is known of reminders where facts are made without a database.
    stopped = getattr(facts, 'dunning_stopped', 0)
    return stopped > 0, stopped, 0.0
