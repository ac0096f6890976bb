from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditGrade(models.Model):
    _inherit = 'credit.grade'

    default_percent = fields.Float(
        string="Defaults in a Year (%)",
        digits=(16, 2),
        help="Of 100 customers of this grade so many are expected not to pay within a year. With the margin that the "
        "policy states, it caps recommended limits. 0: not known.",
    )

    _default_percent_range = models.Constraint(
        'CHECK (default_percent >= 0 AND default_percent <= 100)', "Defaults are from 0 to 100 %."
    )

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
