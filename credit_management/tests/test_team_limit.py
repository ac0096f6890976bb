from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestTeamLimit(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._policy(('team_limit', 'hold', {'threshold': 100.0}))
        cls.second = cls.env['res.partner'].create({'name': "Yuanda", 'is_company': True, 'user_id': cls.sales_user.id})
        cls.stranger = cls.env['res.partner'].create({'name': "Stranger", 'is_company': True})
        cls.today = cls.company._credit_today()
        cls.limit = cls.env['credit.team.limit'].create({'user_id': cls.sales_user.id, 'amount': 1000})

    def _state(self, amount, partner=None):
        return self._order_of(amount, partner=partner, confirm=True).credit_state

    def _bumps(self, limit=None):
        self.env.cr.execute("SELECT n FROM credit_counter WHERE team_limit_id = %s", [(limit or self.limit).id])
        return self.env.cr.fetchone() or (0,)

    def test_orders_of_all_customers_of_a_salesperson_count_together(self):
        self.assertEqual(self._state(600), 'passed')
        order = self._order_of(500, partner=self.second, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        self.assertIn("100.00 more than their common limit", order.credit_reason.replace('\xa0', ' '))
        self.assertEqual(order.credit_check_id.reduction_needed, 100)
        self.assertEqual(self._state(400, self.second), 'passed')
        self.assertEqual(self._state(5000, self.stranger), 'passed')

    def test_raised_limit_has_the_held_orders_of_its_customers_looked_at(self):
        self.assertEqual(self._state(1100), 'on_hold')
        Recheck = self.env['credit.recheck'].sudo()
        Recheck.search([]).unlink()
        self.limit.with_user(self.manager).amount = 5000
        self.assertEqual(Recheck.search([]).account_id.partner_id, self.customer)

    def test_orders_of_one_batch_count_for_each_other(self):
        orders = self._order_of(600) + self._order_of(600, partner=self.second)
        orders.action_confirm()
        self.assertEqual(orders.mapped('credit_state'), ['passed', 'on_hold'])

    def test_team_counts_the_customers_of_its_members(self):
        self.limit.active = False
        team = self.env['crm.team'].create(
            {'name': "South", 'crm_team_member_ids': [Command.create({'user_id': self.sales_user.id})]}
        )
        limit = self.env['credit.team.limit'].create({'team_id': team.id, 'amount': 1000})
        self.assertEqual((self._state(600), self._state(500, self.second)), ('passed', 'on_hold'))
        self.assertEqual(limit.customer_count, 2)

    def test_list_shows_what_the_customers_owe_and_opens_them(self):
        self._invoice(300)
        self._order_of(200, partner=self.second, confirm=True)
        self._account(self.second)
        self.limit.invalidate_recordset()
        self.assertEqual(
            (self.limit.exposure, self.limit.available, self.limit.utilisation, self.limit.customer_count),
            (500, 500, 50, 2),
        )
        action = self.limit.with_user(self.analyst).action_view_customers()
        accounts = self.Account.search(action['domain'])
        self.assertEqual(accounts.partner_id & (self.second + self.stranger), self.second)

    def test_is_in_force_from_its_first_to_its_last_day(self):
        self.limit.write({'date_from': date_add(self.today, days=1), 'date_to': date_add(self.today, days=2)})
        for days, state in ((0, 'passed'), (1, 'on_hold'), (2, 'on_hold'), (3, 'passed')):
            with freeze_time(date_add(self.today, days=days)):
                self.assertEqual(self._order_of(1001, confirm=True).credit_state, state, days)
                self.env['sale.order'].search([('partner_id', '=', self.customer.id)])._action_cancel()

    def test_policy_in_shadow_mode_beside_it_records_and_holds_nothing(self):
        self.policy.rule_ids.threshold = 1000
        tag = self.env['res.partner.category'].create({'name': "Trial"})
        self.customer.category_id = tag
        shadow = self._policy(
            ('team_limit', 'hold', {'threshold': 1.0}), mode='shadow', default=False, tag_ids=[Command.set(tag.ids)]
        )
        order = self._order_of(600, confirm=True)
        self.assertEqual(order.credit_state, 'passed')
        self.assertEqual(order.sudo().credit_check_ids.filtered('shadow').mapped('policy_id'), shadow)
        self.assertEqual(order.sudo().credit_check_ids.filtered('shadow').outcome, 'hold')

    def test_policy_without_the_rule_does_not_look_at_it(self):
        self.policy.rule_ids.kind = 'order_amount'
        self.policy.rule_ids.threshold = 10000
        self.assertEqual(self._state(5000), 'passed')
        self.assertEqual(self._bumps(), (0,))

    def test_confirmations_of_two_customers_write_one_counter(self):
        before = self._bumps()[0]
        self._state(100)
        self._state(100, self.second)
        self.assertEqual(self._bumps()[0], before + 2)
        self._state(100, self.stranger)
        self.assertEqual(self._bumps()[0], before + 2)
        self.limit.amount = 500
        self.assertEqual(self._bumps()[0], before + 3)

    def test_counter_is_seen_by_managers_of_its_company_only(self):
        self._state(100)
        counter = self.env['credit.counter'].sudo().search([('team_limit_id', '=', self.limit.id)])
        self.assertTrue(counter)
        Counter = self.env['credit.counter'].with_user(self.manager)
        self.assertEqual(Counter.search([('team_limit_id', '=', self.limit.id)]), counter)

        other = self.setup_other_company(name="Elsewhere")['company']
        stranger = self._new_user('elsewhere', 'credit_management.group_credit_manager')
        stranger.write({'company_id': other.id, 'company_ids': [Command.set(other.ids)]})
        self.assertFalse(Counter.with_user(stranger).search([('team_limit_id', '=', self.limit.id)]))
        with self.assertRaises(AccessError):
            Counter.with_user(self.analyst).search([])

    def test_raising_a_confirmed_order_is_checked_for_the_increase(self):
        order = self._order_of(600, confirm=True)
        with self.assertRaisesRegex(UserError, "more than their common limit"):
            order.with_user(self.env.user).order_line.price_unit = 1200
        order.order_line.price_unit = 900
        self.assertEqual(order.amount_total, 900)

    def test_is_for_a_salesperson_or_a_team(self):
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.cr.savepoint():
            self.env['credit.team.limit'].create({'amount': 100})

    def test_is_the_managers_to_decide(self):
        with self.assertRaises(AccessError):
            self.limit.with_user(self.analyst).amount = 5000
        with self.assertRaises(AccessError):
            self.limit.with_user(self.sales_user).read(['amount'])
        self.limit.with_user(self.manager).amount = 5000

    def test_counts_in_its_company_only(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        limit = self.env['credit.team.limit'].create(
            {'user_id': self.sales_user.id, 'amount': 1, 'company_id': other.id}
        )
        self._invoice(300)
        self.assertEqual((limit.exposure, self._state(100)), (0, 'passed'))
        self.assertFalse(self.limit.with_user(self.manager).search([('id', '=', limit.id)]))
