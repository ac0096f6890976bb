from odoo import models


class AccountChartTemplate(models.AbstractModel):
    _inherit = 'account.chart.template'

    def _post_load_data(self, template_code, company, template_data):
        # EXTENDS account: a chart brings its accounts for advances and bills along
        super()._post_load_data(template_code, company, template_data)
        company = company or self.env.company
        if not company.parent_id:
            # Whoever loads a chart sets up the company; the list is the credit manager's.
            self.env['credit.ledger.account'].sudo()._suggest(company)
