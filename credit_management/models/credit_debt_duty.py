from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class CreditDebtDuty(models.Model):
    """Who goes on answering for a customer's old debts after the customer was handed over.

    What is due before a day stays with the person of the earliest such day; what
    is due later is the salesperson's. Several rows of an account are a chain of
    hand-overs.
    """

    _name = 'credit.debt.duty'
    _description = "Duty for Old Debts"
    _order = 'date_before, id'
    _rec_name = 'user_id'

    account_id = fields.Many2one(
        'credit.account', string="Credit Account", required=True, index=True, ondelete='cascade'
    )
    partner_id = fields.Many2one(related='account_id.partner_id', store=True, index=True)
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    user_id = fields.Many2one(
        'res.users',
        string="Responsible",
        required=True,
        index=True,
        ondelete='restrict',
        domain="[('share', '=', False)]",
        context={'active_test': False},
        help="Collects what is due before the day beside.",
    )
    date_before = fields.Date(string="Due Before", required=True, help="Items due on this day or later are not meant.")
    handover_id = fields.Many2one('credit.handover', string="Hand-Over", readonly=True, ondelete='set null')
    amount = fields.Monetary(
        string="Still Open",
        compute='_compute_amount',
        compute_sudo=True,
        help="What is left of invoices due in that time, before credits not yet matched; company currency.",
    )

    _account_date_unique = models.UniqueIndex(
        '(account_id, date_before)', "For this day it is stated already who is responsible for the old debts."
    )

    @api.depends('account_id', 'date_before', 'user_id')
    def _compute_amount(self):
        amounts = {}
        saved = self._origin
        Exposure = self.env['credit.exposure']
        for company, duties in saved.grouped('company_id').items():
            Exposure._flush_sources(duties.partner_id.ids)
            self.flush_model(['account_id', 'date_before', 'partner_id'])
            amounts.update(
                self.env.execute_query(
                    SQL(
                        """
                        WITH item AS MATERIALIZED (
                            SELECT partner_id, date_due, amount FROM (%(rows)s) AS exposure
                             WHERE category = 'open_item' AND amount > 0
                        )
                        SELECT duty.id, SUM(item.amount)::float8
                          FROM credit_debt_duty duty
                          JOIN item ON item.partner_id = duty.partner_id AND item.date_due < duty.date_before
                         WHERE duty.id = ANY(%(duties)s)
                           AND NOT EXISTS (
                               SELECT FROM credit_debt_duty earlier
                                WHERE earlier.account_id = duty.account_id
                                  AND earlier.date_before < duty.date_before
                                  AND earlier.date_before > item.date_due)
                      GROUP BY duty.id
                        """,
                        rows=Exposure._rows_sql(company, company._credit_today(), duties.partner_id.ids),
                        duties=duties.ids,
                    )
                )
            )
        for duty in self:
            duty.amount = amounts.get(duty._origin.id, 0.0)

    def write(self, vals):
        if 'account_id' in vals and any(duty.account_id.id != vals['account_id'] for duty in self):
            raise UserError(self.env._("The duty for old debts stays with its credit account. Add another line there."))
        return super().write(vals)

    def _move(self, account):
        """Follow the customer into the account that goes on after a merge."""
        return super().write({'account_id': account.id})  # pylint: disable=super-method-mismatch

    @api.model
    def _responsibles(self, lines):
        """Return {journal item: who answers for it}: by the duties, else the salesperson.

        One statement for the duties, whatever the number of items.
        """
        customers = lines.partner_id.commercial_partner_id
        duties = self.search([('partner_id', 'in', customers.ids)]).grouped(
            lambda duty: (duty.partner_id, duty.company_id)
        )
        result = {}
        for line in lines:
            customer = line.partner_id.commercial_partner_id
            mine = duties.get((customer, line.company_id.root_id), self.browse())
            due = line.date_maturity or line.date
            result[line] = next((duty.user_id for duty in mine if due and due < duty.date_before), customer.user_id)
        return result
