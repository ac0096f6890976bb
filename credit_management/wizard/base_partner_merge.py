from odoo import api, models

from ..models.res_partner import MERGED_KEY


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

    def _update_values(self, src_partners, dst_partner):
        # EXTENDS base: limits are merged with their accounts, not by filling in core's number
        # Noted on the cursor, where no client has a hand in it.
        self.env.cr.cache[MERGED_KEY] = dst_partner.ids
        try:
            return super()._update_values(src_partners, dst_partner)
        finally:
            self.env.cr.cache.pop(MERGED_KEY, None)

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        # EXTENDS base: the numbers of the merged contacts were filled in below the ORM
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        left = self.env['res.partner'].browse(partner_ids).exists()
        self.env['credit.core.limit']._mirror_partners(left)
        return result
