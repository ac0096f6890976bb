from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestRemainder(CreditCommon):
    """What is left of confirmed orders: listed, closed, reopened."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A changed quantity looks the price up again.
        cls.product_delivery.list_price = 10.0

    def _confirmed(self, quantity=10, price=10.0, **values):
        return self._order((self.product_delivery, quantity, price), confirm=True, **values)

    def _remainders(self, user=None, company=None):
        Remainder = self.env['credit.remainder'].with_user(user or self.env.user)
        if company:
            Remainder = Remainder.with_context(allowed_company_ids=company.ids)
        return Remainder.search([('partner_id', '=', self.customer.id)])

    def _close(self, order, user=None):
        order.with_user(user or self.env.user)._credit_close_remainder("Not produced any more")
        self.env.invalidate_all()

    def _file(self, account, kind='remainder_closed'):
        return self.env['credit.event'].sudo().search([('account_id', '=', account.id), ('kind', '=', kind)])

    # -------------------------------------------------------------------------
    # The list
    # -------------------------------------------------------------------------

    def test_no_order_is_old_before_its_day(self):
        self.company.credit_remainder_days = 0
        with self.assertRaises(ValidationError):
            self.company.credit_remainder_days = -1

    def test_list_sums_equal_the_ordered_rows_of_the_exposure(self):
        self._confirmed()
        partly = self._confirmed(5, 30.0)
        partly.order_line.qty_delivered = 2
        self._order((self.product, 1, 100.0), (self.product, 1, -15.0), confirm=True)
        self._order((self.product, 1, 40.0), confirm=True)._create_invoices()

        remainders = self._remainders()

        self.assertEqual(sum(remainders.mapped('amount')), 100 + 90 + 85)
        self.assertEqual(sum(remainders.mapped('amount')), self.figures()['exposure_ordered'])
        partly = remainders.filtered(lambda row: row.order_id == partly)
        self.assertEqual(partly.delivered_percent, 40)
        self.assertEqual(partly.missing, f"3 {partly.order_id.order_line.product_uom_id.name} Goods")

    def test_down_payment_comes_off_the_open_amount(self):
        order = self._confirmed()
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'fixed', 'fixed_amount': 30.0})
        )
        wizard._create_invoices(order)

        self.assertEqual(self._remainders().amount, 70)

    def test_order_is_old_after_the_days_of_the_company(self):
        today = self.company._credit_today()
        order = self._confirmed()
        for days, old in ((29, False), (30, False), (31, True)):
            order.date_order = fields.Datetime.to_datetime(today - timedelta(days=days)) + timedelta(hours=12)
            self.env.invalidate_all()
            row = self._remainders()
            self.assertEqual((row.age, row.old), (days, old))

        self.company.credit_remainder_days = 40
        self.env.invalidate_all()
        self.assertFalse(self._remainders().old)

    def test_amount_is_in_company_currency(self):
        currency = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        pricelist = self.env['product.pricelist'].create({'name': "EUR", 'currency_id': currency.id})
        self._confirmed(pricelist_id=pricelist.id)

        self.assertEqual((self._remainders().amount, self._remainders().currency_id), (50, self.currency))

    def test_sales_see_the_remainders_of_their_own_orders_only(self):
        mine = self._confirmed()
        other = self._new_user('credit_sales_2', 'sales_team.group_sale_salesman')
        self._confirmed(user_id=other.id)

        self.assertEqual(self._remainders(self.sales_user).order_id, mine)
        self.assertEqual(len(self._remainders(self.analyst)), 2)

    def test_orders_of_another_company_are_not_listed(self):
        other = self._create_company(name="Other")
        self._confirmed()

        self.assertFalse(self._remainders(company=other))
        self.assertEqual(len(self._remainders(company=self.company)), 1)

    def test_branch_is_listed_with_its_main_company(self):
        branch = self._create_company(name="Branch", parent_id=self.company.id)
        self.env.user.company_ids += branch
        order = self._confirmed(company_id=branch.id)

        row = self._remainders(company=self.company + branch)
        self.assertEqual((row.order_id, row.company_id, row.currency_id), (order, branch, self.currency))
        self.assertFalse(self._remainders(company=self.company))

    # -------------------------------------------------------------------------
    # Closing
    # -------------------------------------------------------------------------

    def test_closed_remainder_counts_no_more_and_delivered_stays(self):
        account = self._account()
        order = self._confirmed()
        order.order_line.qty_delivered = 4
        self.assertTrue(order.credit_can_close_remainder)

        self._close(order)

        self.assertExposure(delivered=40)
        self.assertFalse(self._remainders())
        self.assertFalse(order.credit_can_close_remainder)
        event = self._file(account)
        self.assertIn('"amount": 60.0', event.payload)
        self.assertIn("Not produced any more", order.message_ids[0].body)

    def test_closed_at_what_is_invoiced_if_that_is_more(self):
        order = self._order((self.product, 10, 10.0), confirm=True)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.quantity = 7
        self.assertExposure(draft_invoice=70, ordered=30)

        self._close(order)

        self.assertExposure(draft_invoice=70)

    def test_later_delivery_of_a_closed_line_counts_as_delivered(self):
        order = self._confirmed()
        self._close(order)
        order.order_line.qty_delivered = 4

        self.assertExposure(delivered=40)

    def test_closed_line_that_grows_counts_what_it_grows_by(self):
        order = self._confirmed()
        order.order_line.qty_delivered = 4
        self._close(order)

        order.order_line.product_uom_qty = 12
        self.assertExposure(delivered=40, ordered=20)

    def test_closed_then_delivered_all_the_same_then_grown(self):
        order = self._confirmed()
        order.order_line.qty_delivered = 4
        self._close(order)
        order.order_line.qty_delivered = 8

        order.order_line.product_uom_qty = 12
        self.assertExposure(delivered=80, ordered=20)

    def test_line_lowered_and_raised_again_counts(self):
        order = self._confirmed()
        order.order_line.qty_delivered = 4
        self._close(order)

        order.order_line.product_uom_qty = 4
        self.assertEqual(order.order_line.credit_closed_quantity, 0)
        order.order_line.product_uom_qty = 10
        self.assertExposure(delivered=40, ordered=60)

    def test_discount_stays_with_what_was_delivered(self):
        order = self._order((self.product_delivery, 10, 10.0), (self.product, 1, -20.0), confirm=True)
        order.order_line[0].qty_delivered = 4
        self.assertExposure(delivered=40, ordered=40)

        self._close(order)

        self.assertExposure(delivered=40, ordered=-20)
        self.assertFalse(order.credit_can_close_remainder)

    def test_locked_order_can_be_closed(self):
        order = self._confirmed()
        order.action_lock()
        self._close(order)
        self.assertExposure()

    def test_cancelled_and_confirmed_again_counts_in_full(self):
        order = self._confirmed()
        self._close(order)
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertExposure(ordered=100)

    def test_copy_of_a_closed_order_is_open(self):
        order = self._confirmed()
        self._close(order)
        self.assertEqual(order.copy().order_line.credit_closed_quantity, 0)

    def test_without_credit_account_none_is_opened(self):
        self._close(self._confirmed())
        self.assertFalse(self.Account.search([('partner_id', '=', self.customer.id)]))

    def test_nothing_left_is_refused(self):
        order = self._confirmed()
        self._close(order)
        with self.assertRaisesRegex(UserError, "Nothing is left"):
            self._close(order)
        with self.assertRaisesRegex(UserError, "not a confirmed order"):
            self._close(self._order())

    # -------------------------------------------------------------------------
    # Rights
    # -------------------------------------------------------------------------

    def test_salesperson_closes_own_orders_analyst_all(self):
        self._close(self._confirmed(), self.sales_user)
        self._close(self._confirmed(user_id=self.manager.id), self.analyst)
        self.assertExposure()

    def test_others_may_not_close(self):
        order = self._confirmed(user_id=self.manager.id)
        auditor = self._new_user('credit_auditor', 'credit_management.group_credit_auditor')
        for user in (self.sales_user, auditor):
            with self.assertRaises(AccessError):
                self._close(order, user)
            self.assertFalse(
                order.with_user(user).has_access('read') and order.with_user(user).credit_can_close_remainder
            )
        self.assertExposure(ordered=100)

    def test_client_cannot_write_the_closed_quantity(self):
        order = self._confirmed()
        order.order_line.with_user(self.sales_user).write({'credit_closed_quantity': 10.0})
        self.assertExposure(ordered=100)

    def test_wizard_wants_a_reason(self):
        order = self._confirmed()
        action = order.with_user(self.sales_user).action_credit_close_remainder()
        form = Form(self.env[action['res_model']].with_user(self.sales_user).with_context(**action['context']))
        self.assertIn("100.00", form.summary)
        form.note = " "
        wizard = form.save()
        self.assertIn(order.name, wizard.summary)
        with self.assertRaisesRegex(UserError, "reason"):
            wizard.action_apply()

        wizard.note = "Customer went elsewhere"
        wizard.action_apply()
        self.assertExposure()

    def test_batch_goes_on_past_a_refused_order_and_reports_it(self):
        orders = self._confirmed() + self._confirmed(user_id=self.manager.id) + self._confirmed()
        refused = orders[1]
        action = orders.with_user(self.sales_user)._credit_close_remainders("Old")

        self.assertExposure(ordered=100)
        self.assertIn("closed: 2", action['params']['message'])
        self.assertIn(refused.name, action['params']['message'])
        self.assertEqual(self._remainders().order_id, refused)

    # -------------------------------------------------------------------------
    # Reopening
    # -------------------------------------------------------------------------

    def test_reopened_remainder_counts_again(self):
        account = self._account()
        order = self._confirmed()
        self._close(order)
        self.assertTrue(order.credit_can_reopen_remainder)

        order.with_user(self.sales_user)._credit_reopen_remainder("They want it after all")

        self.assertExposure(ordered=100)
        self.assertFalse(order.credit_can_reopen_remainder)
        for kind in ('remainder_closed', 'remainder_reopened'):
            self.assertIn('"amount": 100.0', self._file(account, kind).payload)

    def test_reopening_is_checked_like_growth(self):
        self._limit_policy()
        self._account(limit=150)
        order = self._confirmed()
        self._close(order)
        self._confirmed()

        with self.assertRaisesRegex(UserError, "can't be raised by"), self.env.cr.savepoint():
            order.with_user(self.sales_user)._credit_reopen_remainder("They want it after all")
        with self.assertRaisesRegex(UserError, "can't be raised by"), self.env.cr.savepoint():
            order.with_user(self.analyst)._credit_reopen_remainder("They want it after all")

        self.env.invalidate_all()
        self.assertExposure(ordered=100)

    def test_analyst_reopens_within_the_limit(self):
        self._limit_policy()
        self._account(limit=150)
        order = self._confirmed()
        self._close(order, self.analyst)
        self.assertEqual(order.credit_checked_total, 0)

        order.with_user(self.analyst)._credit_reopen_remainder("They want it after all")

        self.assertExposure(ordered=100)
        self.assertEqual(order.credit_checked_total, 100)

    def test_growth_of_an_order_with_a_closed_remainder_is_checked_for_the_growth_alone(self):
        self._limit_policy()
        self._account(limit=150)
        order = self._confirmed()
        order.order_line.qty_delivered = 4
        self._close(order)
        self._order_of(90.0, confirm=True)

        # 40 delivered + 90 ordered: 20 more are within the limit, 30 are not.
        with self.assertRaisesRegex(UserError, "can't be raised by"), self.env.cr.savepoint():
            order.order_line.with_user(self.sales_user).product_uom_qty = 13
        order.order_line.with_user(self.sales_user).product_uom_qty = 12
        self.assertExposure(delivered=40, ordered=110)

    def test_nothing_closed_cannot_be_reopened(self):
        with self.assertRaisesRegex(UserError, "Nothing of"):
            self._confirmed()._credit_reopen_remainder("?")

    def test_kept_for_lines_in_another_unit(self):
        dozen = self.env.ref('uom.product_uom_dozen')
        order = self._order((self.product_delivery, 2, 120.0, {'product_uom_id': dozen.id}), confirm=True)
        order.order_line.qty_delivered = 0.5
        self._close(order)
        self.assertEqual(order.order_line.credit_closed_quantity, 1.5)
        self.assertExposure(delivered=60)

    def test_list_takes_a_constant_number_of_statements(self):
        for _index in range(3):
            self._confirmed()
        rows = self._remainders()
        rows.mapped('missing')
        self.env.invalidate_all()
        with self.assertQueryCount(20):
            rows = self._remainders()
            rows.mapped('missing')
            count = self.env.cr.sql_log_count
        for _index in range(5):
            self._confirmed()
        self.env.invalidate_all()
        with self.assertQueryCount(20):
            start = self.env.cr.sql_log_count
            self._remainders().mapped('missing')
            self.assertLessEqual(self.env.cr.sql_log_count - start, count)

    def test_reasons_go_to_the_chatter_once(self):
        order = self._confirmed()
        self._close(order)
        notes = order.message_ids.filtered(lambda message: "Remainder of" in (message.body or ''))
        self.assertEqual(len(notes), 1)
        self.assertEqual(order.order_line.mapped('credit_closed_quantity'), [10])
