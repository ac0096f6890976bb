from odoo import models


class AccountMoveReversal(models.TransientModel):
    _inherit = 'account.move.reversal'

    def _modify_default_reverse_values(self, origin_move):
        # EXTENDS account: the new invoice is in the place of the reversed one; correcting it gives no more time to pay
        values = super()._modify_default_reverse_values(origin_move)
        if origin_move.move_type != 'out_invoice':
            return values
        values['dunning_origin_id'] = origin_move.id
        terms = origin_move.line_ids.filtered(lambda line: line.display_type == 'payment_term')
        dues = set(terms.mapped('date_maturity'))
        # Instalments would become one; those of the new invoice run from its own date.
        if len(dues) == 1:
            values |= {'invoice_payment_term_id': False, 'invoice_date_due': dues.pop()}
        return values
