from odoo import api, models

from odoo.addons.credit_management.models.sale_order_line import GROWTH_FIELDS


class SaleOrderLine(models.Model):
    _inherit = 'sale.order.line'

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS sale_stock: what a line adds is in the exposure once its moves
        # are made, so growth is looked at after that
        default = self.env.context.get('default_order_id')
        orders = self.order_id.browse({order_id for vals in vals_list if (order_id := vals.get('order_id', default))})
        with orders._credit_watch():
            return super().create(vals_list)

    def write(self, vals):
        # EXTENDS sale_stock: as above
        with self.order_id._credit_watch(vals.keys() & GROWTH_FIELDS):
            return super().write(vals)

    def _credit_adjust_closed(self, closed, unit, ordered):
        # EXTENDS credit_management: for a line that grows, core procures all
        # that its moves lack, the closed remainder as well
        super()._credit_adjust_closed(closed, unit, ordered)
        if self.move_ids and unit == self.product_uom_id and self.product_uom_qty > ordered:
            # Only the flow writes it, on behalf of whoever changes the line.
            self.sudo().credit_closed_quantity = 0.0

    def _credit_reopenable(self):
        # EXTENDS credit_management: a cancelled delivery does not come back
        return super()._credit_reopenable().filtered(lambda line: not line.move_ids)
