from odoo import models


class PaymentTransaction(models.Model):
    _inherit = 'payment.transaction'

    def _check_amount_and_confirm_order(self):
        # EXTENDS sale: core takes every order that it tried to confirm as
        # confirmed; one that is on hold gets the mail of a received payment
        return super()._check_amount_and_confirm_order().filtered(lambda order: order.state == 'sale')
