from odoo import api, models

from .credit_account_blacklist import STRIKES

REFERENCES = {
    'application_id': 'credit.application',
    'grade_before_id': 'credit.grade',
    'grade_id': 'credit.grade',
    'payment_term_before_id': 'account.payment.term',
    'payment_term_id': 'account.payment.term',
    'pricelist_before_id': 'product.pricelist',
    'pricelist_id': 'product.pricelist',
}


class CreditEvent(models.Model):
    """What the credit file says of grades, terms, the blacklist and applications.

    Apart from `credit_event.py`, which keeps the chain: here is only how these read, and what they set off.
    """

    _inherit = 'credit.event'  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _record(self, entries):
        # EXTENDS credit_management: broken promises and returned payments may be one too many
        events = super()._record(entries)
        struck = self.env['credit.account'].union(*(account for account, kind, _payload in entries if kind in STRIKES))
        if struck:
            # Whoever records it, a collector or an accountant, need not be allowed to blacklist.
            struck.sudo()._blacklist_if_due()
        return events

    @api.model
    def _reference_models(self):
        # EXTENDS credit_management
        return {**super()._reference_models(), **REFERENCES}

    def _document_reference(self, payload):
        # EXTENDS credit_management: of an application and the limit that it made, the application
        return self._references(payload).get('application_id') or super()._document_reference(payload)

    def _describe_grade(self, payload, references):
        none = self.env._("No grade")
        return " → ".join(references.get(key, none) for key in ('grade_before_id', 'grade_id'))

    def _describe_terms(self, payload, references):
        none = self.env._("none")
        labels = {'payment_term': self.env._("Payment term"), 'pricelist': self.env._("Price list")}
        return " · ".join(
            f"{label}: {references.get(f'{name}_before_id', none)} → {references[f'{name}_id']}"
            for name, label in labels.items()
            if f'{name}_id' in references
        )

    def _describe_blacklisted(self, payload, references):
        labels = dict(self.env['credit.account']._fields['blacklist_code']._description_selection(self.env))
        values = {
            'reason': labels.get(payload.get('code'), payload.get('code') or ''),
            'end': self._day(payload, 'date_to'),
        }
        if payload.get('date_to'):
            return self.env._("%(reason)s, until %(end)s", **values)
        return values['reason']

    def _describe_blacklist_lifted(self, payload, references):
        labels = dict(self.env['credit.account']._fields['status']._description_selection(self.env))
        status = labels.get(payload.get('status'), payload.get('status') or '')
        if payload.get('ended'):
            return self.env._("Ended by itself; status: %(status)s", status=status)
        return self.env._("Lifted; status: %(status)s", status=status)

    def _describe_payment_returned(self, payload, references):
        return self.env._(
            "%(document)s: %(amount)s",
            document=references.get('document', ''),
            amount=self._money(payload, 'amount'),
        )

    def _describe_application_submitted(self, payload, references):
        return self.env._(
            "%(application)s for %(amount)s",
            application=references.get('application_id', ''),
            amount=self._money(payload, 'amount'),
        )

    def _describe_application_decided(self, payload, references):
        labels = dict(self.env['credit.application']._fields['state']._description_selection(self.env))
        return self.env._(
            "%(application)s for %(amount)s: %(state)s",
            application=references.get('application_id', ''),
            amount=self._money(payload, 'amount'),
            state=labels.get(payload.get('state'), ''),
        )
