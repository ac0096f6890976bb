from odoo import api, fields, models

REFERENCES = {
    'dunning_notice_id': 'dunning.notice',
    'dunning_step_id': 'dunning.step',
    'claim_id': 'dunning.claim',
    'claim_decision_id': 'dunning.claim.decision',
    'dispute_id': 'dunning.dispute',
    'pause_id': 'dunning.pause',
    'restart_id': 'dunning.limitation.event',
    'change_id': 'dunning.due.change',
    'invoice_id': 'account.move',
}
KINDS = [
    ('dunning_sent', "Reminder sent"),
    ('dunning_failed', "Reminder failed"),
    ('dunning_undelivered', "Reminder not delivered"),
    ('dunning_passed_over', "Reminder step passed over"),
    ('claim_waived', "Claim waived"),
    ('claim_reinstated', "Claim reinstated"),
    ('claim_invoiced', "Claim invoiced"),
    ('dunning_paused', "Reminders paused"),
    ('dunning_resumed', "Reminders resumed"),
    ('dispute_opened', "Dispute opened"),
    ('dispute_solved', "Dispute solved"),
    ('insolvent', "Insolvent"),
    ('insolvency_ended', "Insolvency ended"),
    ('represented', "Represented by a lawyer"),
    ('representation_ended', "No more represented by a lawyer"),
    ('due_date_changed', "Due date changed"),
    ('limitation_restarted', "Limitation restarted"),
    ('opt_out', "Channels refused or allowed"),
]


def _keep(events):
    """Leave the events as they are when the add-on goes: no row of the credit file is ever written."""


class CreditEvent(models.Model):
    """What the credit file says of reminders, claims, pauses, disputes and due dates."""

    _inherit = 'credit.event'

    kind = fields.Selection(selection_add=KINDS, ondelete=dict.fromkeys(dict(KINDS), _keep))

    @api.model
    def _reference_models(self):
        # EXTENDS credit_management
        return {**super()._reference_models(), **REFERENCES}

    def _describe_dunning_sent(self, payload, references):
        labels = dict(self.env['dunning.notice']._fields['channel']._description_selection(self.env))
        return self.env._(
            "%(step)s, %(channel)s: %(amount)s open",
            step=references.get('dunning_step_id', ''),
            channel=labels.get(payload.get('channel'), payload.get('channel') or ''),
            amount=self._money(payload, 'amount'),
        )

    _describe_dunning_failed = _describe_dunning_sent
    _describe_dunning_undelivered = _describe_dunning_sent

    def _describe_dunning_passed_over(self, payload, references):
        text = self.env._(
            "%(reminder)s. Not sent: the customer refuses this channel.",
            reminder=self._describe_dunning_sent(payload, references),
        )
        what = []
        if payload.get('no_more_credit'):
            what.append(self.env._("no more credit"))
        if payload.get('escalate'):
            what.append(self.env._("escalated"))
        return self.env._("%(text)s All the same: %(what)s.", text=text, what=self._list(what)) if what else text

    def _describe_claim(self, payload, references):
        labels = dict(self.env['dunning.claim']._fields['kind']._description_selection(self.env))
        text = self.env._(
            "%(kind)s on %(document)s: %(amount)s",
            kind=labels.get(payload.get('kind'), ''),
            document=references.get('document', ''),
            amount=self._money(payload, 'amount'),
        )
        if 'claim_decision_id' not in references:
            return text
        return self.env._("%(claim)s. Reason: %(reason)s", claim=text, reason=references['claim_decision_id'])

    _describe_claim_waived = _describe_claim
    _describe_claim_reinstated = _describe_claim
    _describe_claim_invoiced = _describe_claim

    def _describe_dunning_paused(self, payload, references):
        what = references.get('document') or self.env._("Everything")
        if payload.get('date_to'):
            return self.env._("%(what)s until %(date)s", what=what, date=self._day(payload, 'date_to'))
        return self.env._("%(what)s without an end", what=what)

    def _describe_dunning_resumed(self, payload, references):
        return references.get('document') or self.env._("Everything")

    def _describe_dispute(self, payload, references):
        return self.env._(
            "%(document)s: %(amount)s",
            document=references.get('document', ''),
            amount=self._money(payload, 'amount'),
        )

    _describe_dispute_opened = _describe_dispute

    def _describe_dispute_solved(self, payload, references):
        text = self._describe_dispute(payload, references)
        outcomes = dict(self.env['dunning.dispute']._fields['outcome']._description_selection(self.env))
        if payload.get('outcome') not in outcomes:
            return text
        return self.env._("%(dispute)s. Who was right: %(who)s", dispute=text, who=outcomes[payload['outcome']])

    def _describe_insolvent(self, payload, references):
        return self.env._("Since %(date)s", date=self._day(payload, 'date_from'))

    def _describe_insolvency_ended(self, payload, references):
        return ''

    _describe_represented = _describe_insolvency_ended
    _describe_representation_ended = _describe_insolvency_ended

    def _describe_due_date_changed(self, payload, references):
        return self.env._(
            "%(document)s: %(before)s → %(after)s",
            document=references.get('document', ''),
            before=self._day(payload, 'date_from'),
            after=self._day(payload, 'date_to'),
        )

    def _describe_limitation_restarted(self, payload, references):
        labels = dict(self.env['dunning.limitation.event']._fields['kind']._description_selection(self.env))
        return self.env._(
            "%(document)s: %(kind)s on %(date)s",
            document=references.get('document', ''),
            kind=labels.get(payload.get('kind'), ''),
            date=self._day(payload, 'date_from'),
        )

    def _describe_opt_out(self, payload, references):
        labels = self.env['res.partner']._dunning_opt_out_labels()

        def said(key):
            names = payload.get(key) if isinstance(payload.get(key), list) else []
            return self._list(labels.get(name, name) for name in names)

        parts = []
        if payload.get('refused'):
            parts.append(self.env._("no more: %(channels)s", channels=said('refused')))
        if payload.get('allowed'):
            parts.append(self.env._("again: %(channels)s", channels=said('allowed')))
        return ", ".join(parts)
