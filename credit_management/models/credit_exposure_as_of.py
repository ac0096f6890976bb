from odoo import api, models
from odoo.tools import SQL


class CreditExposure(models.Model):
    _inherit = 'credit.exposure'

    @api.model
    def _flush_as_of_sources(self, partner_ids=()):
        self._flush_sources(partner_ids)
        self.env['account.partial.reconcile'].flush_model(['amount', 'credit_move_id', 'debit_move_id', 'max_date'])

    @api.model
    def _open_items_as_of_sql(self, company, date, partner_ids=None):
        """Return the ledger's rows as they were at the end of a day, with the columns that sums need.

        Posted lines up to the date, less the reconciliations dated up to it. A
        reconciliation takes the same amount off both of its lines, so at every
        date the rows add up to the balance of the accounts. What was
        unreconciled or booked back since then shows as the ledger has it now.

        The way is back from today's residuals, adding what was reconciled
        later: what was settled before the date is never looked at.
        """
        role, account_ids = self._role_sql(company, by_item=True)
        common = self._common(company, date, partner_ids)
        return SQL(
            """
            WITH %(contacts)s,
            undone AS MATERIALIZED (
                SELECT line_id, SUM(amount) AS amount
                  FROM (%(undone)s) AS partial
              GROUP BY line_id
            ),
            candidate AS (
                SELECT aml.id
                  FROM account_move_line aml
                  JOIN contact ON contact.id = aml.partner_id
                 WHERE aml.reconciled IS NOT TRUE
                   AND aml.parent_state = 'posted'
                   AND aml.account_id = ANY(%(accounts)s)
                   AND aml.company_id = ANY(%(branches)s)
                 UNION
                SELECT line_id FROM undone
            )
            SELECT aml.id::bigint * 8 + 4 AS id, contact.partner_id,
                   CASE %(role)s WHEN 'clearing' THEN 'in_clearing' ELSE 'open_item' END AS category,
                   %(role)s AS ledger_role, COALESCE(aml.date_maturity, aml.date) AS date_due,
                   aml.amount_residual + COALESCE(undone.amount, 0) AS amount, aml.balance AS booked
              FROM candidate
              JOIN account_move_line aml ON aml.id = candidate.id
              JOIN contact ON contact.id = aml.partner_id
         LEFT JOIN undone ON undone.line_id = aml.id
             WHERE aml.parent_state = 'posted'
               AND aml.date <= %(date)s
               AND aml.amount_residual + COALESCE(undone.amount, 0) <> 0
               AND aml.account_id = ANY(%(accounts)s)
               AND aml.company_id = ANY(%(branches)s)
               AND %(counts)s
             UNION ALL
            SELECT * FROM (%(balances)s) AS balance
            """,
            contacts=self._contact_sql(common),
            undone=self._undone_partials_sql(company, date),
            role=role,
            accounts=account_ids,
            branches=common['branches'],
            counts=self._counts_once_sql(company, by_item=True),
            balances=self._balances_sql(common, date),
            date=date,
        )

    @api.model
    def _undone_partials_sql(self, company, date):
        """Return (line_id, amount) of what reconciliations took off that don't count at a date.

        Those dated later, and those with an entry that was put back to draft
        and keeps its reconciliations: what is not posted pays nothing.
        """
        drafts = SQL(
            "SELECT id FROM account_move WHERE state = 'draft' AND company_id = ANY(%s)", self._branches_sql(company)
        )
        branches = []
        for side, other, sign in (('debit', 'credit', SQL("1")), ('credit', 'debit', SQL("-1"))):
            taken = SQL(
                """
                SELECT aml.id AS line_id, %(sign)s * partial.amount AS amount
                  FROM account_partial_reconcile partial
                  JOIN account_move_line aml ON aml.id = partial.%(line)s
                  JOIN contact ON contact.id = aml.partner_id
                """,
                sign=sign,
                line=SQL.identifier(f'{side}_move_id'),
            )
            branches += [
                SQL("%s WHERE partial.max_date > %s", taken, date),
                SQL(
                    "%s JOIN account_move_line other ON other.id = partial.%s"
                    " WHERE partial.max_date <= %s AND other.move_id IN (%s)",
                    taken,
                    SQL.identifier(f'{other}_move_id'),
                    date,
                    drafts,
                ),
            ]
        return SQL(" UNION ALL ").join(branches)
