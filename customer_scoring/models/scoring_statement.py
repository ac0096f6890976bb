from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, format_list, formatLang

from ..engine import statement as engine
from .scoring_field import EnteredFloat, EnteredMonetary, known

ZONE_LABELS = [('distress', "Distress"), ('grey', "Grey"), ('safe', "Safe")]
# Between the ends of two statements that are compared as one year and the next.
YEAR_FROM, YEAR_TO = relativedelta(months=9), relativedelta(months=15)
RATIOS = ('altman_z', 'equity_ratio', 'current_ratio', 'cash_flow_ratio', 'interest_cover', 'return_on_sales')
LEFT_OPEN = "Leave it open if the statement doesn't say: what is open is not taken for 0."


class ScoringStatement(models.Model):
    """A customer's financial statement, and the ratios that it yields."""

    _name = 'scoring.statement'
    _inherit = ['scoring.fact']
    _description = "Financial Statement"
    _order = 'period_end desc, id desc'
    _event_key = 'statement_id'
    _event_kinds = {
        'entered': 'statement_entered',
        'changed': 'statement_changed',
        'withdrawn': 'statement_withdrawn',
    }
    _content_fields = (
        'period_end', 'months', 'currency_id', 'source', 'audited', 'consolidated', 'date_received', 'unit', 'purpose',
        'legal_basis',
        *engine.LINES,
    )  # fmt: skip

    current_id = fields.Many2one('scoring.statement', readonly=True, copy=False, index='btree_not_null')
    period_end = fields.Date(required=True, index=True, help="Last day of the year or period.")
    months = fields.Integer(
        string="Months Covered",
        required=True,
        default=12,
        aggregator=None,
        help="Income and cash flow of another period than 12 months are taken as if for a year where they meet the "
        "balance sheet.",
    )
    currency_id = fields.Many2one(
        'res.currency',
        required=True,
        related=None,
        readonly=False,
        store=True,
        default=lambda self: self.env.company.root_id.currency_id,
        help="In which the statement is drawn up; all its amounts.",
    )
    source = fields.Selection(
        [
            ('customer', "From the customer"),
            ('register', "Public register"),
            ('agency', "Credit agency"),
            ('other', "Elsewhere"),
        ],
        required=True,
        default='customer',
    )
    audited = fields.Boolean(help="Examined by an auditor.")
    consolidated = fields.Boolean(
        help="Of the customer's group. Where both are known, scores count the customer's own statement, because the "
        "customer owes, not its group."
    )
    date_received = fields.Date(string="Received On")
    unit = fields.Selection(
        [('1', "Units"), ('1000', "Thousands"), ('1000000', "Millions")],
        string="Rounded To",
        required=True,
        default='1',
        help="How far the statement's own figures are rounded. Totals may be off by that. Enter the amounts in full.",
    )
    note = fields.Text()

    non_current_assets = EnteredMonetary(string="Non-Current Assets", help=LEFT_OPEN)
    inventory = EnteredMonetary(help=LEFT_OPEN)
    receivables = EnteredMonetary(string="Trade Receivables", help=LEFT_OPEN)
    cash = EnteredMonetary(string="Cash and Bank", help=LEFT_OPEN)
    current_assets = EnteredMonetary(string="Total Current Assets", help=LEFT_OPEN)
    total_assets = EnteredMonetary(help=LEFT_OPEN)
    paid_in_capital = EnteredMonetary(string="Paid-In Capital", help=LEFT_OPEN)
    retained_earnings = EnteredMonetary(help=LEFT_OPEN)
    equity = EnteredMonetary(string="Total Equity", help=LEFT_OPEN)
    non_current_liabilities = EnteredMonetary(string="Non-Current Liabilities", help=LEFT_OPEN)
    payables = EnteredMonetary(string="Trade Payables", help=LEFT_OPEN)
    short_term_debt = EnteredMonetary(string="Short-Term Debt", help=LEFT_OPEN)
    current_liabilities = EnteredMonetary(string="Total Current Liabilities", help=LEFT_OPEN)
    total_liabilities = EnteredMonetary(help=LEFT_OPEN)
    revenue = EnteredMonetary(help=LEFT_OPEN)
    cost_of_sales = EnteredMonetary(string="Cost of Sales", help="As a positive amount. " + LEFT_OPEN)
    gross_profit = EnteredMonetary(help=LEFT_OPEN)
    depreciation = EnteredMonetary(string="Depreciation and Amortisation", help="As a positive amount. " + LEFT_OPEN)
    ebit = EnteredMonetary(string="EBIT", help="Earnings before interest and taxes. " + LEFT_OPEN)
    interest_expense = EnteredMonetary(help="As a positive amount. " + LEFT_OPEN)
    profit_before_tax = EnteredMonetary(string="Profit before Tax", help=LEFT_OPEN)
    net_profit = EnteredMonetary(help=LEFT_OPEN)
    cash_flow_operating = EnteredMonetary(string="Operating Cash Flow", help=LEFT_OPEN)
    cash_flow_investing = EnteredMonetary(string="Investing Cash Flow", help=LEFT_OPEN)
    cash_flow_financing = EnteredMonetary(string="Financing Cash Flow", help=LEFT_OPEN)
    cash_change = EnteredMonetary(string="Change in Cash", help=LEFT_OPEN)

    altman_z = EnteredFloat(
        string="Altman Z″",
        digits=(16, 2),
        compute='_compute_ratios',
        store=True,
        aggregator='avg',
        help="6.56 working capital ÷ assets + 3.26 retained earnings ÷ assets + 6.72 EBIT ÷ assets + 1.05 equity ÷ "
        "liabilities (Altman 1993, for firms that are no listed manufacturers). Below 1.10 distress, above 2.60 safe, "
        "between them grey. One figure among others, no verdict.",
    )
    altman_z_emerging = EnteredFloat(
        string="Z″, Emerging Markets",
        digits=(16, 2),
        compute='_compute_altman_z_emerging',
        aggregator='avg',
        help="Z″ + 3.25 (Altman, Hartzell and Peck 1995). The zones move with it: below 4.35 distress, above 5.85 "
        "safe.",
    )
    altman_zone = fields.Selection(ZONE_LABELS, string="Zone", compute='_compute_ratios', store=True)
    equity_ratio = EnteredFloat(
        string="Equity Ratio (%)",
        digits=(16, 1),
        compute='_compute_ratios',
        store=True,
        aggregator='avg',
        help="Equity ÷ total assets.",
    )
    current_ratio = EnteredFloat(
        digits=(16, 2),
        compute='_compute_ratios',
        store=True,
        aggregator='avg',
        help="Current assets ÷ current liabilities; 99 at most.",
    )
    cash_flow_ratio = EnteredFloat(
        digits=(16, 2),
        compute='_compute_ratios',
        store=True,
        aggregator='avg',
        help="Operating cash flow of a year ÷ current liabilities; 99 at most.",
    )
    interest_cover = EnteredFloat(
        digits=(16, 2),
        compute='_compute_ratios',
        store=True,
        aggregator='avg',
        help="EBIT ÷ interest expense; 99 at most, also where no interest is paid.",
    )
    return_on_sales = EnteredFloat(
        string="Return on Sales (%)",
        digits=(16, 1),
        compute='_compute_ratios',
        store=True,
        aggregator='avg',
        help="Net profit ÷ revenue.",
    )
    previous_id = fields.Many2one('scoring.statement', string="Year Before", compute='_compute_previous')
    turnover_growth = EnteredFloat(
        string="Turnover Growth (%)",
        digits=(16, 1),
        compute='_compute_previous',
        aggregator=None,
        help="Revenue of a year against the year before, if both are in the same currency.",
    )
    comparison = fields.Html(string="Compared with the Year Before", compute='_compute_comparison', sanitize=False)
    warning = fields.Text(compute='_compute_warning', help="What does not add up.")
    out_of_date = fields.Boolean(
        string="Out of Date",
        compute='_compute_out_of_date',
        search='_search_out_of_date',
        help="The customer's latest statement is older than the company's settings allow; scores don't count it.",
    )

    _months_range = models.Constraint('CHECK (months BETWEEN 1 AND 24)', "A statement covers 1 to 24 months.")

    # -------------------------------------------------------------------------
    # Figures
    # -------------------------------------------------------------------------

    def _engine_statement(self):
        """Return this statement for the engine."""
        self.ensure_one()
        # While a form is filled in, months may be out of range for a moment.
        return engine.Statement(max(self.months, 1), *(known(self[name]) for name in engine.LINES))

    @api.depends('months', *engine.LINES)
    def _compute_ratios(self):
        for statement in self:
            values = engine.ratios(statement._engine_statement())
            statement.update({name: False if value is None else value for name, value in values.items()})
            statement.altman_zone = engine.zone(values['altman_z']) or False

    @api.depends('altman_z')
    def _compute_altman_z_emerging(self):
        for statement in self:
            z = statement.altman_z
            statement.altman_z_emerging = z if z is False else z + engine.EMERGING

    @api.depends('unit', *engine.LINES)
    @api.depends_context('lang')
    def _compute_warning(self):
        labels = {name: values['string'] for name, values in self.fields_get(engine.LINES, ['string']).items()}
        for statement in self:
            found = engine.differences(statement._engine_statement(), float(statement.unit or 1))
            statement.warning = '\n'.join(statement._difference_text(each, labels) for each in found) or False

    def _difference_text(self, difference, labels):
        check = difference.check
        values = {
            'parts': format_list(self.env, [labels[name] for name in check.parts]),
            'total': labels[check.total],
            'parts_amount': self._amount_text(difference.parts),
            'total_amount': self._amount_text(difference.total),
            'difference': self._amount_text(abs(difference.amount)),
        }
        if check.at_most:
            return self.env._(
                "%(parts)s make %(parts_amount)s, more than %(total)s of %(total_amount)s: %(difference)s too much.",
                **values,
            )
        return self.env._(
            "%(parts)s make %(parts_amount)s, but %(total)s is %(total_amount)s: a difference of %(difference)s.",
            **values,
        )

    def _amount_text(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id or self.company_id.currency_id)

    # -------------------------------------------------------------------------
    # The year before, and how old
    # -------------------------------------------------------------------------

    @api.depends('partner_id', 'company_id', 'period_end', 'consolidated', 'currency_id', 'revenue', 'months')
    def _compute_previous(self):
        # Thousands at once where warnings are looked for: each is compared with those of its customer only.
        others = self.search([('partner_id', 'in', self.partner_id._origin.ids)]).grouped(
            lambda other: (other.partner_id, other.company_id, other.consolidated)
        )
        for statement in self:
            previous = self.browse()
            if statement.period_end:
                key = (statement.partner_id._origin, statement.company_id._origin, statement.consolidated)
                fitting = others.get(key, previous).filtered(
                    lambda other, statement=statement: (
                        other != statement._origin and is_year_before(other.period_end, statement.period_end)
                    )
                )
                previous = fitting.sorted(lambda other: (other.audited, other.id))[-1:]
            statement.previous_id = previous
            growth = None
            if previous and previous.currency_id == statement.currency_id:
                growth = engine.growth(
                    statement._engine_statement().a_year('revenue'), previous._engine_statement().a_year('revenue')
                )
            statement.turnover_growth = False if growth is None else growth

    @api.depends('previous_id', *engine.LINES)
    @api.depends_context('lang')
    def _compute_comparison(self):
        names = [*engine.LINES, *RATIOS]
        labels = {name: values['string'] for name, values in self.fields_get(names, ['string']).items()}
        for statement in self:
            previous = statement.previous_id
            if not previous:
                statement.comparison = False
                continue
            statement.comparison = self.env['ir.qweb']._render(
                'customer_scoring.statement_comparison',
                {
                    'now': statement,
                    'before': previous,
                    'rows': [statement._comparison_row(previous, name, labels[name]) for name in names],
                },
            )

    def _comparison_row(self, previous, name, label):
        """Return the texts of one line: this year's, last year's, and the change in percent or points."""
        money = name in engine.LINES

        def text(statement):
            value = statement[name]
            if value is False:
                return Markup('–')
            return statement._amount_text(value) if money else formatLang(self.env, value, digits=2)

        now, before = known(self[name]), known(previous[name])
        same = not money or previous.currency_id == self.currency_id
        change = None
        if same and now is not None and before is not None:
            change = engine.growth(now, before) if money else now - before
        sign = '+' if change and change > 0 else ''
        return {
            'label': label,
            'now': text(self),
            'before': text(previous),
            'change': ''
            if change is None
            else f'{sign}{formatLang(self.env, change, digits=1)}{" %" if money else ""}',
        }

    @api.model
    def _oldest_end(self, company, date):
        """Return the earliest end of a period that is not out of date on a day; None for no such limit."""
        months = company.sudo().scoring_statement_months
        return date - relativedelta(months=months) if months else None

    @api.model
    def _latest(self, partner_ids, company, oldest=None):
        """Return the last statement of each of these customers that has one: its own before its group's.

        :param oldest: none whose period ended before this day
        """
        domain = [('company_id', '=', company.id), ('partner_id', 'in', partner_ids)]
        if oldest:
            domain.append(('period_end', '>=', oldest))
        found = self.search(domain, order='period_end DESC, consolidated, audited DESC, id DESC')
        return self.browse().union(*(own[0] for own in found.grouped('partner_id').values()))

    @api.depends('partner_id', 'period_end')
    @api.depends_context('allowed_company_ids')
    def _compute_out_of_date(self):
        old = set(self._out_of_date_ids())
        for statement in self:
            statement.out_of_date = statement._origin.id in old

    def _search_out_of_date(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return [('id', 'in' if True in value else 'not in', self._out_of_date_ids())]

    @api.model
    def _out_of_date_ids(self):
        """Return the ids of the statements that are their customers' latest and out of date."""
        self.flush_model(['partner_id', 'company_id', 'period_end', 'active'])
        ids = []
        for company in self.env.companies.root_id:
            if oldest := self._oldest_end(company, company._credit_today()):
                rows = self.env.execute_query(
                    SQL(
                        """
                        SELECT latest.id
                          FROM (SELECT DISTINCT ON (partner_id) id, period_end FROM scoring_statement
                                 WHERE company_id = %s AND active
                              ORDER BY partner_id, period_end DESC, id DESC) latest
                         WHERE latest.period_end < %s
                        """,
                        company.id,
                        oldest,
                    )
                )
                ids += [id_ for [id_] in rows]
        return ids

    # -------------------------------------------------------------------------
    # Entering
    # -------------------------------------------------------------------------

    @api.depends('partner_id', 'period_end')
    def _compute_display_name(self):
        for statement in self:
            parts = [statement.partner_id.name, statement.period_end and fields.Date.to_string(statement.period_end)]
            statement.display_name = (
                ' · '.join(filter(None, parts)) if statement.partner_id else self.env._("New Statement")
            )

    @api.constrains('partner_id', 'company_id', 'period_end', 'consolidated', 'months', 'active')
    def _check_twice(self):
        current = self.filtered('active')

        def period(each):
            return each.partner_id, each.company_id, each.period_end, each.months, each.consolidated

        others = self.search(
            [('partner_id', 'in', current.partner_id.ids), ('period_end', 'in', current.mapped('period_end'))]
        ).grouped(period)
        for statement in current:
            if others.get(period(statement), statement) - statement:
                raise ValidationError(
                    self.env._(
                        "The statement of %(statement)s is there already. Change that one, or withdraw it first.",
                        statement=statement.display_name,
                    )
                )

    @api.constrains('period_end', 'company_id')
    def _check_period_end(self):
        for statement in self:
            if statement.period_end > statement.company_id.sudo()._credit_today():
                raise ValidationError(
                    self.env._(
                        "The period of %(statement)s has not ended yet. Enter what is past, not a forecast.",
                        statement=statement.display_name,
                    )
                )

    def _event_payload(self):
        # EXTENDS customer_scoring
        names = ('revenue', 'equity', 'total_assets', 'altman_z')
        return {
            'date_to': self.period_end,
            'currency_id': self.currency_id.id,
            **{
                f'{name}_amount' if name != 'altman_z' else name: self[name]
                for name in names
                if self[name] is not False
            },
        }

    @api.model
    def get_import_templates(self):
        """Return the file that the import dialog offers to begin with."""
        return [
            {
                'label': self.env._("Import Template for Financial Statements"),
                'template': '/customer_scoring/static/xls/scoring_statement.xlsx',
            }
        ]


def is_year_before(end, later):
    """Tell whether a period that ends on a day is the year before the one that ends on a later day."""
    return end + YEAR_FROM <= later <= end + YEAR_TO
