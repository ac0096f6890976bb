from odoo import api, models


class CreditEvent(models.Model):
    """What the credit file says of hand-overs."""

    _inherit = 'credit.event'

    @api.model
    def _reference_models(self):
        # EXTENDS credit_management
        return {
            **super()._reference_models(),
            'handover_id': 'credit.handover',
            'from_user_id': 'res.users',
            'into_user_id': 'res.users',
        }

    def _describe_handed_over(self, payload, references):
        labels = {
            'salesperson': self.env._("Salesperson"),
            'controller': self.env._("Credit Controller"),
            'old_debts': self.env._("Old debts"),
        }
        roles = payload.get('roles') if isinstance(payload.get('roles'), list) else []
        text = self.env._(
            "%(former)s → %(successor)s: %(roles)s",
            former=references.get('from_user_id', ''),
            successor=references.get('into_user_id', ''),
            roles=self._list(labels.get(role, role) for role in roles),
        )
        if payload.get('old_debts') == 'stay' and 'salesperson' in roles:
            stays = self.env._("What is due before %(date)s stays.", date=self._day(payload, 'date_from'))
            return f"{text}. {stays}"
        return text
