from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MailCase

from .common import CreditCommon

RECHECK_LOGGER = 'odoo.addons.credit_management.models.credit_recheck'
ACTIVITY = 'credit_management.mail_activity_type_held_order'


@tagged('post_install', '-at_install')
class TestRecheck(CreditCommon, MailCase):
    """What lets a held order go on is noticed by itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy(recheck='confirm')
        cls.account = cls._account(limit=100)
        cls.Recheck = cls.env['credit.recheck'].sudo()

    def _held(self, amount=60, **values):
        """Hold an order that its salesperson wanted to confirm."""
        order = self._order_of(amount, **values)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual(order.credit_state, 'on_hold')
        return order

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref('credit_management.ir_cron_recheck').method_direct_trigger()

    def _asked(self, order, user=None):
        return order.activity_search([ACTIVITY], user_id=user and user.id)

    # ------------------------------------------------------------------- marks

    def test_payment_marks_only_the_customer_that_pays_and_waits(self):
        invoice = self._invoice(70)
        self._held()
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self._invoice(10, partner=other)
        self.Recheck.search([]).unlink()

        self._pay(10, partner=other)
        self.assertFalse(self.Recheck.search([]))
        self._pay(70)
        self.assertEqual(self.Recheck.search([]).account_id, self.account)
        self.Recheck.search([]).unlink()
        self._reverse(invoice)
        self.assertEqual(self.Recheck.search([]).account_id, self.account)

    def test_limit_status_grade_review_and_cancelled_order_mark_the_customer(self):
        confirmed = self._order_of(70, confirm=True)
        self._held()
        for change in (
            lambda: self._limit(self.account, 90),
            lambda: self.account.write({'status': 'watch'}),
            lambda: self.account.write({'grade_id': self.env['credit.grade'].search([], limit=1).id}),
            lambda: self.account.write({'next_review_date': '2040-01-01'}),
            confirmed._action_cancel,
        ):
            self.Recheck.search([]).unlink()
            change()
            self.assertEqual(self.Recheck.search([]).account_id, self.account)

    def test_order_that_goes_on_has_the_others_of_its_customer_looked_at(self):
        first, second = self._held(110), self._held(120)
        self.Recheck.search([]).unlink()
        notes = second.message_ids
        first.with_user(self.manager)._credit_release("fine")
        self.assertEqual(self.Recheck.search([]).account_id, self.account)

        self._run_job()

        self.assertEqual((second.credit_excess, second.credit_check_id.exposure), (130, 110))
        self.assertEqual(second.credit_check_date, second.credit_check_id.date)
        self.assertEqual(second.message_ids, notes, "other amounts alone are no news")

    def test_company_without_policy_pays_no_statement_for_a_posting(self):
        self.company.credit_policy_id = False
        self.policy.action_archive()
        partner = self.customer
        self.env['credit.policy']._companies_with_policy()
        self.env.flush_all()
        with self.assertQueryCount(0):
            self.Recheck._mark_partners(partner, self.company)

    def test_mark_triggers_the_job(self):
        self._invoice(70)
        self._held()
        triggers = self.env['ir.cron.trigger'].sudo()
        domain = [('cron_id', '=', self.env.ref('credit_management.ir_cron_recheck').id)]
        before = triggers.search_count(domain)
        self._pay(70)
        self.assertGreater(triggers.search_count(domain), before)

    # --------------------------------------------------------------------- job

    def test_payment_confirms_the_held_order_and_tells_its_salesperson(self):
        self._invoice(70)
        order = self._held()
        self._pay(70)

        self._run_job()

        self.assertEqual((order.state, order.credit_state), ('sale', 'passed'))
        message = order.message_ids.filtered(lambda item: "Confirmed by the system" in item.body)
        self.assertEqual(message.author_id, self.env.ref('base.partner_root'))
        self.assertIn(self.sales_user.partner_id, message.notified_partner_ids)
        self.assertFalse(self.Recheck.search([]))

    def test_policy_may_only_mark_the_order_ready_and_ask_its_salesperson(self):
        self.policy.recheck = 'ready'
        self._invoice(70)
        order = self._held()
        self._pay(70)

        self._run_job()
        self.Recheck._mark_all()
        self._run_job()

        self.assertEqual((order.state, order.credit_state), ('draft', 'on_hold'))
        self.assertTrue(order.credit_ready_date)
        self.assertEqual(len(self._asked(order, self.sales_user)), 1)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual((order.state, order.credit_ready_date), ('sale', False))
        self.assertFalse(self._asked(order))

    def test_oldest_order_goes_first_and_what_no_longer_fits_stays(self):
        self._invoice(100)
        first, second = self._held(), self._held()
        self._pay(100)
        self._run_job()
        self.assertEqual((first.state, second.state), ('sale', 'draft'))
        self.assertEqual(second.credit_check_id.exposure, 60)

    def test_of_two_orders_that_fit_alone_only_the_oldest_is_ready(self):
        self.policy.recheck = 'ready'
        self._invoice(100)
        first, second = self._held(), self._held()
        self._pay(100)
        self._run_job()
        self.assertTrue(first.credit_ready_date)
        self.assertFalse(second.credit_ready_date)

    def test_order_that_would_be_held_again_is_ready_no_more(self):
        self.policy.recheck = 'ready'
        self._invoice(70)
        order = self._held()
        self._pay(70)
        self._run_job()
        self._invoice(70)
        self._run_job()
        self.assertFalse(order.credit_ready_date)
        self.assertFalse(self._asked(order))

    def test_reasons_follow_the_facts_and_unchanged_ones_are_not_recorded_again(self):
        self._invoice(70)
        order = self._held()
        self.Recheck._mark_all()
        self._run_job()
        self.assertEqual(len(order.credit_check_ids), 1)
        self._pay(10)
        self._run_job()
        self.assertEqual(len(order.credit_check_ids), 2)
        self.assertEqual(order.credit_excess, 20)
        # Who wanted it is who may not release it, whoever has looked at it since.
        self.assertEqual(order.credit_check_id.user_id, self.sales_user)

    def test_customer_on_hold_by_hand_is_released_by_hand_only(self):
        self._invoice(70)
        order = self._held()
        self.account.status = 'hold'
        self._pay(70)
        self._run_job()
        self.assertEqual(order.credit_state, 'on_hold')
        self.account.status = 'normal'
        self._run_job()
        self.assertEqual(order.state, 'sale')

    def test_order_that_fails_stops_no_other_and_its_controller_is_told(self):
        self.account.controller_id = self.manager
        self._invoice(100)
        bad, good = self._held(40), self._held(40)
        self._pay(100)
        confirm = type(bad)._action_confirm

        def action_confirm(orders):
            if bad in orders:
                raise RuntimeError("no stock of patience")
            return confirm(orders)

        with patch.object(type(bad), '_action_confirm', action_confirm), mute_logger(RECHECK_LOGGER):
            self._run_job()

        self.assertEqual((bad.state, good.state), ('draft', 'sale'))
        self.assertEqual(bad.credit_state, 'on_hold')
        asked = self._asked(bad, self.manager)
        self.assertEqual(asked.summary, "Could not be checked again")
        self.assertNotIn("patience", asked.note)

    def test_customer_that_fails_stops_no_other_and_managers_are_told(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True, 'user_id': self.sales_user.id})
        self._account(other, limit=100)
        self._invoice(70)
        self._invoice(70, partner=other)
        bad, good = self._held(), self._held(partner=other)
        self._pay(70)
        self._pay(70, partner=other)
        search = type(self.env['credit.release'])._unsettled

        def unsettled(releases, account):
            if account == self.account:
                raise RuntimeError("broken")
            return search(releases, account)

        with patch.object(type(self.env['credit.release']), '_unsettled', unsettled), mute_logger(RECHECK_LOGGER):
            self._run_job()

        self.assertEqual((bad.state, good.state), ('draft', 'sale'))
        self.assertEqual(self.Recheck.search([]).account_id, self.account)
        failed = ['credit_management.mail_activity_type_recheck_failed']
        self.assertTrue(self.company.partner_id.activity_search(failed))
        self._run_job()
        self.assertEqual(bad.state, 'sale')
        self.assertFalse(self.company.partner_id.activity_search(failed))

    def test_customer_whose_oldest_mark_is_taken_is_left_to_the_other_worker(self):
        self._invoice(70)
        order = self._held()
        self._pay(70)
        taken = self.Recheck.search([])
        self.Recheck.create({'account_id': self.account.id})
        with patch.object(type(taken), 'try_lock_for_update', lambda marks, **_kwargs: marks.browse()):
            self._run_job()
        self.assertEqual(order.credit_state, 'on_hold')
        self.assertEqual(len(self.Recheck.search([])), 2)
        self._run_job()
        self.assertEqual(order.state, 'sale')

    def test_rejected_order_is_not_taken_up_again(self):
        self._invoice(70)
        order = self._held()
        order.with_user(self.manager)._credit_reject("no")
        self._pay(70)
        self.Recheck._mark_all()
        self._run_job()
        self.assertEqual(order.credit_state, 'rejected')

    def test_order_of_a_branch_and_in_another_currency_is_confirmed_in_its_company(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.env.user.company_ids += branch
        currency = self.setup_other_currency('EUR')
        pricelist = self.env['product.pricelist'].create(
            {'name': "EUR", 'currency_id': currency.id, 'company_id': False}
        )
        self._invoice(100)
        self.sales_user.company_ids += branch
        order = self._order_of(60, company_id=branch.id, pricelist_id=pricelist.id)
        order.action_confirm()
        self.assertEqual(order.credit_state, 'on_hold')
        self._pay(100)
        self._run_job()
        self.assertEqual((order.state, order.company_id), ('sale', branch))

    # ----------------------------------------------------------------- by hand

    def test_evaluate_again_confirms_what_passes_and_says_why_the_rest_stays(self):
        self._invoice(100)
        first, second = self._held(), self._held()
        self._pay(100)
        result = (first + second).with_user(self.sales_user).action_credit_evaluate()
        self.assertEqual((first.state, second.state), ('sale', 'draft'))
        self.assertIn(f"Confirmed: {first.name}.", result['params']['message'])
        self.assertIn(second.name, result['params']['message'])

    def test_analyst_evaluates_any_order_and_a_salesperson_only_the_own(self):
        self._invoice(70)
        order = self._held()
        colleague = self._new_user('credit_sales_2', 'sales_team.group_sale_salesman')
        with self.assertRaises(AccessError):
            order.with_user(colleague).action_credit_evaluate()
        accountant = self._new_user('credit_bookkeeper', 'account.group_account_invoice')
        self.assertFalse(order.with_user(accountant).credit_can_evaluate)
        with self.assertRaises(AccessError):
            order.with_user(accountant).action_credit_evaluate()
        self.assertTrue(order.with_user(self.analyst).credit_can_evaluate)
        self._pay(70)
        order.with_user(self.analyst).action_credit_evaluate()
        self.assertEqual(order.state, 'sale')

    def test_manager_who_has_it_evaluated_is_not_who_wanted_it(self):
        self._invoice(70)
        order = self._order_of(60)
        order.user_id = self.manager
        self.manager.group_ids += self.env.ref('sales_team.group_sale_salesman')
        order.with_user(self.manager).action_confirm()
        order.with_user(self.other_manager).action_credit_evaluate()
        with self.assertRaisesRegex(AccessError, "is your own"):
            order.with_user(self.manager)._credit_release("mine")
        order.with_user(self.other_manager)._credit_release("fine")
        self.assertEqual(order.state, 'sale')

    def test_evaluate_all_leaves_it_to_the_job(self):
        self._invoice(70)
        order = self._held()
        self.Recheck.search([]).unlink()
        # As the button does.
        call_kw(self.env['sale.order'].with_user(self.sales_user), 'action_credit_evaluate_all', [[]], {})
        self.assertEqual(self.Recheck.search([]).account_id, self.account)
        colleague = self._new_user('credit_sales_2', 'sales_team.group_sale_salesman')
        with self.assertRaisesRegex(UserError, "on hold"):
            self.env['sale.order'].with_user(colleague).action_credit_evaluate_all()
        order.action_cancel()
        with self.assertRaisesRegex(UserError, "on hold"):
            order.action_credit_evaluate()


@tagged('post_install', '-at_install')
class TestHeldQueue(CreditCommon):
    """By what the queue is filtered and grouped."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._policy(
            ('order_amount', 'hold', {'threshold': 500}),
            ('utilisation', 'hold', {'threshold': 100}),
            controller_id=cls.manager.id,
        )
        cls.account = cls._account(limit=100)
        cls.big, cls.small = cls._order_of(600, confirm=True), cls._order_of(120, confirm=True)
        cls.orders = cls.big + cls.small
        cls.domain = [('id', 'in', cls.orders.ids)]

    def test_main_reason_is_the_first_of_the_gravest(self):
        self.assertEqual(self.orders.mapped('credit_main_kind'), ['order_amount', 'utilisation'])
        groups = (
            self.env['sale.order']
            .with_user(self.sales_user)
            ._read_group(self.domain, ['credit_main_kind'], ['__count'])
        )
        self.assertEqual(sorted(groups), [('order_amount', 1), ('utilisation', 1)])

    def test_age_is_searched_and_grouped_as_it_is_shown(self):
        self.env.cr.execute(
            "UPDATE sale_order SET credit_hold_date = credit_hold_date - interval '20 days' WHERE id = %s",
            [self.big.id],
        )
        self.orders.invalidate_recordset(['credit_hold_date'])
        self.assertEqual(self.orders.mapped('credit_hold_age'), ['9', '1'])
        groups = self.env['sale.order'].formatted_read_group(self.domain, ['credit_hold_age'], ['__count'])
        self.assertEqual([group['credit_hold_age'] for group in groups], ['1', '9'])
        for group in groups:
            found = self.env['sale.order'].search(self.domain + group['__extra_domain'])
            self.assertEqual(found.mapped('credit_hold_age'), [group['credit_hold_age']])

    def test_who_decides_is_searched_and_grouped(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self._account(other, limit=10, controller_id=self.other_manager.id)
        order = self._order_of(60, partner=other, confirm=True)
        orders = self.orders + order
        Order = self.env['sale.order'].with_user(self.manager)
        groups = dict(Order._read_group([('id', 'in', orders.ids)], ['credit_controller_id'], ['__count']))
        self.assertEqual(groups, {self.manager: 2, self.other_manager: 1})
        domain = [('id', 'in', orders.ids), ('credit_controller_id', '=', self.other_manager.id)]
        self.assertEqual(Order.search(domain), order)
        domain = [('id', 'in', orders.ids), ('credit_controller_id', 'ilike', self.other_manager.name)]
        self.assertEqual(Order.search(domain), order)
        self.assertTrue(Order.fields_get(['credit_controller_id'])['credit_controller_id']['groupable'])

    def test_who_is_asked_is_named_searched_and_grouped_before_the_controller(self):
        account = self.orders[0].credit_account_id
        account.controller_id = self.manager
        self.company.credit_policy_id.approval_level_ids = [
            Command.create({'name': "Director", 'user_ids': [Command.set(self.other_manager.ids)]})
        ]
        asked, other = self.orders[0], self.orders[1:]
        asked.with_user(self.sales_user)._credit_request_release("please")

        Order = self.env['sale.order'].with_user(self.sales_user)
        self.assertEqual(asked.with_user(self.sales_user).credit_decider_id, self.other_manager)
        self.assertEqual(other.credit_decider_id, self.manager)
        domain = [('id', 'in', self.orders.ids)]
        groups = dict(Order._read_group(domain, ['credit_decider_id'], ['__count']))
        self.assertEqual(groups, {self.manager: len(other), self.other_manager: 1})
        for user, orders in ((self.manager, other), (self.other_manager, asked)):
            self.assertEqual(Order.search([*domain, ('credit_decider_id', '=', user.id)]), orders)
            self.assertEqual(Order.search([*domain, ('credit_decider_id', 'ilike', user.name)]) & orders, orders)
        self.assertFalse(Order.search([*domain, ('credit_decider_id', '=', self.sales_user.id)]))

    def test_customer_in_the_portal_can_not_group_by_credit(self):
        portal = self._new_user('credit_portal', 'base.group_portal')
        for name in ('credit_hold_age', 'credit_controller_id', 'credit_decider_id', 'credit_main_kind'):
            with self.subTest(name), self.assertRaises(AccessError):
                self.env['sale.order'].with_user(portal)._read_group([], [name], ['__count'])


@tagged('post_install', '-at_install')
class TestMassDecision(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._policy(
            ('utilisation', 'hold', {'threshold': 100}), ('account_status', 'block', {'account_status': 'blacklisted'})
        )
        cls._account(limit=10)
        cls.first, cls.second = cls._order_of(60), cls._order_of(70)
        cls.orders = cls.first + cls.second
        cls.orders.with_user(cls.sales_user).action_confirm()

    def _dialog(self, orders, decision, user=None):
        action = getattr(orders.with_user(user or self.manager), f'action_credit_{decision}_selected')()
        return self.env[action['res_model']].with_user(user or self.manager).browse(action['res_id'])

    def test_several_orders_are_released_with_one_reason(self):
        dialog = self._dialog(self.orders, 'release')
        self.assertEqual((dialog.possible_count, dialog.obstacle_count), (2, 0))
        with self.assertRaisesRegex(UserError, "State a reason"):
            dialog.action_apply()
        dialog.note = "slips seen"
        result = dialog.action_apply()
        self.assertEqual(self.orders.mapped('state'), ['sale', 'sale'])
        self.assertEqual(self.orders.credit_release_id.mapped('decision_note'), ["slips seen"] * 2)
        self.assertIn("Orders released: 2.", result['params']['message'])

    def test_order_that_can_not_be_released_is_named_before_and_stops_no_other(self):
        blocked = self.env['res.partner'].create({'name': "Blocked", 'is_company': True})
        self._account(blocked, status='blacklisted')
        bad = self._order_of(10, partner=blocked)
        bad.with_user(self.sales_user).action_confirm()
        mine = self._order_of(80)
        mine.with_user(self.sales_user).action_confirm()
        mine.with_user(self.sales_user)._credit_request_release("please")
        mine.sudo().credit_release_id.requested_by_id = self.manager
        dialog = self._dialog(self.orders + bad + mine, 'release')
        obstacles = {line.order_id: line.obstacle for line in dialog.line_ids}
        self.assertIn("can't be released", obstacles[bad])
        self.assertIn("is your own", obstacles[mine])
        self.assertFalse(obstacles[self.first])

        dialog.note = "slips seen"
        result = dialog.action_apply()

        self.assertEqual((self.orders + bad + mine).mapped('state'), ['sale', 'sale', 'draft', 'draft'])
        self.assertIn("Orders released: 2.", result['params']['message'])
        self.assertIn(bad.name, result['params']['message'])

    def test_order_that_breaks_stops_no_other_and_is_undone(self):
        confirm = type(self.first)._action_confirm

        def action_confirm(orders):
            if self.first in orders:
                raise RuntimeError("broken")
            return confirm(orders)

        dialog = self._dialog(self.orders, 'release')
        dialog.note = "slips seen"
        with (
            patch.object(type(self.first), '_action_confirm', action_confirm),
            mute_logger('odoo.addons.credit_management.models.sale_order_release'),
        ):
            dialog.action_apply()
        self.assertEqual(self.orders.mapped('credit_state'), ['on_hold', 'released'])
        self.assertFalse(self.first.credit_release_id)

    def test_rejected_quotations_stay_and_their_salespeople_are_told_why(self):
        dialog = self._dialog(self.orders, 'reject')
        dialog.note = "pay first"
        dialog.action_apply()
        self.assertEqual(set(self.orders.mapped('credit_state')), {'rejected'})
        self.assertEqual(set(self.orders.mapped('state')), {'draft'})
        message = self.first.message_ids.filtered(lambda item: "pay first" in item.body)
        self.assertIn(self.sales_user.partner_id, message.notified_partner_ids)
        self.assertIn("pay first", self.first.credit_panel['title'])

    def _levels(self):
        self.company.credit_policy_id.approval_level_ids = [
            Command.create({'name': "Desk", 'sequence': 1, 'user_ids': [Command.set(self.analyst.ids)]}),
            Command.create(
                {
                    'name': "Director",
                    'sequence': 2,
                    'amount_from': 70,
                    'user_ids': [Command.set(self.other_manager.ids)],
                }
            ),
        ]

    def test_salespeople_do_not_decide_and_everybody_sees_only_his_dialogs(self):
        dialog = self._dialog(self.orders, 'release')
        with self.assertRaises(AccessError):
            dialog.with_user(self.other_manager).read(['note'])
        with self.assertRaises(AccessError):
            self.orders.with_user(self.sales_user).action_credit_release_selected()
        with self.assertRaises(AccessError):
            self.first.with_user(self.sales_user)._credit_release("mine")

    def test_analyst_without_a_level_is_told_who_decides(self):
        self.first.with_user(self.sales_user)._credit_request_release("please")
        dialog = self._dialog(self.orders, 'release', self.analyst)
        self.assertEqual(dialog.possible_count, 0)
        obstacles = {line.order_id: line.obstacle for line in dialog.line_ids}
        for order in self.orders:
            self.assertRegex(obstacles[order], rf"Credit Manager.* is asked to decide on {order.name}")

    def test_analyst_of_a_level_decides_what_is_his_and_the_rest_goes_on_to_the_next_level(self):
        self._levels()
        dialog = self._dialog(self.orders, 'release', self.analyst)
        self.assertEqual(dialog.possible_count, 2)
        dialog.note = "slips seen"
        result = dialog.action_apply()

        self.assertEqual(self.orders.mapped('state'), ['sale', 'draft'])
        self.assertEqual(self.second.credit_release_id.state, 'requested')
        message = result['params']['message']
        self.assertIn("Orders released: 1.", message)
        self.assertIn("passed on to the next level: 1", message)
        self.assertIn(f"{self.second.name} to {self.other_manager.name}", message)
        self.assertEqual(result['params']['type'], 'success')

        again = self._dialog(self.second, 'release', self.analyst)
        self.assertIn("nobody decides at two levels", again.line_ids.obstacle)
        last = self._dialog(self.second, 'release', self.other_manager)
        last.note = "fine"
        self.assertIn("Orders released: 1.", last.action_apply()['params']['message'])
        self.assertEqual(self.second.state, 'sale')

    def test_number_of_those_that_failed_is_said(self):
        self._levels()
        self.first.user_id = self.analyst
        dialog = self._dialog(self.orders, 'reject', self.analyst)
        dialog.note = "no"
        message = dialog.action_apply()['params']['message']
        self.assertIn("Orders rejected: 1.", message)
        self.assertIn("Not decided: 1.", message)
        self.assertIn(f"{self.first.name} is your own", message)

    def test_step_that_was_decided_meanwhile_does_not_count_for_the_next_level(self):
        self._levels()
        self.company.credit_policy_id.approval_level_ids[1].user_ids += self.manager
        self.company.credit_policy_id.approval_level_ids[0].user_ids += self.manager
        self.second.with_user(self.sales_user)._credit_request_release("please")
        dialog = self._dialog(self.second, 'release')
        self.second.with_user(self.analyst)._credit_release("fine")
        dialog.note = "slips seen"
        self.assertIn("decided meanwhile", dialog.action_apply()['params']['message'])
        self.assertEqual(self.second.state, 'draft')

    def test_conditions_hold_for_each_order_with_its_own_amount(self):
        dialog = self._dialog(self.orders, 'release')
        dialog.write({'note': "announced", 'condition': 'promise', 'condition_basis': 'total', 'margin': 5})
        self.assertEqual(dialog.line_ids.mapped('expected'), [60, 70])
        dialog.condition_basis = 'needed'
        self.assertEqual(dialog.line_ids.mapped('expected'), [50, 60])
        dialog.action_apply()
        releases = self.orders.credit_release_id
        self.assertEqual(self.orders.mapped('state'), ['sale', 'sale'])
        self.assertEqual(
            [(item.condition, item.condition_amount, item.margin, item.condition_state) for item in releases],
            [('promise', 50, 5, 'open'), ('promise', 60, 5, 'open')],
        )

    def test_next_level_adds_to_the_conditions_of_the_level_before(self):
        self._levels()
        dialog = self._dialog(self.second, 'release', self.analyst)
        dialog.write({'note': "announced", 'condition': 'promise', 'condition_basis': 'total'})
        dialog.action_apply()
        last = self._dialog(self.second, 'release', self.other_manager)
        last.write({'note': "fine", 'recheck_delivery': True})
        last.action_apply()
        self.assertRecordValues(
            self.second.credit_release_id,
            [
                {
                    'state': 'released',
                    'condition': 'promise',
                    'condition_amount': 70,
                    'condition_state': 'open',
                    'recheck_delivery': True,
                }
            ],
        )

    def test_deposits_are_waited_for_and_a_proof_is_needed(self):
        dialog = self._dialog(self.orders, 'release')
        dialog.write({'note': "announced", 'condition': 'proof'})
        self.assertIn("Attach the proof", dialog.action_apply()['params']['message'])
        self.assertEqual(self.orders.mapped('credit_state'), ['on_hold', 'on_hold'])
        dialog.condition = 'deposit'
        dialog.action_apply()
        self.assertEqual(self.orders.mapped('credit_state'), ['awaiting_payment', 'awaiting_payment'])

    def test_amounts_are_in_the_currency_of_each_order(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        pricelist = self.env['product.pricelist'].create({'name': "Euro", 'currency_id': euro.id})
        order = self._order_of(160, pricelist_id=pricelist.id)
        order.with_user(self.sales_user).action_confirm()
        dialog = self._dialog(order, 'release')
        dialog.write({'note': "announced", 'condition': 'promise'})
        # 80 in company currency, 70 beyond the limit.
        self.assertEqual((dialog.line_ids.expected, dialog.line_ids.currency_id), (140, euro))

    def test_order_outside_the_policy_needs_the_reason_for_it(self):
        self.company.credit_policy_id.max_release_excess_percent = 10
        dialog = self._dialog(self.first, 'release')
        dialog.note = "they always pay"
        self.assertIn("outside the policy", dialog.action_apply()['params']['message'])
        dialog.reason_id = self.env['credit.reason'].search([('for_outside', '=', True)], limit=1)
        dialog.action_apply()
        self.assertEqual((self.first.state, self.first.credit_release_id.outside_policy), ('sale', True))

    def test_orders_of_another_company_can_not_be_named(self):
        other = self.setup_other_company()['company']
        order = (
            self.env['sale.order']
            .with_company(other)
            .create(
                {
                    'partner_id': self.customer.id,
                    'company_id': other.id,
                    'order_line': [Command.create({'product_id': self.product.id, 'price_unit': 5, 'tax_ids': False})],
                }
            )
        )
        dialog = self._dialog(self.first, 'release')
        with self.assertRaises(AccessError):
            self.env['credit.mass.decision.line'].with_user(self.manager).create(
                {'decision_id': dialog.id, 'order_id': order.id}
            )
