from odoo import api, models

from .caches import drop_caches

# What decides whether an account counts in the exposure.
COUNTING_FIELDS = {'account_type', 'reconcile', 'company_ids'}


class AccountAccount(models.Model):
    _inherit = 'account.account'

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account: which accounts count is cached
        accounts = super().create(vals_list)
        drop_caches(self.env)
        return accounts

    def write(self, vals):
        # EXTENDS account
        result = super().write(vals)
        if COUNTING_FIELDS & vals.keys():
            drop_caches(self.env)
        return result

    def unlink(self):
        # EXTENDS account
        result = super().unlink()
        drop_caches(self.env)
        return result
