from odoo import Command
from odoo.tests import Form, tagged

from odoo.addons.credit_management.tests.common import CreditCommon


@tagged('post_install', '-at_install')
class TestCreditExposureStock(CreditCommon):
    """What an order line still owes, read from its stock moves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouse = cls.env['stock.warehouse'].search([('company_id', '=', cls.company.id)], limit=1)
        cls.goods = cls.env['product.product'].create(
            {
                'name': "Pump",
                'type': 'consu',
                'is_storable': True,
                'list_price': 10.0,
                'invoice_policy': 'delivery',
                'taxes_id': [Command.clear()],
            }
        )
        cls.env['stock.quant']._update_available_quantity(cls.goods, cls.warehouse.lot_stock_id, 1000)

    def _order_goods(self, quantity=10, price=10.0, **values):
        order = self._order((self.goods, quantity, price), warehouse_id=self.warehouse.id, **values)
        order.action_confirm()
        return order

    def _deliver(self, order, quantity, backorder=True):
        """Deliver a quantity with the buttons that the storekeeper uses."""
        picking = order.picking_ids.filtered(lambda item: item.state not in ('done', 'cancel'))[:1]
        picking.move_ids.quantity = quantity
        picking.move_ids.picked = True
        action = picking.button_validate()
        if isinstance(action, dict) and action.get('res_model') == 'stock.backorder.confirmation':
            wizard = Form(self.env['stock.backorder.confirmation'].with_context(**action['context'])).save()
            wizard.process() if backorder else wizard.process_cancel_backorder()
        return picking

    def _return(self, picking, quantity, refund=True):
        wizard = (
            self.env['stock.return.picking']
            .with_context(active_id=picking.id, active_ids=picking.ids, active_model='stock.picking')
            .create({})
        )
        wizard.product_return_moves.write({'quantity': quantity, 'to_refund': refund})
        action = wizard.action_create_returns()
        back = self.env['stock.picking'].browse(action['res_id'])
        back.move_ids.quantity = quantity
        back.move_ids.picked = True
        back.button_validate()
        return back

    def test_order_of_10_at_10_is_ordered_100(self):
        self._order_goods()
        self.assertExposure(ordered=100)

    def test_delivered_4_of_10_is_delivered_40_ordered_60(self):
        order = self._order_goods()
        self._deliver(order, 4)
        self.assertExposure(delivered=40, ordered=60)

    def test_remainder_of_6_closed_without_backorder_counts_no_more(self):
        order = self._order_goods()
        self._deliver(order, 4, backorder=False)
        self.assertExposure(delivered=40)

        order._create_invoices().action_post()
        self.assertExposure(open_item=40)

    def test_delivered_14_of_10_is_delivered_140(self):
        order = self._order_goods()
        self._deliver(order, 14)
        self.assertExposure(delivered=140)

        order._create_invoices().action_post()
        self.assertExposure(open_item=140)

    def test_all_returned_and_credited_is_nothing(self):
        order = self._order_goods()
        picking = self._deliver(order, 10)
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertExposure(open_item=100)

        self._return(picking, 10)
        self._reverse(invoice)
        self.assertExposure()

    def test_returned_3_before_invoicing_is_delivered_70(self):
        order = self._order_goods()
        picking = self._deliver(order, 10)
        self._return(picking, 3)
        self.assertExposure(delivered=70)

    def test_cancelled_delivery_owes_nothing(self):
        order = self._order_goods()
        order.picking_ids.action_cancel()
        self.assertExposure()

    def test_quantity_raised_after_confirmation_is_owed_too(self):
        order = self._order_goods()
        order.order_line.product_uom_qty = 12
        self.assertExposure(ordered=120)

    def test_goods_on_the_way_to_a_company_of_ours_are_owed_until_they_are_in_transit(self):
        transit = self.env.ref('stock.stock_location_inter_company')
        order = self._order_goods()
        moves = order.picking_ids.move_ids
        yard = self.env['stock.location'].create({'name': "Yard", 'usage': 'internal'})
        moves.write({'location_dest_id': yard.id, 'location_final_id': yard.id})
        self.assertExposure()
        # From here on deliveries to the yard are on their way out.
        yard.location_id = transit
        self.assertExposure(ordered=100)

    def test_dozens_ordered_are_moved_in_units_and_count_once(self):
        order = self._order(
            (self.goods, 2, 120.0, {'product_uom_id': self.env.ref('uom.product_uom_dozen').id}),
            warehouse_id=self.warehouse.id,
            confirm=True,
        )
        self.assertExposure(ordered=240)
        self._deliver(order, 12)
        self.assertExposure(delivered=120, ordered=120)

    def test_delivery_in_three_steps_counts_each_unit_once(self):
        self.warehouse.delivery_steps = 'pick_pack_ship'
        order = self._order_goods()
        self.assertExposure(ordered=100)
        # First step in two parts: a unit waits either before or behind it.
        self._deliver(order, 4)
        self.assertExposure(ordered=100)
        while pickings := order.picking_ids.filtered(lambda item: item.state == 'assigned'):
            for picking in pickings:
                picking.move_ids.picked = True
                picking.button_validate()
        self.assertExposure(delivered=100)

    def test_constancy_from_order_to_posted_invoice(self):
        order = self._order_goods()
        totals = [self.figures()['exposure']]
        self._deliver(order, 10)
        totals.append(self.figures()['exposure'])
        invoice = order._create_invoices()
        totals.append(self.figures()['exposure'])
        invoice.action_post()
        totals.append(self.figures()['exposure'])
        self.assertEqual(totals, [100, 100, 100, 100])
