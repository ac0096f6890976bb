from odoo import api, models


class ResCurrencyRate(models.Model):
    _inherit = 'res.currency.rate'

    # EXTENDS base: the factors of `res.currency._credit_factors` follow the rates

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        self._credit_forget()
        return rates

    def write(self, vals):
        result = super().write(vals)
        self._credit_forget()
        return result

    def unlink(self):
        result = super().unlink()
        self._credit_forget()
        return result

    def _credit_forget(self):
        """Drop the cached factors: now, and once others can see the rates; until then they may cache the old ones."""
        self.env.registry.clear_cache()
        self.env.cr.postcommit.add(self.env.registry.clear_cache)
