from odoo import api, models


class ResCurrencyRate(models.Model):
    _inherit = 'res.currency.rate'

    # EXTENDS base: the factors of `res.currency._credit_factors` follow the rates

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        self.env.registry.clear_cache()
        return rates

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result
