from odoo import fields, models


class CreditCheckLine(models.Model):
    _inherit = 'credit.check.line'

    kind = fields.Selection(
        selection_add=[('score_below', "Score below")], ondelete={'score_below': lambda lines: None}
    )

    def _describe_score_below(self):
        # Salespeople read this; the score itself is for analysts.
        if self.verdict == 'pass':
            return self.env._("The credit score is no reason to stop this.")
        return self.env._("The credit score is lower than the policy asks for.")
