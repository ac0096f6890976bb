from odoo import api, models

from .caches import drop_caches


class ResCurrencyRate(models.Model):
    _inherit = 'res.currency.rate'

    # EXTENDS base: the factors of `res.currency._credit_factors` follow the rates

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        drop_caches(self.env)
        return rates

    def write(self, vals):
        result = super().write(vals)
        drop_caches(self.env)
        return result

    def unlink(self):
        result = super().unlink()
        drop_caches(self.env)
        return result
