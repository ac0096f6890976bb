from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.credit_account_blacklist import REASON_LABELS


class CreditBlacklisting(models.TransientModel):
    """Asks why customers are put on the blacklist or taken off it; the accounts check the rights."""

    _name = 'credit.blacklisting'
    _inherit = ['credit.dialog']
    _description = "Blacklist"

    step = fields.Selection([('blacklist', "Blacklist"), ('lift', "Lift")], required=True, readonly=True)
    account_ids = fields.Many2many('credit.account', required=True, readonly=True)
    code = fields.Selection(REASON_LABELS, string="Reason", default='other')
    until = fields.Date(help="Last day. After it the customer is back in the status that it has now. Empty: no end.")
    note = fields.Char(string="In Words", help="Is kept with the account.")

    @api.model
    def _open(self, accounts, step):
        """Return the action that asks about some accounts."""
        listed = accounts if len(accounts) == 1 and accounts.status == 'blacklisted' else accounts.browse()
        known = bool(listed) and step == 'blacklist'
        wizard = self.create(
            {
                'step': step,
                'account_ids': [fields.Command.set(accounts.ids)],
                'code': known and listed.blacklist_code or 'other',
                'until': known and listed.blacklist_until,
                'note': known and listed.status_reason,
            }
        )
        return wizard._dialog_action(
            self.env._("Blacklist") if step == 'blacklist' else self.env._("Take off the Blacklist")
        )

    def action_apply(self):
        """Put the customers on the blacklist, or take them off it.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        note = (self.note or '').strip()
        if not note:
            raise UserError(self.env._("State a reason: it is kept with the account."))
        if self.step == 'blacklist':
            self.account_ids._blacklist(self.code, note, self.until)
        else:
            user = self.env.user.name
            self.account_ids._lift_blacklist(
                self.env._("Taken off the blacklist by %(user)s: %(reason)s", user=user, reason=note)
            )
        return {'type': 'ir.actions.act_window_close'}
