from odoo import models


class CreditEvent(models.Model):
    """The events of approvals in words."""

    _inherit = 'credit.event'  # pylint: disable=consider-merging-classes-inherited

    def _describe_approval(self, payload, references):
        causes = {
            'absence': self.env._("%(document)s: who was asked is away", document=references.get('document', '')),
            'deadline': self.env._("%(document)s: the deadline has passed", document=references.get('document', '')),
            'handover': self.env._("%(document)s: duties were handed over", document=references.get('document', '')),
        }
        return causes.get(payload.get('cause'), references.get('document', ''))

    _describe_approval_given = _describe_approval
    _describe_approval_passed_on = _describe_approval
    _describe_outside_policy = _describe_approval

    def _describe_emergency(self, payload, references):
        return self._describe_release(payload, references)

    _describe_emergency_released = _describe_emergency
    _describe_emergency_confirmed = _describe_emergency
    _describe_emergency_refused = _describe_emergency
    _describe_emergency_overdue = _describe_emergency
