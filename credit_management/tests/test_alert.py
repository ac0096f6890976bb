from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestAlert(CreditCommon):
    """Customers near or over their limit, and limits that end, are told of once per crossing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy(controller_id=cls.analyst.id)
        cls.account = cls._account(limit=1000.0)
        cls.today = cls.company._credit_today()

    def _update(self, company=None):
        self.env['credit.alert'].sudo()._update_company(company or self.company)

    def _alerts(self, account=None, **wanted):
        domain = [('account_id', '=', (account or self.account).id)]
        return self.env['credit.alert'].search(domain + [(name, '=', value) for name, value in wanted.items()])

    def _activities(self, user=None, account=None):
        account = account or self.account
        activities = account.activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref('credit_management.mail_activity_type_alert')
        )
        return activities.filtered(lambda activity: activity.user_id == user) if user else activities

    def _close(self, alerts, user, **values):
        action = alerts.with_user(user).action_close()
        wizard = (
            self.env['credit.alert.closing'].with_user(user).with_context(**action['context']).create({'note': "ok"})
        )
        wizard.write(values)
        return wizard.action_apply()

    def test_below_the_threshold_nothing_is_raised(self):
        self._invoice(799.0)

        self._update()

        self.assertFalse(self._alerts())
        self.assertFalse(self._activities())

    def test_near_the_limit_is_told_once_to_controller_and_salesperson(self):
        self._invoice(800.0)

        self._update()
        self._update()

        alert = self._alerts()
        self.assertEqual((alert.kind, alert.state, alert.date), ('near', 'open', self.today))
        self.assertEqual((alert.exposure, alert.effective_limit, alert.utilisation), (800.0, 1000.0, 80.0))
        self.assertEqual(alert.user_id, self.analyst)
        self.assertEqual(self._activities().user_id, self.analyst + self.sales_user)
        self.assertEqual(len(self._activities()), 2)

    def test_policy_says_from_where_on(self):
        self.policy.near_limit_percent = 95.0
        self._invoice(900.0)

        self._update()

        self.assertFalse(self._alerts())

    def test_over_takes_the_place_of_near_and_near_is_not_told_again(self):
        self._invoice(900.0)
        self._update()
        invoice = self._invoice(200.0)

        self._update()

        near, over = self._alerts(kind='near'), self._alerts(kind='over')
        self.assertEqual((near.state, over.state), ('ended', 'open'))
        self._reverse(invoice)
        self._update()
        self.assertEqual((over.state, over.crossing, over.date_end), ('ended', False, self.today))
        self.assertEqual((near.state, near.crossing), ('ended', True))
        self.assertEqual(len(self._alerts()), 2)
        self.assertFalse(self._activities())

    def test_once_under_the_limit_again_it_is_raised_again(self):
        invoice = self._invoice(1200.0)
        self._update()
        self._reverse(invoice)
        self._update()
        self.assertFalse(self._alerts(crossing=True))

        self._invoice(1100.0)
        self._update()

        self.assertEqual(self._alerts(kind='over').mapped('state'), ['open', 'ended'])

    def test_closed_alert_is_not_raised_again_while_it_is_true(self):
        self._invoice(900.0)
        self._update()
        alert = self._alerts()

        self._close(alert, self.analyst)
        self._update()

        self.assertEqual((alert.state, alert.note, alert.closed_by_id), ('closed', "ok", self.analyst))
        self.assertEqual(len(self._alerts()), 1)
        self.assertFalse(self._activities())

    def test_snoozed_alert_is_back_on_its_day_unless_it_has_passed(self):
        self._invoice(900.0)
        self._update()
        alert = self._alerts()
        alert.with_user(self.analyst)._handle("Payment is announced", self.today + timedelta(days=3))
        self._update()
        self.assertEqual(alert.state, 'snoozed')
        self.assertFalse(self._activities())

        alert.sudo().snooze_until = self.today
        self._update()

        self.assertEqual(alert.state, 'open')
        self.assertEqual(self._activities().user_id, self.analyst + self.sales_user)

    def test_snoozing_needs_a_reason_and_a_day_to_come(self):
        self._invoice(900.0)
        self._update()
        alert = self._alerts().with_user(self.analyst)
        with self.assertRaisesRegex(UserError, "State a reason"):
            alert._handle("  ")
        with self.assertRaisesRegex(UserError, "day to come"):
            alert._handle("Later", self.today)

        alert._handle("Done")

        with self.assertRaisesRegex(UserError, "needs nothing any more"):
            alert._handle("Again")

    def test_limit_that_ends_soon_is_told_unless_another_follows(self):
        limit = self._limit(self.account, 500.0, kind='temporary', date_to=self.today + timedelta(days=30))
        other = self._account(self.env['res.partner'].create({'name': "North", 'is_company': True}), limit=100.0)
        self._limit(other, 100.0, kind='temporary', date_to=self.today + timedelta(days=31))

        self._update()

        alert = self._alerts(kind='expiring')
        self.assertEqual((alert.limit_id, alert.limit_until, alert.state), (limit, limit.date_to, 'open'))
        self.assertFalse(self._alerts(other))
        limit.action_end()
        self._update()
        self.assertEqual((alert.state, alert.crossing), ('ended', False))

    def test_unlimited_customer_and_default_of_a_policy_on_trial_raise_nothing(self):
        self._limit(self.account, 0.0, limit_kind='unlimited')
        self.policy.write({'default_limit_kind': 'amount', 'default_limit_amount': 10.0, 'mode': 'shadow'})
        north = self.env['res.partner'].create({'name': "North", 'is_company': True})
        undecided = self._account(north)
        self._invoice(5000.0)
        self._invoice(5000.0, partner=north)

        self._update()
        self.assertFalse(self._alerts() + self._alerts(undecided))

        self.policy.mode = 'enforcing'
        self._update()
        self.assertEqual(self._alerts(undecided, state='open').kind, 'over')

    def test_limit_in_another_currency_is_compared_in_company_currency(self):
        euro = self.env.ref('base.EUR') if self.currency != self.env.ref('base.EUR') else self.env.ref('base.CHF')
        euro.active = True
        self.env['res.currency.rate'].search([('currency_id', '=', euro.id)]).unlink()
        self.env['res.currency.rate'].create({'currency_id': euro.id, 'name': '2020-01-01', 'rate': 0.5})
        self._limit(self.account, 500.0, currency_id=euro.id)  # 1000 in company currency
        self._invoice(850.0)

        self._update()

        self.assertEqual(self._alerts().effective_limit, 1000.0)
        self.assertEqual(self._alerts().kind, 'near')

    def test_company_raises_alerts_of_its_own_accounts(self):
        other = self.env['res.company'].create({'name': "Other company"})
        self.env.user.company_ids += other
        account = self._account(company=other)
        self._limit(account, 100.0)
        self._invoice(2000.0)

        self._update(other)

        self.assertFalse(self._alerts() + self._alerts(account))
        self._update()
        self.assertEqual(self._alerts(kind='over').company_id, self.company)
        alien = self._new_user('alien', 'credit_management.group_credit_manager')
        alien.write({'company_ids': [(6, 0, other.ids)], 'company_id': other.id})
        self.assertFalse(self.env['credit.alert'].with_user(alien).search([]))

    def test_sales_read_alerts_of_their_customers_and_change_nothing(self):
        self._invoice(900.0)
        self._update()
        alert = self._alerts().with_user(self.sales_user)
        stranger = self._new_user('stranger', 'sales_team.group_sale_salesman')

        self.assertEqual(alert.read(['utilisation'])[0]['utilisation'], 90.0)
        self.assertFalse(self.env['credit.alert'].with_user(stranger).search([]))
        for call in (
            lambda: alert.write({'state': 'closed'}),
            lambda: alert.unlink(),
            alert.action_close,
            alert.action_snooze,
            alert.action_update,
        ):
            with self.assertRaises(AccessError):
                call()

    def test_salesperson_who_may_not_see_credit_is_not_told(self):
        self.sales_user.group_ids = self.env.ref('base.group_user')
        self._invoice(900.0)

        self._update()

        self.assertEqual(self._activities().user_id, self.analyst)

    def test_analyst_updates_on_demand(self):
        self._invoice(900.0)

        self.env['credit.alert'].with_user(self.analyst).action_update()

        self.assertEqual(self._alerts().kind, 'near')

    def test_number_of_statements_does_not_follow_the_number_of_accounts(self):
        def count(number):
            for place in range(number):
                partner = self.env['res.partner'].create({'name': f"C{number}-{place}", 'is_company': True})
                self._account(partner, limit=100.0)
                self._order_of(90.0, partner=partner).action_confirm()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._update()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(1)  # fills the caches

        few, many = count(1), count(6)

        self.assertLess(many - few, 5, f"{few} statements for one more customer, {many} for six")
