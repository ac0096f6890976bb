from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ScoringShared(models.AbstractModel):
    """What is set up once, for one main company or for all."""

    _name = 'scoring.shared'
    _description = "Scoring Set-Up"

    company_id = fields.Many2one(
        'res.company',
        index=True,
        domain="[('parent_id', '=', False)]",
        help="The main company that uses it; empty: all companies.",
    )
    active = fields.Boolean(default=True)

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

    def _check_serves(self, company):
        """Refuse what another company has set up for itself.

        :raise ValidationError: if one of these is not for this root company
        """
        for record in self:
            if record.company_id and record.company_id != company:
                raise ValidationError(
                    self.env._(
                        "%(record)s belongs to %(owner)s and can't be used in %(company)s.",
                        record=record.display_name,
                        owner=record.company_id.name,
                        company=company.name,
                    )
                )
