from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        # EXTENDS base: here core has checked what is merged into what, and
        # rewrites or deletes rows by SQL next; all entry points pass through.
        # Credit follows the customers, whoever may merge them.
        Account = self.env['credit.account'].sudo()
        customer = Account._merge_partners(src_partners.sudo(), dst_partner.sudo())
        super()._update_foreign_keys(src_partners, dst_partner)
        Account._follow_merge(dst_partner.sudo(), customer)
