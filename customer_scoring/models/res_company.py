from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.rhythm import MONTHLY, WEEKLY, last_due
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
    'scoring_report_rhythm',
    'scoring_report_weekday',
    'scoring_report_day',
    'scoring_report_since',
    'scoring_report_user_ids',
]
REPORT_GROUPS = ('credit_management.group_credit_analyst', 'credit_management.group_credit_auditor')
# With another of these, what was due before is not made up for.
REPORT_DAYS = ('scoring_report_rhythm', 'scoring_report_weekday', 'scoring_report_day')
WEEKDAYS = [
    ('0', "Monday"), ('1', "Tuesday"), ('2', "Wednesday"), ('3', "Thursday"), ('4', "Friday"), ('5', "Saturday"),
    ('6', "Sunday"),
]  # fmt: skip
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

    scoring_report_rhythm = fields.Selection(
        [('never', "Never"), (WEEKLY, "Each week"), (MONTHLY, "Each month")],
        string="Risk Report by Mail",
        required=True,
        default=MONTHLY,
        help="How often the risk report is made and mailed by itself. Credit managers make one at any time under "
        "Credit, Reporting, Risk Reports.",
    )
    scoring_report_weekday = fields.Selection(
        WEEKDAYS, string="Weekday of the Risk Report", required=True, default='0', help="Of the report of each week."
    )
    scoring_report_day = fields.Integer(
        string="Day of the Risk Report",
        required=True,
        default=1,
        help="Of the report of each month, 1 to 31. Shorter months have it on their last day.",
    )
    scoring_report_since = fields.Date(
        string="Risk Report Chosen On", readonly=True, help="Days before on which it would have been due don't count."
    )
    scoring_report_user_ids = fields.Many2many(
        'res.users',
        'scoring_report_company_user_rel',
        'company_id',
        'user_id',
        string="Risk Report To",
        help="Credit analysts, managers and auditors of the company who get the report by mail. Empty: all its credit "
        "managers.",
    )

    _scoring_report_day_range = models.Constraint(
        'CHECK (scoring_report_day BETWEEN 1 AND 31)', "The day of the month of the risk report is from 1 to 31."
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

    def write(self, vals):
        # EXTENDS base: a weekday chosen today is no reason to send what was due on it before
        changed = self.filtered(
            lambda company: any(name in vals and company[name] != vals[name] for name in REPORT_DAYS)
        )
        result = super().write(vals)
        for company in changed.filtered(lambda company: not company.parent_id):
            company.scoring_report_since = company._credit_today()
        return result

    def _scoring_report_due(self, today):
        """Return the last day up to today on which a risk report was to be mailed; None if there was none."""
        self.ensure_one()
        due = last_due(self.scoring_report_rhythm, int(self.scoring_report_weekday), self.scoring_report_day, today)
        since = self.scoring_report_since
        return None if due and since and due < since else due

    def _scoring_report_readers(self, users=None):
        """Return who gets the risk report by mail: those chosen who may read it, else the credit managers.

        :param users: those chosen, if they are not those of the company yet
        """
        self.ensure_one()
        users = self.scoring_report_user_ids if users is None else users
        if not users:
            return self._credit_managers()
        return users.sudo().filtered(
            lambda user: (
                user.active
                and not user.share
                and self in user.company_ids
                and any(user.has_group(group) for group in REPORT_GROUPS)
            )
        )

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
