from odoo import models
from odoo.exceptions import UserError


class StockPicking(models.Model):
    _inherit = 'stock.picking'

    def button_validate(self):
        # EXTENDS stock: what is to be checked once more before delivery is checked here, where it can be noted
        stopped = self.browse()
        for picking in self:
            orders = picking._credit_orders()
            for order in orders:
                order._credit_check_delivery()
            if picking._credit_stop_text():
                stopped |= picking
        if not stopped:
            return super().button_validate()
        going_on = self - stopped
        result = super(StockPicking, going_on).button_validate() if going_on else None
        if isinstance(result, dict):
            return result  # what has to be asked first, as about a backorder
        return self.env['sale.order']._credit_notification(
            self.env._("Delivery Stopped"), stopped._credit_stop_text(), 'warning', 'soft_reload'
        )

    def _action_done(self):
        # EXTENDS stock: goods of an order that is held again don't leave, whoever sends them
        stopped = self.filtered(lambda picking: picking._credit_stop_text())
        if stopped:
            raise UserError(stopped._credit_stop_text())
        return super()._action_done()

    def _credit_orders(self):
        """Return the orders whose goods this transfer takes out of the house, or from the vendor to the customer."""
        self.ensure_one()
        # Whoever ships need not read the orders; he learns only why he has to wait.
        moves = self.move_ids.sudo()
        if self.picking_type_code != 'outgoing':
            moves = moves.filtered(lambda move: move._credit_reaches_customer())
        return moves.sale_line_id.order_id

    def _credit_stop_text(self):
        """Return why these transfers can't be delivered and what helps, '' if they can."""
        texts = []
        for picking in self:
            for order in picking._credit_orders():
                values = {'transfer': picking.name, 'order': order.name}
                if order._credit_goods_stopped():
                    texts.append(
                        self.env._(
                            "%(transfer)s can't be sent: the emergency release of %(order)s is not confirmed. Ask "
                            "%(controller)s or another credit manager to confirm it.",
                            controller=(order.credit_approval_user_id or order.credit_controller_id).name,
                            **values,
                        )
                    )
                elif reason := order._credit_delivery_stopped():
                    texts.append(
                        self.env._(
                            "%(transfer)s can't be delivered: %(order)s is stopped for credit. %(reason)s Have the "
                            "order released again, or wait for the money.",
                            reason=reason,
                            **values,
                        )
                    )
        return ' '.join(texts)
