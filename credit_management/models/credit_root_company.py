from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CreditRootCompany(models.AbstractModel):
    """What is decided for a main company and holds for all its branches."""

    _name = 'credit.root.company'
    _description = "Credit Data of a Main Company"
    _check_company_auto = True

    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
        help="The main company; its branches are included.",
    )
    currency_id = fields.Many2one(related='company_id.currency_id')

    @api.constrains('company_id')
    def _check_root_company(self):
        for record in self:
            if record.company_id.parent_id:
                raise ValidationError(
                    self.env._(
                        "%(branch)s is a branch. Choose %(company)s: what is entered there holds for all its branches.",
                        branch=record.company_id.name,
                        company=record.company_id.root_id.name,
                    )
                )
