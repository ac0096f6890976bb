import logging

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, format_date
from odoo.tools.date_utils import add

from ..engine.history import WINDOW_MONTHS
from .scoring_score import BATCH

_logger = logging.getLogger(__name__)

ACTIVITY = 'customer_scoring.mail_activity_type_run_failed'
# With more customers who can't be scored it is none of theirs: the run fails.
MOST_BAD = 20


class ScoringRun(models.Model):
    """One day of one company on which its customers are scored: how far the job is."""

    _name = 'scoring.run'
    _description = "Scoring Run"
    _inherit = ['credit.day.run']

    state = fields.Selection(
        help="Incomplete: the day passed before the job was through; the next day's went on from the start."
    )
    score_count = fields.Integer(string="Customers Scored", readonly=True)
    bad_count = fields.Integer(
        string="Could Not Be Scored",
        readonly=True,
        help="Customers left out because of an error; the server's log has it.",
    )

    _company_date_unique = models.UniqueIndex('(company_id, date)', "A company's customers are scored once a day.")

    @api.depends('date', 'company_id')
    def _compute_display_name(self):
        for run in self:
            run.display_name = self.env._(
                "Scoring of %(date)s, %(company)s", date=format_date(self.env, run.date), company=run.company_id.name
            )

    @api.model
    def _cron_score(self):
        """Score the customers of all companies that have an active card, once per company and day."""
        cards = self.env['scoring.card'].search([('state', '=', 'active')])
        self.env['credit.counter']._in_turn(self._open, cards.company_id)._work()

    def _fail(self, error):
        # EXTENDS credit_management
        super()._fail(error)
        self.env['credit.counter']._tell_failure(self.company_id, ACTIVITY)

    @api.model
    def _open(self, companies):
        """Return the runs that are to do today."""
        self.env['credit.counter']._advance('company_id', dict.fromkeys(companies.ids, 0))
        # Also where no card is active any more.
        Overrides = self.env['scoring.override']
        for company in Overrides.search([('state', '=', 'active')]).company_id - companies:
            Overrides._expire(company)
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
        run.write({'state': 'todo', 'position': 0, 'score_count': 0, 'bad_count': 0})
        self.env.ref('customer_scoring.ir_cron_score').sudo()._trigger()

    def _step(self):
        """Score the next batch of accounts and tell whether the day is done."""
        self.ensure_one()
        company = self.company_id
        if not self.position:
            self.env['scoring.override']._expire(company)
            self._open_accounts(company, self.date)
            self.env['scoring.card']._change_over(company, self.date)
            self.env['scoring.card']._tell_ending(company, self.date)
        # Most accounts exist already; new ones of this day have greater ids and come last.
        accounts = self.env['credit.account'].search(
            [('company_id', '=', company.id), ('id', '>', self.position)], order='id', limit=BATCH
        )
        count, bad = self._score(accounts)
        done = len(accounts) < BATCH
        if done:
            self.env['scoring.prior']._take(company, self.date)
            if self.bad_count or bad:
                self.env['credit.counter']._tell_failure(company, ACTIVITY)
            else:
                self.env['credit.counter']._close_failure(company, ACTIVITY)
        self.write(
            {
                'score_count': self.score_count + count,
                'bad_count': self.bad_count + len(bad),
                'position': accounts[-1:].id or self.position,
                **({'state': 'done', 'error': False, 'date_done': fields.Datetime.now()} if done else {}),
            }
        )
        return done

    def _score(self, accounts):
        """Score accounts; what can't be is left out, found by halves. Return (number of scores, those left out)."""
        self.ensure_one()
        count, bad, todo = 0, accounts.browse(), [accounts] if accounts else []
        while todo:
            some = todo.pop()
            try:
                with self.env.cr.savepoint():
                    scored = self.env['scoring.score']._compute_for(some, self.date)
                    self.env.flush_all()
                count += scored
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:
                half = len(some) // 2
                if half:
                    todo += [some[half:], some[:half]]
                    continue
                bad += some
                # Whatever it is: one customer must not keep all others from being scored.
                if len(bad) > MOST_BAD or bad == accounts:
                    raise
                _logger.exception("Scoring of credit account %s for %s failed", some.id, self.date)
        return count, bad

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
