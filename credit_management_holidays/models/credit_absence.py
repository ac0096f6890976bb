from odoo import api, models


class CreditAbsence(models.Model):
    _inherit = 'credit.absence'

    @api.model
    def _substitutes(self, date):
        # EXTENDS credit_management: whoever is on leave is away as well; what is entered by hand says more
        return self.env['hr.leave']._credit_substitutes(date) | super()._substitutes(date)
