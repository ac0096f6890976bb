from odoo import api, models, tools
from odoo.fields import Domain

from odoo.addons.credit_management.models.caches import drop_caches


class StockLocation(models.Model):
    _inherit = 'stock.location'

    @api.model
    @tools.ormcache()
    def _credit_customer_ids(self):
        """Return the ids of the locations in which goods have left us, until a location changes.

        As core: goods for a company of our own leave us when they reach transit.
        """
        domain = Domain('usage', '=', 'customer')
        if transit_id := self.env['ir.model.data']._xmlid_to_res_id('stock.stock_location_inter_company'):
            domain |= Domain('id', 'child_of', transit_id)
        return tuple(self.sudo().with_context(active_test=False).search(domain, order='id').ids)

    # EXTENDS stock: the cache follows the locations

    @api.model_create_multi
    def create(self, vals_list):
        locations = super().create(vals_list)
        drop_caches(self.env)
        return locations

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {'location_id', 'usage'}:
            drop_caches(self.env)
        return result

    def unlink(self):
        result = super().unlink()
        drop_caches(self.env)
        return result
