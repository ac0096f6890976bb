from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    def _update_values(self, src_partners, dst_partner):
        # EXTENDS base: limits are merged with their accounts, not by filling in core's number
        return super()._update_values(
            src_partners.with_context(credit_merging=True), dst_partner.with_context(credit_merging=True)
        )

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        # EXTENDS base: the numbers of the merged contacts were filled in below the ORM
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        left = self.env['res.partner'].browse(partner_ids).exists()
        self.env['credit.core.limit']._mirror_partners(left)
        return result
