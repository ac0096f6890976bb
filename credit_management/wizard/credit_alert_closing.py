from odoo import fields, models


class CreditAlertClosing(models.TransientModel):
    """Asks why alerts are closed, or put aside until a day; the alerts check the rights."""

    _name = 'credit.alert.closing'
    _inherit = ['credit.dialog']
    _description = "Credit Alert Closing"

    step = fields.Selection([('close', "Close"), ('snooze', "Snooze")], required=True, readonly=True)
    alert_ids = fields.Many2many('credit.alert', required=True, readonly=True)
    snooze_until = fields.Date(
        string="Until", help="On this day the alert is open again, unless what it warns of has passed."
    )
    note = fields.Text(string="Reason", help="Is kept with the alert.")

    def action_apply(self):
        """Close the alerts, or snooze them.

        :raise UserError: if the reason or the day is missing
        """
        self.ensure_one()
        self.alert_ids._handle(self.note, self._day() if self.step == 'snooze' else None)
        return {'type': 'ir.actions.act_window_close'}

    def _day(self):
        # Today is refused by the alerts, as any day that is not to come.
        return self.snooze_until or self.env.company._credit_today()
