from odoo import models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    _inherit = 'sale.order'

    def _credit_stop_deliveries(self, lines):
        # EXTENDS credit_management: what a line still owes falls with its moves
        super()._credit_stop_deliveries(lines)
        moves = lines.move_ids.filtered(lambda move: move._credit_is_open_delivery())
        if underway := moves.filtered(lambda move: move._credit_is_underway()):
            raise UserError(
                self.env._(
                    "%(order)s can't be closed: %(transfers)s is picked, packed or on its way. "
                    "Finish or cancel the transfer first.",
                    order=self.name,
                    transfers=', '.join(sorted(set(underway.mapped('picking_id.name')))),
                )
            )
        moves._action_cancel()
