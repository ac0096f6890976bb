import io
from contextlib import contextmanager
from datetime import datetime

from openpyxl import load_workbook
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.credit_management.tests.common import CreditCommon


@tagged('post_install', '-at_install')
class TestRiskReport(CreditCommon):
    """What stands in the report, who gets it, and that it is kept."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._limit_policy()
        cls.good = cls.env['credit.grade'].create({'code': 'G', 'name': "Good", 'sequence': 1})
        cls.bad = cls.env['credit.grade'].create({'code': 'W', 'name': "Weak", 'sequence': 2})
        cls.today = cls.company._credit_today()
        cls.Report = cls.env['scoring.risk.report'].sudo()
        cls.other = cls.env['res.partner'].create({'name': "=SUM(A1)", 'is_company': True})
        cls.account = cls._account(limit=1000.0, grade_id=cls.good.id)
        cls.other_account = cls._account(cls.other, grade_id=cls.bad.id)
        cls._invoice(300.0)
        cls._invoice(700.0, partner=cls.other)

    def make(self):
        return self.Report._make(self.company.sudo(), self.today)

    def test_sums_by_grade(self):
        report = self.make()
        lines = {line.grade_id: (line.count, line.exposure, line.limit_amount) for line in report.grade_line_ids}
        self.assertEqual(lines[self.good], (1, 300.0, 1000.0))
        self.assertEqual(lines[self.bad][:2], (1, 700.0))
        self.assertEqual(report.exposure, 1000.0)
        self.assertEqual(report.count, 2)

    def test_unlimited_is_no_limit_of_0(self):
        lines = self.make().customer_line_ids
        self.assertEqual(lines.mapped('unlimited'), [True, False])

    def test_largest_first(self):
        self.assertEqual(self.make().customer_line_ids.account_id.ids, [self.other_account.id, self.account.id])

    def test_kept_as_it_was(self):
        report = self.make()
        self._invoice(5000.0)
        self.env.invalidate_all()
        self.assertEqual(report.exposure, 1000.0)

    def test_other_companies_are_not_in_it(self):
        other = self.env['res.company'].create({'name': "Elsewhere"})
        self.assertEqual(self.Report._make(other, self.today).count, 0)

    def test_sent_once_a_month_to_the_managers(self):
        self.Report._send_company(self.company.sudo())
        self.Report._send_company(self.company.sudo())
        report = self.Report.search([('company_id', '=', self.company.id)])
        self.assertEqual((len(report), report.state), (1, 'sent'))
        self.assertIn(self.manager, report.recipient_ids)
        self.assertNotIn(self.analyst, report.recipient_ids)
        mail = self.env['mail.mail'].search([('model', '=', report._name), ('res_id', '=', report.id)])
        self.assertTrue(mail.attachment_ids)

    def reports(self):
        return self.Report.search([('company_id', '=', self.company.id)])

    @contextmanager
    def on(self, year, month, day):
        with freeze_time(datetime(year, month, day, 12)):
            yield

    def send(self, year, month, day):
        """Let the job run on a day and return how many reports there are then."""
        with self.on(year, month, day):
            self.Report._send_company(self.company.sudo())
        return len(self.reports())

    def test_each_month_on_the_day_that_was_chosen(self):
        with self.on(2027, 1, 5):
            self.company.scoring_report_day = 31
        days = [(2027, 1, 6), (2027, 1, 30), (2027, 1, 31), (2027, 2, 27), (2027, 2, 28), (2027, 3, 30), (2027, 4, 2)]
        # The last one was due on 31 March, on which the job did not run.
        self.assertEqual([self.send(*day) for day in days], [0, 0, 1, 1, 2, 2, 3])

    def test_each_week_on_the_day_that_was_chosen(self):
        # 6 January 2027 is a Wednesday.
        with self.on(2027, 1, 6):
            self.company.write({'scoring_report_rhythm': 'weekly', 'scoring_report_weekday': '4'})
        days = [(2027, 1, 7), (2027, 1, 8), (2027, 1, 9), (2027, 1, 14), (2027, 1, 15)]
        self.assertEqual([self.send(*day) for day in days], [0, 1, 1, 1, 2])

    def test_never(self):
        self.company.scoring_report_rhythm = 'never'
        self.assertEqual([self.send(2027, 1, 1), self.send(2027, 2, 1)], [0, 0])

    def test_day_of_the_month_is_one(self):
        for day in (0, 32):
            with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.env.cr.savepoint():
                self.company.scoring_report_day = day
                self.env.flush_all()

    def test_goes_to_whom_the_settings_name_if_they_may_read_it(self):
        auditor = self._new_user('credit_auditor', 'credit_management.group_credit_auditor')
        (self.manager | self.analyst | auditor | self.sales_user).email = 'a@example.com'
        auditor.email = False
        self.company.scoring_report_user_ids = self.analyst + auditor + self.sales_user
        self.Report._send_company(self.company.sudo())
        self.assertEqual((self.reports().recipient_ids, self.reports().state), (self.analyst, 'sent'))
        # The other report has its own readers.
        exceptions = self.env['credit.exception.report'].sudo().new({'company_id': self.company.id})
        self.assertIn(self.manager, exceptions._readers())

    def test_nobody_left_of_those_who_were_chosen(self):
        self.company.scoring_report_user_ids = self.sales_user
        self.Report._send_company(self.company.sudo())
        self.assertEqual(self.reports().state, 'nobody')

    def test_settings_say_who_gets_it(self):
        self.manager.email = self.analyst.email = 'a@example.com'
        settings = self.env['res.config.settings'].new({'company_id': self.company.id})
        self.assertIn(self.manager.name, settings.scoring_report_text)
        settings.scoring_report_user_ids = self.analyst
        self.assertEqual(settings.scoring_report_text, f"Goes to {self.analyst.name}.")
        self.analyst.email = False
        settings.invalidate_recordset(['scoring_report_text'])
        self.assertIn("Nobody gets it", settings.scoring_report_text)
        settings.scoring_report_rhythm = 'never'
        self.assertEqual(settings.scoring_report_text, "Nobody gets it by mail.")

    def test_branch_has_the_rhythm_of_its_main_company(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.company.scoring_report_rhythm = 'weekly'
        self.company.scoring_report_user_ids = self.analyst
        self.assertEqual((branch.scoring_report_rhythm, branch.scoring_report_user_ids), ('weekly', self.analyst))
        self.assertEqual(branch.scoring_report_since, self.company.scoring_report_since)

    def test_workbook_holds_the_figures_and_no_formula(self):
        book = load_workbook(io.BytesIO(self.make()._workbook()))
        rows = list(book['Largest Exposures'].values)
        self.assertEqual(rows[1][0], "=SUM(A1)")
        self.assertEqual(book['Largest Exposures']['A2'].data_type, 's')
        self.assertIn(700.0, rows[1])
        self.assertTrue(book['Overview']._charts)

    def test_workbook_of_a_company_without_customers(self):
        other = self.env['res.company'].create({'name': "Elsewhere"})
        self.assertTrue(self.Report._make(other, self.today)._workbook())

    def test_managers_make_one_others_do_not(self):
        action = self.env['scoring.risk.report'].with_user(self.manager).action_report_now()
        report = self.env['scoring.risk.report'].with_user(self.manager).browse(action['res_id'])
        self.assertEqual(report.exposure, 1000.0)
        self.assertIn(str(report.id), report.action_download()['url'])
        for user in (self.analyst, self.sales_user):
            with self.assertRaises(AccessError):
                self.env['scoring.risk.report'].with_user(user).action_report_now()
        with self.assertRaises(AccessError):
            report.with_user(self.sales_user).read(['exposure'])
        with self.assertRaises(AccessError):
            report.exposure = 1.0

    def test_lines_lead_to_what_they_count(self):
        report = self.make()
        action = report.grade_line_ids.filtered(lambda line: line.grade_id == self.good).action_open()
        self.assertEqual(self.env['credit.account'].search(action['domain']), self.account)
