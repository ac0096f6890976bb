import json

from odoo import api, models, tools

from .caches import drop_caches


class UomUom(models.Model):
    _inherit = 'uom.uom'

    @api.model
    @tools.ormcache()
    def _credit_factors(self):
        """Return a JSON text {unit id: factor} of all units.

        Cached until a unit changes: each exposure needs it, and as a text it is one literal for the planner.
        """
        units = self.sudo().with_context(active_test=False).search_fetch([], ['factor'], order='id')
        return json.dumps({unit.id: unit.factor for unit in units})

    # EXTENDS uom: the factors follow the units

    @api.model_create_multi
    def create(self, vals_list):
        units = super().create(vals_list)
        drop_caches(self.env)
        return units

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {'factor', 'relative_factor', 'relative_uom_id'}:
            drop_caches(self.env)
        return result

    def unlink(self):
        result = super().unlink()
        drop_caches(self.env)
        return result
