from odoo import api, fields, models
from odoo.tools import SQL


class CreditCounter(models.Model):
    """The row on which decisions about one account queue up.

    Odoo's transactions see a snapshot of the database: waiting for a lock is
    not enough, because the one who waited still does not see the order that the
    other confirmed. A row that both *write* is: the second gets a serialization
    failure, which Odoo answers by running the request again on a fresh snapshot.
    A table of its own, because the account's row is written for other reasons.
    """

    _name = 'credit.counter'
    _description = "Credit Counter"
    _log_access = False

    account_id = fields.Many2one('credit.account', required=True, ondelete='cascade')
    n = fields.Integer(string="Number", required=True, default=0)

    _account_unique = models.UniqueIndex('(account_id)', "An account has one counter.")

    @api.model
    def _bump(self, accounts):
        """Write the counters of some accounts, in the order of their ids so that two writers can't deadlock."""
        if not accounts:
            return
        self.env['credit.account'].flush_model(['partner_id', 'company_id'])
        self.env.execute_query(
            SQL(
                """
                INSERT INTO credit_counter (account_id, n)
                     SELECT id, 1 FROM unnest(%s) AS id ORDER BY id
                ON CONFLICT (account_id) DO UPDATE SET n = credit_counter.n + 1
                  RETURNING account_id
                """,
                sorted(accounts.ids),
            )
        )
        self.invalidate_model(['n'])
