from odoo import models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def _scoring_natural_person(self):
        """Tell whether this customer is a natural person: no company, nor anybody's contact."""
        self.ensure_one()
        customer = self.commercial_partner_id
        return not customer.is_company and not customer.parent_id
