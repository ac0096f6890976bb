from odoo import api, fields, models


class CreditAcceptance(models.TransientModel):
    """Asks until when and why what some customers owe is accepted as is; the accounts check the rights."""

    _name = 'credit.acceptance'
    _inherit = ['credit.dialog']
    _description = "Accept As Is"

    account_ids = fields.Many2many('credit.account', required=True, readonly=True)
    account_count = fields.Integer(string="Customers", compute='_compute_account_count')
    until = fields.Date(
        help="Last day. Until then what is overdue today holds no order, and the limit holds only what goes beyond "
        "today's exposure.",
    )
    reason = fields.Char(help="Is kept with the account.")

    @api.depends('account_ids')
    def _compute_account_count(self):
        for wizard in self:
            wizard.account_count = len(wizard.account_ids)

    @api.model
    def _open(self, accounts):
        """Return the action that asks about some accounts."""
        wizard = self.create({'account_ids': [fields.Command.set(accounts.ids)]})
        return wizard._dialog_action(self.env._("Accept As Is Until…"))

    def action_apply(self):
        """Accept as is what these customers owe now."""
        self.ensure_one()
        self.account_ids._accept(self.until, self.reason)
        return {'type': 'ir.actions.act_window_close'}
