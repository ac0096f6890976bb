from odoo import api, models
from odoo.exceptions import UserError


class CreditGrade(models.Model):
    _inherit = 'credit.grade'

    @api.ondelete(at_uninstall=False)
    def _unlink_except_scored(self):
        # Whether it is used, also by those whom the user does not see.
        for model in ('scoring.band', 'scoring.score', 'scoring.override'):
            if used := self.env[model].sudo().search([('grade_id', 'in', self.ids)], limit=1).grade_id:
                raise UserError(
                    self.env._(
                        "%(grade)s is used by scorecards or scores. Archive it instead.", grade=used.display_name
                    )
                )
