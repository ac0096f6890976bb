import base64
import io
from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.date_utils import add, start_of

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestExceptionReport(CreditCommon):
    """What was decided outside policy is listed, and reported once a month."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy()
        cls.account = cls._account(limit=100.0)
        cls.reports = cls.env['credit.exception.report'].sudo()

    def _released(self, amount=500.0):
        order = self._order_of(amount)
        order.with_user(self.sales_user).action_confirm()
        order.with_user(self.manager)._credit_release("Old customer")
        return order

    def _exceptions(self, user=None, **wanted):
        self.env.flush_all()
        return (
            self.env['credit.exception']
            .with_user(user or self.manager)
            .search([('account_id', '=', self.account.id), *((name, '=', value) for name, value in wanted.items())])
        )

    def _send_next_month(self, company=None):
        company = company or self.company
        with freeze_time(add(start_of(company._credit_today(), 'month'), months=1, days=2)):
            self.reports._send_company(company)

    def _mails(self):
        return self.env['mail.mail'].sudo().search([('model', '=', 'credit.exception.report')])

    def test_released_order_is_listed_with_decider_and_reason(self):
        order = self._released()

        row = self._exceptions(kind='release')

        self.assertEqual((row.user_id, row.reason, row.policy_id), (self.manager, "Old customer", self.policy))
        self.assertEqual((row.amount, row.excess, row.broken), (500.0, 400.0, False))
        self.assertEqual((row.res_model, row.res_id), ('sale.order', order.id))
        self.assertEqual(row.action_open_document()['res_id'], order.id)

    def test_order_held_again_after_its_release_is_marked(self):
        order = self._released()
        order.order_line.price_unit = 100.0
        order._action_cancel()
        order.action_draft()
        order.order_line.price_unit = 900.0
        with freeze_time(add(order.credit_check_id.date or order.write_date, hours=1)):
            order.with_user(self.sales_user).action_confirm()

        self.assertEqual(order.credit_state, 'on_hold')
        self.assertTrue(self._exceptions(kind='release').broken)

    def test_rejected_and_requested_are_no_exceptions(self):
        order = self._order_of(500.0)
        order.with_user(self.sales_user).action_confirm()
        order.with_user(self.sales_user)._credit_request_release("Please")
        self.assertFalse(self._exceptions())

        order.with_user(self.manager)._credit_reject("No")

        self.assertFalse(self._exceptions())

    def _marked_limit(self, amount, reason=None, **values):
        """Propose as analyst, approve as manager beyond what the policy allows."""
        limit = (
            self.env['credit.limit']
            .with_user(self.analyst)
            .create({'account_id': self.account.id, 'amount': amount, 'currency_id': self.currency.id, **values})
        )
        limit.action_submit()
        limit.with_user(self.manager)._approve("Board decision", reason or self._strategic())
        return limit

    def _strategic(self):
        return self.env.ref('credit_management.credit_reason_strategic')

    def test_only_limits_marked_as_outside_policy_are_listed(self):
        self.policy.write({'default_limit_kind': 'amount', 'default_limit_amount': 80.0, 'max_limit_amount': 500.0})
        ordinary = self._limit(self.account, 500.0)
        marked = self._marked_limit(600.0)

        row = self._exceptions(kind='limit')

        self.assertNotEqual(row.res_id, ordinary.id)
        self.assertEqual((row.res_id, row.amount, row.excess), (marked.id, 600.0, 100.0))
        self.assertEqual((row.reason_id, row.reason), (self._strategic(), "Board decision"))
        self.assertEqual((row.outside_policy, row.outside_count, row.policy_id), (True, 1, self.policy))

    def test_unlimited_is_listed_without_a_figure(self):
        self.policy.max_limit_amount = 500.0
        self._marked_limit(0.0, limit_kind='unlimited')

        row = self._exceptions(kind='limit')

        self.assertEqual((len(row), row.amount, row.excess), (1, 0.0, 0.0))

    def test_limit_in_foreign_currency_counts_at_the_rate_of_the_day_of_decision(self):
        self.policy.max_limit_amount = 80.0
        euro = self.env.ref('base.EUR') if self.currency != self.env.ref('base.EUR') else self.env.ref('base.CHF')
        euro.active = True
        today = self.company._credit_today()
        self.env['res.currency.rate'].search([('currency_id', '=', euro.id)]).unlink()
        self.env['res.currency.rate'].create(
            [
                {'currency_id': euro.id, 'name': '2020-01-01', 'rate': 4.0},
                {'currency_id': euro.id, 'name': add(today, days=-1), 'rate': 0.5, 'company_id': self.company.id},
                {'currency_id': euro.id, 'name': add(today, days=5), 'rate': 0.1, 'company_id': self.company.id},
            ]
        )
        self._marked_limit(45.0, currency_id=euro.id)

        with freeze_time(add(today, days=10)):
            row = self._exceptions(kind='limit')

        self.assertEqual((row.amount, row.excess), (90.0, 10.0))

    def test_release_says_its_reason_and_whether_it_was_outside_policy_or_an_emergency(self):
        ordinary = self._released()
        self.policy.max_release_excess_percent = 10.0
        self.policy.emergency_amount = 1000.0
        self.policy.approval_level_ids = [
            Command.create({'name': "Managers", 'user_ids': [Command.set(self.other_manager.ids)]})
        ]
        marked = self._order_of(600.0)
        marked.with_user(self.sales_user).action_confirm()
        marked.with_user(self.other_manager)._credit_release("Old customer", reason=self._strategic())
        urgent = self._order_of(700.0)
        urgent.with_user(self.sales_user).action_confirm()
        waits = self.env['credit.reason'].search([('for_emergency', '=', True)], limit=1)
        urgent.with_user(self.other_manager)._credit_release_alone("Truck waits", waits)

        rows = {row.res_id: row for row in self._exceptions(kind='release')}

        marks = {
            order: (rows[order.id].reason_id, rows[order.id].outside_policy, rows[order.id].emergency)
            for order in (ordinary, marked, urgent)
        }
        self.assertEqual(marks[ordinary], (self.env['credit.reason'], False, False))
        self.assertEqual(marks[marked], (self._strategic(), True, False))
        self.assertEqual(marks[urgent][::2], (waits, True))
        self._send_next_month()
        report = self.reports.search([('company_id', '=', self.company.id)])
        self.assertEqual((report.release_count, report.emergency_count), (3, 1))
        self.assertEqual(report.outside_count, 1 + marks[urgent][1])

    def test_broken_condition_is_marked_and_counted(self):
        order = self._released()
        self._released()
        order.credit_release_id.sudo().write({'condition': 'promise', 'condition_state': 'broken'})

        rows = {row.res_id: row.condition_broken for row in self._exceptions(kind='release')}

        self.assertEqual([order_id for order_id, broken in rows.items() if broken], order.ids)
        self._send_next_month()
        report = self.reports.search([('company_id', '=', self.company.id)])
        self.assertEqual((report.release_count, report.condition_broken_count), (2, 1))

    def test_decisions_are_counted_by_reason_code(self):
        self.policy.max_limit_amount = 500.0
        self._marked_limit(600.0)
        self.env.flush_all()

        groups = (
            self.env['credit.exception']
            .with_user(self.manager)
            ._read_group([('account_id', '=', self.account.id)], ['reason_id'], ['__count', 'outside_count:sum'])
        )

        self.assertEqual(groups, [(self._strategic(), 1, 1)])

    def test_acceptance_is_listed_until_it_is_ended_by_hand_or_not(self):
        self._invoice(250.0)
        self.account.with_user(self.manager)._accept(add(self.company._credit_today(), days=10), "Plan agreed")

        row = self._exceptions(kind='acceptance')

        self.assertEqual((row.amount, row.user_id), (250.0, self.manager))
        self.account.with_user(self.manager).action_end_acceptance()
        self.assertEqual(len(self._exceptions(kind='acceptance')), 1)

    def test_auditors_read_it_analysts_and_sales_do_not(self):
        self._released()
        auditor = self._new_user('auditor', 'credit_management.group_credit_auditor')

        self.assertTrue(self._exceptions(auditor))
        for user in (self.analyst, self.sales_user):
            for model in ('credit.exception', 'credit.exception.report'):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])

    def test_managers_get_the_month_once(self):
        self.manager.lang = 'en_US'
        self._released()

        self._send_next_month()
        self._send_next_month()

        report = self.reports.search([('company_id', '=', self.company.id)])
        self.assertEqual((report.state, report.count, report.release_count, report.amount), ('sent', 1, 1, 500.0))
        self.assertEqual(report.month, start_of(self.company._credit_today(), 'month'))
        self.assertEqual(report.recipient_ids, self.company._credit_managers().filtered('email'))
        mail = self._mails()
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.state, 'outgoing', "it is queued, not sent by the job")
        self.assertIn(self.manager.partner_id, mail.recipient_ids)
        self.assertIn("500.00", mail.body_html)

    def test_attached_workbook_lists_the_decisions(self):
        from openpyxl import load_workbook

        self._released()

        self._send_next_month()

        attachment = self._mails().attachment_ids[:1]
        sheet = load_workbook(io.BytesIO(base64.b64decode(attachment.datas))).active
        rows = list(sheet.iter_rows(values_only=True))
        self.assertEqual(len(rows), 2)
        self.assertIn("Reason Code", rows[0])
        self.assertIn(500.0, rows[1])
        self.assertIn(self.customer.display_name, rows[1])

    def test_month_without_exceptions_sends_nothing(self):
        self._send_next_month()

        report = self.reports.search([('company_id', '=', self.company.id)])
        self.assertEqual((report.state, report.count), ('empty', 0))
        self.assertFalse(self._mails())

    def test_company_reports_its_own_decisions(self):
        other = self.env['res.company'].create({'name': "Other company"})
        self.env.user.company_ids += other
        self._released()

        self._send_next_month(other)

        self.assertEqual(self.reports.search([('company_id', '=', other.id)]).count, 0)
        self.manager.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        self.assertFalse(self._exceptions(self.manager))

    def test_company_without_reachable_manager_says_so(self):
        self._released()
        with patch.object(type(self.env['res.company']), '_credit_managers', lambda self: self.env['res.users']):
            self._send_next_month()

        self.assertEqual(self.reports.search([('company_id', '=', self.company.id)]).state, 'nobody')
