import io
from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date
from odoo.tools.date_utils import add, start_of

COLUMNS = (
    'date', 'kind', 'partner_id', 'document_name', 'amount', 'excess', 'user_id', 'requested_by_id', 'reason_id',
    'reason', 'outside_policy', 'emergency', 'broken', 'condition_broken', 'policy_id',
)  # fmt: skip


class CreditExceptionReport(models.Model):
    """One month's decisions outside policy of one company, sent to its credit managers once."""

    _name = 'credit.exception.report'
    _inherit = ['credit.report.mail']
    _description = "Monthly Report of Decisions Outside Policy"
    _order = 'month desc, company_id'
    _rec_name = 'month'
    _template = 'credit_management.mail_template_exception_report'

    month = fields.Date(required=True, readonly=True, help="First day of the month.")
    count = fields.Integer(string="Decisions", readonly=True)
    release_count = fields.Integer(string="Orders Released", readonly=True)
    outside_count = fields.Integer(
        string="Releases Outside Policy",
        readonly=True,
        help="Of the orders released, those beyond the policy's bounds.",
    )
    emergency_count = fields.Integer(string="Emergency Releases", readonly=True)
    broken_count = fields.Integer(string="Held Again", readonly=True)
    condition_broken_count = fields.Integer(string="Broken Conditions", readonly=True)
    limit_count = fields.Integer(string="Limits Outside Policy", readonly=True)
    acceptance_count = fields.Integer(string="Accepted As Is", readonly=True)
    amount = fields.Monetary(
        string="Amount Released", readonly=True, help="Of the orders released, in company currency."
    )
    state = fields.Selection(
        [('sent', "Sent"), ('empty', "Nothing to send"), ('nobody', "Nobody to send it to")],
        required=True,
        readonly=True,
        help="Nobody to send it to: no credit manager of the company has an email address.",
    )

    _company_month_unique = models.UniqueIndex('(company_id, month)', "A company's month is reported once.")

    @api.depends('month', 'company_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for report in self:
            report.display_name = f'{report._month_name()}, {report.company_id.name}'

    def _month_name(self):
        """Return the month in the reader's language, as June 2026."""
        self.ensure_one()
        return format_date(self.env, self.month, date_format='MMMM y')

    # -------------------------------------------------------------------------
    # Job
    # -------------------------------------------------------------------------

    @api.model
    def _cron_send(self):
        """Report the month before to the credit managers of each company that has not been reported to."""
        self.env['credit.counter']._each_root_company(
            self._send_company, 'credit_management.mail_activity_type_report_failed'
        )

    @api.model
    def _send_company(self, company):
        # Of two servers that report at once, the second runs again and sees that it is done.
        self.env['credit.counter']._advance('company_id', {company.id: 0})
        month = add(start_of(company._credit_today(), 'month'), months=-1)
        if self.search_count([('company_id', '=', company.id), ('month', '=', month)], limit=1):
            return
        report = self.create({'company_id': company.id, 'month': month, 'state': 'empty'})
        report._count()
        if report.count:
            report._send()

    def _domain(self):
        """Return the domain of the month's decisions, by the company's calendar."""
        self.ensure_one()
        zone = pytz.timezone(self.company_id._credit_timezone())
        first, last = (
            zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)
            for day in (self.month, add(self.month, months=1))
        )
        return [('company_id', 'child_of', self.company_id.id), ('date', '>=', first), ('date', '<', last)]

    def _decisions(self):
        # As the system: with all companies of the tree, whoever sends or opens the report.
        companies = self.company_id.sudo()._credit_branch_ids()
        return self.env['credit.exception'].sudo().with_context(allowed_company_ids=list(companies))

    def _count(self):
        """Note the month's figures, in one statement."""
        self.ensure_one()
        names = ('outside_count', 'emergency_count', 'broken_count', 'condition_broken_count')
        found = {
            kind: (count, amount, numbers)
            for kind, count, amount, *numbers in self._decisions()._read_group(
                self._domain(), ['kind'], ['__count', 'amount:sum', *(f'{name}:sum' for name in names)]
            )
        }
        nothing = (0, 0.0, [0] * len(names))
        releases, amount, numbers = found.get('release', nothing)
        self.write(
            {
                'count': sum(count for count, _amount, _numbers in found.values()),
                'release_count': releases,
                'limit_count': found.get('limit', nothing)[0],
                'acceptance_count': found.get('acceptance', nothing)[0],
                'amount': amount,
                **dict(zip(names, numbers, strict=True)),
            }
        )

    # -------------------------------------------------------------------------
    # Workbook
    # -------------------------------------------------------------------------

    def _file_name(self):
        self.ensure_one()
        return f'{self.env._("decisions-outside-policy")}-{self.month:%Y-%m}.xlsx'

    def _workbook(self):
        """Return the list of the month's decisions as an XLSX file."""
        import xlsxwriter

        self.ensure_one()
        target = io.BytesIO()
        decisions = self._decisions().with_context(lang=self.env.lang)
        labels = decisions.fields_get(COLUMNS, ['string', 'selection'])
        kinds = dict(labels['kind']['selection'])
        rows = decisions.search_fetch(Domain(self._domain()), COLUMNS, order='date, id')
        with xlsxwriter.Workbook(target, {'in_memory': True}) as book:
            sheet = book.add_worksheet()
            bold = book.add_format({'bold': True})
            marks = ('outside_policy', 'emergency', 'broken', 'condition_broken')
            yes = self.env._("Yes")
            money = book.add_format({'num_format': '#,##0.00'})
            day = book.add_format({'num_format': 'yyyy-mm-dd'})
            sheet.freeze_panes(1, 0)
            for place, name in enumerate(COLUMNS):
                label = labels[name]['string']
                if name in ('amount', 'excess'):
                    label = f'{label} ({self.currency_id.name})'
                sheet.write_string(0, place, label, bold)
                sheet.set_column(place, place, 28 if name in ('kind', 'partner_id') else 18)
            for line, row in enumerate(rows, start=1):
                for place, name in enumerate(COLUMNS):
                    if name in ('amount', 'excess'):
                        sheet.write_number(line, place, row[name], money)
                    elif name == 'date':
                        sheet.write_datetime(line, place, row.date, day)
                    elif name == 'kind':
                        sheet.write_string(line, place, kinds[row.kind])
                    elif name in marks:
                        sheet.write_string(line, place, yes if row[name] else '')
                    elif name in ('document_name', 'reason'):
                        sheet.write_string(line, place, row[name] or '')
                    else:
                        sheet.write_string(line, place, row[name].display_name or '')
        return target.getvalue()

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_view_decisions(self):
        """Open the month's decisions."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_exception_action')
        return action | {
            'name': self.display_name,
            'domain': self._domain(),
            'context': {},
            'views': [(False, 'list'), (False, 'pivot'), (False, 'graph')],
        }
