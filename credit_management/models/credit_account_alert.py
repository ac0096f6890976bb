from odoo import api, fields, models


class CreditAccount(models.Model):
    """The alerts of an account."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    alert_ids = fields.One2many('credit.alert', 'account_id', string="Alerts")
    open_alert_count = fields.Integer(string="Alerts Open", compute='_compute_open_alert_count')

    @api.depends('alert_ids.state')
    def _compute_open_alert_count(self):
        counts = {
            account.id: count
            for account, count in self.env['credit.alert']._read_group(
                [('account_id', 'in', self.ids), ('state', '=', 'open')], ['account_id'], ['__count']
            )
        }
        for account in self:
            account.open_alert_count = counts.get(account._origin.id, 0)

    def action_view_alerts(self):
        """Open the alerts of this customer."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_alert_action')
        return action | {'domain': [('account_id', 'in', self._file_accounts().ids)]}

    def _absorb(self, sources):
        # EXTENDS credit_management: what was snoozed or closed of the other customers says nothing of this one
        result = super()._absorb(sources)
        self.env['credit.alert'].search([('account_id', 'in', sources.ids), ('crossing', '=', True)]).write(
            {'state': 'ended', 'crossing': False, 'date_end': self.company_id._credit_today()}
        )
        return result
