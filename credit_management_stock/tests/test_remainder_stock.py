from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_credit_exposure_stock import TestCreditExposureStock as StockCommon


@tagged('post_install', '-at_install')
class TestRemainderStock(StockCommon):
    """Closing what is left of an order whose goods are moved."""

    def _close(self, order, user=None):
        order.with_user(user or self.env.user)._credit_close_remainder("Not produced any more")
        self.env.invalidate_all()

    def test_closing_cancels_the_open_delivery_and_keeps_what_is_delivered(self):
        order = self._order_goods()
        self._deliver(order, 4)
        self._close(order, self.sales_user)

        self.assertExposure(delivered=40)
        self.assertEqual(sorted(order.picking_ids.mapped('state')), ['cancel', 'done'])
        self.assertFalse(order.credit_can_close_remainder)
        self.assertFalse(order.credit_can_reopen_remainder)
        with self.assertRaisesRegex(UserError, "Raise the quantities"):
            order._credit_reopen_remainder("?")

    def test_analyst_without_stock_rights_closes_a_locked_order(self):
        order = self._order_goods()
        order.action_lock()
        self._close(order, self.analyst)
        self.assertExposure()
        self.assertEqual(order.picking_ids.state, 'cancel')

    def test_picked_goods_are_named_and_not_closed(self):
        order = self._order_goods()
        order.picking_ids.move_ids.picked = True
        with self.assertRaisesRegex(UserError, order.picking_ids.name):
            self._close(order)
        self.assertExposure(ordered=100)

    def test_goods_on_their_way_through_the_warehouse_are_named(self):
        self.warehouse.delivery_steps = 'pick_ship'
        order = self._order_goods()
        self._deliver(order, 4)
        underway = order.picking_ids.filtered(lambda item: item.location_id == self.warehouse.wh_output_stock_loc_id)
        with self.assertRaisesRegex(UserError, underway.name):
            self._close(order)
        self.assertExposure(ordered=100)

    def test_all_steps_of_an_untouched_delivery_are_cancelled(self):
        self.warehouse.delivery_steps = 'pick_pack_ship'
        order = self._order_goods()
        self._close(order)
        self.assertExposure()
        self.assertEqual(set(order.order_line.move_ids.mapped('state')), {'cancel'})

    def test_goods_by_their_moves_services_by_their_line(self):
        order = self._order((self.goods, 10, 10.0), (self.product_delivery, 5, 10.0), warehouse_id=self.warehouse.id)
        order.action_confirm()
        self._close(order)
        self.assertExposure()

        # Only the service can be brought back by a button.
        order._credit_reopen_remainder("They want it after all")
        self.assertExposure(ordered=50)

    def test_return_under_way_is_left_alone(self):
        order = self._order_goods()
        picking = self._deliver(order, 6)
        wizard = (
            self.env['stock.return.picking']
            .with_context(active_id=picking.id, active_ids=picking.ids, active_model='stock.picking')
            .create({})
        )
        wizard.product_return_moves.write({'quantity': 1, 'to_refund': True})
        back = self.env['stock.picking'].browse(wizard.action_create_returns()['res_id'])
        self._close(order)
        self.assertExposure(delivered=60)
        self.assertNotEqual(back.state, 'cancel')

    def test_growth_after_closing_is_checked_for_all_that_is_procured_again(self):
        self._limit_policy()
        self._account(limit=150)
        order = self._order_goods()
        self._deliver(order, 4)
        self._close(order)
        self._order_of(60.0, confirm=True)
        self.assertExposure(delivered=40, ordered=60)

        # Core procures 12 - 4 = 8 again, which is 80: too much.
        with self.assertRaisesRegex(UserError, "can't be raised by"), self.env.cr.savepoint():
            order.order_line.with_user(self.sales_user).product_uom_qty = 12
        self.env.invalidate_all()
        self._limit(order.credit_account_id, 200)
        order.order_line.with_user(self.sales_user).product_uom_qty = 12
        self.assertExposure(delivered=40, ordered=140)

    def test_growth_is_checked_with_the_moves_that_it_makes(self):
        self._limit_policy()
        self._account(limit=110)
        order = self._order_goods()
        with self.assertRaisesRegex(UserError, "can't be raised by"), self.env.cr.savepoint():
            order.order_line.with_user(self.sales_user).product_uom_qty = 12
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "can't be raised by"), self.env.cr.savepoint():
            self.env['sale.order.line'].with_user(self.sales_user).create(
                {'order_id': order.id, 'product_id': self.goods.id, 'product_uom_qty': 2}
            )
        self.env.invalidate_all()
        order.order_line.with_user(self.sales_user).product_uom_qty = 11
        self.assertExposure(ordered=110)

    def test_batch_reports_the_transfer_that_is_picked(self):
        orders = self._order_goods() + self._order_goods()
        orders[1].picking_ids.move_ids.picked = True
        action = orders._credit_close_remainders("Old")
        self.assertIn(orders[1].picking_ids.name, action['params']['message'])
        self.assertExposure(ordered=100)

    def test_list_shows_what_the_moves_still_deliver(self):
        order = self._order_goods()
        self._deliver(order, 4)
        row = self.env['credit.remainder'].search([('order_id', '=', order.id)])
        self.assertEqual((row.amount, row.delivered_percent), (60, 40))
        self.assertIn("6", row.missing)
