from odoo import api, fields, models

# What may change the total of the order.
GROWTH_FIELDS = {
    'credit_closed_quantity', 'discount', 'display_type', 'order_id', 'price_unit', 'product_id', 'product_uom_id',
    'product_uom_qty', 'tax_ids',
}  # fmt: skip

# Stored, so that a client could write them; the check and the exposure rely on
# what they are computed from, or on who closed a remainder.
COMPUTED_FIELDS = {
    'credit_closed_quantity', 'credit_unit_price', 'price_reduce_taxexcl', 'price_reduce_taxinc', 'price_subtotal',
    'price_tax', 'price_total', 'qty_invoiced', 'qty_to_invoice',
}  # fmt: skip


class SaleOrderLine(models.Model):
    _inherit = 'sale.order.line'

    # Where something is ordered, the taxed total of the line says what a unit
    # is worth; a line that is delivered without being ordered (re-invoiced
    # cost, extra product) has a total of 0.
    credit_unit_price = fields.Float(
        string="Taxed Unit Price",
        compute='_compute_credit_unit_price',
        store=True,
        digits=0,
        groups='base.group_user',
        help="Value of one unit, taxes included, of a line with an ordered quantity of 0.",
    )
    credit_closed_quantity = fields.Float(
        string="Closed Remainder",
        digits='Product Unit',
        readonly=True,
        copy=False,
        groups='base.group_user',
        help="Ordered, but will not be delivered any more: closed by hand, counts in no exposure. In the line's unit.",
    )

    @api.depends('product_uom_qty', 'price_unit', 'discount', 'tax_ids', 'order_id.currency_id', 'order_id.partner_id')
    def _compute_credit_unit_price(self):
        for line in self:
            if line.product_uom_qty or line.display_type:
                line.credit_unit_price = 0.0
                continue
            price = line.price_unit * (1 - (line.discount or 0.0) / 100.0)
            taxes = line.tax_ids.compute_all(
                price,
                currency=line.order_id.currency_id,
                quantity=1.0,
                product=line.product_id,
                partner=line.order_id.partner_id,
            )
            line.credit_unit_price = taxes['total_included']

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS sale: see `sale.order._credit_watch`
        default = self.env.context.get('default_order_id')
        orders = self.env['sale.order'].browse(
            {order_id for vals in vals_list if (order_id := vals.get('order_id', default))}
        )
        with orders._credit_watch():
            return super().create([self._without_computed(vals) for vals in vals_list])

    def write(self, vals):
        # EXTENDS sale: see `sale.order._credit_watch`
        vals = self._without_computed(vals)
        orders = self.order_id
        if vals.get('order_id'):
            orders |= orders.browse(vals['order_id'])
        with orders._credit_watch(vals.keys() & GROWTH_FIELDS):
            closed = (
                [(line, line._credit_closed_now(), line.product_uom_id, line.product_uom_qty) for line in self]
                if vals.keys() & {'product_uom_id', 'product_uom_qty'} and 'credit_closed_quantity' not in vals
                else ()
            )
            result = super().write(vals)
            for line, *before in closed:
                if line.credit_closed_quantity:
                    line._credit_adjust_closed(*before)
            return result

    def unlink(self):
        # EXTENDS sale: without its discount line an order grows
        with self.order_id._credit_watch():
            return super().unlink()

    def _credit_closed_now(self):
        """Return what is still closed: less what was delivered all the same; in the line's unit."""
        self.ensure_one()
        return min(self.credit_closed_quantity, max(0.0, self.product_uom_qty - self.qty_delivered))

    def _credit_closed_value(self):
        """Return the taxed value of the closed remainders, in the currency of the order."""
        return sum(
            line._credit_closed_now() * line.price_total / line.product_uom_qty for line in self._credit_closed()
        )

    def _credit_closed(self):
        """Return the lines with a closed remainder."""
        return self.filtered(lambda line: line.credit_closed_quantity and line.product_uom_qty > 0)

    def _credit_adjust_closed(self, closed, unit, ordered):
        """Keep the closed remainder in step with the ordered quantity.

        What is taken off the line comes off its closed remainder first, so that
        what is added later counts.

        :param closed: closed before, in `unit`
        :param unit: the line's unit before
        :param ordered: the ordered quantity before, in `unit`
        """
        self.ensure_one()
        if unit != self.product_uom_id:
            closed, ordered = (
                unit._compute_quantity(value, self.product_uom_id, round=False) for value in (closed, ordered)
            )
        closed -= max(0.0, ordered - self.product_uom_qty)
        # Only the flow writes it, on behalf of whoever changes the line.
        self.sudo().credit_closed_quantity = max(0.0, closed)

    def _credit_reopenable(self):
        """Return the lines whose closed remainder a button can bring back."""
        return self._credit_closed().filtered(lambda line: line._credit_closed_now() > 0)

    def _without_computed(self, vals):
        """Return the values without what a client has no business to write."""
        if self.env.su:
            return vals
        return {name: value for name, value in vals.items() if name not in COMPUTED_FIELDS}
