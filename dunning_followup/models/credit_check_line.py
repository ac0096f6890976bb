from odoo import fields, models


class CreditCheckLine(models.Model):
    _inherit = 'credit.check.line'

    kind = fields.Selection(
        selection_add=[('dunning_no_more_credit', "Reminded: no more credit")],
        # Checks are kept as they were, also without the add-on.
        ondelete={'dunning_no_more_credit': lambda lines: None},
    )

    def _describe_dunning_no_more_credit(self):
        if self.verdict == 'pass':
            return self.env._("No open item has reached a reminder after which there is no more credit.")
        return self.env._(
            "%(count)s open items have reached a reminder after which there is no more credit.",
            count=int(self.actual),
        )
