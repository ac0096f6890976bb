from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.date_utils import add as date_add

from .test_credit_exposure_stock import TestCreditExposureStock as StockCommon


@tagged('post_install', '-at_install')
class TestReleaseStock(StockCommon):
    """Goods of an order whose release does not hold any more stay where they are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._limit_policy()
        cls._account(limit=50)

    def _released(self, **conditions):
        """Release an order of goods for 100 beyond a limit of 50."""
        order = self._order_goods()
        self.assertEqual(order.credit_state, 'on_hold')
        vals = self.env['credit.release']._prepare_condition_vals(conditions, order)
        order.with_user(self.manager)._credit_release("they always pay", conditions=vals)
        self.assertEqual(order.state, 'sale')
        return order

    def _break(self, days=8):
        today = self.company._credit_today()
        with freeze_time(datetime.combine(date_add(today, days=days), datetime.min.time()) + timedelta(hours=12)):
            self.env['credit.recheck'].sudo()._mark_all()
            with self.enter_registry_test_mode():
                self.env.ref('credit_management.ir_cron_recheck').method_direct_trigger()

    def test_broken_promise_stops_the_rest_until_it_is_released_again(self):
        today = self.company._credit_today()
        order = self._released(condition='promise', condition_amount=100, condition_due=date_add(today, days=7))
        self._deliver(order, 4)
        self._break()
        self.assertEqual((order.state, order.credit_state), ('sale', 'on_hold'))
        picking = order.picking_ids.filtered(lambda item: item.state != 'done')
        picking.move_ids.write({'quantity': 6, 'picked': True})

        result = picking.button_validate()
        self.assertIn(order.name, result['params']['message'])
        with self.assertRaisesRegex(UserError, "stopped for credit.*they always pay"):
            picking._action_done()
        self.assertNotEqual(picking.state, 'done')

        order.with_user(self.manager)._credit_release("paid in cash")
        picking.button_validate()
        self.assertEqual(picking.state, 'done')

    def test_order_to_be_checked_at_delivery_is_stopped_and_goes_on_after_a_payment(self):
        order = self._released(recheck_delivery=True)
        picking = order.picking_ids
        picking.move_ids.write({'quantity': 10, 'picked': True})
        result = picking.button_validate()
        self.assertIn("stopped for credit", result['params']['message'])
        self.assertEqual((picking.state, order.credit_state), ('assigned', 'on_hold'))
        self._pay(50)
        self._break(days=0)
        self.assertEqual(order.credit_state, 'released')
        picking.button_validate()
        self.assertEqual(picking.state, 'done')

    def test_goods_that_come_back_are_not_stopped(self):
        today = self.company._credit_today()
        order = self._released(condition='promise', condition_amount=100, condition_due=date_add(today, days=7))
        done = self._deliver(order, 4)
        self._break()
        back = self._return(done, 1)
        self.assertEqual(back.state, 'done')
