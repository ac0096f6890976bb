from odoo import fields, models


class CreditRelease(models.Model):
    """A request to let a held document go on, and the decision about it, in one record.

    Written by the flow of the document only; nobody has the right to write it.
    """

    _name = 'credit.release'
    _description = "Credit Release"
    _order = 'id desc'
    _rec_name = 'document_name'

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one(related='account_id.partner_id', store=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, help="Company or branch of the document.")
    check_id = fields.Many2one(
        'credit.check', required=True, readonly=True, help="The check that stopped the document."
    )
    debtor_id = fields.Many2one('res.partner', readonly=True, help="The customer who will owe the document.")
    res_model = fields.Char(string="Document Type", required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', required=True, readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    amount = fields.Monetary(readonly=True, help="Taxed total up to which the document may go on, in its currency.")
    state = fields.Selection(
        [
            ('requested', "Requested"),
            ('released', "Released"),
            ('rejected', "Rejected"),
            ('cancelled', "Cancelled"),
        ],
        required=True,
        readonly=True,
        default='requested',
    )
    requested_by_id = fields.Many2one('res.users', readonly=True)
    requested_date = fields.Datetime(string="Requested On", readonly=True)
    request_note = fields.Text(string="Reason of the Request", readonly=True)
    decided_by_id = fields.Many2one('res.users', readonly=True)
    decided_date = fields.Datetime(string="Decided On", readonly=True)
    decision_note = fields.Text(string="Reason of the Decision", readonly=True)

    _document_index = models.Index('(res_model, res_id)')

    def _record_event(self, kind):
        """Note the request or the decision in the customer's credit file."""
        self.env['credit.event']._record(
            [
                (
                    release.account_id,
                    kind,
                    {
                        'release_id': release.id,
                        'check_id': release.check_id.id,
                        'res_model': release.res_model,
                        'res_id': release.res_id,
                        'amount': release.amount,
                        'currency_id': release.currency_id.id,
                    },
                )
                for release in self
            ]
        )

    def _covers(self, total, currency, debtor):
        """Tell whether this release lets a document of this total, currency and debtor go on."""
        self.ensure_one()
        return (
            self.state == 'released'
            and self.debtor_id == debtor
            and self.currency_id == currency
            and currency.compare_amounts(total, self.amount) <= 0
        )
