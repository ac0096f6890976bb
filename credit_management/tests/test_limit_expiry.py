from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon


class LimitCommon(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._credit_today()
        cls.account = cls._account()

    def _day(self, days):
        return date_add(self.today, days=days)

    def _limit_on(self, days):
        return self.figures(date=self._day(days))['limit_amount']

    def _run(self, cron):
        with self.enter_registry_test_mode():
            self.env.ref(f'credit_management.{cron}').method_direct_trigger()


@tagged('post_install', '-at_install')
class TestLimitExpiry(LimitCommon):
    def test_expired_base_limit_stays_in_force_for_the_days_of_grace(self):
        self._policy(('limit_expired', 'warn', {}), expiry_grace_days=10)
        limit = self._limit(self.account, 100, date_to=self._day(3))
        self.assertEqual([self._limit_on(days) for days in (3, 4, 13, 14)], [100, 100, 100, 0])
        with freeze_time(self._day(4)):
            self._run('ir_cron_close_limits')
            limit.invalidate_recordset()
            self.assertEqual((limit.state, limit.in_force), ('expired', True))
            self.assertIn(limit, self.env['credit.limit'].search([('in_force', '=', True)]))
            self.assertEqual(self.account._limit_in_force()['amount'], 100)
        with freeze_time(self._day(14)):
            limit.invalidate_recordset()
            self.assertFalse(limit.in_force)
            self.assertNotIn(limit, self.env['credit.limit'].search([('in_force', '=', True)]))

    def test_account_says_since_when_it_has_expired_and_until_when_it_is_in_force(self):
        self._limit(self.account, 100, date_to=self._day(3))
        row = self.figures(date=self._day(3))
        self.assertEqual((row['limit_until'], row['limit_grace_until']), (self._day(3), False))
        with freeze_time(self._day(5)):
            self.account.invalidate_recordset()
            self.assertEqual((self.account.limit_until, self.account.limit_grace_until), (self._day(3), self._day(33)))

    def test_temporary_limit_has_no_grace(self):
        self._limit(self.account, 100)
        self._limit(self.account, 300, kind='temporary', date_to=self._day(3))
        self.assertEqual([self._limit_on(days) for days in (3, 4)], [300, 100])

    def test_grace_of_the_policy_at_the_approval_stays(self):
        policy = self._policy(('limit_expired', 'warn', {}), expiry_grace_days=10)
        limit = self._limit(self.account, 100, date_to=self._day(3))
        policy.expiry_grace_days = 0
        self.assertEqual(limit.date_until, self._day(13))

    def test_contact_shows_the_limit_in_its_grace(self):
        self._limit(self.account, 100, date_to=self._day(1))
        for days, number in ((2, 100), (40, 0)):
            with freeze_time(self._day(days)):
                self.env['credit.core.limit']._mirror_accounts(self.account)
                self.assertEqual(self.customer.credit_limit, number)

    def test_order_in_the_grace_passes_with_a_warning_and_after_it_the_default_holds(self):
        self._policy(
            ('utilisation', 'hold', {'threshold': 100.0}),
            ('limit_expired', 'warn', {}),
            default_limit_kind='amount',
            default_limit_amount=0,
        )
        self._limit(self.account, 1000, date_to=self._day(1))
        for days, state in ((1, 'passed'), (4, 'warned'), (40, 'on_hold')):
            with freeze_time(self._day(days)):
                order = self._order(confirm=True)
                self.assertEqual(order.credit_state, state, days)
                if state == 'warned':
                    self.assertIn("expired 3 days ago", order.credit_reason)

    def test_rule_on_expired_limits_warns_unless_somebody_says_otherwise(self):
        rule = self.env['credit.rule'].new({'kind': 'limit_expired', 'outcome': 'hold'})
        rule._onchange_kind()
        self.assertEqual(rule.outcome, 'warn')

    def test_renewal_takes_over_in_the_grace_without_a_gap(self):
        old = self._limit(self.account, 100, date_to=self._day(3))
        with freeze_time(self._day(8)):
            self._run('ir_cron_close_limits')
            new = self._limit(self.account, 200)
        self.assertEqual((old.superseded_by_id, old.date_to, old.date_until), (new, self._day(3), self._day(7)))
        self.assertEqual([self._limit_on(days) for days in (3, 7, 8)], [100, 100, 200])

    def test_limit_approved_for_later_ends_the_grace_before_it(self):
        old = self._limit(self.account, 100, date_to=self._day(3))
        self._limit(self.account, 200, date_from=self._day(20))
        self.assertEqual(old.date_until, self._day(19))
        early = self._account(self.env['res.partner'].create({'name': "Early", 'is_company': True}))
        self._limit(early, 200, date_from=self._day(20))
        first = self._limit(early, 100, date_to=self._day(3))
        self.assertEqual((first.date_until, first.state), (self._day(19), 'approved'))

    def test_later_decision_of_a_day_counts_whichever_was_drafted_first(self):
        first, second = (
            self.env['credit.limit'].create(
                {'account_id': self.account.id, 'amount': amount, 'currency_id': self.currency.id}
            )
            for amount in (100, 200)
        )
        for limit in (second, first):
            limit.sudo().action_submit()
            limit.sudo().action_approve()
        self.assertEqual((self._limit_on(0), second.in_force), (100, False))

    def test_client_can_not_say_until_when_a_limit_is_in_force(self):
        limit = self.env['credit.limit'].with_user(self.analyst).create({'account_id': self.account.id, 'amount': 1})
        with self.assertRaises(AccessError):
            limit.date_until = self._day(100)


@tagged('post_install', '-at_install')
class TestReview(LimitCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._policy(('review_overdue', 'warn', {}), review_interval=6, review_notice_days=14)

    def _activities(self):
        return self.account.activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref('credit_management.mail_activity_type_review')
        )

    def test_approval_of_a_base_limit_sets_the_next_review(self):
        self._limit(self.account, 100, kind='temporary', date_to=self._day(3))
        self.assertFalse(self.account.next_review_date)
        self._limit(self.account, 100)
        self.assertEqual(self.account.next_review_date, date_add(self.today, months=6))

    def test_controller_is_asked_ahead_of_time_once(self):
        self.account.write({'next_review_date': self._day(15), 'controller_id': self.analyst.id})
        self._run('ir_cron_review')
        self.assertFalse(self._activities())
        self.account.next_review_date = self._day(14)
        self._run('ir_cron_review')
        self._run('ir_cron_review')
        activity = self._activities()
        self.assertEqual((activity.user_id, activity.date_deadline), (self.analyst, self._day(14)))

    def test_review_done_closes_the_activity_and_sets_the_next(self):
        self.account.next_review_date = self.today
        self._run('ir_cron_review')
        self.account.with_user(self.analyst).action_review_done()
        self.assertFalse(self._activities())
        self.assertEqual(self.account.next_review_date, date_add(self.today, months=6))
        event = self.env['credit.event'].sudo().search([('account_id', '=', self.account.id)], limit=1)
        self.assertEqual((event.kind, event.user_id), ('reviewed', self.analyst))
        self.assertIn("Next review due on", event.description)

    def test_salesperson_does_no_reviews(self):
        self.account.next_review_date = self.today
        with self.assertRaises(AccessError):
            self.account.with_user(self.sales_user).action_review_done()

    def test_policy_without_reviews_asks_for_none(self):
        self.policy.review_interval = 0
        self._limit(self.account, 100)
        self.assertFalse(self.account.next_review_date)
        with self.assertRaisesRegex(UserError, "no reviews"):
            self.account.action_review_done()

    def test_order_warns_when_the_review_is_overdue(self):
        self.account.next_review_date = self.today
        self.assertEqual(self._order(confirm=True).credit_state, 'passed')
        self.account.next_review_date = self._day(-5)
        order = self._order(confirm=True)
        self.assertEqual(order.credit_state, 'warned')
        self.assertIn("5 days overdue", order.credit_reason)

    def test_statements_of_the_job_do_not_grow_with_the_accounts_that_are_not_due(self):
        partners = self.env['res.partner'].create([{'name': f"Later {n}", 'is_company': True} for n in range(20)])
        self._account(partners).write({'next_review_date': self._day(100)})
        self.env.flush_all()
        self.env['credit.account']._schedule_reviews(self.company)
        self.env.invalidate_all()
        with self.assertQueryCount(6):
            self.env['credit.account']._schedule_reviews(self.company)
