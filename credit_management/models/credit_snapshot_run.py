import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date
from odoo.tools.date_utils import add, start_of

_logger = logging.getLogger(__name__)

BATCH = 5000  # accounts in one statement and transaction
THIN_BATCH = 50000  # rows deleted in one
BACKFILL_MONTHS = 12
ACTIVITY = 'credit_management.mail_activity_type_snapshot'
QUIET = {'mail_create_nolog': True, 'mail_create_nosubscribe': True, 'tracking_disable': True}


class CreditSnapshotRun(models.Model):
    """One day of one company whose snapshots are taken: how far the job is, and whether the day is whole."""

    _name = 'credit.snapshot.run'
    _inherit = ['credit.day.run', 'mail.thread', 'mail.activity.mixin']
    _description = "Credit Snapshot Run"

    kind = fields.Selection(
        [('daily', "Daily"), ('backfill', "Back-fill from the ledger")],
        required=True,
        readonly=True,
        help="A back-fill knows the ledger side of a day in the past, not its orders and drafts.",
    )
    state = fields.Selection(
        help="Incomplete: the day passed before the job was through. Its figures can't be taken any more."
    )
    row_count = fields.Integer(string="Rows", readonly=True)

    _company_date_unique = models.UniqueIndex('(company_id, date, kind)', "A company's day is taken once.")

    @api.depends('date', 'company_id')
    def _compute_display_name(self):
        for run in self:
            run.display_name = self.env._(
                "Credit snapshot of %(date)s, %(company)s",
                date=format_date(self.env, run.date),
                company=run.company_id.name,
            )

    # -------------------------------------------------------------------------
    # Job
    # -------------------------------------------------------------------------

    @api.model
    def _cron_take(self):
        """Take what is to be taken of all companies, then delete what is kept no longer.

        Can be killed at any point and goes on where it was. A company that fails
        is reported and does not stop the others; it is tried again each hour.
        """
        companies = self.env['res.company'].search([('parent_id', '=', False)])
        if not self.env['credit.counter']._in_turn(self._open, companies)._work():
            return
        cause = None
        for company in companies:
            try:
                if not self._thin(company, self.env['ir.cron']._commit_progress):
                    return
            except Exception as error:  # whatever it is: the other companies go on
                self.env.cr.rollback()
                _logger.exception("Deleting old credit snapshots of company %s failed", company.id)
                cause = error
        if cause:
            raise cause

    @api.model
    def _open(self, companies):
        """Return the runs to do: today's of each company, and the first time the month ends before it."""
        # Of two servers that begin a day at once, the second sees what the first has made.
        self.env['credit.counter']._advance('company_id', dict.fromkeys(companies.ids, 0))
        pending = self.browse().union(*(self._open_company(company) for company in companies))
        # What can't be made up for comes first.
        return pending.sorted(lambda run: (run.kind != 'daily', run.date))

    @api.model
    def _open_company(self, company):
        today = company._credit_today()
        runs = self.search([('company_id', '=', company.id)])
        daily = runs.filtered(lambda run: run.kind == 'daily')
        if not daily:
            runs += self._open_backfill(company, BACKFILL_MONTHS)
        if today not in daily.mapped('date'):
            runs += self._create_runs(company, 'daily', [today])
        pending = runs.filtered(lambda run: run.state in ('todo', 'failed'))
        passed = pending.filtered(lambda run: run.kind == 'daily' and run.date < today)
        passed.write({'state': 'incomplete'})
        return pending - passed

    @api.model
    def _open_backfill(self, company, months):
        """Put the month ends before the company's first snapshot on the list, again if they were done."""
        first = self.search([('company_id', '=', company.id), ('kind', '=', 'daily')], order='date', limit=1).date
        end = start_of(first or company._credit_today(), 'month')
        dates = [add(add(end, months=-number), days=-1) for number in range(months)]
        known = self.search([('company_id', '=', company.id), ('kind', '=', 'backfill'), ('date', 'in', dates)])
        known.write({'state': 'todo', 'position': 0, 'row_count': 0, 'error': False})
        return known + self._create_runs(company, 'backfill', sorted(set(dates) - set(known.mapped('date'))))

    @api.model
    def _create_runs(self, company, kind, dates):
        return self.with_context(**QUIET).create(
            [{'company_id': company.id, 'kind': kind, 'date': date} for date in dates]
        )

    def _step(self):
        """Take the next batch of accounts and tell whether the day is done."""
        self.ensure_one()
        snapshots = self.env['credit.snapshot']
        company = self.company_id
        if self.kind == 'backfill':
            snapshots._open_accounts(company, self.date)
            rows, batch = snapshots._take_past(company, self.date), []
        else:
            if not self.position:
                snapshots._open_accounts(company)
            batch = self._next_accounts()
            partner_ids = [partner_id for _account_id, partner_id in batch]
            rows = snapshots._take(company, self.date, partner_ids) if partner_ids else 0
        done = len(batch) < BATCH
        self.write(
            {
                'row_count': self.row_count + rows,
                'position': batch[-1][0] if batch else self.position,
                **({'state': 'done', 'error': False, 'date_done': fields.Datetime.now()} if done else {}),
            }
        )
        if done:
            self._close_activities()
        return done

    def _next_accounts(self):
        """Return [(account id, partner id)] of the next batch."""
        self.env['credit.account'].flush_model(['active', 'company_id', 'partner_id'])
        return self.env.execute_query(
            SQL(
                """
                SELECT id, partner_id
                  FROM credit_account
                 WHERE company_id = %s AND active AND id > %s
              ORDER BY id
                 LIMIT %s
                """,
                self.company_id.id,
                self.position,
                BATCH,
            )
        )

    def _fail(self, error):
        """Note a failure and tell the credit managers, once until it is mended."""
        super()._fail(error)
        siblings = self.search([('company_id', '=', self.company_id.id)])
        if siblings.activity_search([ACTIVITY]):
            return
        for user in self.company_id._credit_managers():
            reader = self.with_context(lang=user.lang or self.env.lang)
            self.activity_schedule(
                ACTIVITY,
                date_deadline=self.company_id._credit_today(),
                user_id=user.id,
                summary=reader.env._("The credit snapshot could not be taken"),
                note=reader.env._(
                    "It is tried again each hour. If it goes on failing, give your administrator the date and the "
                    "company: the reason is in the server's log."
                ),
            )

    def _close_activities(self):
        """Close what a failure of this company has asked for."""
        runs = self.search([('company_id', '=', self.company_id.id), ('activity_ids', '!=', False)])
        if runs and not self.search_count([('id', 'in', runs.ids), ('state', '=', 'failed')], limit=1):
            runs.activity_feedback([ACTIVITY], feedback=self.env._("The snapshot has been taken."))

    @api.model
    def _thin(self, company, commit):
        """Delete daily rows that are kept no longer; return False when the time is over.

        The runs go first: a run says that its day is whole, so it must not
        outlive the rows.
        """
        before = add(company._credit_today(), days=-company.credit_snapshot_days)
        self.flush_model(['company_id', 'date', 'kind', 'state'])
        old = self.env.execute_query(
            SQL(
                """
                SELECT run.id
                  FROM credit_snapshot_run run
                 WHERE run.company_id = %(company)s AND run.kind = 'daily' AND run.date < %(before)s
                   AND EXISTS (
                       SELECT FROM credit_snapshot_run later
                        WHERE later.company_id = run.company_id AND later.kind = 'daily' AND later.state = 'done'
                          AND later.date > run.date
                          AND later.date < date_trunc('month', run.date) + INTERVAL '1 month')
                """,
                company=company.id,
                before=before,
            )
        )
        if old:
            self.browse(run_id for [run_id] in old).unlink()
            if not commit(1):
                return False
        while self.env['credit.snapshot']._thin(company, before, THIN_BATCH):
            if not commit(1):
                return False
        return True

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    @api.model
    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers start credit snapshots. Ask one of them."))

    def action_retry(self):
        """Take these days again in the background: today's, or those of a back-fill.

        :raise AccessError: if the user is not a credit manager
        :raise UserError: if a day has passed
        """
        self._check_manager()
        self.check_access('read')
        for run in self:
            if run.kind == 'daily' and run.date != run.company_id._credit_today():
                raise UserError(
                    self.env._(
                        "What was ordered and delivered on %(date)s can't be known any more. Only today's snapshot "
                        "and those of a back-fill can be taken again.",
                        date=format_date(self.env, run.date),
                    )
                )
        # Nobody writes runs; that a manager may have this was checked above.
        self.sudo().write({'state': 'todo', 'position': 0, 'row_count': 0})
        self._trigger()
        return True

    @api.model
    def _trigger(self):
        # The scheduled action belongs to the system.
        self.env.ref('credit_management.ir_cron_take_snapshots').sudo()._trigger()
