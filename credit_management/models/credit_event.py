import json

from odoo import api, fields, models
from odoo.exceptions import UserError

KIND_LABELS = [
    ('limit_submitted', "Limit submitted"),
    ('limit_approved', "Limit approved"),
    ('limit_rejected', "Limit rejected"),
    ('limit_closed', "Limit closed"),
    ('status', "Status changed"),
    ('policy', "Own policy changed"),
    ('archived', "Account archived"),
    ('held', "Order held"),
    ('grown', "Order grown beyond the credit"),
    ('release_requested', "Release requested"),
    ('released', "Released"),
    ('rejected', "Rejected"),
    ('accepted', "Accepted as is"),
    ('false_hold', "Hold reported as false"),
    ('remainder_closed', "Remainder closed"),
    ('core_limit', "Limit written in the contact"),
    ('renamed', "Customer renamed"),
    ('merged', "Customer merged"),
]


class CreditEvent(models.Model):
    """The credit file: what bears on a customer's credit, in the order in which it happened."""

    _name = 'credit.event'
    _description = "Credit Event"
    _order = 'id desc'
    _log_access = False

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='restrict')
    kind = fields.Selection(KIND_LABELS, required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    payload = fields.Text(required=True, readonly=True, help="Ids and figures, no names, as JSON.")

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The credit file is kept as it is and can't be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The credit file is kept as it is and can't be deleted."))

    @api.model
    def _record(self, entries):
        """Append to the credit files of some accounts.

        :param entries: list of (credit.account, kind, payload): ids, figures, dates
            and codes that JSON can carry, no names of persons
        :returns: the events, in the order of the entries
        """
        now = fields.Datetime.now()
        return self.sudo().create(
            [
                {
                    'account_id': account.id,
                    'kind': kind,
                    'date': now,
                    'user_id': self.env.uid,
                    'payload': json.dumps(payload, sort_keys=True, default=str),
                }
                for account, kind, payload in entries
            ]
        )
