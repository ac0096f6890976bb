from odoo import fields, models
from odoo.exceptions import UserError


class DunningClaimInvoicing(models.TransientModel):
    """Makes invoices of claims: one per customer, company and currency."""

    _name = 'dunning.claim.invoicing'
    _inherit = ['credit.dialog']
    _description = "Invoice Claims"

    claim_ids = fields.Many2many('dunning.claim', string="Claims", required=True, readonly=True)
    invoice_date = fields.Date(help="Empty: the day on which it is posted.")

    def action_apply(self):
        """Make draft invoices and show them.

        :raise UserError: if a claim is not open any more
        """
        self.ensure_one()
        self.claim_ids.check_access('read')
        claims = self.claim_ids
        if closed := claims.filtered(lambda claim: claim.state != 'open'):
            raise UserError(self.env._("%(claim)s is not open any more.", claim=closed[0].display_name))
        groups = claims.grouped(lambda claim: (claim.company_id, claim.partner_id, claim.currency_id))
        invoices = self.env['account.move'].browse()
        for (company, partner, currency), mine in groups.items():
            lines = [
                fields.Command.create(self._prepare_line_vals(claim.with_company(company), partner)) for claim in mine
            ]
            invoice = (
                self.env['account.move']
                .with_company(company)
                .create(
                    {
                        'move_type': 'out_invoice',
                        'company_id': company.id,
                        'partner_id': partner.address_get(['invoice'])['invoice'],
                        'currency_id': currency.id,
                        'invoice_date': self.invoice_date,
                        'invoice_line_ids': lines,
                    }
                )
            )
            # The flow writes claims, whoever has the right to make their invoice. Of two at the same moment the second
            # is run again, and told above.
            mine.sudo().invoice_id = invoice
            invoices |= invoice
        claims._record_events('claim_invoiced')
        action = self.env['ir.actions.act_window']._for_xml_id('account.action_move_out_invoice_type')
        if len(invoices) == 1:
            return {**action, 'views': [(False, 'form')], 'res_id': invoices.id, 'domain': []}
        return {**action, 'domain': [('id', 'in', invoices.ids)], 'context': {}}

    def _prepare_line_vals(self, claim, partner):
        settings = claim.company_id.root_id.sudo()
        claim = claim.with_context(lang=partner.lang or self.env.lang)
        product = settings._dunning_claim_product(claim.kind)
        own = product.taxes_id._filter_taxes_by_company(claim.company_id)
        taxes = settings.dunning_claim_tax_ids or own
        vals = {
            'product_id': product.id,
            'name': claim._notice_values_of()['text'],
            'quantity': 1.0,
            'price_unit': claim.amount,
            # Said outright: without it, a product without taxes would get the company's default tax.
            'tax_ids': [fields.Command.set(taxes.ids)],
        }
        if settings.dunning_claim_account_id:
            vals['account_id'] = settings.dunning_claim_account_id.id
        return vals
