from odoo import api, fields, models

from .scoring_fact import LEGAL_BASIS_LABELS


class ResCompany(models.Model):
    _inherit = 'res.company'  # pylint: disable=consider-merging-classes-inherited

    scoring_legal_basis = fields.Selection(
        LEGAL_BASIS_LABELS,
        string="Legal Basis of Scores",
        default='interest',
        required=True,
        help="What allows to score customers by your own books, by the law on data protection. Customers read it in "
        "the printed explanation. What is entered from outside states its own.",
    )

    @api.model
    def _get_company_root_delegated_field_names(self):
        # EXTENDS base: a branch has what its main company has
        return [*super()._get_company_root_delegated_field_names(), 'scoring_legal_basis']
