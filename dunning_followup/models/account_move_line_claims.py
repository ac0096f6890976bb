from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .res_partner_claims import COLLECTION_GROUPS


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'  # pylint: disable=consider-merging-classes-inherited

    dunning_limitation_date = fields.Date(
        string="Barred After",
        compute='_compute_dunning_limitation_date',
        search='_search_dunning_limitation_date',
        compute_sudo=True,
        groups=COLLECTION_GROUPS,
        help="Last day on which the claim can be brought to court, by the country's rule and what restarted it.",
    )

    def write(self, vals):
        # EXTENDS account: whichever way a due date is changed, the change is kept; the dialog has stated the reason
        if 'date_maturity' not in vals:
            return super().write(vals)
        day = fields.Date.to_date(vals['date_maturity'])
        before = {
            line.move_id: line.date_maturity
            for line in self
            if line.parent_state == 'posted'
            and line.account_type == 'asset_receivable'
            and line.move_id.move_type in ('out_invoice', 'out_receipt')
            and (line.date_maturity or False) != (day or False)
        }
        unstated = self.env['dunning.due.change']._unstated(before, day)
        result = super().write(vals)
        self.env['dunning.due.change']._keep(unstated, before, day)
        return result

    @api.depends('date_maturity', 'partner_id', 'matched_credit_ids')
    def _compute_dunning_limitation_date(self):
        ends = self.env['dunning.limitation.rule']._ends(self)
        for line in self:
            line.dunning_limitation_date = ends.get(line.id, (False, None))[0]

    @api.model
    def _search_dunning_limitation_date(self, operator, value):
        compare = {
            '<': lambda end: end < day,
            '<=': lambda end: end <= day,
            '>': lambda end: end > day,
            '>=': lambda end: end >= day,
        }.get(operator)
        if not compare or not value:
            return NotImplemented
        day = fields.Date.to_date(value)
        # Of what is still open: the question is what to do about it.
        domain = self._dunning_open_domain(self.env.companies)
        if operator in ('<', '<='):
            # No period is shorter than the shortest, so younger items need not be looked at.
            roots = self.env.companies.root_id
            rules = self.env['dunning.limitation.rule'].sudo().search([('company_id', 'in', [False, *roots.ids])])
            years = min(rules.mapped('years'), default=0)
            # A day more: 29 February and three years is the 28th.
            domain &= Domain('date_maturity', '<=', day - relativedelta(years=years) + timedelta(days=1))
        items = self.sudo().search(domain)
        ends = self.env['dunning.limitation.rule']._ends(items)
        return Domain('id', 'in', [line_id for line_id, (end, _since) in ends.items() if compare(end)])

    @api.model
    def _dunning_open_domain(self, companies):
        """Return the domain of open items of customers."""
        return (
            Domain('account_type', '=', 'asset_receivable')
            & Domain('parent_state', '=', 'posted')
            & Domain('reconciled', '=', False)
            & Domain('amount_residual', '>', 0)
            & Domain('company_id', 'in', companies.ids)
        )

    @api.model
    def _dunning_overdue(self, customers, company, date):
        """Return the overdue items of customers in a company tree, by due date."""
        if not customers.ids:
            return self.browse()
        branches = self.env['res.company'].sudo().browse(company.root_id._credit_branch_ids())
        domain = self._dunning_open_domain(branches) & Domain('date_maturity', '<', date)
        # In two steps: the commercial partner of a line has no index.
        contacts = (
            self.env['res.partner']
            .with_context(active_test=False)
            ._search([('commercial_partner_id', 'in', customers.ids)])
        )
        return self.search(domain & Domain('partner_id', 'in', contacts), order='date_maturity, id')

    def _dunning_facts(self):
        """Return {id: what the claims need to know} of items, in one statement.

        Keys: partner_id (commercial), company_id, root_id, currency_id, date_due, amount (gross, in the item's
        currency), residual and residual_company, move_id, move_state (its payment state).
        """
        self.flush_recordset()
        self.env['account.move'].flush_model(['payment_state', 'commercial_partner_id'])
        self.env['res.partner'].flush_model(['commercial_partner_id'])
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT line.id, partner.commercial_partner_id AS partner_id, line.company_id, line.currency_id,
                       COALESCE(line.date_maturity, line.date) AS date_due, line.amount_currency AS amount,
                       line.amount_residual_currency AS residual, line.amount_residual AS residual_company,
                       line.balance, line.move_id, move.payment_state AS move_state, move.name AS move_name,
                       split_part(company.parent_path, '/', 1)::int AS root_id
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                  JOIN res_company company ON company.id = line.company_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE line.id = ANY(%s) AND line.parent_state = 'posted'
              ORDER BY date_due, line.id
                """,
                self.ids,
            )
        )
        return {row['id']: row for row in rows}

    @api.model
    def _dunning_paid_late(self, partners, company, since, date):
        """Return the paid items of invoices that were due before a date and of which something was paid late.

        :param partners: customers, empty for all
        :param since: what was paid late from this day on
        """
        self.flush_model(['company_id', 'date_maturity', 'move_id', 'parent_state', 'partner_id', 'reconciled'])
        self.env['account.move'].flush_model(['move_type'])
        self.env['account.partial.reconcile'].flush_model()
        self.env['res.partner'].flush_model(['commercial_partner_id'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT line.id
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_move_line line ON line.id = partial.debit_move_id
                  JOIN account_move move ON move.id = line.move_id
                  JOIN account_account account ON account.id = line.account_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE partial.max_date >= %(since)s AND credit.date >= %(since)s
                   AND credit.date > line.date_maturity AND line.date_maturity < %(date)s
                   -- An exchange difference pays nothing.
                   AND partial.debit_amount_currency > 0
                   AND line.reconciled AND line.parent_state = 'posted' AND line.company_id = ANY(%(branches)s)
                   AND move.move_type IN ('out_invoice', 'out_receipt')
                   AND account.account_type = 'asset_receivable' AND %(customers)s
                """,
                since=since,
                date=date,
                branches=list(company.root_id._credit_branch_ids()),
                customers=SQL("partner.commercial_partner_id = ANY(%s)", partners.commercial_partner_id.ids)
                if partners
                else SQL("TRUE"),
            )
        )
        # As far as the user may read them.
        return self.search([('id', 'in', [id_ for [id_] in rows])], order='date_maturity, id')
