from odoo import api, models, tools
from odoo.fields import Domain


class ResCurrency(models.Model):
    _inherit = 'res.currency'

    @api.model
    @tools.ormcache('company_id', 'date')
    def _credit_factors(self, company_id, date):
        """Return ((currency id, one unit in company currency), ...) of the currencies that have rates.

        Core's choice of the rate for the date. Without the company's own
        currency. Cached until a rate changes, because each check needs it.
        """
        company = self.env['res.company'].browse(company_id)
        rates = self.env['res.currency.rate'].sudo()
        quoted = rates._read_group(Domain('company_id', 'in', [company.root_id.id, False]), ['currency_id'])
        foreign = self.browse(currency.id for [currency] in quoted) - company.currency_id
        if not foreign:
            return ()
        found = (foreign + company.currency_id)._get_rates(company, date)
        own = found[company.currency_id.id]
        return tuple((currency.id, own / found[currency.id]) for currency in foreign)

    @api.model
    @tools.ormcache('company_id', 'date')
    def _credit_rated_ids(self, company_id, date):
        """Return the ids of the currencies that have a rate of their own on or before a date."""
        rates = self.env['res.currency.rate'].sudo()
        domain = Domain('company_id', 'in', [company_id, False]) & Domain('name', '<=', date)
        return frozenset(currency.id for [currency] in rates._read_group(domain, ['currency_id']))
