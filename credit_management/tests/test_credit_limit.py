from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestCreditLimit(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls._account()
        cls.today = cls.company._credit_today()

    def _draft(self, amount=100, user=None, **values):
        return (
            self.env['credit.limit']
            .with_user(user or self.analyst)
            .create({'account_id': self.account.id, 'amount': amount, 'currency_id': self.currency.id, **values})
        )

    def _close(self):
        with self.enter_registry_test_mode():
            self.env.ref('credit_management.ir_cron_close_limits').method_direct_trigger()

    def test_analyst_proposes_and_manager_approves(self):
        limit = self._draft()
        limit.action_submit()
        self.assertEqual(self.account.limit_kind, 'none')
        limit.with_user(self.manager).action_approve()
        self.account.invalidate_recordset()
        self.assertEqual((self.account.limit_kind, self.account.limit_amount), ('amount', 100))
        self.assertEqual((limit.requested_by_id, limit.decided_by_id), (self.analyst, self.manager))
        self.assertTrue(limit.in_force)

    def test_new_limit_has_no_name_before_its_customer_is_chosen(self):
        self.assertEqual(self.env['credit.limit'].new({'amount': 500.0}).display_name, '')
        self.assertIn(
            self.account.partner_id.name, self.env['credit.limit'].new({'account_id': self.account.id}).display_name
        )

    def test_analyst_can_not_approve(self):
        limit = self._draft()
        limit.action_submit()
        with self.assertRaises(AccessError):
            limit.action_approve()

    def test_manager_can_not_approve_the_own_proposal(self):
        limit = self._draft(user=self.manager)
        limit.action_submit()
        with self.assertRaisesRegex(AccessError, "Somebody else has to decide"):
            limit.action_approve()
        limit.with_user(self.other_manager).action_approve()
        self.assertEqual(limit.state, 'approved')

    def test_client_can_not_write_or_create_an_approved_limit(self):
        limit = self._draft()
        with self.assertRaises(AccessError):
            limit.write({'state': 'approved'})
        with self.assertRaises(AccessError):
            self._draft(state='approved')
        limit = (
            self.env['credit.limit']
            .with_user(self.analyst)
            .with_context(default_state='approved')
            .create({'account_id': self.account.id, 'amount': 1, 'currency_id': self.currency.id})
        )
        self.assertEqual(limit.state, 'draft')

    def test_submitted_limit_can_not_be_changed_or_deleted(self):
        limit = self._draft()
        limit.action_submit()
        with self.assertRaises(UserError):
            limit.amount = 1000
        with self.assertRaises(UserError):
            limit.unlink()
        limit.action_draft()
        limit.amount = 1000

    def test_salesperson_sees_no_limits(self):
        with self.assertRaises(AccessError):
            self.env['credit.limit'].with_user(self.sales_user).search([])

    def test_new_limit_supersedes_the_old_one_the_day_before(self):
        old = self._limit(self.account, 100, date_from=self.today)
        new = self._limit(self.account, 200, date_from=date_add(self.today, days=5))
        self.assertEqual(old.date_to, date_add(self.today, days=4))
        self.assertEqual((old.state, old.superseded_by_id), ('approved', new))
        self.assertEqual(self.figures()['effective_limit'], 100)
        self.assertEqual(self.figures(date=date_add(self.today, days=5))['effective_limit'], 200)

    def test_limit_replaced_on_its_first_day_is_in_force_on_no_day(self):
        old = self._limit(self.account, 100)
        self._limit(self.account, 200)
        self.assertEqual(old.state, 'superseded')
        self.assertEqual(self.figures()['effective_limit'], 200)

    def test_limit_ends_sharp_without_grace_and_the_default_applies_again(self):
        self._limit_policy(expiry_grace_days=0)
        limit = self._limit(self.account, 100, date_to=date_add(self.today, days=3))
        self.assertEqual(self.figures(date=date_add(self.today, days=3))['limit_kind'], 'amount')
        self.assertEqual(self.figures(date=date_add(self.today, days=4))['limit_kind'], 'none')
        self._close()
        self.assertEqual(limit.state, 'approved')
        with freeze_time(date_add(self.today, days=4)):
            self._close()
        self.assertEqual(limit.state, 'expired')

    def test_bounded_limit_ends_an_open_one_for_good_only_with_days_of_grace(self):
        policy = self._limit_policy(expiry_grace_days=0)
        self._limit(self.account, 100)
        with self.assertRaisesRegex(UserError, "would be without a limit"):
            self._limit(self.account, 200, date_to=date_add(self.today, days=5))
        policy.expiry_grace_days = 1
        self._limit(self.account, 200, date_to=date_add(self.today, days=5))
        amounts = [self.figures(date=date_add(self.today, days=days))['limit_amount'] for days in (0, 5, 6, 7)]
        self.assertEqual(amounts, [200, 200, 200, 0])

    def test_limit_of_100_in_a_currency_worth_half_is_50(self):
        currency = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self._limit(self.account, 100, currency_id=currency.id)
        self.assertEqual(self.figures()['effective_limit'], 50)

    def test_rejection_keeps_the_reason(self):
        limit = self._draft()
        limit.action_submit()
        limit.with_user(self.manager)._reject("figures too old")
        self.assertEqual((limit.state, limit.decision_note), ('rejected', "figures too old"))

    def test_approver_gets_an_activity_that_the_decision_closes(self):
        self.account.controller_id = self.manager
        limit = self._draft()
        limit.action_submit()
        self.assertEqual(limit.activity_ids.user_id, self.manager)
        limit.with_user(self.manager).action_approve()
        self.assertFalse(limit.activity_ids)

    def test_second_of_two_limits_approved_at_once_replaces_the_first(self):
        first, second = limits = self._draft(100) + self._draft(200)
        limits.action_submit()
        limits.with_user(self.manager).action_approve()
        self.assertEqual((first.state, first.superseded_by_id), ('superseded', second))
        self.assertEqual((second.state, self.figures()['effective_limit']), ('approved', 200))
        kinds = self.env['credit.event'].sudo().search([('account_id', '=', self.account.id)], order='number')
        self.assertEqual(kinds.mapped('kind')[-3:], ['limit_approved', 'limit_closed', 'limit_approved'])
        self.assertEqual(len(self.account.message_ids.filtered(lambda note: "approved by" in note.body)), 1)

    def test_statements_of_an_approval_hardly_grow_with_the_limits(self):
        def approve(number):
            customers = self.env['res.partner'].create(
                [{'name': f"Customer {place}", 'is_company': True} for place in range(number)]
            )
            accounts = self._account(customers)
            for amount in (100, 200):  # the second replaces the first
                limits = self.env['credit.limit'].create(
                    [{'account_id': account.id, 'amount': amount + account.id % 7} for account in accounts]
                )
                limits.action_submit()
                limits = limits.with_user(self.manager)
                self.env.flush_all()
                self.env.invalidate_all()
                limits.mapped('display_name')
                before = self.cr.sql_log_count
                limits._write_flows(limits._approvals())
                self.env.flush_all()
            return self.cr.sql_log_count - before

        approve(2)  # caches
        one = approve(1)
        self.assertLessEqual(approve(20), one + 3)


@tagged('post_install', '-at_install')
class TestTemporaryLimit(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls._account()
        cls.today = cls.company._credit_today()
        cls.base = cls._limit(cls.account, 100)

    def _day(self, days):
        return date_add(self.today, days=days)

    def _temporary(self, amount, start, end, **values):
        return self._limit(
            self.account, amount, kind='temporary', date_from=self._day(start), date_to=self._day(end), **values
        )

    def _limit_on(self, days):
        return self.figures(date=self._day(days))['effective_limit']

    def test_takes_the_place_of_the_base_limit_for_its_days_only(self):
        self._temporary(300, 2, 5)
        self.assertEqual([self._limit_on(days) for days in (1, 2, 5, 6)], [100, 300, 300, 100])
        self.assertEqual((self.base.state, self.base.date_to), ('approved', False))

    def test_may_be_lower_than_the_base_limit_or_unlimited(self):
        self._temporary(30, 0, 1)
        self.assertEqual(self._limit_on(0), 30)
        self._temporary(0, 3, 4, limit_kind='unlimited')
        self.assertTrue(self.figures(date=self._day(3))['unlimited'])

    def test_account_says_until_when(self):
        self.assertEqual((self.account.limit_temporary, self.account.limit_until), (False, False))
        self._temporary(300, 0, 5)
        self.account.invalidate_recordset()
        self.assertEqual((self.account.limit_temporary, self.account.limit_until), (True, self._day(5)))
        self.assertEqual(self.account._limit_in_force()['amount'], 300)

    def test_needs_an_end(self):
        with self.assertRaisesRegex(UserError, "last day"):
            self.env['credit.limit'].create(
                {'account_id': self.account.id, 'amount': 1, 'currency_id': self.currency.id, 'kind': 'temporary'}
            )

    def test_second_one_replaces_the_rest_of_the_first(self):
        first = self._temporary(300, 0, 10)
        second = self._temporary(400, 3, 5)
        self.assertEqual((first.date_to, first.superseded_by_id), (self._day(2), second))
        self.assertEqual([self._limit_on(days) for days in (2, 3, 5, 6)], [300, 400, 400, 100])

    def test_new_base_limit_waits_behind_it(self):
        self._temporary(300, 0, 5)
        self._limit(self.account, 200)
        self.assertEqual([self._limit_on(days) for days in (0, 5, 6)], [300, 300, 200])

    def test_ended_by_hand_the_base_limit_applies_again_today(self):
        limit = self._temporary(300, 0, 10)
        with freeze_time(self._day(4)):
            with self.assertRaises(AccessError):
                limit.with_user(self.analyst).action_end()
            limit.with_user(self.manager).action_end()
        self.assertEqual((limit.state, limit.date_to), ('expired', self._day(3)))
        self.assertEqual([self._limit_on(days) for days in (3, 4)], [300, 100])

    def test_ended_on_its_first_day_it_was_never_in_force(self):
        limit = self._temporary(300, 0, 10)
        limit.with_user(self.manager).action_end()
        self.assertEqual(limit.state, 'rejected')
        self.assertIn("Ended before", limit.decision_note)
        self.assertEqual(self._limit_on(0), 100)

    def test_base_limit_is_not_ended_by_hand(self):
        with self.assertRaisesRegex(UserError, "temporary"):
            self.base.with_user(self.manager).action_end()

    def test_ends_by_itself_and_the_credit_file_tells(self):
        limit = self._temporary(300, 0, 3)
        with freeze_time(self._day(4)):
            with self.enter_registry_test_mode():
                self.env.ref('credit_management.ir_cron_close_limits').method_direct_trigger()
        self.assertEqual((limit.state, self.base.state), ('expired', 'approved'))
        events = self.env['credit.event'].search([('account_id', '=', self.account.id)], order='number')
        self.assertEqual(events.mapped('kind')[-1], 'limit_closed')
        self.assertIn("temporary", events[-1].description)
