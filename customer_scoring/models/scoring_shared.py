from odoo import fields, models
from odoo.exceptions import ValidationError


class ScoringShared(models.AbstractModel):
    """What is set up once, for one main company or for all."""

    _name = 'scoring.shared'
    _inherit = ['credit.root.company']
    _description = "Scoring Set-Up"

    company_id = fields.Many2one(
        required=False, default=None, help="The main company that uses it; empty: all companies."
    )
    active = fields.Boolean(default=True)

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
