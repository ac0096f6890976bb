from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'

    scoring_statement_months = fields.Integer(
        string="Statements Out of Date After (Months)",
        required=True,
        default=18,
        help="From the end of the period. Scores count no older statement. 0: statements don't get old.",
    )

    @api.model
    def _get_company_root_delegated_field_names(self):
        # EXTENDS base: a branch scores as its main company
        return [*super()._get_company_root_delegated_field_names(), 'scoring_statement_months']

    @api.constrains('scoring_statement_months')
    def _check_scoring_statement_months(self):
        if any(company.scoring_statement_months < 0 for company in self):
            raise ValidationError(self.env._("A statement can't be out of date before its period ends: 0 or more."))
