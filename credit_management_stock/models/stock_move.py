from odoo import models


class StockMove(models.Model):
    _inherit = 'stock.move'

    # Moves of sales that are still to be done: few of all that were ever made.
    # The exposure reads them at each check and for all customers at once.
    _credit_open_index = models.Index(
        "(sale_line_id) WHERE state NOT IN ('done', 'cancel') AND sale_line_id IS NOT NULL"
    )

    def _credit_is_open_delivery(self):
        """Tell whether this move, or a step before it, is still to deliver something: not a return."""
        self.ensure_one()
        return self.state not in ('done', 'cancel') and self.location_id.usage != 'customer'

    def _credit_reaches_customer(self):
        """Tell whether goods get to the customer by this move, whatever its transfer is called: not a return."""
        self.ensure_one()
        return self.location_dest_id.usage == 'customer' and self.location_id.usage != 'customer'

    def _credit_is_underway(self):
        """Tell whether goods of this move have left their place, so that cancelling would lose sight of them."""
        self.ensure_one()
        return (
            self.picked
            # The vendor delivers; he has to be told.
            or self.location_id.usage == 'supplier'
            or any(line.result_package_id for line in self.move_line_ids)
            or any(
                before.state == 'done' and before.location_id.usage == 'internal' and before.sale_line_id
                for before in self.move_orig_ids
            )
        )
