from odoo import fields, models


class CreditAccount(models.Model):
    """Applications for a first or higher limit of an account."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    application_ids = fields.One2many('credit.application', 'account_id', string="Applications")
    application_count = fields.Integer(string="Applied For", compute='_compute_application_count')

    def _compute_application_count(self):
        counts = dict(
            self.env['credit.application']._read_group([('account_id', 'in', self.ids)], ['account_id'], ['__count'])
        )
        for account in self:
            account.application_count = counts.get(account, 0)

    def _apply_for_limit(self, **vals):
        """Return the draft application of this account's customer, see `credit.application._open_for`."""
        self.ensure_one()
        return self.env['credit.application']._open_for(self.partner_id, self.company_id, **vals)

    def action_apply_for_limit(self):
        """Open the application for a limit of this customer, making it if there is no draft.

        :raise AccessError: if the user may not apply for this customer
        """
        self.ensure_one()
        self.check_access('read')
        return self._apply_for_limit()._open_action()

    def action_view_applications(self):
        """Open the applications of this customer, also those of accounts that were merged into this one."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_application_action')
        return action | {'domain': [('account_id', 'in', self._file_accounts().ids)], 'context': {}}

    def _absorb(self, sources):
        # EXTENDS credit_management: applications that are open go on here
        Application = self.env['credit.application']
        Application.search(Application._open_of(sources))._write_flow({'account_id': self.id})
        return super()._absorb(sources)

    def _has_open_matter(self):
        # EXTENDS credit_management
        Application = self.env['credit.application']
        return super()._has_open_matter() or bool(Application.search_count(Application._open_of(self), limit=1))
