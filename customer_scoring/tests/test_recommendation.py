from dateutil.relativedelta import relativedelta
from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.credit_management.tests.common import CreditCommon


@tagged('post_install', '-at_install')
class TestRecommendation(CreditCommon):
    """Recommended limits from the ledger to the proposal."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy(recommend_growth_percent=0.0, recommend_concentration_percent=100.0)
        cls.grade = cls.env['credit.grade'].create({'code': 'X', 'name': "Test", 'limit_factor': 0.5})
        cls.today = cls.company._credit_today()
        cls.Recommendation = cls.env['scoring.recommendation'].sudo()

    def trade(self, amount=1200.0, months=12, partner=None, days=30):
        """Invoice an amount in each of the last months, to be paid after some days, and pay it on its due date."""
        for month in range(months):
            day = self.today - relativedelta(months=month, days=days + 1)
            move = self._invoice(amount, partner=partner, due=day, invoice_date=day)
            move.button_draft()
            move.invoice_date_due = day + relativedelta(days=days)
            move.action_post()
            self.env['account.payment.register'].with_context(active_model='account.move', active_ids=move.ids).create(
                {'payment_date': move.invoice_date_due}
            )._create_payments()

    def buy(self, amount=3000.0, **values):
        """Invoice an amount today, due in 30 days."""
        return self._invoice(amount, due=self.today + relativedelta(days=30), invoice_date=self.today, **values)

    def recommend(self, account):
        return self.Recommendation._recommend(account)

    def test_what_is_billed_in_the_time_it_stays_open(self):
        account = self._account()
        self.trade()
        record = self.recommend(account)
        self.assertEqual(record.terms_days, 30.0)
        # 1 200 a month; the oldest of the 12 is more than 12 months old.
        self.assertEqual((record.billed, record.months), (13200.0, 12.0))
        self.assertEqual(record.need, 1100.0)
        self.assertEqual(record.binding, 'need')
        self.assertEqual(record.verdict, 'first')

    def test_grade_scales(self):
        account = self._account(grade_id=self.grade.id)
        self.trade()
        record = self.recommend(account)
        self.assertAlmostEqual(record.graded_need, record.need / 2, 2)

    def test_credit_notes_come_off_and_drafts_do_not_count(self):
        account = self._account()
        self._reverse(self._invoice(5000.0, due=self.today))
        self._invoice(7000.0, due=self.today, post=False)
        self.assertEqual(self.recommend(account).billed, 0.0)

    def test_contacts_count_for_their_company_and_other_companies_do_not(self):
        account = self._account()
        self.buy(partner=self.contact)
        other = self.env['res.company'].create({'name': "Elsewhere"})
        record = self.recommend(account)
        self.assertEqual(record.billed, 3000.0)
        self.assertEqual(record.months, 3.0)
        elsewhere = self.Account.sudo()._for_partners(self.customer, other)
        self.assertEqual(self.Recommendation.sudo()._recommend(elsewhere).billed, 0.0)

    def test_share_of_our_sales_caps(self):
        self.policy.recommend_concentration_percent = 10.0
        account = self._account()
        self.buy()
        record = self.recommend(account)
        # A young company's 3 000 in 3 months are 12 000 a year, in proportion.
        self.assertAlmostEqual(record.own_sales, 12000.0)
        self.assertAlmostEqual(record.concentration_cap, 1200.0)
        self.assertEqual(record.amount, min(record.graded_need, 1200.0))

    def test_expected_loss_caps_where_grade_and_policy_say_so(self):
        self.grade.write({'limit_factor': 2.0, 'default_percent': 10.0})
        account = self._account(grade_id=self.grade.id)
        self.buy()
        record = self.recommend(account)
        self.assertEqual((record.loss_known, record.binding, record.amount), (False, 'need', 2000.0))
        # 12 000 a year at 2 % earn 240; a tenth of half of 4 800 is 240.
        self.policy.write({'recommend_margin_percent': 2.0, 'recommend_loss_percent': 50.0})
        record = self.recommend(account)
        self.assertEqual((record.loss_cap, record.binding, record.amount), (4800.0, 'need', 2000.0))
        self.policy.recommend_tolerated_percent = 25.0
        record = self.recommend(account)
        self.assertEqual((record.loss_cap, record.binding, record.amount), (1200.0, 'expected_loss', 1200.0))
        self.assertIn("1,200.00, of which we expect to lose", record._explain())

    def test_overdue_customer_gets_no_first_limit(self):
        account = self._account()
        self.buy()
        self._invoice(3000.0, due=self.today - relativedelta(days=40))
        self.assertEqual(self.recommend(account).verdict, 'frozen')

    def test_present_limit_in_another_currency_is_converted(self):
        currency = self.env.ref('base.EUR')
        currency.active = True
        self.env['res.currency.rate'].create(
            {'currency_id': currency.id, 'name': '2020-01-01', 'rate': 2.0, 'company_id': self.company.id}
        )
        account = self._account()
        self._limit(account, 1000.0, currency_id=currency.id)
        self.assertAlmostEqual(self.recommend(account).present_amount, 500.0)

    def test_unlimited_stays(self):
        account = self._account()
        self._limit(account, 0.0, limit_kind='unlimited')
        self.buy()
        record = self.recommend(account)
        self.assertEqual((record.present_kind, record.verdict), ('unlimited', 'same'))

    def test_the_newest_is_the_latest(self):
        account = self._account()
        first, second = self.recommend(account), self.recommend(account)
        self.assertEqual((first.latest, second.latest), (False, True))

    def old_limit(self, months):
        """Return an account whose limit of 100 and whose snapshots began so many months ago, all days good."""
        start = self.today - relativedelta(months=months)
        self.env['credit.snapshot.run'].sudo().search([('company_id', '=', self.company.id)]).unlink()
        self.env['credit.snapshot.run'].sudo().create(
            {'company_id': self.company.id, 'date': start, 'kind': 'daily', 'state': 'done'}
        )
        account = self._account()
        with freeze_time(start):
            self._limit(account, 100.0, date_from=start)
        self.buy()
        return account

    def test_raise_waits_for_good_months(self):
        self.assertEqual(self.recommend(self.old_limit(2)).verdict, 'wait')

    def test_raise_after_good_months(self):
        record = self.recommend(self.old_limit(3))
        self.assertEqual((record.good_months, record.verdict), (3, 'raise'))

    def bad_day(self, account, date, days_overdue):
        """Leave a snapshot with overdue debt, as the daily job writes it."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO credit_snapshot
                   (account_id, partner_id, company_id, currency_id, date, overdue_amount, days_overdue)
            VALUES (%s, %s, %s, %s, %s, 50, %s)
            """,
            [account.id, account.partner_id.id, self.company.id, self.currency.id, date, days_overdue],
        )

    def test_a_bad_day_begins_the_count_again(self):
        account = self.old_limit(6)
        self.bad_day(account, self.today - relativedelta(months=2), 5)  # tolerated
        self.assertEqual(self.recommend(account).good_months, 6)
        self.bad_day(account, self.today - relativedelta(months=1), 6)
        self.assertEqual(self.recommend(account).good_months, 1)

    # Proposals ----------------------------------------------------------------

    def graded(self, mode, **values):
        self.policy.write({'recommend_mode': mode, **values})
        account = self._account(grade_id=self.grade.id)
        self.buy()
        return account

    def test_shown_only(self):
        account = self.graded('show')
        self.Recommendation._recommend_company(self.company)
        self.assertTrue(account.recommendation_ids)
        self.assertFalse(account.limit_ids)

    def test_proposed_by_the_job_once(self):
        account = self.graded('propose')
        self.Recommendation._recommend_company(self.company)
        limit = account.limit_ids
        self.assertEqual((limit.state, limit.origin), ('submitted', 'recommended'))
        self.assertEqual(limit.recommendation_id, account.recommendation_ids)
        self.assertEqual(limit.amount, account.recommendation_ids.amount)
        self.assertIn("Need", limit.reason)
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_ids, limit)

    def test_not_proposed_again_soon_after_a_rejection(self):
        account = self.graded('propose')
        self.Recommendation._recommend_company(self.company)
        account.limit_ids.sudo()._reject("No.")
        account.sudo().recommendation_ids.monthly = False  # as if the month were over
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(len(account.recommendation_ids), 2)
        self.assertEqual(len(account.limit_ids), 1)

    def test_overdue_debt_lowers_a_limit_once_a_month_however_often_the_job_runs(self):
        account = self.old_limit(6)
        account.grade_id = self.grade
        self._invoice(3000.0, due=self.today - relativedelta(days=40))
        self.policy.write(
            {'recommend_mode': 'apply', 'recommend_apply_amount': 1000.0, 'recommend_overdue_lower_percent': 20.0}
        )
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_amount, 80.0)
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_amount, 80.0)
        account.sudo().recommendation_ids.monthly = False
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_amount, 64.0)

    def test_limit_to_begin_with_stays_while_there_is_no_trade(self):
        self.policy.write({'recommend_mode': 'apply', 'recommend_apply_amount': 100000.0})
        account = self._account(limit=5000.0, grade_id=self.grade.id)
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.recommendation_ids.verdict, 'same')
        self.assertEqual(account.limit_amount, 5000.0)

    def test_what_somebody_decided_lately_is_not_lowered(self):
        self.policy.write({'recommend_mode': 'apply', 'recommend_apply_amount': 100000.0})
        account = self._account(limit=50000.0, grade_id=self.grade.id)
        self.buy()
        self.Recommendation._recommend_company(self.company)
        self.assertEqual((account.recommendation_ids.verdict, account.limit_amount), ('lower', 50000.0))
        account.sudo().recommendation_ids.monthly = False
        self.env.flush_all()
        self.env.cr.execute("UPDATE credit_limit SET decided_date = '2020-01-01' WHERE account_id = %s", [account.id])
        self.env.invalidate_all()
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_amount, account.recommendation_ids[0].amount)

    def test_beyond_the_largest_limit_of_the_policy_a_person_decides(self):
        account = self.graded('apply', recommend_apply_amount=100000.0, max_limit_amount=10.0)
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_ids.state, 'submitted')

    def test_defaults_of_a_client_do_not_get_into_a_recommendation(self):
        self.company.credit_policy_id = False
        account = self._account()
        self.buy()
        honest = self.recommend(account)
        sly = self.Recommendation.with_context(default_recommend_growth_percent=900.0, default_latest=False)
        record = sly._recommend(account)
        self.assertEqual((record.growth_percent, record.latest), (honest.growth_percent, True))

    def test_applied_up_to_the_amount(self):
        account = self.graded('apply', recommend_apply_amount=100000.0)
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_ids.state, 'approved')
        self.assertEqual(account.limit_amount, account.recommendation_ids.amount)

    def test_proposed_above_the_amount(self):
        account = self.graded('apply', recommend_apply_amount=1.0)
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_ids.state, 'submitted')

    def test_what_could_not_be_proposed_says_why(self):
        account = self.graded('propose')
        reason = "No rate."

        def check(limit):
            raise UserError(reason)

        self.patch(type(self.env['credit.limit']), '_check_still_possible', check)
        self.Recommendation._recommend_company(self.company)
        self.assertFalse(account.limit_ids)
        self.assertEqual(account.recommendation_ids.refusal, reason)

    def test_never_applied_to_natural_persons(self):
        self.customer.is_company = False
        account = self.graded('apply', recommend_apply_amount=100000.0)
        self.Recommendation._recommend_company(self.company)
        self.assertEqual(account.limit_ids.state, 'submitted')

    def test_customers_without_a_grade_are_left_out_by_the_job(self):
        account = self.graded('propose')
        account.grade_id = False
        self.Recommendation._recommend_company(self.company)
        self.assertFalse(account.recommendation_ids)

    def test_proposed_by_hand(self):
        account = self._account()
        self.buy()
        action = account.with_user(self.analyst).action_recommend_limit()
        record = self.Recommendation.with_user(self.analyst).browse(action['res_id'])
        record.action_propose()
        self.assertEqual(account.limit_ids.state, 'submitted')
        self.assertEqual(account.limit_ids.requested_by_id, self.analyst)
        with self.assertRaisesRegex(UserError, "waits for a decision"):
            record.action_propose()

    def test_early_payer_gets_a_limit(self):
        self.trade()
        account = self._account()
        self.patch(type(self.Recommendation), '_late_days', lambda self, ids, *args: dict.fromkeys(ids, -30.0))
        record = self.recommend(account)
        self.assertEqual((record.late_days, record.counted_days, record.verdict), (-30.0, 30.0, 'first'))
        self.assertEqual(record.need, 1100.0)

    def test_no_credit_because_nothing_was_invoiced_is_not_applied_by_itself(self):
        self.policy.write({'recommend_mode': 'apply', 'recommend_apply_amount': 100000.0})
        account = self._account(grade_id=self.grade.id)
        with freeze_time(self.today - relativedelta(months=20)):
            self._limit(account, 5000.0, date_from=self.today - relativedelta(months=20))
        day = self.today - relativedelta(months=18)
        self._invoice(1000.0, due=day, invoice_date=day)
        self.Recommendation._recommend_company(self.company)
        record = account.recommendation_ids
        self.assertEqual((record.verdict, record.need, record.proposed_amount), ('lower', 0.0, 0.0))
        self.assertEqual((record.limit_id.state, account.limit_amount), ('submitted', 5000.0))

    def test_no_credit_by_grade_is_applied(self):
        self.grade.limit_factor = 0.0
        self.policy.write({'recommend_mode': 'apply', 'recommend_apply_amount': 100000.0})
        account = self.old_limit(6)
        account.grade_id = self.grade
        self.Recommendation._recommend_company(self.company)
        self.assertEqual((account.recommendation_ids.limit_id.state, account.limit_amount), ('approved', 0.0))

    def test_proposed_against_the_recommendation_only_when_said_so(self):
        account = self.old_limit(2)
        action = account.with_user(self.analyst).action_recommend_limit()
        record = self.Recommendation.with_user(self.analyst).browse(action['res_id'])
        self.assertEqual(record.verdict, 'wait')
        with self.assertRaisesRegex(UserError, "Too early for a raise"):
            record.action_propose()
        record.action_propose_anyway()
        self.assertEqual((record.limit_id.state, record.limit_id.amount), ('submitted', record.amount))
        self.assertIn("against the recommendation", record.limit_id.reason)
        self.assertIn("Too early for a raise", record.limit_id.reason)

    def test_reason_of_a_proposal_does_not_tell_the_net_worth(self):
        account = self._account()
        self.buy(3000.0)
        self.env['scoring.statement'].create(
            {
                'partner_id': self.customer.id,
                'company_id': self.company.id,
                'period_end': self.today - relativedelta(months=1),
                'equity': 123456.0,
            }
        )
        action = account.with_user(self.analyst).action_recommend_limit()
        record = self.Recommendation.with_user(self.analyst).browse(action['res_id'])
        self.assertEqual((record.net_worth, record.net_worth_cap), (123456.0, 12345.6))
        record.action_propose()
        accountant = self._new_user('an_accountant', 'account.group_account_invoice')
        reason = record.limit_id.with_user(accountant).read(['reason'])[0]['reason']
        self.assertIn("net worth", reason)
        for figure in ("123,456", "12,345"):
            self.assertNotIn(figure, reason)

    def test_statements_do_not_grow_with_the_customers(self):
        partners = self.env['res.partner'].create([{'name': f"C{i}", 'is_company': True} for i in range(20)])
        accounts = self.Account._for_partners(partners, self.company)
        self.recommend(accounts)
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        self.recommend(accounts[:1])
        self.env.flush_all()
        one = self.env.cr.sql_log_count - start
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        self.recommend(accounts)
        self.env.flush_all()
        self.assertLessEqual(self.env.cr.sql_log_count - start, one + 2)

    # Rights -------------------------------------------------------------------

    def test_sales_neither_read_nor_recommend(self):
        account = self._account()
        record = self.recommend(account)
        with self.assertRaises(AccessError):
            record.with_user(self.sales_user).read(['amount'])
        with self.assertRaises(AccessError):
            account.with_user(self.sales_user).action_recommend_limit()

    def test_nobody_rewrites_a_recommendation(self):
        record = self.recommend(self._account())
        for user in (self.analyst, self.manager):
            with self.assertRaises(AccessError):
                record.with_user(user).amount = 1.0
            with self.assertRaises(AccessError):
                record.with_user(user).unlink()

    def test_a_limit_can_not_be_said_to_follow_a_recommendation(self):
        account = self._account()
        record = self.recommend(account)
        limit = (
            self.env['credit.limit']
            .with_user(self.analyst)
            .create({'account_id': account.id, 'amount': 5.0, 'recommendation_id': record.id})
        )
        self.assertFalse(limit.recommendation_id)
        with self.assertRaises(AccessError):
            limit.recommendation_id = record
