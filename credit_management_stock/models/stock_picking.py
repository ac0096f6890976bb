from odoo import models
from odoo.exceptions import UserError


class StockPicking(models.Model):
    _inherit = 'stock.picking'

    def _action_done(self):
        # EXTENDS stock: whatever way a transfer is validated, it comes through here
        self._credit_check_goods()
        return super()._action_done()

    def _credit_check_goods(self):
        """Refuse to let goods out whose emergency release was not confirmed.

        :raise UserError: if there are any
        """
        for picking in self.filtered(lambda item: item.picking_type_code == 'outgoing'):
            # Who sends goods need not read releases, nor orders.
            stopped = picking.sudo().move_ids.sale_line_id.order_id.filtered(
                lambda order: order._credit_goods_stopped()
            )
            if stopped:
                raise UserError(
                    self.env._(
                        "%(transfer)s can't be sent: the emergency release of %(order)s is not confirmed. Ask "
                        "%(controller)s or another credit manager to confirm it.",
                        transfer=picking.name,
                        order=stopped[0].name,
                        controller=(stopped[0].credit_approval_user_id or stopped[0].credit_controller_id).name,
                    )
                )
