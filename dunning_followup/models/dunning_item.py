from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_management.models.credit_exposure import MANY

from ..engine import schedule

BUCKET_LABELS = [
    ('not_due', "Not due"),
    ('1', "1–30 days"),
    ('2', "31–60 days"),
    ('3', "61–90 days"),
    ('4', "91–180 days"),
    ('5', "Over 180 days"),
]
# Notices that are not settled yet: what they are about is not taken up by another run.
OPEN_STATES = ('to_send', 'rendering', 'to_print', 'queued', 'sending')


class DunningItem(models.Model):
    """An open item of a customer, with what is left of it after unallocated credits and where its reminders are.

    There is no table: the rows are the open items of the exposure, so lists,
    runs and credit checks can't differ.
    """

    _name = 'dunning.item'
    _description = "Open Item to Remind"
    _auto = False
    _order = 'date_due, id'

    move_line_id = fields.Many2one('account.move.line', string="Journal Item", readonly=True)
    move_id = fields.Many2one('account.move', string="Invoice", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    account_id = fields.Many2one('credit.account', string="Credit Account", readonly=True)
    collector_id = fields.Many2one('res.users', readonly=True)
    salesperson_id = fields.Many2one('res.users', readonly=True)
    company_id = fields.Many2one('res.company', readonly=True, help="Main company.")
    document_company_id = fields.Many2one('res.company', string="Company of the Document", readonly=True)
    currency_id = fields.Many2one('res.currency', readonly=True)
    date_due = fields.Date(string="Due Date", readonly=True)
    days_overdue = fields.Integer(readonly=True, aggregator='max', help="Negative: days until it is due.")
    bucket = fields.Selection(BUCKET_LABELS, string="Age", readonly=True)
    amount = fields.Monetary(string="Open Amount", readonly=True, help="In company currency.")
    remaining = fields.Monetary(
        string="Left to Collect",
        readonly=True,
        help="What is left after unallocated payments and credit notes have paid the oldest items, company currency.",
    )
    amount_currency = fields.Monetary(string="In Currency", currency_field='document_currency_id', readonly=True)
    document_currency_id = fields.Many2one('res.currency', readonly=True)
    no_followup = fields.Boolean(readonly=True)
    plan_id = fields.Many2one('dunning.plan', readonly=True)
    step_id = fields.Many2one('dunning.step', string="Current Step", readonly=True)
    date_step = fields.Date(string="Last Reminder", readonly=True)
    next_date = fields.Date(string="Next Step On", readonly=True)
    in_notice = fields.Boolean(string="Being Sent", readonly=True)

    @property
    def _table_query(self):
        # Access rights and the company rule are applied to the rows as to any record.
        partner_ids = self.env['credit.exposure']._partners_of_context()
        companies = self.env.companies.root_id or self.env.company.root_id
        return SQL(" UNION ALL ").join(self._sql(company, partner_ids=partner_ids) for company in companies.sudo())

    @api.model
    def _sql(self, company, date=None, partner_ids=None):
        """Return the SELECT of the open receivable items of a company tree; flushes what it reads.

        :param company: the root company
        :param date: the day of the ages, the company's today if none is given
        :param partner_ids: commercial partners to restrict to, None for all
        """
        Exposure = self.env['credit.exposure'].sudo()
        Exposure._flush_sources(partner_ids)
        self.env['account.move.line'].flush_model(['no_followup'])
        self.env['credit.policy']._flush_choice()
        self.env['credit.account'].flush_model(['collector_id', 'dunning_plan_id'])
        self.env['dunning.progress'].flush_model()
        self.env['dunning.notice'].flush_model(['booked', 'run_id', 'state'])
        self.env['dunning.run'].flush_model(['state'])
        self.env['dunning.notice.line'].flush_model(['move_line_id', 'notice_id'])
        date = date or company._credit_today()
        common = Exposure._common(company, date, partner_ids, detail=False)
        age = SQL("(%s::date - item.date_due)", date)
        many = partner_ids is None or len(partner_ids) > MANY
        busy = SQL(
            """
            SELECT line.move_line_id FROM dunning_notice_line line
              JOIN dunning_notice notice ON notice.id = line.notice_id
             WHERE (notice.state = ANY(%s) OR (notice.state = 'sent' AND notice.booked IS NOT TRUE)
                    -- Held back until somebody includes or excludes it.
                    OR (notice.state = 'held'
                        AND notice.run_id IN (SELECT id FROM dunning_run WHERE state = 'sending')))
            """,
            list(OPEN_STATES),
        )
        return SQL(
            """
            SELECT item.id::int AS id, item.id::int AS move_line_id, aml.move_id, item.partner_id,
                   account.id AS account_id, account.collector_id, customer.user_id AS salesperson_id,
                   %(company)s AS company_id, aml.company_id AS document_company_id, %(currency)s AS currency_id,
                   item.date_due, %(age)s AS days_overdue,
                   CASE WHEN %(age)s <= 0 THEN 'not_due' WHEN %(age)s <= 30 THEN '1' WHEN %(age)s <= 60 THEN '2'
                        WHEN %(age)s <= 90 THEN '3' WHEN %(age)s <= 180 THEN '4' ELSE '5' END AS bucket,
                   item.amount, left_over.remaining,
                   aml.amount_residual_currency * left_over.remaining / item.amount AS amount_currency,
                   aml.currency_id AS document_currency_id, COALESCE(aml.no_followup, FALSE) AS no_followup,
                   %(plan)s AS plan_id, progress.step_id, progress.days AS step_days, progress.date_step,
                   progress.next_date,
                   %(busy)s AS in_notice
              FROM (
                SELECT whole.*, SUM(GREATEST(amount, 0)) OVER (PARTITION BY partner_id ORDER BY date_due, id)
                                AS debits_so_far,
                       SUM(GREATEST(-amount, 0)) OVER (PARTITION BY partner_id) AS unallocated
                  FROM (
                    SELECT partner_id, id / 8 AS id, MIN(date_due) AS date_due, SUM(amount) AS amount,
                           MIN(ledger_role) AS ledger_role
                      FROM (WITH %(contact)s, special_move AS MATERIALIZED (%(special_moves)s)
                            SELECT * FROM (%(open_items)s) AS open_item
                            UNION ALL SELECT * FROM (%(matched_drafts)s) AS matched_draft
                            UNION ALL SELECT * FROM (%(balances)s) AS balance) AS row
                     WHERE category = 'open_item'
                  GROUP BY partner_id, id / 8
                  ) AS whole
              ) AS item
        CROSS JOIN LATERAL (
                SELECT GREATEST(0, LEAST(item.amount, item.debits_so_far - item.unallocated)) AS remaining
              ) AS left_over
              JOIN account_move_line aml ON aml.id = item.id
              JOIN res_partner customer ON customer.id = item.partner_id
         LEFT JOIN credit_account account
                ON account.partner_id = item.partner_id AND account.company_id = %(company)s AND account.active
         LEFT JOIN dunning_progress progress ON progress.move_line_id = item.id
                   %(busy_join)s
             -- Not an equation: the planner would expect one row in 200, and loop over whole tables.
             WHERE item.amount > 0 AND item.ledger_role NOT IN ('advance', 'clearing', 'other')
            """,
            company=company.id,
            currency=company.currency_id.id,
            age=age,
            plan=self.env['dunning.plan']._plan_sql(company, SQL("item.partner_id")),
            busy=SQL("busy.move_line_id IS NOT NULL")
            if many
            else SQL("EXISTS (%s AND line.move_line_id = aml.id)", busy),
            busy_join=SQL("LEFT JOIN (%s GROUP BY line.move_line_id) AS busy ON busy.move_line_id = item.id", busy)
            if many
            else SQL(),
            contact=Exposure._contact_sql(common),
            special_moves=Exposure._special_moves_sql(common),
            open_items=Exposure._open_items_sql(common),
            matched_drafts=Exposure._matched_drafts_sql(common),
            balances=Exposure._balances_sql(common),
        )

    @api.model
    def _rows(self, company, date, partner_ids=None, where=None):
        """Return the rows of `_sql` as dicts, oldest first; amounts as floats.

        :param where: SQL condition on `item`
        """
        columns = SQL(
            """id, move_id, partner_id, account_id, document_company_id, date_due, days_overdue, amount::float8,
               remaining::float8, amount_currency::float8, document_currency_id, no_followup, plan_id, step_id,
               step_days, date_step, in_notice"""
        )
        return self.env.execute_query_dict(
            SQL(
                "SELECT %s FROM (%s) AS item WHERE %s ORDER BY partner_id, date_due, id",
                columns,
                self._sql(company, date, partner_ids),
                where or SQL("TRUE"),
            )
        )

    @api.model
    def _stopped(self, company, partner_ids):
        """Return {customer id: number of open items at or past a step after which there is no more credit}."""
        company = company.sudo()
        Passed = self.env['dunning.passed.step']
        Passed.flush_model(['move_line_id'])
        reached = SQL(
            "item.remaining > 0"
            " AND (item.step_id IS NOT NULL OR item.id IN (SELECT move_line_id FROM dunning_passed_step))"
        )
        rows = self._rows(company, company._credit_today(), partner_ids, reached)
        # Of those who refuse its channel, the step holds although it was not sent.
        passed = Passed.search([('move_line_id', 'in', [row['id'] for row in rows])])
        refused = set(passed.filtered('step_id.no_more_credit').move_line_id.ids)
        steps = self.env['dunning.step'].browse({row['step_id'] for row in rows} - {None})
        first = {
            plan.id: min(stops.mapped('days'))
            for plan in steps.plan_id
            if (stops := plan.step_ids.filtered('no_more_credit'))
        }
        plan_of = {step.id: step.plan_id.id for step in steps}
        stopped = {}
        for row in rows:
            sent = row['step_id'] and row['step_days'] >= first.get(plan_of[row['step_id']], row['step_days'] + 1)
            if sent or row['id'] in refused:
                stopped[row['partner_id']] = stopped.get(row['partner_id'], 0) + 1
        return stopped

    def action_open_document(self):
        """Open the invoice or entry of this item."""
        self.ensure_one()
        return self.move_id.get_formview_action()

    def action_view_account(self):
        """Open the credit account of this item's customer, or the customer, who may have none yet."""
        self.ensure_one()
        return (self.account_id or self.partner_id).get_formview_action()

    @api.model
    def _outlook(self, company, partner_ids):
        """Return {customer id: {step_id, date_step, next_date, next_step_id}} of some customers' reminders.

        Current is the furthest step of an open item; next, what comes first if nothing is paid.
        """
        company = company.sudo()
        today = company._credit_today()
        rows = self.sudo()._rows(company, today, partner_ids)
        nexts = self._nexts(rows, company, today)
        outlook = {}
        for row in rows:
            if row['remaining'] <= 0:
                continue
            entry = outlook.setdefault(
                row['partner_id'],
                {'step_id': None, 'days': None, 'date_step': None, 'next_date': None, 'next_step_id': None},
            )
            if row['step_id'] and (entry['days'] is None or row['step_days'] > entry['days']):
                entry |= {'step_id': row['step_id'], 'days': row['step_days']}
            if row['date_step']:
                entry['date_step'] = max(filter(None, [entry['date_step'], row['date_step']]))
            coming = nexts.get(row['id'])
            if coming and (not entry['next_date'] or coming[0] < entry['next_date']):
                entry |= {'next_date': coming[0], 'next_step_id': coming[1].id}
        return outlook

    @api.model
    def _nexts(self, rows, company, today, pass_over=True):
        """Return {item id: (day, engine step)} of what comes next; what is not chased has nothing.

        :param pass_over: False to count steps too that the customer refuses
        """
        plans = self.env['dunning.plan'].sudo().browse({row['plan_id'] for row in rows if row['plan_id']})
        steps = plans._engine_steps()
        starts = {plan.id: plan.start for plan in plans}
        lines = self.env['account.move.line'].browse(row['id'] for row in rows)
        excluded = self.env['dunning.exclusion'].sudo()._excluded(lines, company, today)
        refused = plans._refused_steps(company, list({row['partner_id'] for row in rows})) if pass_over else {}
        nexts = {}
        for row in rows:
            whole = row['id'] in excluded and excluded[row['id']][2] is None
            if row['remaining'] <= 0 or row['no_followup'] or whole or row['plan_id'] not in steps:
                continue
            progress = row['step_id'] and schedule.Progress(row['step_id'], row['step_days'], row['date_step'])
            item = schedule.Item(row['id'], row['date_due'] or today, progress or None)
            passed = refused.get(row['partner_id'], frozenset())
            if coming := schedule.next_step(item, steps[row['plan_id']], today, starts[row['plan_id']], passed):
                nexts[row['id']] = coming
        return nexts
