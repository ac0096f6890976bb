from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import float_round, formatLang


class SaleOrder(models.Model):
    """Asking the customer for the payment that lets an order go on: by a link, or to a bank account."""

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    def _prepare_panel_actions(self, result=None):
        """Return the buttons of the panel: [{'name': method, 'label': text}].

        :param result: of `_credit_check`, for this order
        """
        self.ensure_one()
        # Whatever the panel may read: who presses the button acts as himself.
        if not self._credit_is_payable() or not self.sudo(False).has_access('write'):
            return []
        offer = self._credit_payment_offer(result)
        if not offer:
            return []
        amount = formatLang(self.env, offer['amount'], currency_obj=self.currency_id)
        label = (
            self.env._("Request Payment (%(amount)s)", amount=amount)
            if not offer['link']
            else self.env._("Send Payment Link for the Whole Order (%(amount)s)", amount=amount)
            if offer['whole']
            else self.env._("Send Payment Link (%(amount)s)", amount=amount)
        )
        return [{'name': 'action_credit_request_payment', 'label': label}]

    def _credit_is_payable(self):
        """Tell whether this is a quotation that a payment may let go on: on hold, or released against a deposit."""
        self.ensure_one()
        return self.credit_state in ('on_hold', 'awaiting_payment') and self.state in ('draft', 'sent')

    def _credit_payment_offer(self, result=None):
        """Return what the customer is asked to pay so that this order passes; None where no payment lets it.

        With a published payment provider a `link`: of what it takes, or of the
        whole order where that is less, because what is paid for in full asks for
        no credit. Without one, what it takes goes to a `bank` account.

        :param result: of `_credit_check`, for this order; None to look at the facts again
        :returns: {'amount' in the order's currency, 'link', 'whole', 'bank', 'reference'}
        """
        self.ensure_one()
        # Figures of all the customer's orders; who asks has been checked, and the customer reads one amount.
        order = self.sudo()
        release, currency = order.credit_release_id, order.currency_id
        left = currency.round(order.amount_total - order.amount_paid)
        if order.credit_state == 'awaiting_payment':
            if not release._waits():
                return None
            missing = release.condition_amount - release.condition_received
            wanted, whole = order._credit_rounded_up(missing, release.currency_id), False
        else:
            stopping = order._credit_stopping_decisions(result)
            if not stopping or any(decision.outcome == 'block' for _partner_id, decision in stopping):
                return None
            debtor = order.partner_invoice_id.commercial_partner_id
            # What is paid for this order is its debtor's money: what another customer owes stays.
            needed = [decision.payment_needed if partner_id == debtor.id else 0.0 for partner_id, decision in stopping]
            root = order.company_id.root_id
            wanted = order._credit_rounded_up(max(needed), root.currency_id) if all(needed) else 0.0
            # Only what is not in the ledger yet counts as paid in advance.
            whole = currency.compare_amounts(left + order._credit_paid_amount(), order.amount_total) >= 0
        offer = {'link': False, 'whole': False, 'bank': order._credit_bank_account(), 'reference': order.name}
        enough = wanted and currency.compare_amounts(wanted, left) <= 0
        if currency.compare_amounts(left, 0.0) > 0 and not order.is_expired and (enough or whole):
            online = wanted if enough else left
            if order.require_payment:
                online = min(left, max(online, order._get_prepayment_required_amount() - order.amount_paid))
            if order._credit_pays_online(online):
                whole = currency.compare_amounts(online, left) == 0
                return {**offer, 'amount': online, 'link': order._credit_payment_link(online), 'whole': whole}
        return {**offer, 'amount': wanted} if currency.compare_amounts(wanted, 0.0) > 0 else None

    def _credit_rounded_up(self, amount, currency):
        """Return an amount in the currency of this order, rounded up: with a cent less it would not pass."""
        company = self.company_id
        amount = currency._convert(amount, self.currency_id, company, company._credit_today(), round=False)
        return float_round(amount, precision_rounding=self.currency_id.rounding, rounding_method='UP')

    def _credit_stopping_decisions(self, result=None):
        """Return [(commercial partner id, Decision)] of the customers who stop this order by the present facts.

        :param result: of `_credit_check`, for this order
        """
        self.ensure_one()
        result = result or self._credit_check(record=False).get(self)
        if not result:
            return []  # no policy checks it
        return [
            (profile['partner_id'], decision)
            for profile, _facts, decision in result['decisions']
            if profile['enforcing'] and decision.stops
        ]

    def _credit_pays_online(self, amount):
        """Tell whether the customer can pay this online: with a provider that is published for the company."""
        self.ensure_one()
        providers = self.env['payment.provider']._get_compatible_providers(
            self.company_id.id, self.partner_invoice_id.id, amount, currency_id=self.currency_id.id
        )
        return any(providers.mapped('is_published'))

    def _credit_payment_link(self, amount):
        """Return the address at which the customer pays an amount for this order, as core's dialog makes it."""
        self.ensure_one()
        wizard = self.env['payment.link.wizard'].new(
            {
                'res_model': self._name,
                'res_id': self.id,
                'amount': amount,
                'currency_id': self.currency_id.id,
                'partner_id': self.partner_invoice_id.id,
            }
        )
        return wizard.link

    def _credit_bank_account(self):
        """Return the company's bank account to which the customer pays, one in the order's currency if possible."""
        self.ensure_one()
        Journal = self.env['account.journal']
        journals = Journal.search(
            [
                *Journal._check_company_domain(self.company_id),
                ('type', '=', 'bank'),
                ('bank_account_id', '!=', False),
            ]
        )
        suits = journals.filtered(
            lambda journal: (journal.currency_id or journal.company_id.currency_id) == self.currency_id
        )
        return (suits or journals)[:1].bank_account_id or self.company_id.partner_id.bank_ids[:1]

    def action_credit_request_payment(self):
        """Open the mail that asks the customer for the payment which lets this order go on.

        :raise AccessError: if the user may not act for this order
        :raise UserError: if it waits for nothing, no payment helps, or there is no bank account to pay to
        """
        self.ensure_one()
        self.check_access('read')
        if not self._credit_is_payable():
            raise UserError(self.env._("%(order)s is not on hold.", order=self.name))
        if not self.has_access('write'):
            raise AccessError(self.env._("A payment for %(order)s is asked for by its salesperson.", order=self.name))
        offer = self._credit_payment_offer()
        if not offer:
            raise UserError(
                self.env._(
                    "No payment would let %(order)s pass now. Evaluate it again, or request a release.", order=self.name
                )
            )
        if not offer['link'] and not offer['bank']:
            raise UserError(
                self.env._(
                    "%(company)s has no bank account to pay to. Enter one under Accounting, Configuration, Journals.",
                    company=self.company_id.name,
                )
            )
        # The link opens the order's page.
        self.sudo()._portal_ensure_token()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Send Payment Link") if offer['link'] else self.env._("Request Payment"),
            'res_model': 'mail.compose.message',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {
                'default_model': self._name,
                'default_res_ids': self.ids,
                'default_composition_mode': 'comment',
                'default_template_id': self.env.ref('credit_management.mail_template_payment_request').id,
                'default_email_layout_xmlid': 'mail.mail_notification_layout_with_responsible_signature',
                'email_notification_allow_footer': True,
                'force_email': True,
                'hide_mail_template_management_options': True,
            },
        }
