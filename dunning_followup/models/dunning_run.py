from collections import defaultdict
from datetime import datetime

import pytz
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date, formatLang
from odoo.tools.misc import split_every

from ..engine import schedule
from .dunning_item import OPEN_STATES
from .dunning_notice import COLLECTOR, _left

INSERT_BATCH = 5000
# What only the flow of a run writes.
FLOW_FIELDS = {'state', 'automatic', 'date_simulated', 'date_sent', 'date_done', 'candidate_count'}
DONE_STATES = ('sent', 'failed', 'cancelled', 'excluded', 'held')


class DunningRun(models.Model):
    """A run of reminders over the customers of a company: simulate, review, send, close."""

    _name = 'dunning.run'
    _inherit = ['credit.root.company', 'mail.thread', 'mail.activity.mixin']
    _description = "Reminder Run"
    _order = 'date desc, id desc'

    name = fields.Char(compute='_compute_name', store=True, precompute=True, readonly=False, required=True, copy=False)
    date = fields.Date(
        required=True,
        default=lambda self: self.env.company.root_id._credit_today(),
        tracking=True,
        help="The day on which ages are counted: today, as a rule.",
    )
    user_id = fields.Many2one(
        'res.users', string="Collector", required=True, default=lambda self: self.env.user, tracking=True
    )
    automatic = fields.Boolean(readonly=True, copy=False, help="Made by the scheduled action.")
    plan_ids = fields.Many2many(
        'dunning.plan',
        'dunning_run_plan_rel',
        'run_id',
        'plan_id',
        string="Plans",
        check_company=True,
        help="Only customers to whom one of these plans applies. Empty: all.",
    )
    tag_ids = fields.Many2many(
        'res.partner.category', 'dunning_run_tag_rel', 'run_id', 'tag_id', string="Tags", help="Only these customers."
    )
    partner_ids = fields.Many2many(
        'res.partner',
        'dunning_run_partner_rel',
        'run_id',
        'partner_id',
        string="Customers",
        help="Only these customers. Empty: all.",
    )
    state = fields.Selection(
        [
            ('draft', "Draft"),
            ('simulated', "To review"),
            ('sending', "Sending"),
            ('done', "Done"),
            ('cancelled', "Cancelled"),
        ],
        required=True,
        readonly=True,
        default='draft',
        tracking=True,
        copy=False,
    )
    date_simulated = fields.Datetime(string="Simulated On", readonly=True, copy=False)
    date_sent = fields.Datetime(string="Released On", readonly=True, copy=False)
    date_done = fields.Datetime(string="Done On", readonly=True, copy=False)
    candidate_count = fields.Integer(string="Items Looked At", readonly=True, copy=False)
    notice_ids = fields.One2many('dunning.notice', 'run_id', string="Customers' Notices", readonly=True)
    exclusion_ids = fields.One2many('dunning.run.exclusion', 'run_id', string="Not Chased", readonly=True)
    notice_count = fields.Integer(string="Notices", compute='_compute_counts')
    amount_total = fields.Monetary(string="Amount", compute='_compute_counts', help="In company currency.")
    sent_count = fields.Integer(string="Sent", compute='_compute_counts')
    failed_count = fields.Integer(string="Failed", compute='_compute_counts')
    waiting_count = fields.Integer(string="Still to Send", compute='_compute_counts')
    held_count = fields.Integer(string="On Hold", compute='_compute_counts')
    print_count = fields.Integer(string="To Print", compute='_compute_counts')
    excluded_count = fields.Integer(string="Items Not Chased", compute='_compute_counts')
    covered_count = fields.Integer(string="Items to Match", compute='_compute_counts')
    progress = fields.Integer(compute='_compute_counts', help="Percent of the notices that are through.")
    summary = fields.Html(compute='_compute_summary', sanitize=False)

    @api.depends('date', 'company_id')
    def _compute_name(self):
        for run in self:
            run.name = self.env._("Reminders of %(date)s", date=format_date(self.env, run.date) if run.date else '')

    def _compute_counts(self):
        groups = defaultdict(lambda: defaultdict(lambda: (0, 0.0)))
        for run, state, count, amount in self.env['dunning.notice']._read_group(
            [('run_id', 'in', self.ids)], ['run_id', 'state'], ['__count', 'amount_total:sum']
        ):
            groups[run.id][state] = (count, amount)
        excluded = defaultdict(dict)
        for run, code, count in self.env['dunning.run.exclusion']._read_group(
            [('run_id', 'in', self.ids)], ['run_id', 'code'], ['__count']
        ):
            excluded[run.id][code] = count
        for run in self:
            states = groups[run.id]
            counts = {state: count for state, (count, _amount) in states.items()}
            run.notice_count = sum(counts.values())
            run.amount_total = sum(
                amount for state, (_count, amount) in states.items() if state not in ('excluded', 'held', 'cancelled')
            )
            run.sent_count = counts.get('sent', 0)
            run.failed_count = counts.get('failed', 0)
            run.held_count = counts.get('held', 0)
            run.print_count = counts.get('to_print', 0)
            run.waiting_count = sum(counts.get(state, 0) for state in OPEN_STATES)
            run.excluded_count = sum(excluded[run.id].values())
            run.covered_count = excluded[run.id].get('covered', 0)
            through = sum(counts.get(state, 0) for state in DONE_STATES)
            run.progress = round(100 * through / run.notice_count) if run.notice_count else 100 * (run.state == 'done')

    @api.depends_context('lang')
    def _compute_summary(self):
        notices = self.env['dunning.notice']
        states = dict(notices._fields['state']._description_selection(self.env))
        channels = dict(notices._fields['channel']._description_selection(self.env))
        rows, reasons, later = defaultdict(list), defaultdict(list), defaultdict(list)
        for run, step, channel, state, count, amount in notices._read_group(
            [('run_id', 'in', self.ids)],
            ['run_id', 'step_id', 'channel', 'state'],
            ['__count', 'amount_total:sum'],
            order='step_id, channel, state',
        ):
            rows[run.id].append(
                (step.with_context(dunning_short=True).display_name, channels[channel], states[state], count, amount)
            )
        for run, reason, count, amount in self.env['dunning.run.exclusion']._read_group(
            [('run_id', 'in', self.ids)], ['run_id', 'code'], ['__count', 'amount:sum'], order='code'
        ):
            reasons[run.id].append((self._reason_label(reason), count, amount))
        for run, state, reason, count, amount in notices._read_group(
            [
                ('run_id', 'in', self.ids),
                ('state', 'in', ('draft', 'excluded', 'held', 'to_send', 'failed')),
                ('reason', '!=', False),
            ],
            ['run_id', 'state', 'reason'],
            ['__count', 'amount_total:sum'],
            order='state, reason',
        ):
            later[run.id].append((states[state], reason, count, amount))
        customers, amount = self.env._("Customers"), self.env._("Amount")
        for run in self:
            run.summary = (
                run._html_table(
                    [self.env._("Step"), self.env._("Channel"), self.env._("State"), customers, amount], rows[run.id]
                )
                + run._html_table([self.env._("State"), self.env._("Not at once"), customers, amount], later[run.id])
                + run._html_table([self.env._("Not chased"), self.env._("Items"), amount], reasons[run.id])
            )

    def _html_table(self, titles, rows):
        """Return a small table whose last two columns are a count and an amount; nothing without rows."""
        if not rows:
            return Markup()
        cells = [
            [
                *(Markup("<td>%s</td>") % text for text in row[:-2]),
                Markup("<td class='text-end'>%s</td>") % row[-2],
                Markup("<td class='text-end text-nowrap'>%s</td>")
                % formatLang(self.env, row[-1] or 0.0, currency_obj=self.currency_id),
            ]
            for row in rows
        ]
        heads = [
            Markup("<th class='%s'>%s</th>") % ('text-end' if index >= len(titles) - 2 else '', title)
            for index, title in enumerate(titles)
        ]
        return Markup(
            "<div class='table-responsive'><table class='table table-sm'>"
            "<thead><tr>%s</tr></thead><tbody>%s</tbody></table></div>"
        ) % (
            Markup().join(heads),
            Markup().join(Markup("<tr>%s</tr>") % Markup().join(row) for row in cells),
        )

    @api.model
    def _reason_label(self, code):
        """Return the name of a kind of reason; the reasons themselves are with each item."""
        return dict(self.env['dunning.run.exclusion']._fields['code']._description_selection(self.env)).get(code, code)

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [{name: value for name, value in vals.items() if name not in FLOW_FIELDS} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            if FLOW_FIELDS & vals.keys():
                raise AccessError(self.env._("The state of a run follows from its buttons."))
            settled = {'date', 'company_id', 'plan_ids', 'tag_ids', 'partner_ids'} & vals.keys()
            if settled and self.filtered(lambda run: run.state not in ('draft', 'simulated')):
                raise UserError(self.env._("This run was released already. Make another one."))
            result = super().write(vals)
            if settled:
                # What is proposed is not what was asked for any more: nobody may send it unseen.
                self.filtered(lambda run: run.state == 'simulated').sudo().write({'state': 'draft'})
            return result
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_released(self):
        if self.filtered(lambda run: run.state in ('sending', 'done')):
            raise UserError(self.env._("What was sent is kept. Only runs that were never released can be deleted."))

    # -------------------------------------------------------------------------
    # Simulate
    # -------------------------------------------------------------------------

    def _check_collector(self):
        if not (self.env.su or self.env.user.has_group(COLLECTOR)):
            raise AccessError(self.env._("Only collectors send reminders. Ask one of them."))
        self.check_access('write')

    def action_simulate(self):
        """Find out who would get what, and who is left out and why; nothing is sent. Collectors only."""
        self._check_collector()
        for run in self:
            if run.state not in ('draft', 'simulated'):
                raise UserError(self.env._("This run was released already. Make another one."))
            run.sudo()._simulate()
        return True

    def _simulate(self):
        self.ensure_one()
        company = self.company_id
        # Of two at once, one runs again and sees what the other has made.
        self.try_lock_for_update()
        self.env['dunning.notice'].flush_model()
        decided = [
            (notice.partner_id.id, notice.state, notice.reason)
            for notice in self.notice_ids
            if notice.state in ('excluded', 'held') and not notice.refused
        ]
        for table in ('dunning_notice', 'dunning_run_exclusion'):
            self.env.cr.execute(SQL("DELETE FROM %s WHERE run_id = %s", SQL.identifier(table), self.id))
        plans = self._plans()
        engine_steps = plans._engine_steps()
        ahead = -min([0, *(step.days for steps in engine_steps.values() for step in steps)])
        rows = self._candidates(ahead)
        reasons = self.env['dunning.exclusion']._excluded(
            self.env['account.move.line'].browse(row['id'] for row in rows), company, self.date
        )
        candidates, lists, exclusions = {}, {}, []
        by_customer = defaultdict(list)
        for row in rows:
            by_customer[row['partner_id']].append(row)
        for partner_id, items in by_customer.items():
            listed, chased = [], []
            for row in items:
                code, reason, amount = self._exclusion(row, reasons)
                document = partner_id, row['id'], row['move_id'], row['date_due']
                covers = code != 'covered' and row['days_overdue'] > 0 and self._partly_covered(row)
                # Of what is covered as a whole nothing is left to be excluded.
                if code and (row['days_overdue'] > 0 or code not in ('covered', 'no_plan')) and (amount or not covers):
                    exclusions.append((*document, code, reason, amount))
                if covers:
                    covered = self.currency_id.round(row['amount'] - row['remaining'])
                    exclusions.append((*document, 'covered', self._reason_label('covered'), covered))
                row['left'], row['left_currency'] = _left(row, reasons, company)
                stopped = company.currency_id.compare_amounts(row['left'], 0.0) <= 0 or row['in_notice']
                if not stopped:
                    listed.append(row)
                progress = row['step_id'] and schedule.Progress(row['step_id'], row['step_days'], row['date_step'])
                chased.append(schedule.Item(row['id'], row['date_due'] or self.date, progress or None, stopped))
            if items[0]['plan_id'] in engine_steps:
                candidates[partner_id], lists[partner_id] = (items[0]['plan_id'], chased), listed
        self._insert(self._propose(candidates, plans), lists, exclusions)
        # What a person decided holds when the run is simulated again.
        notice_of = {notice.partner_id.id: notice for notice in self.notice_ids} if decided else {}
        for partner_id, state, reason in decided:
            if notice := notice_of.get(partner_id):
                notice.write({'state': state, 'reason': reason, 'refused': False})
        self.sudo().write({'state': 'simulated', 'date_simulated': fields.Datetime.now(), 'candidate_count': len(rows)})
        self.invalidate_recordset()

    def _plans(self):
        """Return the plans that this run is about."""
        return self.plan_ids or self.env['dunning.plan'].search([('company_id', '=', self.company_id.id)])

    def _candidates(self, ahead):
        """Return the rows of `dunning.item` that may be reminded of, up to so many days before they are due."""
        where = [SQL("item.days_overdue >= %s", -ahead)]
        if self.plan_ids:
            where.append(SQL("item.plan_id = ANY(%s)", self.plan_ids.ids))
        if self.tag_ids:
            where.append(
                SQL(
                    "EXISTS (SELECT FROM res_partner_res_partner_category_rel tagged"
                    " WHERE tagged.partner_id = item.partner_id AND tagged.category_id = ANY(%s))",
                    self.tag_ids.ids,
                )
            )
        partner_ids = self.partner_ids.commercial_partner_id.ids or None
        return self.env['dunning.item']._rows(self.company_id, self.date, partner_ids, SQL(" AND ").join(where))

    def _exclusion(self, row, reasons):
        """Return (code, text, amount in company currency) of why an item is not chased; ('', '', 0) if it is."""
        if row['in_notice']:
            return 'in_notice', self._reason_label('in_notice'), row['remaining']
        if row['id'] in reasons:
            code, text, amount = reasons[row['id']]
            return code, text, row['remaining'] if amount is None else amount
        if row['no_followup']:
            return 'no_followup', self._reason_label('no_followup'), row['remaining']
        if row['remaining'] <= 0:
            return 'covered', self._reason_label('covered'), row['amount']
        if not row['plan_id']:
            return 'no_plan', self._reason_label('no_plan'), row['remaining']
        return '', '', 0.0

    def _partly_covered(self, row):
        """Tell whether unallocated credits cover a part of an item, or all of it."""
        return row['amount'] > row['remaining'] and (
            self.currency_id.compare_amounts(row['amount'], row['remaining']) > 0
        )

    def _insert(self, messages, lists, exclusions):
        """Write what was found, some thousand rows in a statement.

        :param messages: [Message]
        :param lists: {customer id: rows of `dunning.item` that may be listed}
        """
        round_ = self.currency_id.round
        for batch in split_every(INSERT_BATCH, messages):
            # What is not due yet is listed only where it has reached a step itself.
            batch = [
                (
                    message,
                    [
                        row
                        for row in lists[message.partner_id]
                        if row['days_overdue'] > 0 or row['id'] in message.proposal.steps
                    ],
                )
                for message in batch
            ]
            ids = {
                partner_id: id_
                for id_, partner_id in self.env.execute_query(
                    SQL(
                        """
                        INSERT INTO dunning_notice
                               (run_id, kind, company_id, date, attempts, key, create_uid, create_date,
                                write_uid, write_date, partner_id, contact_id, plan_id, step_id, channel, amount_total,
                                item_count, days_overdue, state, reason, date_next, refused, passed_over)
                        SELECT %(run)s, 'reminder', %(company)s, %(date)s, 0, gen_random_uuid()::text, %(uid)s,
                               now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC', new.*
                          FROM unnest(%(c0)s, %(c1)s, %(c2)s, %(c3)s, %(c4)s, %(c5)s::numeric[], %(c6)s, %(c7)s, %(c8)s,
                                      %(c9)s::text[], %(c10)s::timestamp[], %(c11)s::bool[], %(c12)s::text[]) AS new
                     RETURNING id, partner_id
                        """,
                        run=self.id,
                        company=self.company_id.id,
                        date=self.date,
                        uid=self.env.uid,
                        **_columns(
                            (
                                message.partner_id,
                                message.way.contact_id,
                                message.plan_id,
                                message.proposal.lead.id,
                                message.way.channel,
                                round_(sum(row['left'] for row in listed)),
                                len(listed),
                                max(row['days_overdue'] for row in listed),
                                'excluded' if message.way.blocked == 'refused' else 'draft',
                                message.way.reason or None,
                                message.way.moment,
                                message.way.blocked == 'refused',
                                message.passed or None,
                            )
                            for message, listed in batch
                        ),
                    )
                )
            }
            lines = [
                (
                    ids[message.partner_id],
                    row['id'],
                    row['move_id'],
                    step and step.id,
                    step and step.days,
                    row['date_due'],
                    row['days_overdue'],
                    row['left'],
                    row['left_currency'],
                    row['document_currency_id'],
                )
                for message, listed in batch
                for row in listed
                for step in [message.proposal.steps.get(row['id'])]
            ]
            self.env.execute_query(
                SQL(
                    """
                    INSERT INTO dunning_notice_line
                           (notice_id, move_line_id, move_id, step_id, step_days, date_due, days_overdue,
                            amount_residual, amount_currency, document_currency_id)
                    SELECT * FROM unnest(%(c0)s, %(c1)s, %(c2)s, %(c3)s::int[], %(c4)s::int[], %(c5)s::date[], %(c6)s,
                                         %(c7)s::numeric[], %(c8)s::numeric[], %(c9)s)
                    RETURNING 1
                    """,
                    **_columns(lines),
                )
            )
        for batch in split_every(INSERT_BATCH, exclusions):
            self.env.execute_query(
                SQL(
                    """
                    INSERT INTO dunning_run_exclusion
                           (run_id, partner_id, move_line_id, move_id, date_due, code, reason, amount)
                    SELECT %(run)s, new.*
                      FROM unnest(%(c0)s, %(c1)s, %(c2)s, %(c3)s::date[], %(c4)s, %(c5)s, %(c6)s::numeric[]) AS new
                    RETURNING 1
                    """,
                    run=self.id,
                    **_columns(batch),
                )
            )
        self.env['dunning.notice'].invalidate_model()
        self.env['dunning.run.exclusion'].invalidate_model()

    # -------------------------------------------------------------------------
    # Send, close
    # -------------------------------------------------------------------------

    def action_send(self):
        """Release what is proposed: it goes out in the background. Collectors only."""
        self._check_collector()
        for run in self:
            if run.state != 'simulated':
                raise UserError(self.env._("Simulate the run first, and look at what it proposes."))
            if run.date > run.company_id._credit_today():
                raise UserError(
                    self.env._(
                        "This run shows what is due on %(date)s. Only on that day it can be sent.",
                        date=format_date(self.env, run.date),
                    )
                )
            run.sudo()._release()
        return True

    def _release(self):
        self.ensure_one()
        notices = self.env['dunning.notice']
        notices.flush_model(['channel', 'date_next', 'reason', 'run_id', 'state', 'step_id'])
        self.env['dunning.step'].flush_model(['channel'])
        # Written, not only read: of two who release at once, one is run again and refused.
        self.write({'state': 'sending', 'date_sent': fields.Datetime.now()})
        self.flush_recordset()
        self.env['dunning.passed.step']._take_effect(self)
        # As `dunning.notice._release` does it, of thousands at once.
        self.env.execute_query(
            SQL(
                """
                UPDATE dunning_notice notice
                   SET state = 'to_send', channel = step.channel, reason = NULL, date_next = NULL
                  FROM dunning_step step
                 WHERE step.id = notice.step_id AND notice.run_id = %s AND notice.state = 'draft'
                RETURNING notice.id
                """,
                self.id,
            )
        )
        notices.invalidate_model(['channel', 'date_next', 'reason', 'state'])
        self._ask_to_match()
        notices._trigger()

    def _ask_to_match(self):
        """Ask the collectors to match the payments of customers whose overdue items they cover, wholly or in part.

        A customer has one such task at a time.

        :returns: the number of tasks made
        """
        covered = self.env['dunning.run.exclusion'].search([('run_id', '=', self.id), ('code', '=', 'covered')])
        if not covered:
            return 0
        # Of two who ask at once, the second sees what the first has made.
        self.env['credit.counter']._advance('company_id', {self.company_id.id: 0})
        accounts = self.env['credit.account']._for_partners(covered.partner_id, self.company_id)
        activity_type = 'dunning_followup.mail_activity_type_match'
        summary = self.env.ref(activity_type).summary
        requests = [(account, account._collector(self.user_id), summary, '') for account in accounts]
        return len(accounts._ask_once(activity_type, requests))

    def action_ask_to_match(self):
        """Have payments matched where nothing else is to be done; collectors only. The run is done then."""
        self._check_collector()
        for run in self:
            if run.state != 'simulated' or run.notice_count:
                raise UserError(self.env._("Send the run: the payments to be matched become tasks then."))
            count = run.sudo()._ask_to_match()
            run.sudo().write({'state': 'done', 'date_done': fields.Datetime.now()})
            run.message_post(body=run.env._("Tasks to match payments: %(count)s", count=count))
        return True

    def action_stop(self):
        """Cancel what is not handed over yet. Collectors only."""
        self._check_collector()
        rest = self.notice_ids.filtered(
            lambda notice: notice.state in ('draft', 'held', 'to_send', 'rendering', 'to_print')
        )
        if rest:
            rest.action_cancel()
        self.sudo()._finish()
        return True

    def action_close(self):
        """Close a run of which nothing is under way any more. Collectors only.

        :raise UserError: if something still is
        """
        self._check_collector()
        for run in self:
            if run.state != 'sending':
                raise UserError(self.env._("Only a run that was released can be closed."))
            if run.waiting_count:
                raise UserError(
                    self.env._(
                        "%(count)s notices are still to be sent, printed or confirmed. Wait, print them, or stop the "
                        "run.",
                        count=run.waiting_count,
                    )
                )
            if run.held_count:
                raise UserError(
                    self.env._(
                        "%(count)s customers are on hold. Include or exclude them, or stop the run.",
                        count=run.held_count,
                    )
                )
        self.sudo()._finish()
        return True

    def action_cancel(self):
        """Drop a run that was not released. Collectors only."""
        self._check_collector()
        if self.filtered(lambda run: run.state not in ('draft', 'simulated')):
            raise UserError(self.env._("This run was released already: stop it instead."))
        self.notice_ids.filtered(lambda notice: notice.state in ('draft', 'held', 'excluded')).sudo().write(
            {'state': 'cancelled'}
        )
        self.sudo().write({'state': 'cancelled'})
        return True

    @api.model
    def _close_finished(self):
        """Close the runs of which all notices are through; what is on hold keeps a run open, unless it was paid."""
        runs = self.search([('state', '=', 'sending')])
        held = self.env['dunning.notice'].search([('run_id', 'in', runs.ids), ('state', '=', 'held')])
        held.filtered(lambda notice: all(notice.line_ids.move_line_id.mapped('reconciled'))).write(
            {'state': 'cancelled', 'reason': self.env._("Paid, or not to be chased any more.")}
        )
        busy = self.env['dunning.notice']._read_group(
            [('run_id', 'in', runs.ids), ('state', 'in', (*OPEN_STATES, 'held'))], ['run_id']
        )
        unbooked = self.env['dunning.notice']._read_group(
            [('run_id', 'in', runs.ids), ('state', 'in', ('sent', 'failed')), ('booked', '=', False)], ['run_id']
        )
        for run in runs - self.union(*(run for [run] in busy + unbooked)):
            if run.try_lock_for_update():
                run._finish()

    def _finish(self):
        """Close these runs and report what became of them; who made them is told if something failed."""
        for run in self.filtered(lambda run: run.state == 'sending'):
            if run.waiting_count or run.held_count:
                continue  # in the mail queue, or on hold: closed when the last is through
            run.write({'state': 'done', 'date_done': fields.Datetime.now()})
            values = {'sent': run.sent_count, 'failed': run.failed_count, 'waiting': run.waiting_count}
            reader = run.with_context(lang=run.user_id.lang or self.env.lang)
            text = reader.env._("Sent: %(sent)s. Failed: %(failed)s. Still to send: %(waiting)s.", **values)
            run.message_post(
                body=text, partner_ids=run.user_id.partner_id.ids if run.failed_count and run.user_id.active else []
            )

    # -------------------------------------------------------------------------
    # Unattended
    # -------------------------------------------------------------------------

    @api.model
    def _cron_run(self):
        """Make today's run of each company that wants one, once its hour has come where it is."""
        companies = self.env['res.company'].search([('parent_id', '=', False), ('dunning_mode', '!=', 'off')])
        due = companies.filtered(self._is_due)
        self.env['credit.counter']._each_company(
            due, self._run_company, 'dunning_followup.mail_activity_type_run_failed'
        )

    @api.model
    def _is_due(self, company, now=None):
        """Tell whether a company's unattended run is to be made now."""
        local = (now or datetime.now(pytz.utc)).astimezone(pytz.timezone(company._credit_timezone()))
        if local.hour < company.dunning_hour or (company.dunning_workdays and local.weekday() > 4):
            return False
        domain = [('company_id', '=', company.id), ('date', '=', local.date()), ('automatic', '=', True)]
        return not self.search_count(domain, limit=1)

    @api.model
    def _run_company(self, company):
        """Make, simulate and, as the company wants it, release today's run."""
        # Of two servers, the second sees what the first has made.
        self.env['credit.counter']._advance('company_id', {company.id: 0})
        if not self._is_due(company):
            return
        user = company.dunning_user_id or company._collections_managers()[:1] or self.env.user
        # Whom reasons and messages are for.
        run = self.with_context(lang=user.lang or self.env.lang).create(
            {'company_id': company.id, 'user_id': user.id, 'automatic': True, 'date': company._credit_today()}
        )
        run._simulate()
        proposed = run.notice_ids.search_count([('run_id', '=', run.id), ('state', '=', 'draft')])
        if not proposed:
            self.env['dunning.passed.step']._take_effect(run)
            run._ask_to_match()
            run.write({'state': 'done', 'date_done': fields.Datetime.now()})
        elif company.dunning_mode == 'send':
            run._release()
        else:
            run.message_post(
                body=run.env._("%(count)s reminders are proposed. Review and send them.", count=proposed),
                partner_ids=user.partner_id.ids,
            )

    # -------------------------------------------------------------------------
    # Screens
    # -------------------------------------------------------------------------

    def _notice_action(self, domain=(), **context):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_notice_action_run')
        return action | {'domain': [('run_id', '=', self.id), *domain], 'context': {'create': False, **context}}

    def action_view_notices(self):
        """Open who gets what in this run."""
        return self._notice_action()

    def action_view_failed(self):
        """Open what failed in this run."""
        return self._notice_action([('state', '=', 'failed')])

    def action_view_waiting(self):
        """Open what is under way in this run."""
        return self._notice_action([('state', 'in', OPEN_STATES)])

    def action_view_held(self):
        """Open what is on hold in this run."""
        return self._notice_action([('state', '=', 'held')])

    def action_view_exclusions(self):
        """Open what this run leaves out, and why."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_run_exclusion_action')
        return action | {'domain': [('run_id', '=', self.id)]}

    def action_print_letters(self):
        """Open one PDF of all letters of this run that are to be printed. Collectors only."""
        self.ensure_one()
        self._check_collector()
        return self.notice_ids.filtered(lambda notice: notice.state == 'to_print').action_print()

    def action_letters_posted(self):
        """Note that the letters of this run that were printed are posted. Collectors only.

        :raise UserError: if none was printed
        """
        self.ensure_one()
        self._check_collector()
        # PDFs are made in the background: what came after the printing is in nobody's hands yet.
        printed = self.notice_ids.filtered(lambda notice: notice.state == 'to_print' and notice.printed)
        if not printed:
            raise UserError(self.env._("No letter of this run was printed yet. Print the letters first."))
        printed.action_mark_sent()
        return True


def _columns(rows):
    """Return the columns of some rows as named lists: c0, c1, …"""
    return {f'c{index}': list(column) for index, column in enumerate(zip(*rows, strict=True))}
