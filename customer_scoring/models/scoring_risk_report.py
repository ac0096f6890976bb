import io

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tools import SQL, format_date

# So many of the largest exposures are named.
LARGEST = 20
FAILED = 'customer_scoring.mail_activity_type_risk_report_failed'
MANAGER = 'credit_management.group_credit_manager'
MONEY = ('exposure', 'limit_amount', 'overdue_amount')


class ScoringRiskReport(models.Model):
    """What a company's customers owe and how good they are, on one day: by grade, the largest, what is warned of.

    The figures are kept as they were, so that two months can be compared.
    """

    _name = 'scoring.risk.report'
    _inherit = ['credit.report.mail']
    _description = "Risk Report"
    _order = 'date desc, id desc'
    _template = 'customer_scoring.mail_template_risk_report'

    date = fields.Date(required=True, readonly=True)
    monthly = fields.Boolean(
        string="On Schedule", readonly=True, help="Made and sent by itself, on a day that is chosen in the settings."
    )
    count = fields.Integer(string="Customers", readonly=True)
    scored_count = fields.Integer(string="With a Score", readonly=True)
    exposure = fields.Monetary(readonly=True)
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    overdue_percent = fields.Float(
        string="Overdue (%)", digits=(16, 1), readonly=True, aggregator=None, help="Of the exposure."
    )
    better_count = fields.Integer(string="Grade Better", readonly=True, help="Than a month before.")
    worse_count = fields.Integer(string="Grade Worse", readonly=True, help="Than a month before.")
    override_count = fields.Integer(string="Overridden Grades", readonly=True, help="In force on the day.")
    override_percent = fields.Float(
        string="Overridden (%)",
        digits=(16, 1),
        readonly=True,
        aggregator=None,
        help="Of the customers with a score. From 5 % on it is worth asking why, above 10 % the scorecard is in doubt.",
    )
    alert_count = fields.Integer(string="Open Alerts", readonly=True)
    state = fields.Selection(
        [('kept', "Not sent"), ('sent', "Sent"), ('nobody', "Nobody to send it to")],
        required=True,
        readonly=True,
        default='kept',
        help="Nobody to send it to: nobody who is to get it, by the settings, has an email address.",
    )
    grade_line_ids = fields.One2many(
        'scoring.risk.report.line', 'report_id', domain=[('kind', '=', 'grade')], string="By Grade", readonly=True
    )
    customer_line_ids = fields.One2many(
        'scoring.risk.report.line',
        'report_id',
        domain=[('kind', '=', 'customer')],
        string="Largest Exposures",
        readonly=True,
    )
    alert_line_ids = fields.One2many(
        'scoring.risk.report.line', 'report_id', domain=[('kind', '=', 'alert')], string="Alerts", readonly=True
    )

    _monthly_index = models.Index('(company_id, date) WHERE monthly')

    @api.depends('date', 'company_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for report in self:
            report.display_name = f'{report._day()}, {report.company_id.name}'

    def _day(self):
        self.ensure_one()
        return format_date(self.env, self.date)

    # -------------------------------------------------------------------------
    # Job
    # -------------------------------------------------------------------------

    @api.model
    def _cron_send(self):
        """Make and send the report of each company that is due and has not been made yet."""
        self.env['credit.counter']._each_root_company(self._send_company, FAILED)

    @api.model
    def _send_company(self, company):
        # Of two servers that report at once, the second runs again and sees that it is done.
        self.env['credit.counter']._advance('company_id', {company.id: 0})
        today = company._credit_today()
        due = company._scoring_report_due(today)
        done = [('company_id', '=', company.id), ('monthly', '=', True), ('date', '>=', due)]
        if not due or self.search_count(done, limit=1):
            return
        report = self._make(company, today, monthly=True)
        if report.count:
            report._send()

    def _readers(self):
        # OVERRIDE credit_management: whom the company has chosen
        return self.company_id._scoring_report_readers()

    @api.model
    def _make(self, company, today, monthly=False):
        """Return the report of a root company's day, in a constant number of statements."""
        customers = self._customer_rows(company, today)
        largest = sorted(
            (row for row in customers if row['exposure'] > 0), key=lambda row: (-row['exposure'], row['account_id'])
        )
        by_grade = {}
        for row in customers:
            group = by_grade.setdefault(
                row['grade_id'],
                {'count': 0, 'exposure': 0.0, 'limit_amount': 0.0, 'overdue_amount': 0.0, 'scores': []},
            )
            group['count'] += 1
            for name in ('exposure', 'limit_amount', 'overdue_amount'):
                group[name] += row[name]
            if row['score'] is not None:
                group['scores'].append(row['score'])
        grades = self.env['credit.grade'].browse(filter(None, by_grade)).sorted('sequence').ids
        lines = []
        for grade_id in [*grades, *([None] if None in by_grade else [])]:
            group = by_grade[grade_id]
            scores = group.pop('scores')
            lines.append(
                {
                    'kind': 'grade',
                    'grade_id': grade_id,
                    **group,
                    'score': sum(scores) / len(scores) if scores else 0.0,
                    'has_score': bool(scores),
                }
            )
        names = ('account_id', 'grade_id', 'exposure', 'limit_amount', 'unlimited', 'overdue_amount', 'days_overdue')
        lines += [
            {
                'kind': 'customer',
                'count': 1,
                'score': row['score'] or 0.0,
                'has_score': row['score'] is not None,
                **{name: row[name] for name in names},
            }
            for row in largest[:LARGEST]
        ]
        alerts = self.env['credit.alert']._read_group(
            [('company_id', '=', company.id), ('state', 'in', ('open', 'snoozed'))], ['kind'], ['__count']
        )
        lines += [{'kind': 'alert', 'alert_kind': kind, 'count': count} for kind, count in alerts]
        scored = sum(row['score'] is not None for row in customers)
        exposure = sum(row['exposure'] for row in customers if row['exposure'] > 0)
        overdue = sum(row['overdue_amount'] for row in customers)
        overrides = self.env['scoring.override'].search_count(
            [('company_id', '=', company.id), ('state', '=', 'active')]
        )
        ranks = [
            (row['rank'], row['rank_before']) for row in customers if None not in (row['rank'], row['rank_before'])
        ]
        return self.create(
            {
                'company_id': company.id,
                'date': today,
                'monthly': monthly,
                'count': len(customers),
                'scored_count': scored,
                'exposure': exposure,
                'overdue_amount': overdue,
                'overdue_percent': 100 * overdue / exposure if exposure > 0 else 0.0,
                'better_count': sum(now < before for now, before in ranks),
                'worse_count': sum(now > before for now, before in ranks),
                'override_count': overrides,
                'override_percent': 100 * overrides / scored if scored else 0.0,
                'alert_count': sum(count for _kind, count in alerts),
                'grade_line_ids': [Command.create(vals) for vals in lines],
            }
        )

    @api.model
    def _customer_rows(self, company, today):
        """Return a row per account that has something open, a limit, a grade or a score: its figures, score, grades."""
        Account = self.env['credit.account']
        self.env['credit.exposure']._flush_sources(None)
        Account._flush_accounts()
        Account.flush_model(['score'])
        self.env['scoring.score'].flush_model(['account_id', 'date', 'grade_id'])
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT account.id AS account_id, account.grade_id, account.score_id IS NOT NULL AS scored,
                       CASE WHEN account.score_id IS NOT NULL THEN account.score END AS score,
                       figures.exposure::float8 AS exposure, figures.overdue_amount::float8 AS overdue_amount,
                       figures.days_overdue,
                       CASE WHEN figures.unlimited THEN 0 ELSE figures.effective_limit END::float8 AS limit_amount,
                       figures.unlimited,
                       grade.sequence AS rank, before.sequence AS rank_before
                  FROM (%(figures)s) AS figures
                  JOIN credit_account account ON account.id = figures.account_id
             LEFT JOIN scoring_score now ON now.id = account.score_id
             LEFT JOIN credit_grade grade ON grade.id = now.grade_id
             LEFT JOIN LATERAL (SELECT earlier.sequence
                                  FROM scoring_score
                                  JOIN credit_grade earlier ON earlier.id = scoring_score.grade_id
                                 WHERE scoring_score.account_id = account.id AND scoring_score.date <= %(before)s
                              ORDER BY scoring_score.date DESC, scoring_score.id DESC LIMIT 1) AS before ON TRUE
                 WHERE figures.exposure <> 0 OR figures.limit_kind <> 'none' OR account.grade_id IS NOT NULL
                    OR account.score_id IS NOT NULL
                """,
                figures=Account._figures_sql(company, today),
                before=today - relativedelta(months=1),
            )
        )

    # -------------------------------------------------------------------------
    # Workbook
    # -------------------------------------------------------------------------

    def _file_name(self):
        self.ensure_one()
        return f'{self.env._("risk-report")}-{fields.Date.to_string(self.date)}.xlsx'

    def _workbook(self):
        """Return the report as an XLSX file with a chart of the exposure by grade; text never becomes a formula."""
        import xlsxwriter

        self.ensure_one()
        target = io.BytesIO()
        with xlsxwriter.Workbook(target, {'in_memory': True}) as book:
            formats = {
                'title': book.add_format({'bold': True, 'font_size': 14}),
                'bold': book.add_format({'bold': True}),
                'money': book.add_format({'num_format': '#,##0.00'}),
                'points': book.add_format({'num_format': '0.0'}),
            }
            sheet = book.add_worksheet(self.env._("Overview"))
            sheet.set_column(0, 0, 34)
            sheet.set_column(1, 5, 18)
            sheet.write_string(0, 0, self.env._("Risk report: %(report)s", report=self.display_name), formats['title'])
            labels = self.fields_get()
            names = (
                'count', 'scored_count', 'exposure', 'overdue_amount', 'overdue_percent', 'better_count',
                'worse_count', 'override_count', 'override_percent', 'alert_count',
            )  # fmt: skip
            row = 2
            for name in names:
                sheet.write_string(row, 0, labels[name]['string'])
                kind = labels[name]['type']
                style = {'monetary': formats['money'], 'float': formats['points']}.get(kind)
                sheet.write_number(row, 1, self[name], style)
                row += 1
            row += 1
            first = row + 1
            row = self._write_lines(sheet, row, self.grade_line_ids, formats)
            if self.grade_line_ids:
                chart = book.add_chart({'type': 'column'})
                place = [sheet.get_name(), first, 0, row - 1, 0]
                for column, name in ((2, 'exposure'), (4, 'overdue_amount')):
                    chart.add_series(
                        {
                            'name': labels[name]['string'],
                            'categories': place,
                            'values': [sheet.get_name(), first, column, row - 1, column],
                        }
                    )
                chart.set_title({'name': self.env._("Exposure by grade")})
                sheet.insert_chart(row + 1, 0, chart)
            sheet = book.add_worksheet(self.env._("Largest Exposures"))
            sheet.set_column(0, 0, 34)
            sheet.set_column(1, 6, 16)
            self._write_lines(sheet, 0, self.customer_line_ids, formats)
            sheet = book.add_worksheet(self.env._("Alerts"))
            sheet.set_column(0, 0, 34)
            self._write_lines(sheet, 0, self.alert_line_ids, formats)
        return target.getvalue()

    def _write_lines(self, sheet, row, lines, formats):
        """Write lines of one kind below their titles; return the next free row."""
        labels = lines.fields_get()
        columns = ['count'] if lines[:1].kind != 'customer' else []
        if lines[:1].kind != 'alert':
            columns += ['grade_id'] if lines[:1].kind == 'customer' else []
            columns += ['exposure', 'limit_amount', 'overdue_amount', 'score']
        columns += ['days_overdue'] if lines[:1].kind == 'customer' else []
        sheet.write_string(row, 0, {
            'grade': self.env._("Grade"), 'customer': self.env._("Customer"), 'alert': self.env._("Alert"),
        }.get(lines[:1].kind, ''), formats['bold'])  # fmt: skip
        for place, name in enumerate(columns, start=1):
            sheet.write_string(row, place, labels[name]['string'], formats['bold'])
        for line in lines:
            row += 1
            sheet.write_string(row, 0, line.name or '')
            for place, name in enumerate(columns, start=1):
                if name == 'grade_id':
                    sheet.write_string(row, place, line.grade_id.code or '')
                elif name == 'limit_amount' and line.unlimited:
                    sheet.write_string(row, place, self.env._("Unlimited"))
                elif name != 'score':
                    sheet.write_number(row, place, line[name], formats['money'] if name in MONEY else None)
                elif line.has_score:
                    sheet.write_number(row, place, line.score, formats['points'])
        return row + 1

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_report_now(self):
        """Make a report of the current company's day and open it; for credit managers.

        :raise AccessError: if the user is no credit manager
        """
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only credit managers make risk reports. Ask one of them."))
        company = self.env.company.root_id
        # As the system: over all customers, whoever's they are. That it is the user's company is certain.
        report = self.sudo()._make(company.sudo(), company._credit_today())
        return report.sudo(False).get_formview_action()

    def action_download(self):
        """Download the report as a workbook."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_url', 'url': f'/customer_scoring/risk_report/{self.id}', 'target': 'download'}


class ScoringRiskReportLine(models.Model):
    """One line of a risk report: a grade, a customer or a kind of alert."""

    _name = 'scoring.risk.report.line'
    _description = "Line of a Risk Report"
    _order = 'id'

    report_id = fields.Many2one('scoring.risk.report', required=True, readonly=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='report_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    kind = fields.Selection(
        [('grade', "Grade"), ('customer', "Customer"), ('alert', "Alert")], required=True, readonly=True
    )
    grade_id = fields.Many2one('credit.grade', readonly=True, ondelete='restrict')
    account_id = fields.Many2one('credit.account', string="Customer", readonly=True, ondelete='cascade')
    alert_kind = fields.Char(readonly=True)
    name = fields.Char(compute='_compute_name')
    count = fields.Integer(string="Customers", readonly=True)
    exposure = fields.Monetary(readonly=True)
    limit_amount = fields.Monetary(string="Limits", readonly=True, help="Effective limits; unlimited ones not counted.")
    unlimited = fields.Boolean(readonly=True)
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    days_overdue = fields.Integer(readonly=True)
    score = fields.Float(digits=(16, 1), readonly=True, aggregator='avg')
    has_score = fields.Boolean(readonly=True)

    @api.depends('kind', 'grade_id', 'account_id', 'alert_kind')
    @api.depends_context('lang')
    def _compute_name(self):
        alerts = dict(self.env['credit.alert']._fields['kind']._description_selection(self.env))
        for line in self:
            line.name = {
                'grade': line.grade_id.display_name or self.env._("No grade"),
                'customer': line.account_id.display_name,
                'alert': alerts.get(line.alert_kind, line.alert_kind),
            }[line.kind]

    def action_open(self):
        """Open what stands behind this line: the accounts of the grade, the account, or the alerts."""
        self.ensure_one()
        self.check_access('read')
        if self.kind == 'customer':
            return self.account_id.get_formview_action()
        name, domain = {
            'grade': ('credit_account_action', [('grade_id', '=', self.grade_id.id)]),
            'alert': ('credit_alert_action', [('kind', '=', self.alert_kind), ('state', 'in', ('open', 'snoozed'))]),
        }[self.kind]
        action = self.env['ir.actions.act_window']._for_xml_id(f'credit_management.{name}')
        return action | {
            'name': self.name,
            'domain': [('company_id', '=', self.company_id.id), *domain],
            'context': {},
        }
