from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.credit_management.tests.common import CreditCommon


@tagged('post_install', '-at_install')
class TestEmergencyStock(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.goods = cls.env['product.product'].create(
            {'name': "Pump", 'type': 'consu', 'is_storable': False, 'taxes_id': [Command.clear()]}
        )
        cls._limit_policy(
            emergency_amount=500,
            approval_level_ids=[
                Command.create({'name': "Manager", 'sequence': 1, 'user_ids': [Command.set(cls.manager.ids)]}),
                Command.create({'name': "Director", 'sequence': 2, 'user_ids': [Command.set(cls.other_manager.ids)]}),
            ],
        )
        cls._account(limit=10)
        cls.order = cls._order((cls.goods, 1, 100.0))
        cls.order.with_user(cls.sales_user).action_confirm()
        cls.vendor = cls.env.ref('stock.stock_location_suppliers')
        cls.buyer = cls.env.ref('stock.stock_location_customers')
        reason = cls.env.ref('credit_management.credit_reason_dock')
        cls.order.with_user(cls.manager)._credit_release_alone("line stands still", reason)

    def _send(self):
        picking = self.order.picking_ids
        picking.move_ids.quantity = 1
        picking.move_ids.picked = True
        picking.button_validate()
        return picking

    def test_goods_go_out_while_the_confirmation_is_awaited(self):
        self.assertEqual(self._send().state, 'done')

    def test_emergency_release_not_confirmed_in_time_stops_the_goods_until_it_is(self):
        self.order.sudo().credit_release_id._approval_unconfirmed()
        stopped = self._send()
        self.assertNotEqual(stopped.state, 'done')
        with self.assertRaisesRegex(UserError, "is not confirmed. Ask Credit Manager 2"):
            stopped._action_done()
        self.order.with_user(self.other_manager)._credit_settle_emergency(True, "seen the payment")
        self.assertEqual(self._send().state, 'done')

    def _transfer(self, source, target, **values):
        """Return a transfer of the goods that is no delivery; drop shipping, which has its own type, may be missing."""
        incoming = [('code', '=', 'incoming'), ('company_id', '=', self.company.id)]
        places = {'location_id': source.id, 'location_dest_id': target.id}
        move = {'product_id': self.goods.id, 'product_uom_qty': 1, 'quantity': 1, 'picked': True, **places, **values}
        return self.env['stock.picking'].create(
            {
                'picking_type_id': self.env['stock.picking.type'].search(incoming, limit=1).id,
                **places,
                'move_ids': [Command.create(move)],
            }
        )

    def test_goods_that_the_vendor_sends_to_the_customer_are_stopped_as_well(self):
        self.order.sudo().credit_release_id._approval_unconfirmed()
        picking = self._transfer(self.vendor, self.buyer, sale_line_id=self.order.order_line.id)
        picking.button_validate()
        self.assertNotEqual(picking.state, 'done')
        with self.assertRaisesRegex(UserError, "is not confirmed"):
            picking._action_done()

        self.order.with_user(self.other_manager)._credit_settle_emergency(True, "seen the payment")
        picking.button_validate()
        self.assertEqual(picking.state, 'done')

    def test_goods_that_come_back_to_the_vendor_are_not_stopped(self):
        self.order.with_user(self.other_manager)._credit_settle_emergency(False, "no")
        picking = self._transfer(self.buyer, self.vendor, sale_line_id=self.order.order_line.id)
        picking.button_validate()
        self.assertEqual(picking.state, 'done')

    def test_other_transfers_are_not_stopped(self):
        self.order.with_user(self.other_manager)._credit_settle_emergency(False, "no")
        receipt = self._transfer(self.vendor, self.order.warehouse_id.lot_stock_id)
        receipt.button_validate()
        self.assertEqual(receipt.state, 'done')
