from odoo import api, fields, models

from ..engine.warning import Thresholds


class ResCompany(models.Model):
    """From where on a change of a customer is worth a warning."""

    _inherit = 'res.company'  # pylint: disable=consider-merging-classes-inherited

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
        # EXTENDS base: a branch is warned as its main company
        return [
            *super()._get_company_root_delegated_field_names(),
            'scoring_warn_score_drop',
            'scoring_warn_slower_days',
            'scoring_warn_silent_days',
            'scoring_warn_round_amount',
        ]

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
