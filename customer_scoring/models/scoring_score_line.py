from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang
from odoo.tools.date_utils import add

from odoo.addons.credit_management.models.credit_snapshot import KnownFloat

from ..engine.history import WINDOW_MONTHS
from ..engine.metric import LEDGER, METRICS
from .scoring_field import Pointer
from .scoring_score_ledger import EVENT_KINDS

OVERDUE = ('overdue_share', 'overdue_days')
OPEN = ('utilisation', 'open_months', 'concentration')
TRADE = (
    'customer_months', 'invoice_frequency', 'frequency_change', 'turnover_growth', 'amount_variation',
    'months_since_invoice',
)  # fmt: skip
# Which entered data is behind a metric: (model, field of the customer).
ENTERED = {
    **dict.fromkeys(
        (
            'altman_z', 'equity_ratio', 'current_ratio', 'cash_flow_ratio', 'interest_cover', 'return_on_sales',
            'turnover_growth_statement',
        ),
        'scoring.statement',
    ),
    'external_rating': 'scoring.rating',
    'questionnaire': 'scoring.answer',
}  # fmt: skip
# Which table says how risky the customer's industry or country is: (model, field of the customer).
RISKS = {
    'industry_risk': ('scoring.industry.risk', 'industry_id'),
    'country_risk': ('scoring.country.risk', 'country_id'),
}


