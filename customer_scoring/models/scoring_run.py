import logging

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, format_date
from odoo.tools.date_utils import add

from ..engine.history import WINDOW_MONTHS
from .scoring_score import BATCH

_logger = logging.getLogger(__name__)

ACTIVITY = 'customer_scoring.mail_activity_type_run_failed'


class ScoringRun(models.Model):
    """One day of one company on which its customers are scored: how far the job is."""

    _name = 'scoring.run'
    _description = "Scoring Run"
    _order = 'date desc, company_id'
    _rec_name = 'date'

    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    date = fields.Date(required=True, readonly=True, help="Day in the company's calendar.")
    state = fields.Selection(
        [('todo', "To do"), ('done', "Done"), ('failed', "Failed"), ('incomplete', "Incomplete")],
        required=True,
        readonly=True,
        default='todo',
        help="Incomplete: the day passed before the job was through; the next day's went on from the start.",
    )
    position = fields.Integer(readonly=True, help="Last account that was done: here an interrupted run goes on.")
    score_count = fields.Integer(string="Customers Scored", readonly=True)
    error = fields.Char(readonly=True)
    date_done = fields.Datetime(string="Done On", readonly=True)

    _company_date_unique = models.UniqueIndex('(company_id, date)', "A company's customers are scored once a day.")

    @api.depends('date', 'company_id')
    def _compute_display_name(self):
        for run in self:
            run.display_name = self.env._(
                "Scoring of %(date)s, %(company)s", date=format_date(self.env, run.date), company=run.company_id.name
            )

    @api.model
    def _cron_score(self):
        """Score the customers of all companies that have an active card, once per company and day.

        Can be killed at any point and goes on where it was. Several workers share
        the companies: a run is taken by one of them. A company that fails is
        reported and does not stop the others.
        """
        commit = self.env['ir.cron']._commit_progress
        cards = self.env['scoring.card'].search([('state', '=', 'active')])
        runs = self.env['credit.counter']._in_turn(self._open, cards.company_id)
        left = len(runs)
        commit(remaining=left)
        for run in runs:
            done = False
            while not done:
                try:
                    if not (taken := run.try_lock_for_update()) or taken.state not in ('todo', 'failed'):
                        left -= 1
                        break  # another worker has it, or has done it
                    done = run._step()
                    self.env.flush_all()
                except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                    self.env.cr.rollback()
                    break  # stays to do, the job is called again at once
                except Exception as error:
                    # Whatever it is: the other companies go on, and someone is told.
                    self.env.cr.rollback()
                    _logger.exception("Scoring of company %s for %s failed", run.company_id.id, run.date)
                    run.write({'state': 'failed', 'error': type(error).__name__})
                    self.env['credit.counter']._tell_failure(run.company_id, ACTIVITY)
                    done = True
                left -= done
                if not commit(1, remaining=left):
                    return

    @api.model
    def _open(self, companies):
        """Return the runs that are to do today."""
        self.env['credit.counter']._advance('company_id', dict.fromkeys(companies.ids, 0))
        todo = self.browse()
        for company in companies:
            today = company._credit_today()
            pending = self.search([('company_id', '=', company.id), ('state', 'in', ('todo', 'failed'))])
            pending.filtered(lambda run, today=today: run.date < today).write({'state': 'incomplete'})
            run = self.search([('company_id', '=', company.id), ('date', '=', today)])
            run = run or self.create({'company_id': company.id, 'date': today})
            todo += run.filtered(lambda run: run.state in ('todo', 'failed'))
        return todo

    @api.model
    def _again(self, company):
        """Score a company's customers again today, soon."""
        run = self.search([('company_id', '=', company.id), ('date', '=', company._credit_today())])
        run.write({'state': 'todo', 'position': 0, 'score_count': 0})
        self.env.ref('customer_scoring.ir_cron_score').sudo()._trigger()

    def _step(self):
        """Score the next batch of accounts and tell whether the day is done."""
        self.ensure_one()
        company = self.company_id
        if not self.position:
            self.env['scoring.override']._expire(company)
            self._open_accounts(company, self.date)
        # Most accounts exist already; new ones of this day have greater ids and come last.
        accounts = self.env['credit.account'].search(
            [('company_id', '=', company.id), ('id', '>', self.position)], order='id', limit=BATCH
        )
        count = self.env['scoring.score']._compute_for(accounts, self.date) if accounts else 0
        done = len(accounts) < BATCH
        if done:
            self.env['scoring.prior']._take(company, self.date)
            self.env['credit.counter']._close_failure(company, ACTIVITY)
        self.write(
            {
                'score_count': self.score_count + count,
                'position': accounts[-1:].id or self.position,
                **({'state': 'done', 'error': False, 'date_done': fields.Datetime.now()} if done else {}),
            }
        )
        return done

    @api.model
    def _open_accounts(self, company, date):
        """Make the accounts of customers with an invoice of the time that counts that have none."""
        self.env['account.move'].flush_model(['commercial_partner_id', 'company_id', 'date', 'move_type', 'state'])
        self.env['credit.account'].flush_model(['active', 'company_id', 'partner_id'])
        missing = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT move.commercial_partner_id
                  FROM account_move move
                 WHERE move.move_type IN ('out_invoice', 'out_receipt') AND move.state = 'posted'
                   AND move.company_id = ANY(%(branches)s) AND move.date > %(start)s
                   AND move.commercial_partner_id IS NOT NULL
                   AND NOT EXISTS (
                       SELECT FROM credit_account account
                        WHERE account.partner_id = move.commercial_partner_id
                          AND account.company_id = %(company)s AND account.active)
                """,
                branches=list(company._credit_branch_ids()),
                start=add(date, months=-WINDOW_MONTHS),
                company=company.id,
            )
        )
        if missing:
            partners = self.env['res.partner'].browse(partner_id for [partner_id] in missing)
            self.env['credit.account']._for_partners(partners, company)
