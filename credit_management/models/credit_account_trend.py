from odoo import fields, models
from odoo.tools import SQL


class CreditAccount(models.Model):
    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    snapshot_ids = fields.One2many('credit.snapshot', 'account_id', string="Snapshots")
    trend = fields.Json(compute='_compute_trend', compute_sudo=True)

    def _compute_trend(self):
        """Compute what the trend chart draws: a point per day that was taken, None for what is not known."""
        snapshots = self.env['credit.snapshot']
        snapshots.flush_model()
        self.env['credit.snapshot.run'].flush_model(['company_id', 'date', 'kind', 'state'])
        # A day that was taken and has no row of the account: nothing was open.
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT day.account_id, day.date::text AS date, day.known,
                       COALESCE(snapshot.exposure_open_item + snapshot.exposure_in_clearing, 0) AS ledger,
                       CASE WHEN day.known THEN COALESCE(snapshot.exposure, 0) END AS exposure,
                       CASE WHEN snapshot.unlimited THEN NULL ELSE snapshot.effective_limit END AS limit,
                       COALESCE(snapshot.unlimited, FALSE) AS unlimited,
                       COALESCE(snapshot.overdue_amount, 0) AS overdue
                  FROM (
                    SELECT account_id, date, bool_or(known) AS known
                      FROM (
                        SELECT account_id, date, order_side_known AS known
                          FROM credit_snapshot
                         WHERE account_id = ANY(%(accounts)s)
                     UNION ALL
                        SELECT account.id, run.date, run.kind = 'daily'
                          FROM credit_account account
                          JOIN credit_snapshot_run run ON run.company_id = account.company_id AND run.state = 'done'
                         WHERE account.id = ANY(%(accounts)s)
                           AND run.date > (SELECT MIN(date) FROM credit_snapshot WHERE account_id = account.id)
                      ) AS taken
                  GROUP BY account_id, date
                  ) AS day
             LEFT JOIN credit_snapshot snapshot ON snapshot.account_id = day.account_id AND snapshot.date = day.date
              ORDER BY day.account_id, day.date
                """,
                accounts=self.ids,
            )
        )
        points = {account_id: [] for account_id in self.ids}
        for row in rows:
            points[row.pop('account_id')].append(row)
        for account in self:
            account.trend = {'currency_id': account.currency_id.id, 'points': points.get(account._origin.id, [])}

    def action_view_trend(self):
        """Open the snapshots of this account."""
        self.ensure_one()
        return self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_snapshot_action_account') | {
            'context': {'active_id': self.id}
        }
