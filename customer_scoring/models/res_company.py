from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.warning import Thresholds
from .scoring_fact import LEGAL_BASIS_LABELS

# A branch scores and is warned as its main company.
SETTINGS = [
    'scoring_legal_basis',
    'scoring_tolerance_days',
    'scoring_bill_settlement',
    'scoring_statement_months',
    'scoring_warn_score_drop',
    'scoring_warn_slower_days',
    'scoring_warn_silent_days',
    'scoring_warn_round_amount',
]
BILL_SETTLEMENTS = [('hand_in', "When it is handed in"), ('maturity', "At its maturity")]


class ResCompany(models.Model):
    """What counts for the scores, and from where on a change of a customer is worth a warning."""

    _inherit = 'res.company'

    scoring_legal_basis = fields.Selection(
        LEGAL_BASIS_LABELS,
        string="Legal Basis of Scores",
        default='interest',
        required=True,
        help="What allows to score customers by your own books, by the law on data protection. Customers read it in "
        "the printed explanation. What is entered from outside states its own.",
    )
    scoring_tolerance_days = fields.Integer(
        string="Days Still On Time",
        default=0,
        required=True,
        help="An invoice paid up to so many days after its due date counts as paid on time.",
    )
    scoring_bill_settlement = fields.Selection(
        BILL_SETTLEMENTS,
        string="A Bill Pays",
        default='hand_in',
        required=True,
        help="From which day on an invoice counts as paid that was paid by bill, note or cheque, for the scores. A "
        "kind of bills may differ: it is chosen at its account among the ledger accounts.",
    )
    scoring_statement_months = fields.Integer(
        string="Statements Out of Date After (Months)",
        required=True,
        default=18,
        help="From the end of the period. Scores count no older statement. 0: statements don't get old.",
    )
    scoring_warn_score_drop = fields.Float(
        string="Score Drop",
        digits=(16, 1),
        required=True,
        default=Thresholds.score_drop,
        help="Warn if a score is lower by so many points than three months before.",
    )
    scoring_warn_slower_days = fields.Float(
        string="Slower by Days",
        digits=(16, 1),
        required=True,
        default=Thresholds.slower_days,
        help="Warn if the last three items were paid so many days later than the customer's own habit.",
    )
    scoring_warn_silent_days = fields.Integer(
        string="Silent for Days",
        required=True,
        default=Thresholds.silent_days,
        help="Warn if a customer who owes has bought nothing for so many days, and for three times as long as usual.",
    )
    scoring_warn_round_amount = fields.Monetary(
        string="Round Amount",
        required=True,
        default=Thresholds.round_amount,
        help="Part payments in multiples of this amount are taken as round.",
    )

    _scoring_warn_positive = models.Constraint(
        'CHECK (scoring_warn_score_drop > 0 AND scoring_warn_slower_days > 0 AND scoring_warn_silent_days > 0'
        ' AND scoring_warn_round_amount > 0)',
        "The thresholds of early warnings have to be more than 0.",
    )

    @api.model
    def _get_company_root_delegated_field_names(self):
        # EXTENDS base
        return [*super()._get_company_root_delegated_field_names(), *SETTINGS]

    @api.constrains('scoring_statement_months')
    def _check_scoring_statement_months(self):
        if any(company.scoring_statement_months < 0 for company in self):
            raise ValidationError(self.env._("A statement can't be out of date before its period ends: 0 or more."))

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

    def _scoring_thresholds(self):
        """Return the engine's thresholds of this company."""
        self.ensure_one()
        return Thresholds(
            score_drop=self.scoring_warn_score_drop,
            slower_days=self.scoring_warn_slower_days,
            silent_days=self.scoring_warn_silent_days,
            round_amount=self.scoring_warn_round_amount,
            statement_months=self.scoring_statement_months,
        )
