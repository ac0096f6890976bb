import io

from openpyxl import load_workbook

from odoo.exceptions import AccessError
from odoo.tests import tagged

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
