from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = 'account.partial.reconcile'

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account: what is reconciled may let held orders go on
        partials = super().create(vals_list)
        for company, group in partials.grouped('company_id').items():
            partners = (group.debit_move_id + group.credit_move_id).partner_id
            self.env['credit.recheck'].sudo()._mark_partners(partners, company)
        return partials
