from odoo import fields, models
from odoo.exceptions import UserError


class DunningInsolvency(models.TransientModel):
    """Notes that a customer is insolvent, or no more; the account checks the rights."""

    _name = 'dunning.insolvency'
    _inherit = ['credit.dialog']
    _description = "Insolvency"

    account_id = fields.Many2one('credit.account', string="Customer", required=True, readonly=True)
    insolvent = fields.Boolean(readonly=True)
    date = fields.Date(string="Opened On", default=lambda self: self.env.company._credit_today())
    note = fields.Char(string="Court and File", help="Is kept with the account.")

    def action_apply(self):
        """Note the insolvency, or its end.

        :raise UserError: if the day is missing
        """
        self.ensure_one()
        if not self.insolvent and not self.date:
            raise UserError(self.env._("State on which day the proceedings were opened."))
        self.account_id._write_insolvency(False if self.insolvent else self.date, (self.note or '').strip())
        return {'type': 'ir.actions.act_window_close'}
