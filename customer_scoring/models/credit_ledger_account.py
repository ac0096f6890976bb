from odoo import api, fields, models, tools

from .res_company import BILL_SETTLEMENTS


class CreditLedgerAccount(models.Model):
    _inherit = 'credit.ledger.account'

    scoring_settlement = fields.Selection(
        BILL_SETTLEMENTS,
        string="A Bill Pays",
        help="For the scores: from which day on an invoice counts as paid that was paid by a bill, note or cheque on "
        "this account. Empty: as the settings say for all kinds.",
    )

    @api.model
    def _settled_at_maturity(self, company):
        """Return the ids of the accounts of a root company on which a bill pays at its maturity only."""
        return self._settled_as(company.id, 'maturity', company.sudo().scoring_bill_settlement)

    @api.model
    @tools.ormcache('company_id', 'settlement', 'default')
    def _settled_as(self, company_id, settlement, default):
        # What is chosen here is no secret; each write drops the caches.
        clearing = self.sudo().search([('company_id', '=', company_id), ('role', '=', 'clearing')])
        return clearing.filtered(lambda kind: (kind.scoring_settlement or default) == settlement).account_id.ids
