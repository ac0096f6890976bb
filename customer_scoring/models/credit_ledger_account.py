from odoo import api, fields, models

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
    def _accounts_settled_at_maturity(self, company):
        """Return the ids of the accounts of a root company on which a bill pays at its maturity only."""
        clearing = self.sudo().search([('company_id', '=', company.id), ('role', '=', 'clearing')])
        default = company.sudo().scoring_bill_settlement
        return clearing.filtered(lambda kind: (kind.scoring_settlement or default) == 'maturity').account_id.ids
