from odoo import api, fields, models


class CreditAccount(models.Model):
    """Who answers for an account's old debts."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    debt_duty_ids = fields.One2many('credit.debt.duty', 'account_id', string="Old Debts")
    debt_responsible_id = fields.Many2one(
        'res.users',
        string="Responsible for Old Debts",
        compute='_compute_debt_responsible_id',
        search='_search_debt_responsible_id',
        help="Who goes on collecting what was due before the customer was handed over, while any of it is open.",
    )

    @api.depends('debt_duty_ids.user_id', 'debt_duty_ids.date_before')
    def _compute_debt_responsible_id(self):
        for account in self:
            account.debt_responsible_id = account.debt_duty_ids.filtered('amount')[:1].user_id

    def _search_debt_responsible_id(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # Whether anything of it is open takes reading the ledger: only for those that have a duty.
        accounts = self.env['credit.debt.duty'].search([('user_id', 'in', list(value))]).account_id
        found = accounts.filtered(lambda account: account.debt_responsible_id.id in value)
        return [('id', 'in', found.ids)]

    def _absorb(self, sources):
        # EXTENDS credit_management: whoever answered for the old debts of the others goes on
        result = super()._absorb(sources)
        taken = set(self.debt_duty_ids.mapped('date_before'))
        for duty in self.env['credit.debt.duty'].search([('account_id', 'in', sources.ids)]):
            if duty.date_before not in taken:
                taken.add(duty.date_before)
                duty._move(self)
        return result
