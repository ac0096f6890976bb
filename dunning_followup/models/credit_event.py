from odoo import api, fields, models

REFERENCES = {'dunning_notice_id': 'dunning.notice', 'dunning_step_id': 'dunning.step'}


class CreditEvent(models.Model):
    """What the credit file says of reminders."""

    _inherit = 'credit.event'

    kind = fields.Selection(
        selection_add=[('dunning_sent', "Reminder sent"), ('dunning_failed', "Reminder failed")],
        # The credit file outlives the add-on; nothing may write or delete its rows.
        ondelete={'dunning_sent': lambda events: None, 'dunning_failed': lambda events: None},
    )

    @api.model
    def _references(self, payload):
        # EXTENDS credit_management
        references = {
            key: (model, payload[key])
            for key, model in REFERENCES.items()
            if isinstance(payload.get(key), int) and payload[key]
        }
        return {**references, **super()._references(payload)}

    def _describe_dunning_sent(self, payload, references):
        labels = dict(self.env['dunning.notice']._fields['channel']._description_selection(self.env))
        return self.env._(
            "%(step)s, %(channel)s: %(amount)s open",
            step=references.get('dunning_step_id', ''),
            channel=labels.get(payload.get('channel'), payload.get('channel') or ''),
            amount=self._money(payload, 'amount'),
        )

    _describe_dunning_failed = _describe_dunning_sent
