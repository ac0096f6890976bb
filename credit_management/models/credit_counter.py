import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..engine.chain import GENESIS, Head

_logger = logging.getLogger(__name__)

# How often a job tries again when others were first.
TRIES = 5


class CreditCounter(models.Model):
    """The row on which decisions about one account queue up.

    Odoo's transactions see a snapshot of the database: waiting for a lock is
    not enough, because the one who waited still does not see the order that the
    other confirmed. A row that both *write* is: the second gets a serialization
    failure, which Odoo answers by running the request again on a fresh snapshot.
    A table of its own, because the account's row is written for other reasons.

    The row also says where a chain of the credit file ends: that of the
    account's events, or, on the row of a company, that of its seals.
    """

    _name = 'credit.counter'
    _description = "Credit Counter"
    _log_access = False

    account_id = fields.Many2one('credit.account', ondelete='cascade')
    company_id = fields.Many2one('res.company', ondelete='cascade', help="Root company whose seals are counted.")
    team_limit_id = fields.Many2one('credit.team.limit', ondelete='cascade')
    n = fields.Integer(string="Number", required=True, default=0)
    head_number = fields.Integer(required=True, default=0, help="Number of the last event, or of the last seal.")
    head_hash = fields.Char(help="Hash of the last event, or of the last seal.")

    _account_unique = models.UniqueIndex('(account_id)', "An account has one counter.")
    _company_unique = models.UniqueIndex('(company_id)', "A company has one counter.")
    _team_limit_unique = models.UniqueIndex('(team_limit_id)', "A limit of a salesperson or team has one counter.")
    _one_owner = models.Constraint(
        'CHECK (num_nonnulls(account_id, company_id, team_limit_id) = 1)',
        "A counter belongs to an account, to a company or to a limit of a salesperson or team.",
    )

    @api.model
    def _bump(self, accounts):
        """Write the counters of some accounts, in the order of their ids so that two writers can't deadlock."""
        if not accounts:
            return
        self.env['credit.account'].flush_model(['partner_id', 'company_id'])
        self.env.execute_query(
            SQL(
                """
                INSERT INTO credit_counter (account_id, n, head_number)
                     SELECT id, 1, 0 FROM unnest(%s) AS id ORDER BY id
                ON CONFLICT (account_id) DO UPDATE SET n = credit_counter.n + 1
                  RETURNING account_id
                """,
                sorted(accounts.ids),
            )
        )
        self.invalidate_model(['n'])

    @api.model
    def _bump_team_limits(self, team_limits):
        """Write the counters of some limits of salespeople and teams; after those of accounts, in one order for all."""
        if not team_limits:
            return
        self.env['credit.team.limit'].flush_model(['company_id'])
        self.env.execute_query(
            SQL(
                """
                INSERT INTO credit_counter (team_limit_id, n, head_number)
                     SELECT id, 1, 0 FROM unnest(%s) AS id ORDER BY id
                ON CONFLICT (team_limit_id) DO UPDATE SET n = credit_counter.n + 1
                  RETURNING team_limit_id
                """,
                sorted(team_limits.ids),
            )
        )
        self.invalidate_model(['n'])

    @api.model
    def _advance(self, owner, counts):
        """Reserve numbers at the ends of some chains; whoever else does so meanwhile has to run again.

        :param owner: 'account_id' or 'company_id'
        :param counts: {id of the owner: how many}
        :returns: {id of the owner: the Head before}
        """
        if not counts:
            return {}
        name = SQL.identifier(owner)
        ids = sorted(counts)
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO credit_counter (%(owner)s, n, head_number)
                     SELECT id, 0, count FROM unnest(%(ids)s, %(counts)s) AS wanted(id, count) ORDER BY id
                ON CONFLICT (%(owner)s) DO UPDATE SET head_number = credit_counter.head_number + EXCLUDED.head_number
                  RETURNING %(owner)s, head_number, head_hash
                """,
                owner=name,
                ids=ids,
                counts=[counts[id_] for id_ in ids],
            )
        )
        return {id_: Head(number - counts[id_], hash_ or GENESIS) for id_, number, hash_ in rows}

    @api.model
    def _set_heads(self, owner, hashes):
        """Note the last hashes of some chains.

        :param hashes: {id of the owner: hash}
        """
        self.env.execute_query(
            SQL(
                """
                UPDATE credit_counter SET head_hash = new.hash
                  FROM unnest(%s, %s) AS new(id, hash)
                 WHERE %s = new.id
                RETURNING new.id
                """,
                list(hashes),
                list(hashes.values()),
                SQL.identifier('credit_counter', owner),
            )
        )
        self.invalidate_model(['head_number', 'head_hash'])

    @api.model
    def _company_head(self, company):
        """Return the Head that a root company's row says its seals have, or None."""
        rows = self.env.execute_query(
            SQL(
                "SELECT head_number, COALESCE(head_hash, '') FROM credit_counter "
                "WHERE company_id = %s AND head_number <> 0",
                company.id,
            )
        )
        return Head(*rows[0]) if rows else None

    @api.model
    def _in_turn(self, step, *args):
        """Run a step of a job; if another transaction was first at a row, again on a fresh snapshot.

        Odoo does this for requests only. What the transaction did before is
        lost then, so commit before, or call it first.
        """
        for left in reversed(range(TRIES)):
            try:
                result = step(*args)
                self.env.flush_all()
                return result
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                if not left:
                    raise
                self.env.cr.rollback()

    @api.model
    def _each_company(self, companies, step, activity_type):
        """Run a step of a job for each company, one transaction each; a second run has nothing to do.

        A company that fails does not stop the others: its credit managers are
        told, and the job fails after the last. It does not stop when its time is
        over either, because it would begin with the same companies again.

        :param activity_type: xmlid of what the credit managers get, on the company's contact
        :raise UserError: if a company failed
        """
        commit = self.env['ir.cron']._commit_progress
        commit(remaining=len(companies))
        failed, cause = companies.browse(), None
        for company in companies:
            try:
                self._in_turn(step, company)
                self._close_failure(company, activity_type)
                self.env.flush_all()  # not only with the commit
            except Exception as error:  # whatever it is, see above
                self.env.cr.rollback()
                _logger.exception("Step %s of company %s failed", step.__qualname__, company.id)
                self._tell_failure(company, activity_type)
                failed, cause = failed + company, cause or error
            commit(1)
        if failed:
            raise UserError(
                self.env._(
                    "This failed for %(companies)s and was done for all other companies. The reason is in the "
                    "server's log.",
                    companies=", ".join(failed.mapped('name')),
                )
            ) from cause

    @api.model
    def _each_root_company(self, step, activity_type):
        """Run a step of a job for each main company, see `_each_company`."""
        self._each_company(self.env['res.company'].search([('parent_id', '=', False)]), step, activity_type)

    @api.model
    def _tell_failure(self, company, activity_type, users=None, note=None):
        """Give people of a company an activity on its contact, once until it is mended.

        :param users: the company's credit managers if not given
        :param note: function that returns the text in the language of the environment it gets
        """
        note = note or self._failure_note
        contact = company.sudo().partner_id
        if contact.activity_search([activity_type]):
            return
        for user in company._credit_managers() if users is None else users:
            reader = contact.with_context(lang=user.lang or self.env.lang)
            contact.activity_schedule(
                activity_type,
                date_deadline=company._credit_today(),
                user_id=user.id,
                note=note(reader.env),
            )

    @api.model
    def _failure_note(self, env):
        return env._(
            "It is tried again with each run of the scheduled action. If it goes on failing, give your "
            "administrator the name of the company: the reason is in the server's log."
        )

    @api.model
    def _close_failure(self, company, activity_type):
        """Close what a failure has asked for."""
        contact = company.sudo().partner_id
        contact.activity_feedback([activity_type], feedback=self.env._("The scheduled action has worked again."))
