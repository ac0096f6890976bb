from odoo import models
from odoo.exceptions import UserError


class CreditAccount(models.Model):
    """The explanation of the last score, for the customer."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    def action_print_explanation(self):
        """Print what explains the last scores to these customers, each in its language.

        :raise AccessError: if the user is neither credit analyst, manager nor auditor
        :raise UserError: if a customer has no score
        """
        self.env['scoring.score']._check_may_explain()
        self.check_access('read')
        if missing := self.filtered(lambda account: not account.score_id):
            raise UserError(
                self.env._(
                    "%(customer)s has no score that could be explained. Choose Compute Now first.",
                    customer=missing[0].partner_id.display_name,
                )
            )
        return self.score_id.action_print_explanation()
