from odoo import api, models
from odoo.tools import SQL


class CreditExposure(models.Model):
    _inherit = 'credit.exposure'

    @api.model
    def _flush_as_of_sources(self):
        self._flush_sources()
        self.env['account.partial.reconcile'].flush_model(
            ['amount', 'credit_amount_currency', 'credit_move_id', 'debit_amount_currency', 'debit_move_id', 'max_date']
        )

    @api.model
    def _receivable_condition_sql(self):
        """Return the condition that an account (alias account) counts."""
        return SQL("account.account_type = 'asset_receivable'")

    @api.model
    def _open_items_as_of_sql(self, company, date, partner_ids=None):
        """Return the rows of `_open_items_sql` as the ledger has them at the end of a day.

        Posted lines up to the date, less the reconciliations dated up to it. A
        reconciliation takes the same amount off both of its lines, so at every
        date the rows add up to the balance of the receivable accounts. What was
        unreconciled or booked back since then shows as the ledger has it now.

        The way is back from today's residuals, adding what was reconciled
        later: what was settled before the date is never looked at.
        """
        partners = (
            SQL("TRUE")
            if partner_ids is None
            else SQL(
                "aml.partner_id IN (SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s))",
                list(partner_ids),
            )
        )
        return SQL(
            """
            WITH undone AS MATERIALIZED (
                SELECT line_id, SUM(amount) AS amount, SUM(amount_currency) AS amount_currency
                  FROM (%(undone)s) AS partial
              GROUP BY line_id
            ),
            candidate AS (
                SELECT aml.id
                  FROM account_move_line aml
                  JOIN account_account account ON account.id = aml.account_id
                 WHERE aml.reconciled IS NOT TRUE
                   AND aml.parent_state = 'posted'
                   AND %(receivable)s
                   AND aml.company_id IN %(branches)s
                   AND %(partners)s
                 UNION
                SELECT line_id FROM undone
            )
            SELECT aml.id::bigint * 8 + 4 AS id, partner.commercial_partner_id AS partner_id,
                   aml.company_id AS document_company_id, 'open_item' AS category,
                   'account.move' AS res_model, aml.move_id AS res_id,
                   move.name AS document_name, aml.name AS name, aml.date AS date,
                   COALESCE(aml.date_maturity, aml.date) AS date_due,
                   aml.amount_residual + COALESCE(undone.amount, 0) AS amount,
                   aml.amount_residual_currency + COALESCE(undone.amount_currency, 0) AS amount_currency,
                   aml.currency_id AS document_currency_id
              FROM candidate
              JOIN account_move_line aml ON aml.id = candidate.id
              JOIN account_account account ON account.id = aml.account_id
              JOIN account_move move ON move.id = aml.move_id
              JOIN res_partner partner ON partner.id = aml.partner_id
         LEFT JOIN undone ON undone.line_id = aml.id
             WHERE aml.parent_state = 'posted'
               AND aml.date <= %(date)s
               AND aml.amount_residual + COALESCE(undone.amount, 0) <> 0
               AND %(receivable)s
               AND aml.company_id IN %(branches)s
            """,
            undone=self._undone_partials_sql(company, date, partners),
            receivable=self._receivable_condition_sql(),
            branches=self._branches_sql(company),
            partners=partners,
            date=date,
        )

    @api.model
    def _undone_partials_sql(self, company, date, partners):
        """Return (line_id, amount, amount_currency) of what reconciliations took off that don't count at a date.

        Those dated later, and those with an entry that was put back to draft
        and keeps its reconciliations: what is not posted pays nothing.
        """
        drafts = SQL(
            "SELECT id FROM account_move WHERE state = 'draft' AND company_id IN %s", self._branches_sql(company)
        )
        branches = []
        for side, other, sign in (('debit', 'credit', SQL("1")), ('credit', 'debit', SQL("-1"))):
            taken = SQL(
                """
                SELECT aml.id AS line_id, %(sign)s * partial.amount AS amount,
                       %(sign)s * partial.%(amount_currency)s AS amount_currency
                  FROM account_partial_reconcile partial
                  JOIN account_move_line aml ON aml.id = partial.%(line)s
                """,
                sign=sign,
                amount_currency=SQL.identifier(f'{side}_amount_currency'),
                line=SQL.identifier(f'{side}_move_id'),
            )
            branches += [
                SQL("%s WHERE partial.max_date > %s AND %s", taken, date, partners),
                SQL(
                    "%s JOIN account_move_line other ON other.id = partial.%s"
                    " WHERE partial.max_date <= %s AND other.move_id IN (%s) AND %s",
                    taken,
                    SQL.identifier(f'{other}_move_id'),
                    date,
                    drafts,
                    partners,
                ),
            ]
        return SQL(" UNION ALL ").join(branches)

    @api.model
    def _sums_as_of_sql(self, company, date, partner_ids=None, graces=(0,)):
        """Return the SELECT of `_sums_sql` for the ledger side at the end of a day in the past."""
        rows = self._open_items_as_of_sql(company, date, partner_ids)
        return self._sums_sql(company, date, partner_ids, graces=graces, rows=rows)
