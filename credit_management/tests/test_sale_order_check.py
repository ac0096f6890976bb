from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.date_utils import add as date_add
from odoo.tools.safe_eval import safe_eval

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestSaleOrderCheck(CreditCommon):
    # ------------------------------------------------------------ confirmation

    def test_order_within_limit_is_confirmed_and_its_check_recorded(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(100)

        result = order.with_user(self.sales_user).action_confirm()

        self.assertIs(result, True)
        self.assertEqual((order.state, order.credit_state), ('sale', 'passed'))
        check = order.credit_check_ids
        self.assertRecordValues(
            check, [{'outcome': 'pass', 'exposure': 0, 'document_amount': 100, 'effective_limit': 100, 'shadow': False}]
        )
        self.assertEqual(check.user_id, self.sales_user)

    def test_order_over_limit_is_held_not_confirmed_and_says_by_how_much(self):
        self._limit_policy()
        self._account(limit=100)
        self._invoice(70)
        order = self._order_of(60)

        result = order.with_user(self.sales_user).action_confirm()

        self.assertEqual((order.state, order.credit_state), ('draft', 'on_hold'))
        self.assertEqual(result['tag'], 'display_notification')
        self.assertEqual(result['params']['next']['type'], 'ir.actions.act_window_close')
        self.assertIn(order.name, result['params']['message'])
        check = order.credit_check_ids
        self.assertRecordValues(
            check,
            [{'outcome': 'hold', 'exposure': 70, 'excess': 30, 'payment_needed': 30, 'reduction_needed': 30}],
        )
        for figure in ('70.00', '60.00', '100.00', '30.00'):
            self.assertIn(figure, check.reason)

    def test_order_that_reaches_the_limit_exactly_passes(self):
        self._limit_policy()
        self._account(limit=100)
        self._invoice(40)
        order = self._order_of(60, confirm=True)
        self.assertEqual(order.state, 'sale')

    def test_two_orders_of_60_in_one_batch_on_a_limit_of_100_confirm_one(self):
        self._limit_policy()
        self._account(limit=100)
        first, second = self._order_of(60), self._order_of(60)

        (first + second).action_confirm()

        self.assertEqual((first.state, second.state), ('sale', 'draft'))
        self.assertEqual(second.credit_state, 'on_hold')
        self.assertEqual(second.credit_check_ids.exposure, 60)

    def test_held_order_in_a_batch_does_not_stop_the_other_customers(self):
        self._limit_policy()
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self._account(limit=10)
        held, passed = self._order_of(60), self._order_of(60, partner=other)
        (held + passed).action_confirm()
        self.assertEqual((held.state, passed.state), ('draft', 'sale'))

    def test_list_action_confirms_what_fits_and_names_what_is_held(self):
        self._limit_policy()
        self._account(limit=100)
        orders = self._order_of(60) + self._order_of(60)
        result = orders.action_credit_confirm_selected()
        self.assertIn("Orders confirmed: 1.", result['params']['message'])
        self.assertIn(orders[1].name, result['params']['message'])

    def test_company_without_policy_confirms_as_core(self):
        self._account(limit=10)
        order = self._order_of(100, confirm=True)
        self.assertEqual((order.state, order.credit_state), ('sale', 'none'))
        self.assertFalse(order.credit_check_ids)

    def test_company_without_policy_pays_no_statement(self):
        order = self._order_of(100)
        self.env.flush_all()
        self.env['credit.policy']._companies_with_policy()
        self.env.invalidate_all()
        with self.assertQueryCount(0):
            self.assertFalse(self.env['credit.policy']._companies_with_policy())
            self.assertFalse(order._credit_controlled())

    def test_shadow_mode_records_what_it_would_have_done_and_holds_nothing(self):
        self._limit_policy(mode='shadow')
        self._account(limit=10)
        order = self._order_of(100, confirm=True)

        self.assertEqual((order.state, order.credit_state), ('sale', 'none'))
        check = self.env['credit.check'].search([('res_id', '=', order.id), ('res_model', '=', 'sale.order')])
        self.assertRecordValues(check, [{'shadow': True, 'outcome': 'hold'}])
        self.assertFalse(self.env['credit.check'].with_user(self.analyst).search([('id', '=', check.id)]))
        self.assertTrue(self.env['credit.check'].with_user(self.manager).search([('id', '=', check.id)]))
        self.assertFalse(order.credit_panel)

    # -------------------------------------------------------------------- rules

    def _checked(self, *rules, order=None, **account):
        self._policy(*rules)
        if account:
            self._account(**account)
        order = order or self._order_of(100)
        order.action_confirm()
        return order.sudo().credit_check_ids[:1].outcome

    def test_utilisation_above_80_percent_warns_and_confirms(self):
        self._policy(('utilisation', 'warn', {'threshold': 80}))
        self._account(limit=120)
        order = self._order_of(100, confirm=True)
        self.assertEqual((order.state, order.credit_state), ('sale', 'warned'))
        self.assertTrue(order.credit_panel['reasons'])

    def test_worst_rule_wins_and_all_reasons_are_kept(self):
        self._policy(
            ('utilisation', 'warn', {'threshold': 10}),
            ('order_amount', 'hold', {'threshold': 50}),
            ('no_limit', 'warn', {}),
        )
        self._account(limit=200)
        order = self._order_of(100, confirm=True)
        check = order.credit_check_ids
        self.assertEqual(check.outcome, 'hold')
        self.assertEqual(
            check.line_ids.mapped(lambda line: (line.kind, line.verdict)),
            [('utilisation', 'warn'), ('order_amount', 'hold'), ('no_limit', 'pass')],
        )

    def test_warning_is_not_repeated_beside_the_hold_of_its_kind(self):
        self._policy(
            ('utilisation', 'warn', {'threshold': 80}),
            ('utilisation', 'hold', {'threshold': 100}),
            ('no_limit', 'warn', {}),
            default_limit_kind='amount',
            default_limit_amount=10,
        )
        order = self._order_of(100, confirm=True)
        self.assertEqual(len(order.credit_check_ids.line_ids), 3)
        self.assertEqual([reason['verdict'] for reason in order.credit_panel['reasons']], ['hold', 'warn'])

    def test_overdue_amount_of_100_above_90_holds_and_a_payment_of_10_would_help(self):
        self._invoice(100, due=date_add(self.company._credit_today(), days=-3))
        self.assertEqual(self._checked(('overdue_amount', 'hold', {'threshold': 90})), 'hold')
        self.assertEqual(self.env['credit.check'].search([], limit=1).payment_needed, 10)

    def test_overdue_amount_within_the_days_of_grace_passes(self):
        self._invoice(100, due=date_add(self.company._credit_today(), days=-3))
        self.assertEqual(self._checked(('overdue_amount', 'hold', {'threshold': 90, 'grace_days': 3})), 'pass')

    def test_31_days_overdue_hold_where_30_are_allowed_and_30_pass(self):
        today = self.company._credit_today()
        invoice = self._invoice(100, due=date_add(today, days=-31))
        self.assertEqual(self._checked(('days_overdue', 'hold', {'threshold': 30})), 'hold')
        invoice.button_draft()
        invoice.button_cancel()
        self._invoice(100, due=date_add(today, days=-30))
        order = self._order_of(100, confirm=True)
        self.assertEqual(order.state, 'sale')

    def test_blacklisted_customer_is_blocked_and_not_released(self):
        self._policy(('account_status', 'block', {'account_status': 'blacklisted'}))
        self._account(status='blacklisted', status_reason="insolvent")
        order = self._order_of(100, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        with self.assertRaisesRegex(UserError, "can't be released"):
            order.with_user(self.manager)._credit_release("please")

    def test_customer_without_limit_gets_the_policys_default_of_50(self):
        self._limit_policy(default_limit_kind='amount', default_limit_amount=50)
        order = self._order_of(60, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        self.assertEqual(order.credit_check_ids.effective_limit, 50)

    def test_limit_0_is_no_credit_at_all_and_unlimited_is_no_limit(self):
        self._limit_policy()
        self._account(limit=0)
        order = self._order_of(1, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        self._limit(self._account(), 0, limit_kind='unlimited')
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_changed_threshold_counts_at_once_whatever_is_cached(self):
        policy = self._limit_policy()
        self._account(limit=100)
        self.assertEqual(self._order_of(10).credit_panel['level'], 'success')
        version = policy.version
        policy.rule_ids.threshold = 50
        self.assertGreater(policy.version, version)
        self.assertEqual(self._order_of(60, confirm=True).credit_state, 'on_hold')
        version = policy.version
        policy.rule_ids.sequence = 99
        self.assertEqual(policy.version, version)

    def test_customers_own_policy_wins_over_the_companys(self):
        self._limit_policy()
        own = self._policy(('order_amount', 'hold', {'threshold': 5}), default=False)
        self._account(limit=1000, policy_id=own.id)
        self.assertEqual(self._order_of(10, confirm=True).credit_state, 'on_hold')

    def test_order_invoiced_to_the_parent_is_held_by_either_ones_rules(self):
        self._policy(
            ('utilisation', 'hold', {'threshold': 100}), ('account_status', 'hold', {'account_status': 'hold'})
        )
        subsidiary = self.env['res.partner'].create({'name': "Hengda South", 'is_company': True})
        self._account(limit=100)
        self._account(subsidiary, status='hold')

        order = self._order_of(60, partner=subsidiary, partner_invoice_id=self.customer.id, confirm=True)

        self.assertEqual(order.credit_state, 'on_hold')
        self.assertEqual(order.credit_account_id.partner_id, subsidiary)
        self.assertEqual(len(order.credit_check_ids), 2)
        self._account(subsidiary, status='normal')
        order.action_confirm()
        self.assertEqual(order.state, 'sale')
        self.assertExposure(ordered=60)

    def test_order_in_a_currency_without_rate_is_held_with_a_clear_reason(self):
        self._limit_policy()
        self._account(limit=1000)
        currency = self.env['res.currency'].create({'name': 'XQX', 'symbol': 'Q'})
        pricelist = self.env['product.pricelist'].create({'name': "XQX", 'currency_id': currency.id})
        order = self._order_of(10, pricelist_id=pricelist.id, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        self.assertIn('XQX', order.credit_reason)

    # ------------------------------------------------------------------- doors

    def test_write_of_state_sale_is_checked_like_a_confirmation(self):
        self._limit_policy()
        self._account(limit=100)
        fits, exceeds = self._order_of(60), self._order_of(60)
        (fits + exceeds).with_user(self.sales_user).write({'state': 'sale', 'note': "by import"})
        self.assertEqual((fits.state, exceeds.state), ('sale', 'draft'))
        self.assertEqual(exceeds.credit_state, 'on_hold')
        self.assertIn("by import", exceeds.note)

    def test_create_in_state_sale_is_checked_like_a_confirmation(self):
        self._limit_policy()
        self._account(limit=100)
        fits = self._order_of(60, state='sale')
        exceeds = self._order_of(60, state='sale')
        self.assertEqual((fits.state, fits.credit_state), ('sale', 'passed'))
        self.assertEqual((exceeds.state, exceeds.credit_state), ('draft', 'on_hold'))

    def test_state_sale_from_the_context_is_checked_too(self):
        self._limit_policy()
        self._account(limit=10)
        order = (
            self.env['sale.order']
            .with_context(default_state='sale')
            .create(
                {
                    'partner_id': self.customer.id,
                    'order_line': [Command.create({'product_id': self.product.id, 'price_unit': 100})],
                }
            )
        )
        self.assertEqual((order.state, order.credit_state), ('draft', 'on_hold'))

    def test_client_can_not_write_the_credit_state(self):
        self._limit_policy()
        self._account(limit=10)
        order = self._order_of(100, confirm=True)
        for values in ({'credit_state': 'released'}, {'credit_release_id': False}, {'credit_check_id': False}):
            with self.assertRaises(AccessError):
                order.with_user(self.sales_user).write(values)
        with self.assertRaises(AccessError):
            self._order_of(100, credit_state='released')
        order = (
            self.env['sale.order']
            .with_context(default_credit_state='released')
            .create({'partner_id': self.customer.id})
        )
        self.assertEqual(order.credit_state, 'none')

    def test_state_sale_with_another_debtor_checks_the_new_one(self):
        self._limit_policy()
        self._account(limit=1000)
        poor = self.env['res.partner'].create({'name': "Poor", 'is_company': True})
        self._account(poor, limit=10)
        order = self._order_of(100)
        order.with_user(self.sales_user).write({'state': 'sale', 'partner_invoice_id': poor.id})
        self.assertEqual((order.state, order.credit_state), ('draft', 'on_hold'))
        self.assertEqual(order.credit_account_id.partner_id, poor)

    def test_client_can_not_write_totals(self):
        self._limit_policy()
        self._account(limit=10)
        order = self._order_of(100).with_user(self.sales_user)
        order.write({'amount_total': 1})
        order.order_line.write({'price_total': 1, 'price_subtotal': 1, 'qty_invoiced': 1})
        order.action_confirm()
        self.assertEqual((order.amount_total, order.credit_state), (100, 'on_hold'))

    def test_total_that_grows_while_it_is_confirmed_is_held_and_all_undone(self):
        self._limit_policy()
        self._account(limit=90)
        order, other = self._order((self.product, 1, 100.0, {'discount': 20})), self._order_of(10)
        model_class = type(order)

        def confirm(orders):
            # As sale_loyalty: settles the total first, then goes on with mails.
            orders.order_line.discount = 0
            result = confirm.origin(orders)
            orders.message_post(body="Thank you for your order")
            return result

        confirm.origin = model_class.action_confirm.credit_origin
        result = order._confirm_checked(confirm)

        self.assertEqual((order.state, order.credit_state, order.amount_total), ('draft', 'on_hold', 80))
        self.assertEqual(order.credit_check_id.document_total_currency, 100)
        self.assertIn(order.name, result['params']['message'])
        self.assertFalse(order.message_ids.filtered(lambda message: "Thank you" in (message.body or '')))
        order._credit_reset()
        (order + other)._confirm_checked(confirm)
        self.assertEqual((order.state, other.state), ('draft', 'sale'))
        # The manager releases what it would be, and it is confirmed.
        order.with_user(self.manager)._credit_release("fine")
        self.assertEqual(order.state, 'sale')

    def test_negative_order_in_a_batch_buys_no_credit(self):
        self._limit_policy()
        self._account(limit=100)
        credit, order = self._order_of(-5000), self._order_of(5000)
        (credit + order).action_confirm()
        self.assertEqual((credit.state, order.state), ('sale', 'draft'))

    def test_mixed_batch_created_as_sale_records_one_check_each(self):
        self._limit_policy()
        self._account(limit=100)
        orders = self.env['sale.order'].create(
            [
                {
                    'partner_id': self.customer.id,
                    'state': 'sale',
                    'order_line': [
                        Command.create({'product_id': self.product.id, 'price_unit': amount, 'tax_ids': False})
                    ],
                }
                for amount in (60, 70)
            ]
        )
        self.assertEqual(orders.mapped('state'), ['sale', 'draft'])
        self.assertEqual([len(order.credit_check_ids) for order in orders], [1, 1])

    def test_payment_that_bounced_does_not_pay_the_order(self):
        self._limit_policy()
        self._account(limit=10)
        order = self._order_of(100)
        transaction = self.env['payment.transaction'].create(
            {
                'provider_id': self.env['payment.provider'].create({'name': "Direct debit"}).id,
                'payment_method_id': self.env['payment.method'].create({'name': "Debit", 'code': 'debit_test'}).id,
                'reference': 'bounced',
                'amount': 100,
                'currency_id': order.currency_id.id,
                'partner_id': self.customer.id,
                'sale_order_ids': [Command.set(order.ids)],
                'state': 'done',
            }
        )
        self.assertEqual(order._credit_paid_amount(), 100)
        transaction.payment_id = self._pay(100)
        self.assertEqual(order._credit_paid_amount(), 0)
        # As with the full accounting: without an outstanding account, a payment has no entry until it is matched.
        self.company_data['default_journal_bank'].inbound_payment_method_line_ids.payment_account_id = False
        with patch.object(type(self.env['account.move']), '_get_invoice_in_payment_state', return_value='in_payment'):
            payment = self._pay(100)
        self.assertEqual((payment.state, payment.move_id.id), ('in_process', False))
        transaction.payment_id = payment
        self.assertEqual(order._credit_paid_amount(), 100)
        payment.state = 'paid'
        self.assertEqual(order._credit_paid_amount(), 0)

    def test_no_context_key_opens_a_door(self):
        self._limit_policy()
        self._account(limit=10)
        order = self._order_of(100)
        keys = dict.fromkeys(('bypass_risk', 'credit_skip', 'tracking_disable', 'import_file'), True)
        order.with_user(self.sales_user).with_context(**keys).action_confirm()
        self.assertEqual(order.state, 'draft')

    def test_copy_of_a_released_order_is_not_released(self):
        self._limit_policy()
        self._account(limit=10)
        order = self._order_of(100, confirm=True)
        order.with_user(self.manager)._credit_release("known customer")
        copy = order.copy()
        self.assertEqual((copy.credit_state, copy.credit_release_id.id), ('none', False))

    def test_checks_can_not_be_changed_or_deleted(self):
        self._limit_policy()
        order = self._order_of(100, confirm=True)
        check = order.credit_check_ids.sudo()
        for record in (check, check.line_ids):
            with self.assertRaises(UserError):
                record.write({'id': record.id})
            with self.assertRaises(UserError):
                record.unlink()

    # ------------------------------------------------- growth after confirmation

    def _confirmed(self, amount=60, limit=100, **policy):
        self._limit_policy(**policy)
        self._account(limit=limit)
        order = self._order_of(amount, confirm=True)
        self.assertEqual(order.state, 'sale')
        return order

    def test_confirmed_order_of_60_raised_to_100_passes_and_to_110_is_refused(self):
        order = self._confirmed()
        order.with_user(self.sales_user).write(
            {'order_line': [Command.update(order.order_line.id, {'price_unit': 100})]}
        )
        self.assertEqual(order.credit_checked_total, 100)
        self.assertEqual(order.credit_check_ids[0].document_amount, 40)
        with self.assertRaisesRegex(UserError, "can't be raised by .*10.00"):
            order.order_line.with_user(self.sales_user).write({'product_uom_qty': 1.1})

    def test_new_line_on_a_confirmed_order_beyond_the_limit_is_refused(self):
        order = self._confirmed()
        with self.assertRaisesRegex(UserError, "can't be raised"):
            self.env['sale.order.line'].with_user(self.sales_user).create(
                {'order_id': order.id, 'product_id': self.product.id, 'price_unit': 50, 'tax_ids': False}
            )

    def test_line_brought_in_by_a_default_or_from_another_order_is_watched(self):
        order = self._confirmed()
        lines = self.env['sale.order.line'].with_user(self.sales_user)
        with self.assertRaisesRegex(UserError, "can't be raised"):
            lines.with_context(default_order_id=order.id).create(
                {'product_id': self.product.id, 'price_unit': 50, 'tax_ids': False}
            )
        quotation = self._order_of(50)
        with self.assertRaisesRegex(UserError, "can't be raised"):
            quotation.order_line.with_user(self.sales_user).order_id = order

    def test_invoice_address_of_a_fully_invoiced_order_can_change(self):
        order = self._confirmed()
        order._create_invoices().action_post()
        poor = self.env['res.partner'].create({'name': "Poor", 'is_company': True})
        self._account(poor, limit=0)
        order.with_user(self.sales_user).partner_invoice_id = poor
        self.assertEqual(order.partner_invoice_id, poor)

    def test_removing_the_discount_line_beyond_the_limit_is_refused(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order((self.product, 1, 150.0), (self.product, 1, -60.0), confirm=True)
        self.assertEqual(order.state, 'sale')
        with self.assertRaisesRegex(UserError, "can't be raised by .*60.00"):
            order.order_line[1].product_uom_qty = 0

    def test_one_write_may_raise_a_line_and_lower_another(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order((self.product, 1, 50.0), (self.product, 1, 50.0), confirm=True)
        first, second = order.order_line
        order.write(
            {
                'order_line': [
                    Command.update(first.id, {'price_unit': 80}),
                    Command.update(second.id, {'price_unit': 20}),
                ]
            }
        )
        self.assertEqual(order.amount_total, 100)

    def test_growth_within_the_tolerance_of_2_percent_is_not_checked_and_does_not_creep(self):
        order = self._confirmed(amount=100)
        order.order_line.price_unit = 102
        self.assertEqual(order.credit_checked_total, 100)
        with self.assertRaises(UserError):
            order.order_line.price_unit = 104

    def test_what_was_given_back_has_to_be_asked_for_again(self):
        order = self._confirmed(amount=100)
        order.order_line.price_unit = 50
        self.assertEqual(self._order_of(50, confirm=True).state, 'sale')
        with self.assertRaises(UserError):
            order.order_line.price_unit = 100

    def test_what_the_system_adds_is_recorded_and_told_but_not_refused(self):
        order = self._confirmed(amount=100)
        self.env['sale.order.line'].sudo().create(
            {'order_id': order.id, 'product_id': self.product.id, 'price_unit': 30, 'tax_ids': False}
        )
        self.assertEqual(order.amount_total, 130)
        self.assertEqual(order.credit_check_ids[0].outcome, 'hold')
        self.assertIn(order.name, self._account().activity_ids.summary)

    def test_changed_invoice_address_is_checked_against_the_new_debtor(self):
        order = self._confirmed()
        poor = self.env['res.partner'].create({'name': "Poor", 'is_company': True})
        self._account(poor, limit=10)
        with self.assertRaisesRegex(UserError, "can't be raised"):
            order.with_user(self.sales_user).partner_invoice_id = poor
        rich = self.env['res.partner'].create({'name': "Rich", 'is_company': True})
        self._account(rich, limit=60)
        order.with_user(self.sales_user).partner_invoice_id = rich
        self.assertExposure(partner=rich, ordered=60)

    def test_partly_invoiced_order_grows_by_its_increase_only(self):
        order = self._confirmed(amount=60)
        order._create_invoices().action_post()
        order.order_line.price_unit = 60
        order.write(
            {'order_line': [Command.create({'product_id': self.product.id, 'price_unit': 40, 'tax_ids': False})]}
        )
        self.assertRecordValues(order.credit_check_ids[0], [{'exposure': 60, 'document_amount': 40, 'outcome': 'pass'}])

    # ----------------------------------------------------- request and release

    def _held_order(self, amount=100):
        self._limit_policy()
        self._account(limit=10, controller_id=self.manager.id)
        order = self._order_of(amount)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual(order.credit_state, 'on_hold')
        return order

    def test_salesperson_requests_and_manager_releases_which_confirms(self):
        order = self._held_order()

        order.with_user(self.sales_user)._credit_request_release("pays on Friday")
        self.assertEqual(order.credit_release_id.state, 'requested')
        order.with_user(self.manager)._credit_release("known customer")

        self.assertEqual((order.state, order.credit_state), ('sale', 'released'))
        self.assertRecordValues(
            order.credit_release_id,
            [
                {
                    'state': 'released',
                    'requested_by_id': self.sales_user.id,
                    'decided_by_id': self.manager.id,
                    'request_note': "pays on Friday",
                    'decision_note': "known customer",
                    'amount': 100,
                }
            ],
        )
        self.assertEqual(order.credit_check_ids[0].release_id, order.credit_release_id)

    def test_salesperson_can_not_release(self):
        order = self._held_order()
        with self.assertRaises(AccessError):
            order.with_user(self.sales_user)._credit_release("mine")
        with self.assertRaises(AccessError):
            order.with_user(self.sales_user)._credit_reject("mine")

    def test_requester_can_not_decide_another_manager_can(self):
        self._limit_policy()
        self._account(limit=10)
        self.manager.group_ids += self.env.ref('sales_team.group_sale_salesman_all_leads')
        order = self._order_of(100)
        order.with_user(self.manager).action_confirm()
        order.with_user(self.manager)._credit_request_release("mine")
        with self.assertRaisesRegex(AccessError, "Somebody else has to decide"):
            order.with_user(self.manager)._credit_release("mine")
        order.with_user(self.other_manager)._credit_release("fine")
        self.assertEqual(order.state, 'sale')

    def test_rejected_order_stays_a_quotation_and_tells_the_salesperson_why(self):
        order = self._held_order()
        order.with_user(self.manager)._credit_reject("too much already")
        self.assertEqual((order.state, order.credit_state), ('draft', 'rejected'))
        note = order.message_ids[:1]
        self.assertIn("too much already", note.body)
        self.assertIn(self.sales_user.partner_id, note.notified_partner_ids)
        self.assertTrue(note.subtype_id.internal)

    def test_decision_without_reason_is_refused(self):
        order = self._held_order()
        wizard = (
            self.env['credit.decision']
            .with_user(self.manager)
            .create({'decision': 'release', 'order_id': order.id, 'note': "  "})
        )
        with self.assertRaisesRegex(UserError, "State a reason"):
            wizard.action_apply()
        wizard.note = "known customer"
        wizard.action_apply()
        self.assertEqual(order.state, 'sale')

    def test_manager_can_not_release_what_has_grown_since_it_was_held(self):
        order = self._held_order()
        order.with_user(self.sales_user)._credit_request_release("for 100")
        order.with_user(self.sales_user).order_line.price_unit = 150
        with self.assertRaisesRegex(UserError, "has changed since it was held at .*100.00"):
            order.with_user(self.manager)._credit_release("for 100")
        order.with_user(self.sales_user).action_confirm()
        order.with_user(self.manager)._credit_release("for 150")
        self.assertEqual((order.state, order.credit_release_id.amount), ('sale', 150))

    def test_release_does_not_cover_another_debtor(self):
        order = self._held_order()
        order.with_user(self.manager)._credit_release("known customer")
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self._account(other, limit=0)
        with self.assertRaisesRegex(UserError, "can't be raised"):
            order.with_user(self.sales_user).partner_invoice_id = other

    def test_release_does_not_cover_a_customer_blacklisted_since(self):
        policy = self._limit_policy()
        policy.rule_ids = [
            Command.create({'kind': 'account_status', 'outcome': 'block', 'account_status': 'blacklisted'})
        ]
        account = self._account(limit=10)
        order = self._order((self.product, 1, 60.0), (self.product, 1, 40.0))
        order.with_user(self.sales_user).action_confirm()
        order.with_user(self.manager)._credit_release("known customer")
        order.order_line[1].price_unit = 10
        account._blacklist('other', "insolvent")
        with self.assertRaisesRegex(UserError, "can't be raised"):
            order.order_line[1].with_user(self.sales_user).price_unit = 40

    def test_held_order_confirmed_in_shadow_mode_is_held_no_more(self):
        order = self._held_order()
        self.company.credit_policy_id.action_shadow()
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual((order.state, order.credit_state), ('sale', 'none'))
        self.assertFalse(self._account().activity_ids)
        with self.assertRaisesRegex(UserError, "not on hold"):
            order.with_user(self.manager)._credit_reject("too late")

    def test_deleted_quotation_leaves_no_activity_and_no_request(self):
        order = self._held_order()
        order.with_user(self.sales_user)._credit_request_release("please")
        release = order.credit_release_id
        order.unlink()
        self.assertEqual(release.state, 'cancelled')
        self.assertFalse(self._account().activity_ids)

    def test_decision_dialog_shows_no_reasons_of_orders_one_may_not_read(self):
        order = self._held_order()
        colleague = self._new_user('credit_sales_2', 'sales_team.group_sale_salesman')
        with self.assertRaises(AccessError):
            self.env['credit.decision'].with_user(colleague).create({'decision': 'request', 'order_id': order.id}).read(
                ['reason']
            )

    def test_figures_of_a_colleagues_customer_are_not_in_the_panel_of_a_new_quotation(self):
        self._limit_policy()
        self._account(limit=100)
        colleague = self._new_user('credit_sales_2', 'sales_team.group_sale_salesman')
        order = self._order_of(150, user_id=colleague.id)
        panel = order.with_user(colleague).credit_panel
        self.assertFalse(panel['meter'] or panel['reasons'] or panel['ways'])
        order.user_id = self.sales_user
        self.assertTrue(order.with_user(self.sales_user).credit_panel['meter'])

    def test_second_request_is_refused(self):
        order = self._held_order()
        order.with_user(self.sales_user)._credit_request_release("first")
        with self.assertRaisesRegex(UserError, "requested already"):
            order.with_user(self.sales_user)._credit_request_release("second")

    def test_accountant_opens_an_order_behind_the_exposure(self):
        accountant = self._new_user('credit_accountant', 'account.group_account_invoice')
        order = self._order_of(100, confirm=True)
        row = self.env['credit.exposure'].with_user(accountant).search([('partner_id', '=', self.customer.id)])
        action = row.action_open_document()
        self.assertEqual((action['res_model'], action['res_id']), ('sale.order', order.id))
        with Form(order.with_user(accountant)) as form:
            self.assertEqual(form.partner_id, self.customer)

    def test_exposure_opened_from_account_and_contact_holds_that_customer_only(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self._order_of(100, confirm=True)
        self._order_of(70, partner=other, confirm=True)
        for record in (self._account(), self.customer, self.contact):
            record = record.with_context(credit_category='ordered')
            is_contact = record._name == 'res.partner'
            action = record.action_view_credit_exposure() if is_contact else record.action_view_exposure()
            domain = safe_eval(action['domain'], {'active_id': record.id})
            rows = self.env['credit.exposure'].with_context(**action['context']).search(domain)
            self.assertEqual(rows.mapped('amount'), [100])
            # The same without the context, as after the way back in the browser.
            self.assertEqual(self.env['credit.exposure'].search(domain).ids, rows.ids)

    def test_one_activity_per_customer_for_the_controller_closed_with_the_last_hold(self):
        first = self._held_order()
        second = self._order_of(200)
        second.with_user(self.sales_user).action_confirm()
        account = self._account()
        self.assertEqual(len(account.activity_ids), 1)
        self.assertEqual(account.activity_ids.user_id, self.manager)

        first.with_user(self.manager)._credit_reject("no")
        self.assertEqual(len(account.activity_ids), 1)
        second._action_cancel()
        self.assertFalse(account.activity_ids)
        self.assertEqual(second.credit_state, 'none')

    def test_to_do_is_in_its_readers_language_and_a_message_in_its_authors(self):
        self.env['res.lang']._activate_lang('zh_CN')
        self.manager.lang = 'zh_CN'
        order = self._held_order()
        self.assertEqual(self._account().activity_ids.summary, "因信用暂挂的订单")
        order.with_user(self.sales_user).with_context(lang='zh_CN')._credit_request_release("pays on Friday")
        self.assertIn("Release requested by", order.message_ids[:1].body)
        order.with_user(self.manager)._credit_reject("too much already")
        self.assertIn("已驳回", order.message_ids[:1].body)

    def test_what_a_customer_does_is_told_in_the_salespersons_language(self):
        self.env['res.lang']._activate_lang('zh_CN')
        self.sales_user.lang = 'zh_CN'
        portal = self._new_user('credit_portal_lang', 'base.group_portal')
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(150)
        order.user_id = self.sales_user
        order.with_user(portal).sudo().action_confirm()
        self.assertEqual(order.credit_state, 'on_hold')
        self.assertIn("因信用暂挂", order.message_ids[:1].body)

    def test_held_order_confirmed_again_after_a_payment_passes(self):
        self._limit_policy()
        self._account(limit=100)
        self._invoice(90)
        order = self._order_of(50, confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        self._pay(order.credit_check_ids.payment_needed)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual((order.state, order.credit_state), ('sale', 'passed'))
        self.assertFalse(order.credit_hold_date)

    def test_quotation_shows_beforehand_that_it_will_be_held_and_records_nothing(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(150)
        panel = order.with_user(self.sales_user).credit_panel
        self.assertEqual(panel['level'], 'warning')
        self.assertEqual(panel['meter']['document'], 150)
        self.assertTrue(panel['reasons'])
        self.assertFalse(order.credit_check_ids)

    def test_held_order_says_when_it_would_pass_now(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(150)
        order.action_confirm()
        self.assertEqual(order.credit_panel['level'], 'danger')
        order.order_line.price_unit = 90
        self.assertEqual(order.credit_panel['level'], 'info')
        self.assertEqual(order.credit_panel['meter']['document'], 90)
        self.assertFalse(order.credit_panel['ways'])

    # --------------------------------------------------------------- statements

    def test_confirmation_within_the_limit_costs_at_most_8_statements_more(self):
        def count(order):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            order.action_confirm()
            # With what waits for the commit, as the tracking in the chatter.
            self.env.cr.flush()
            return self.env.cr.sql_log_count - before

        count(self._order_of(1))
        without = count(self._order_of(1))
        self._limit_policy()
        self._account(limit=1000)
        count(self._order_of(1))
        self.assertLessEqual(count(self._order_of(1)) - without, 8)


@tagged('post_install', '-at_install')
class TestBadInput(CreditCommon):
    def test_account_stays_with_its_customer(self):
        account = self._account(limit=1000)
        other = self.env['res.partner'].create({'name': "Friend", 'is_company': True})
        with self.assertRaisesRegex(UserError, "stays with that customer"):
            account.with_user(self.analyst).partner_id = other

    def test_analyst_can_not_choose_a_policy_by_a_default(self):
        policy = self._limit_policy(default=False)
        with self.assertRaisesRegex(AccessError, "Only credit managers"):
            self.Account.with_user(self.analyst).with_context(default_policy_id=policy.id).create(
                {'partner_id': self.customer.id, 'company_id': self.company.id}
            )

    def test_analyst_can_hold_a_customer_and_only_a_manager_lets_go(self):
        account = self._account().with_user(self.analyst)
        account.status = 'hold'
        with self.assertRaisesRegex(AccessError, "Only credit managers"):
            account.status = 'watch'
        account.with_user(self.manager)._blacklist('other', "insolvent")
        with self.assertRaisesRegex(AccessError, "Only credit managers"):
            account.status = 'hold'
        policy = self._limit_policy(default=False)
        with self.assertRaisesRegex(AccessError, "Only credit managers"):
            account.policy_id = policy
        account.with_user(self.manager).write({'status': 'normal', 'policy_id': policy.id})

    def test_policy_in_use_can_not_be_archived(self):
        policy = self._limit_policy()
        with self.assertRaisesRegex(UserError, "is the default of"):
            policy.active = False
        own = self._limit_policy(default=False)
        self._account(policy_id=own.id)
        with self.assertRaisesRegex(UserError, "credit account of Hengda"):
            own.active = False

    def test_negative_limit(self):
        with (
            mute_logger('odoo.sql_db'),
            self.assertRaisesRegex(IntegrityError, "credit_limit_amount_positive"),
            self.cr.savepoint(),
        ):
            self.env['credit.limit'].create(
                {'account_id': self._account().id, 'amount': -1, 'currency_id': self.currency.id}
            )

    def test_dates_the_wrong_way_round(self):
        with self.assertRaisesRegex(UserError, "before it starts"):
            self.env['credit.limit'].create(
                {
                    'account_id': self._account().id,
                    'amount': 1,
                    'date_from': fields.Date.to_date('2030-02-01'),
                    'date_to': fields.Date.to_date('2030-01-01'),
                }
            )

    def test_two_base_limits_in_force(self):
        today = self.company._credit_today()
        account = self._account()
        self._limit(account, 100, date_from=date_add(today, days=10))
        with self.assertRaisesRegex(UserError, "Two limits"):
            self._limit(account, 200)
        self._limit(account, 200, date_to=date_add(today, days=9))
        self.assertEqual(account.effective_limit, 200)

    def test_limit_in_a_currency_without_rate(self):
        currency = self.env['res.currency'].create({'name': 'XQX', 'symbol': 'Q'})
        with self.assertRaisesRegex(UserError, "exchange rate of XQX"):
            self.env['credit.limit'].create({'account_id': self._account().id, 'amount': 1, 'currency_id': currency.id})

    def test_contact_instead_of_its_company(self):
        with self.assertRaisesRegex(UserError, "contact of Hengda Trading"):
            self.Account.create({'partner_id': self.contact.id, 'company_id': self.company.id})

    def test_enforced_policy_without_rules(self):
        with self.assertRaisesRegex(UserError, "has no rules"):
            self._policy()
        policy = self._policy(mode='shadow', default=False)
        with self.assertRaisesRegex(UserError, "has no rules"):
            self.company.credit_policy_id = policy

    def test_rule_without_threshold(self):
        with self.assertRaisesRegex(UserError, "needs a threshold"):
            self._policy(('utilisation', 'hold', {}))

    def test_status_rule_without_status(self):
        with self.assertRaisesRegex(UserError, "account status"):
            self._policy(('account_status', 'hold', {}))

    def test_account_of_a_branch(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        with self.assertRaisesRegex(UserError, "is a branch"):
            self.Account.create({'partner_id': self.customer.id, 'company_id': branch.id})
