from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'  # pylint: disable=consider-merging-classes-inherited

    scoring_tolerance_days = fields.Integer(
        string="Days Still On Time",
        default=0,
        required=True,
        help="An invoice paid up to so many days after its due date counts as paid on time.",
    )
    scoring_bill_settlement = fields.Selection(
        [('hand_in', "When it is handed in"), ('maturity', "At its maturity")],
        string="A Bill Pays",
        default='hand_in',
        required=True,
        help="From which day on an invoice counts as paid that was paid by bill, note or cheque, for the scores.",
    )

    @api.model
    def _get_company_root_delegated_field_names(self):
        # EXTENDS base: a branch has what its main company has
        names = ('scoring_tolerance_days', 'scoring_bill_settlement')
        return [*super()._get_company_root_delegated_field_names(), *names]

    @api.constrains('scoring_tolerance_days')
    def _check_scoring_tolerance_days(self):
        if any(company.scoring_tolerance_days < 0 for company in self):
            raise ValidationError(self.env._("The days still on time can't be negative. 0 means none."))

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base: each main company has the cards that come with Odoo
        companies = super().create(vals_list)
        self.env['scoring.card'].sudo()._copy_standard(companies.filtered(lambda company: not company.parent_id))
        return companies