class ScoringScoreLine(models.Model):
    """One characteristic of a score: the value, its points, and what it takes to get more."""

    _name = 'scoring.score.line'
    _inherit = ['scoring.kept']
    _description = "Characteristic of a Score"
    _order = 'score_id, stake, most desc, id'
    _log_access = False

    score_id = fields.Many2one('scoring.score', required=True, readonly=True, index=True, ondelete='cascade')
    company_id = Pointer('res.company', required=True, readonly=True, ondelete='cascade')
    account_id = fields.Many2one(related='score_id.account_id')
    date = fields.Date(related='score_id.date')
    characteristic_id = Pointer('scoring.characteristic', required=True, readonly=True, ondelete='restrict')
    metric = fields.Char(readonly=True)
    stake = fields.Boolean(string="Amount at Stake", readonly=True)
    value = KnownFloat(readonly=True, digits=(16, 4), aggregator='avg')
    bin_id = Pointer('scoring.bin', string="Range", readonly=True, ondelete='restrict')
    points = KnownFloat(readonly=True, digits=(16, 1), aggregator='avg')
    share = fields.Float(
        string="Gave", readonly=True, digits=(16, 2), aggregator='avg', help="Of the 100 points of the score."
    )
    most = fields.Float(string="Of", readonly=True, digits=(16, 2), aggregator='avg', help="What it can give at most.")
    lost = fields.Float(readonly=True, digits=(16, 2), aggregator='avg', help="What it could have given more.")
    percent = fields.Float(string="Reached", compute='_compute_percent', help="In percent of what it can give.")
    step_kind = fields.Selection(
        [
            ('on_time', "Further invoices paid on time"),
            ('pay', "Payment of what is overdue"),
            ('wait', "Time"),
            ('reach', "Another value"),
        ],
        string="It Takes",
        readonly=True,
    )
    step_bin_id = Pointer('scoring.bin', string="Next Better Range", readonly=True, ondelete='restrict')
    step_bound = fields.Float(string="Bound", readonly=True, digits=(16, 4), aggregator=None)
    step_number = fields.Float(string="Number", readonly=True, digits=(16, 2), aggregator=None)
    step_gain = fields.Float(string="Gain", readonly=True, digits=(16, 1), aggregator=None)
    step_score = fields.Float(string="Score Then", readonly=True, digits=(16, 1), aggregator=None)
    step_grade_id = Pointer('credit.grade', string="Grade Then", readonly=True, ondelete='restrict')
    known = fields.Boolean(compute='_compute_percent')
    has_documents = fields.Boolean(compute='_compute_has_documents')
    value_text = fields.Char(string="Found", compute='_compute_texts')
    # Texts, so that lists wrap them.
    points_text = fields.Text(
        string="In the Range",
        compute='_compute_texts',
        help="The range in which the value lies, and the points of the scorecard for it, before its weight.",
    )
    step_range_text = fields.Text(
        string="Next Better",
        compute='_compute_texts',
        help="The next range that gives more points, and those points.",
    )
    step_text = fields.Text(string="How To Get More", compute='_compute_texts')

    @api.depends('characteristic_id')
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.characteristic_id.display_name

    @api.depends('share', 'most', 'value')
    def _compute_percent(self):
        for line in self:
            line.known = line.value is not False
            line.percent = 100.0 * line.share / line.most if line.most else 0.0

    @api.depends('metric', 'value')
    def _compute_has_documents(self):
        for line in self:
            line.has_documents = line.value is not False and bool(line._documents_model())

    @api.depends('value', 'points', 'bin_id', 'step_bin_id', 'step_kind', 'step_bound', 'step_number', 'step_gain',
                 'step_grade_id')  # fmt: skip
    @api.depends_context('lang')
    def _compute_texts(self):
        for line in self:
            unit = line.characteristic_id.unit
            line.value_text = self.env._("not known") if line.value is False else line._number(line.value, unit)
            line.points_text = line._describe_points(line.bin_id, line.points)
            line.step_range_text = line._describe_points(line.step_bin_id, line.step_bin_id.points)
            line.step_text = line._describe_step(unit)

    def _number(self, value, unit):
        text = formatLang(self.env, value, digits=0 if value == int(value) else 1)
        return f'{text} {unit}' if unit else text

    def _describe_points(self, bin_, points):
        """Return a range and its points; without a range, the points that are given without a value."""
        if points is False or (not bin_ and not points):
            return False
        number = formatLang(self.env, points, digits=0 if points == int(points) else 1)
        if not bin_:
            return self.env._("without a value → %(points)s", points=number)
        return f'{bin_.range_text} → {number}'

    def _describe_step(self, unit):
        """Return what it takes to get into the next better range, and what that gives, in the reader's language."""
        self.ensure_one()
        if not self.step_kind:
            return False
        bound, metric = self._number(self.step_bound, unit), METRICS.get(self.metric)
        if self.step_kind == 'on_time' and self.step_number == 1:
            what = self.env._("Pay on time 1 more invoice")
        elif self.step_kind == 'on_time':
            what = self.env._("Pay on time %(number)s more invoices", number=int(self.step_number))
        elif self.step_kind == 'pay':
            what = self.env._(
                "Pay %(amount)s of what is overdue",
                amount=formatLang(self.env, self.step_number, currency_obj=self.company_id.currency_id),
            )
        elif self.step_kind == 'wait':
            what = self.env._("Improves as older events drop out")
        elif self.characteristic_id.kind == 'value' or not metric or metric.higher_is_better:
            what = self.env._("Reach %(value)s", value=bound)
        else:
            what = self.env._("Get below %(value)s", value=bound)
        if self.stake or not self.step_grade_id:
            return self.env._("%(what)s: %(gain)s", what=what, gain=f'{self.step_gain:+.1f}')
        return self.env._(
            "%(what)s: %(gain)s, grade %(grade)s",
            what=what,
            gain=f'{self.step_gain:+.1f}',
            grade=self.step_grade_id.code,
        )

    # -------------------------------------------------------------------------
    # Documents
    # -------------------------------------------------------------------------

    def action_view_documents(self):
        """Open the documents behind the value, as they are now: invoices, open items, events or entered data.

        :raise UserError: if the metric has none
        """
        self.ensure_one()
        self.check_access('read')
        score, code = self.score_id, self.metric
        model, domain = self._documents(score.account_id, score.date)
        if model not in self.env:
            raise UserError(self.env._("There are no documents behind this value."))
        return {
            'type': 'ir.actions.act_window',
            'name': self.display_name,
            'res_model': model,
            'view_mode': 'list,form',
            'views': [(False, 'list'), (False, 'form')],
            'domain': domain,
            'context': {'create': False, 'scoring_metric': code},
        }

    def _documents_model(self):
        """Return the model of what is behind the value; '' where there is nothing to open."""
        self.ensure_one()
        code = self.metric or ''
        if code in EVENT_KINDS:
            return 'credit.event'
        if code in TRADE:
            return 'account.move'
        if code.startswith('factor:') or code == 'years_in_business':
            return 'scoring.factor'
        if code in RISKS:
            return RISKS[code][0]
        if code in ENTERED:
            return ENTERED[code]
        return 'account.move.line' if code in METRICS and METRICS[code].source == LEDGER else ''

    def _documents(self, account, date):
        """Return (model, domain) of what is behind the value; a model that is not there for none."""
        self.ensure_one()
        code, company = self.metric, account.company_id
        partners = [
            ('partner_id.commercial_partner_id', '=', account.partner_id.id),
            ('company_id', 'child_of', company.id),
        ]
        window = fields.Date.to_string(add(date, months=-WINDOW_MONTHS))
        if code in EVENT_KINDS:
            return 'credit.event', [
                ('account_id', 'in', account._file_accounts().ids),
                ('kind', 'in', EVENT_KINDS[code]),
                ('date', '>', fields.Date.to_string(add(date, months=-12))),
            ]
        if code in TRADE:
            return 'account.move', [
                *partners,
                ('move_type', 'in', ('out_invoice', 'out_receipt', 'out_refund')),
                ('state', '=', 'posted'),
                ('date', '>', window),
                ('date', '<=', fields.Date.to_string(date)),
            ]
        of_customer = [('partner_id', '=', account.partner_id.id), ('company_id', '=', company.id)]
        if code.startswith('factor:') or code == 'years_in_business':
            factor = 'founded' if code == 'years_in_business' else code[7:]
            return 'scoring.factor', [*of_customer, ('type_id.code', '=', factor)]
        if code in RISKS:
            model, field = RISKS[code]
            # Of a partner whose industry or country anybody who reads the score may know.
            own = account.sudo().partner_id[field].id
            return model, [(field, '=', own), ('company_id', '=', company.id), ('date', '<=', date)]
        if code in ENTERED:
            return ENTERED[code], of_customer
        if not self._documents_model():
            return '', []
        # The company's configuration says which accounts count; the lines are read with the user's rights.
        account_ids = self.env['credit.ledger.account'].sudo()._item_account_ids(company.sudo())
        items = [*partners, ('parent_state', '=', 'posted'), ('account_id', 'in', account_ids)]
        if code in OVERDUE:
            due = fields.Date.to_string(date)
            return 'account.move.line', [*items, ('reconciled', '=', False), ('date_maturity', '<', due)]
        if code in OPEN:
            return 'account.move.line', [*items, ('reconciled', '=', False)]
        return 'account.move.line', [
            *items,
            ('move_id.move_type', 'in', ('out_invoice', 'out_receipt')),
            ('date_maturity', '>', window),
            ('date', '<=', fields.Date.to_string(date)),
        ]
