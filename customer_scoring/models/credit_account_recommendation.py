from odoo import fields, models
from odoo.exceptions import UserError


class CreditAccount(models.Model):
    """What limit is recommended for a customer."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    recommendation_ids = fields.One2many(
        'scoring.recommendation',
        'account_id',
        string="Recommended Limits",
        groups='credit_management.group_credit_analyst,credit_management.group_credit_auditor',
    )

    def action_recommend_limit(self):
        """Compute the recommended limit of today and show how it comes about; for analysts and credit managers.

        :raise AccessError: if the user may not write the account
        """
        self.ensure_one()
        self.check_access('write')
        if not self.active:
            raise UserError(self.env._("This account is in the archive; nothing is decided on it any more."))
        # Recommendations are nobody's to write.
        recommendation = self.env['scoring.recommendation'].sudo()._recommend(self.sudo())
        return recommendation.sudo(False).get_formview_action()
