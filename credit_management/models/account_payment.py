from odoo import models

RETURNED_STATES = ('canceled', 'rejected')


class AccountPayment(models.Model):
    _inherit = 'account.payment'

    def write(self, vals):
        # EXTENDS account: a customer's payment that was booked and comes back is on the credit file
        returned = self.browse()
        if vals.get('state') in RETURNED_STATES and self._credit_watched():
            returned = self.filtered(
                lambda payment: (
                    payment.state in ('in_process', 'paid')
                    and (payment.payment_type, payment.partner_type) == ('inbound', 'customer')
                    and payment.partner_id
                )
            )
        result = super().write(vals)
        returned._credit_note_returned()
        for company, payments in returned.grouped('company_id').items():
            # What it was to keep is looked at again; its entry may go without a trace.
            self.env['credit.recheck'].sudo()._mark_partners(payments.partner_id, company)
        return result

    def _credit_watched(self):
        """Tell whether a company of these payments has a credit policy: the others pay nothing for it."""
        roots = self.env['credit.policy']._companies_with_policy()
        return any(company.root_id.id in roots for company in self.company_id)

    def _credit_note_returned(self):
        """Note these returned payments in the credit files of their customers.

        A payment that was set back to draft before it was cancelled was wrong
        in the books; nothing came back from the bank.
        """
        # Whoever keeps the books need not know the customers' credit.
        payments = self.sudo()
        roots = self.env['credit.policy']._companies_with_policy()
        entries = []
        for company, group in payments.grouped(lambda payment: payment.company_id.root_id).items():
            if company.id not in roots:
                continue
            accounts = self.env['credit.account']._for_partners(group.partner_id, company).grouped('partner_id')
            entries += [
                (
                    accounts[payment.partner_id.commercial_partner_id],
                    'payment_returned',
                    {
                        'res_model': payment._name,
                        'res_id': payment.id,
                        'amount': payment.amount,
                        'currency_id': payment.currency_id.id,
                        'state': payment.state,
                    },
                )
                for payment in group
            ]
        self.env['credit.event']._record(entries)
