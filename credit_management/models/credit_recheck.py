import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)


class CreditRecheck(models.Model):
    """A mark: something has changed in a customer's favour, its held orders are to be looked at again.

    Rows are only ever added and deleted, so that marking waits for nobody: not
    for a confirmation under way, not for the job. Of two marks of one customer
    none stands for the other, because the job may be past what the second is about.
    """

    _name = 'credit.recheck'
    _description = "Credit Recheck"
    _order = 'id'
    _log_access = False

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='cascade')
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)

    # -------------------------------------------------------------------------
    # Marking
    # -------------------------------------------------------------------------

    @api.model
    def _mark_accounts(self, accounts):
        """Have the held orders of some accounts looked at, soon after this transaction."""
        if accounts:
            self._mark(SQL("account.id = ANY(%s)", accounts.ids))

    @api.model
    def _mark_partners(self, partners, company):
        """Have the held orders of some customers in a company tree looked at, soon after this transaction.

        Costs nothing in a company without a policy.
        """
        companies = self.env['credit.policy']._companies_with_policy()
        root = company.root_id if companies else company
        if root.id in companies and (customers := partners.commercial_partner_id):
            self._mark(SQL("account.partner_id = ANY(%s) AND account.company_id = %s", customers.ids, root.id))

    @api.model
    def _mark_all(self):
        """Have everything that waits looked at: what time lets pass, and what no mark was made for."""
        self._mark(SQL("TRUE"))

    @api.model
    def _mark(self, condition):
        """Add a mark for those accounts that have something waiting, in one statement."""
        self.env['sale.order'].flush_model(['credit_state', 'credit_account_id'])
        Release = self.env['credit.release']
        Release.flush_model(['condition_date', 'condition_state', 'debtor_id', 'company_id'])
        self.env['credit.account'].flush_model(['partner_id', 'company_id'])
        marked = self.env.execute_query(
            SQL(
                """
                INSERT INTO credit_recheck (account_id, date)
                SELECT account.id, now() AT TIME ZONE 'UTC'
                  FROM credit_account account
                 WHERE %s
                   AND (EXISTS (SELECT 1
                                  FROM sale_order
                                 WHERE sale_order.credit_account_id = account.id
                                   AND sale_order.credit_state = 'on_hold')
                     OR EXISTS (SELECT 1
                                  FROM credit_release release
                                  JOIN res_company company ON company.id = release.company_id
                                 WHERE release.debtor_id = account.partner_id
                                   AND (release.condition_state IN ('open', 'broken')
                                        OR release.condition_state = 'kept' AND release.condition_date >= %s)
                                   AND SPLIT_PART(company.parent_path, '/', 1)::int = account.company_id))
              ORDER BY account.id
             RETURNING account_id
                """,
                condition,
                Release._returns_since(),
            )
        )
        if marked:
            # Whoever pays or approves need not be allowed to run jobs.
            self.env.ref('credit_management.ir_cron_recheck').sudo()._trigger()

    # -------------------------------------------------------------------------
    # Job
    # -------------------------------------------------------------------------

    @api.model
    def _cron_recheck(self):
        """Look at the held orders of the marked customers, one transaction each.

        Several workers share the customers; one that is killed leaves its mark behind.
        """
        commit = self.env['ir.cron']._commit_progress
        ids = [account.id for account, _first in self._read_group([], ['account_id'], ['id:min'], order='id:min')]
        commit(remaining=len(ids))
        Counter, activity_type = self.env['credit.counter'], 'credit_management.mail_activity_type_recheck_failed'
        well, badly = self.env['res.company'], self.env['res.company']
        for account_id in ids:
            company = self.env['credit.account'].browse(account_id).company_id
            try:
                Counter._in_turn(self._take, account_id)
                well |= company
            except Exception:  # whatever it is, the other customers go on
                self.env.cr.rollback()
                _logger.exception("The held orders of credit account %s were not looked at", account_id)
                Counter._tell_failure(company, activity_type)
                badly |= company
            if not commit(1):
                break
        for company in well - badly:
            Counter._close_failure(company, activity_type)

    @api.model
    def _take(self, account_id):
        """Look at the held orders of one customer, unless another worker is at it.

        :returns: whether it was ours to do
        """
        marks = self.search([('account_id', '=', account_id)])
        # The oldest mark stands for the customer: who has it is at work.
        if not marks[:1].try_lock_for_update():
            return False
        account = marks.account_id
        Release = self.env['credit.release']
        kept = Release._kept_lately(account)
        received = kept._received(lasting=True)
        for release in kept:
            release._sale_order()._credit_attempt(
                lambda release=release, left=received[release.id]: release._look_for_return(left)
            )
        releases = Release._unsettled(account)
        received = releases._received()
        for release in releases:
            if not (order := release._sale_order()):
                release._settled_by_another()
                continue
            order._credit_attempt(lambda release=release: release._settle(received[release.id]))
        ready = self.env['sale.order']
        for order in ready.search(
            [('credit_account_id', '=', account.id), ('credit_state', '=', 'on_hold')], order='id'
        ):
            if order._credit_attempt(lambda order=order, ready=ready: order._credit_reevaluate(ready)) == 'ready':
                ready |= order
        marks.unlink()
        return True

    @api.model
    def _attempt(self, work, failed):
        """Do something in a savepoint of its own.

        :param failed: called with the error, after what was done is undone
        :returns: what `work` returns, None if it failed
        """
        try:
            with self.env.cr.savepoint():
                return work()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Of no use in this transaction: it goes on seeing its old snapshot.
            raise
        except UserError as error:
            failed(error)
        except Exception as error:  # whatever it is, the others go on
            _logger.exception("A held order could not be looked at again")
            failed(error)
        return None
