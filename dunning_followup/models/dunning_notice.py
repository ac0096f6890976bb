import logging
import uuid
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL
from odoo.tools.misc import split_every

from ..engine import schedule
from ..engine.contact_window import strictest
from .dunning_contact import SENT
from .dunning_step import CHANNEL_LABELS, FALLBACK_CHANNELS, GATEWAY_CHANNELS

_logger = logging.getLogger(__name__)

STATE_LABELS = [
    ('draft', "Proposed"),
    ('excluded', "Excluded"),
    ('held', "On hold"),
    ('to_send', "To send"),
    ('rendering', "PDF to be made"),
    ('to_print', "To print"),
    ('queued', "In the mail queue"),
    ('sending', "Being handed over"),
    ('sent', "Sent"),
    ('failed', "Failed"),
    ('cancelled', "Cancelled"),
]
BATCH = 200  # notices in one transaction
BOOK_BATCH = 500
TRIES = 10  # before a person has to look at it
FIRST_WAIT = timedelta(minutes=15)  # doubled with each failure
LONGEST_WAIT = timedelta(days=1)
# After that, whoever was handing a notice over is dead: no request takes so long.
ABANDONED = timedelta(minutes=10)
# In one of Odoo's queues; after that, payments, pauses and contact hours are looked at again.
FRESH = timedelta(minutes=30)
COLLECTOR = 'dunning_followup.group_collections_collector'
# Of a notice whose PDFs are not those of what it lists, or of whom it goes to.
NOT_MADE = {'attachment_id': False, 'file_ids': [fields.Command.clear()], 'rendered': False}


class DunningNotice(models.Model):
    """What one customer gets in one run: one message about all open items, led by the furthest step.

    Each change of the state is committed before anything leaves the house, and
    a notice leaves it from one state only, so that whoever is killed sends
    nothing twice. Channels are methods `_send_<channel>`.
    """

    _name = 'dunning.notice'
    _description = "Reminder Sent to a Customer"
    _order = 'date desc, id desc'
    _check_company_auto = True

    run_id = fields.Many2one('dunning.run', readonly=True, index=True, ondelete='cascade')
    kind = fields.Selection(
        [('reminder', "Reminder"), ('thank_you', "Thanks")], required=True, readonly=True, default='reminder'
    )
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    partner_id = fields.Many2one(
        'res.partner', string="Customer", required=True, readonly=True, index=True, ondelete='restrict'
    )
    contact_id = fields.Many2one('res.partner', string="Recipient", readonly=True, ondelete='set null')
    represented = fields.Boolean(
        string="To the Lawyer", readonly=True, help="The customer is represented by a lawyer and not contacted himself."
    )
    plan_id = fields.Many2one('dunning.plan', readonly=True, ondelete='restrict')
    step_id = fields.Many2one('dunning.step', readonly=True, index=True, ondelete='restrict', help="Leads the message.")
    channel = fields.Selection(CHANNEL_LABELS, readonly=True, required=True)
    state = fields.Selection(STATE_LABELS, readonly=True, required=True, default='draft', index=True)
    reason = fields.Char(readonly=True, help="Why it is excluded, on hold, waiting, failed or cancelled.")
    date = fields.Date(readonly=True, required=True, help="Day of the run.")
    line_ids = fields.One2many('dunning.notice.line', 'notice_id', string="Items", readonly=True)
    amount_total = fields.Monetary(string="Amount", readonly=True, help="Of all items listed, in company currency.")
    passed_over = fields.Text(
        string="Steps Passed Over", readonly=True, help="Steps that can't be done with this customer, and why."
    )
    refused = fields.Boolean(readonly=True, help="Excluded by the contact rules, not by a person.")
    item_count = fields.Integer(string="Items Listed", readonly=True)
    days_overdue = fields.Integer(string="Oldest Item (Days)", readonly=True, aggregator='max')
    date_sent = fields.Datetime(string="Sent On", readonly=True)
    date_next = fields.Datetime(string="Not Before", readonly=True, help="When it is tried again.")
    date_queued = fields.Datetime(readonly=True, help="Since when it is in the queue of e-mails or text messages.")
    date_claimed = fields.Datetime(readonly=True, help="Since when it is being handed over.")
    attempts = fields.Integer(readonly=True, aggregator=None)
    booked = fields.Boolean(
        readonly=True, help="Whether progress, credit file and claims know what became of this notice."
    )
    thanked = fields.Boolean(readonly=True)
    key = fields.Char(
        readonly=True,
        required=True,
        copy=False,
        default=lambda self: uuid.uuid4().hex,
        help="Goes with the message, so that a receiver can tell a repetition.",
    )
    subject = fields.Char(readonly=True)
    text = fields.Text(readonly=True, help="Of short messages, activities and notes.")
    mail_mail_id = fields.Many2one(
        'mail.mail', string="E-mail", readonly=True, index='btree_not_null', ondelete='set null'
    )
    sms_uuid = fields.Char(readonly=True, index='btree_not_null')
    provider_ref = fields.Char(string="Gateway Reference", readonly=True, index='btree_not_null')
    delivery = fields.Selection([('delivered', "Delivered"), ('undelivered', "Not delivered")], readonly=True)
    attachment_id = fields.Many2one('ir.attachment', string="PDF", readonly=True, ondelete='set null')
    printed = fields.Boolean(readonly=True, help="Of letters: whether the PDF was opened to be printed.")
    rendered = fields.Boolean(readonly=True, help="Of e-mails: whether the files are those of what it lists.")
    date_stated = fields.Date(
        string="Interest Until", readonly=True, help="Last day of the interest that the message states."
    )
    file_ids = fields.Many2many(
        'ir.attachment', 'dunning_notice_file_rel', 'notice_id', 'attachment_id', string="Files", readonly=True
    )
    content = fields.Html(compute='_compute_content', compute_sudo=True, sanitize=False, help="As it was sent.")

    merged = fields.Boolean(readonly=True, help="Of a contact that was merged into the customer afterwards.")

    _run_partner_unique = models.UniqueIndex(
        '(run_id, partner_id) WHERE run_id IS NOT NULL AND merged IS NOT TRUE', "One notice per customer and run."
    )
    _key_unique = models.UniqueIndex('(key)', "A notice has a key of its own.")
    _open_idx = models.Index("(state, id) WHERE state IN ('to_send', 'rendering', 'queued', 'sending')")
    _unbooked_idx = models.Index("(id) WHERE booked IS NOT TRUE AND state IN ('sent', 'failed')")
    _timeline_idx = models.Index('(partner_id, company_id, date_sent)')

    @api.depends('partner_id', 'step_id', 'kind')
    def _compute_display_name(self):
        for notice in self.sudo():
            what = notice.step_id.name or self.env._("Thanks")
            notice.display_name = f'{notice.partner_id.display_name}: {what}'

    @api.depends('mail_mail_id', 'text')
    def _compute_content(self):
        for notice in self:
            notice.content = notice.mail_mail_id.body_html or (
                Markup("<p style='white-space: pre-wrap'>%s</p>") % notice.text if notice.text else False
            )

    # -------------------------------------------------------------------------
    # Review
    # -------------------------------------------------------------------------

    def _check_collector(self):
        """Refuse who may not decide on notices; what is decided is written as the system."""
        if not (self.env.su or self.env.user.has_group(COLLECTOR)):
            raise AccessError(self.env._("Only collectors decide on reminders. Ask one of them."))
        self.check_access('read')

    def _decide(self, state, reason):
        """Take notices out of a run that is not sent yet, or put them back; collectors only.

        :param state: 'draft', 'excluded' or 'held'
        """
        self._check_collector()
        if self.run_id.filtered(lambda run: run.state not in ('simulated', 'sending')) or self.filtered(
            lambda notice: notice.state not in ('draft', 'excluded', 'held')
        ):
            raise UserError(self.env._("Only what is proposed and not sent yet can be decided on."))
        if state != 'draft' and not (reason or '').strip():
            raise UserError(self.env._("State the reason: it is kept with the run."))
        self.sudo().write({'state': state, 'reason': state != 'draft' and reason, 'refused': False})
        if self.run_id.filtered(lambda run: run.state == 'sending'):
            # It may have been the last that the run waited for.
            self._trigger()

    def action_include(self):
        """Put notices back that were excluded or on hold; collectors only."""
        self._decide('draft', False)
        # What is released while the run is under way is sent with it.
        if released := self.filtered(lambda notice: notice.run_id.state == 'sending'):
            released.sudo()._release()

    def _release(self):
        """Give these free to be sent; channel and moment, which were a forecast, are found anew then."""
        for channel, notices in self.grouped(lambda notice: notice.step_id.channel or notice.channel).items():
            notices.write({'state': 'to_send', 'channel': channel, 'reason': False, 'date_next': False})
        self._trigger()

    def action_exclude(self):
        """Ask for the reason why these notices are not sent in this run."""
        return self._ask_decision('excluded')

    def action_hold(self):
        """Ask for the reason why these notices are held back for now."""
        return self._ask_decision('held')

    def _ask_decision(self, state):
        self._check_collector()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Exclude") if state == 'excluded' else self.env._("Hold"),
            'res_model': 'dunning.decision',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_notice_ids': self.ids, 'default_state': state},
        }

    def action_retry(self):
        """Send what failed again now; collectors only."""
        self._check_collector()
        failed = self.filtered(
            lambda notice: (
                notice.state in ('failed', 'to_send') or (notice.state == 'sent' and notice.delivery == 'undelivered')
            )
        )
        if not failed:
            raise UserError(self.env._("Only what failed, waits or was not delivered can be tried again."))
        # What did not arrive was no contact; when it goes out again, it is noted again.
        lost = failed.filtered(lambda notice: notice.state == 'sent')
        noted = [('res_model', '=', self._name), ('res_id', 'in', lost.ids)]
        self.env['dunning.contact'].sudo().search(noted).unlink()
        failed.sudo().write(
            {
                'state': 'to_send',
                'reason': False,
                'date_next': False,
                'attempts': 0,
                'booked': False,
                'delivery': False,
            }
        )
        failed.run_id.sudo().filtered(lambda run: run.state == 'done').write({'state': 'sending'})
        self._trigger()

    def action_mark_sent(self):
        """Note that letters were posted, or that a message whose outcome was not known did go out; collectors only."""
        self._check_collector()
        posted = self.filtered(lambda notice: notice.state in ('to_print', 'failed'))
        if not posted:
            raise UserError(self.env._("Only letters to print, and what failed, can be marked as sent."))
        posted.sudo()._set_sent()
        self._trigger()

    def action_cancel(self):
        """Give up what is not handed over yet; collectors only."""
        self._check_collector()
        open_ = self.filtered(
            lambda notice: notice.state in ('draft', 'held', 'to_send', 'rendering', 'to_print', 'failed')
        )
        if not open_:
            raise UserError(self.env._("What was handed over can't be cancelled."))
        open_.sudo().write(
            {'state': 'cancelled', 'reason': self.env._("Cancelled by %(user)s", user=self.env.user.name)}
        )
        # Nobody is to send it from the queues by mistake.
        open_.sudo()._open_sms().write({'state': 'canceled'})
        open_.sudo().mail_mail_id.filtered(lambda mail: mail.state in ('exception', 'outgoing')).cancel()
        self._trigger()

    def action_print(self):
        """Open one PDF of these letters; collectors only."""
        self._check_collector()
        return self.sudo()._print_action()

    def action_open_pdf(self):
        """Open the PDF as it is; for all who may read this notice."""
        self.ensure_one()
        self.check_access('read')
        if not self.attachment_id:
            raise UserError(self.env._("There is no PDF of this reminder."))
        return {'type': 'ir.actions.act_url', 'url': f'/web/content/{self.attachment_id.id}', 'target': 'new'}

    def action_open_mail(self):
        """Show this notice as it was sent."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window',
            'name': self.display_name,
            'res_model': 'dunning.notice',
            'res_id': self.id,
            'views': [(self.env.ref('dunning_followup.dunning_notice_view_form').id, 'form')],
            'target': 'current',
        }

    # -------------------------------------------------------------------------
    # Jobs
    # -------------------------------------------------------------------------

    @api.model
    def _trigger(self):
        """Have the jobs look at notices, soon after this transaction."""
        for name in ('send', 'render', 'book'):
            # Whoever sends need not be allowed to run jobs.
            self.env.ref(f'dunning_followup.ir_cron_{name}').sudo()._trigger()

    @api.model
    def _trigger_queue(self):
        """Have the mail queue look at the e-mails of reminders that wait there; by itself it does so once an hour."""
        if self.search_count([('state', '=', 'queued'), ('mail_mail_id.state', '=', 'outgoing')], limit=1):
            self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger()

    @api.model
    def _cron_send(self):
        """Hand over what is to be sent, in committed batches that several workers share."""
        self._recover()
        ids = self._waiting_ids(['to_send'])
        self._work(ids, BATCH, self._send_batch)
        slow = self._waiting_ids(['to_send'], "channel = ANY(%s)", list(GATEWAY_CHANNELS))
        self._work(slow, 1, self._deliver)
        self._trigger_queue()
        self.env.ref('dunning_followup.ir_cron_book').sudo()._trigger()

    @api.model
    def _cron_render(self):
        """Make the PDFs that are waited for, one per transaction; several workers share them."""
        self._work(self._waiting_ids(['rendering']), 1, self._render_batch)
        self.env.ref('dunning_followup.ir_cron_book').sudo()._trigger()

    @api.model
    def _cron_book(self):
        """Note what was sent or has failed: progress, credit file, claims, escalation; then close the runs."""
        self.flush_model(['booked', 'state'])
        rows = self.env.execute_query(
            SQL("SELECT id FROM dunning_notice WHERE booked IS NOT TRUE AND state IN ('sent', 'failed') ORDER BY id")
        )
        self._work([id_ for [id_] in rows], BOOK_BATCH, self._book_batch)
        self._thank()
        runs = self.env['dunning.run']
        runs._close_finished()
        runs._tell_letters()
        runs._tell_channels()

    @api.model
    def _work(self, ids, size, step):
        """Run a step over notices in batches, each in a transaction that may run again after a conflict."""
        commit = self.env['ir.cron']._commit_progress
        commit(remaining=len(ids))
        for batch in split_every(size, ids):
            batch = list(batch)
            self._work_batch(batch, step)
            if not commit(len(batch)):
                break

    @api.model
    def _work_batch(self, batch, step):
        """Run a step over a batch; if it fails, over one after the other: one that fails does not stop the others."""
        try:
            self.env['credit.counter']._in_turn(step, batch)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Another worker is at them, or they are taken up with the next run of the job.
            self.env.cr.rollback()
        except Exception:  # whatever it is, see above
            self.env.cr.rollback()
            if len(batch) == 1:
                _logger.exception("Step %s of reminder %s failed", step.__name__, batch[0])
                self._tell_failed(self.browse(batch).exists())
            for id_ in batch if len(batch) > 1 else []:
                self._work_batch([id_], step)
                self.env['ir.cron']._commit_progress()

    @api.model
    def _tell_failed(self, notice):
        """Note on a notice that a job fails at it, and tell the credit managers, once until it is mended."""
        if not notice:
            return
        if notice.state in ('to_send', 'rendering'):
            notice._set_error(self.env._("Unexpected error. The reason is in the server's log."))
        self.env['credit.counter']._tell_failure(notice.company_id, 'dunning_followup.mail_activity_type_job_failed')

    @api.model
    def _waiting_ids(self, states, condition="TRUE", *args):
        """Return the ids of what may be handed over now."""
        self.flush_model(['channel', 'date_next', 'state'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM dunning_notice
                 WHERE state = ANY(%s) AND (date_next IS NULL OR date_next <= now() AT TIME ZONE 'UTC') AND %s
              ORDER BY id
                """,
                states,
                SQL(condition, *args),
            )
        )
        return [id_ for [id_] in rows]

    @api.model
    def _take(self, ids, states):
        """Return those of the notices that are ours to work on: locked, and still in one of the states."""
        taken = self.browse(ids).exists().try_lock_for_update().filtered(lambda notice: notice.state in states)
        # What is noted on them is read by colleagues, not by whoever runs the job.
        return taken.with_context(lang=taken[:1].company_id.partner_id.lang or self.env.lang)

    # -------------------------------------------------------------------------
    # Sending
    # -------------------------------------------------------------------------

    @api.model
    def _send_batch(self, ids):
        """Hand over a batch of notices: to Odoo's queues, to the PDF job, or as activities and notes.

        What goes out by HTTP is only looked at here, see `_deliver`.
        """
        notices = self._take(ids, ['to_send'])
        notices = notices.filtered(lambda notice: notice.channel not in GATEWAY_CHANNELS)
        while notices:
            # What goes to a customer now counts for what else there is for it.
            first = notices.browse(group.ids[0] for group in notices.grouped('partner_id').values())
            notices -= first
            # If another step leads now, it may be one that goes out by HTTP.
            ready = first._ready().filtered(lambda notice: notice.channel not in GATEWAY_CHANNELS)
            for channel, group in ready.grouped('channel').items():
                group._attempt(f'_send_{channel}')

    @api.model
    def _under_way(self, partners, company):
        """Return {commercial partner id: notices} in a company tree on their way, not logged as contacts yet."""
        # They count whoever asks.
        notices = self.sudo().search_fetch(
            [
                ('partner_id', 'in', partners.commercial_partner_id.ids),
                ('company_id', 'in', company.root_id._credit_branch_ids()),
                ('channel', 'in', SENT),
                ('state', 'in', ('rendering', 'queued', 'sending', 'sent')),
                ('booked', '=', False),
            ],
            ['partner_id', 'channel', 'date_sent'],
        )
        return notices.grouped(lambda notice: notice.partner_id.id)

    def _ready(self):
        """Return those that may go out now: still owed, and let through by the contact rules.

        Who refuses the channel for good gets a letter, if the step has letters where there is no address. Who gets
        none either is left out of this run; the next one passes over the step.
        """
        self._refresh()
        waiting = self.filtered(lambda notice: notice.state == 'to_send')
        # Contact rules are asked about the letter that it will be.
        waiting.filtered(
            lambda notice: notice.channel in FALLBACK_CHANNELS and notice._may_be_letter() and not notice._has_address()
        ).write({'channel': 'letter'})
        ready, refused = waiting._pass_gate()
        letters = self.browse(refused).filtered(
            lambda notice: notice.channel in FALLBACK_CHANNELS and notice._may_be_letter()
        )
        posted, refused_letters = letters._pass_gate('letter')
        posted.write({'channel': 'letter'})
        for notice in self.browse(refused) - posted:
            if notice not in letters or notice.id in refused_letters:
                notice.write({'reason': refused[notice.id], 'state': 'excluded', 'refused': True})
        return ready | posted

    def _look_again(self):
        """Look whether letters may be posted as they were made; return those that may not, each with its reason.

        What was paid or excluded since is taken out; if that changes the letter, or whom it goes to, it is made anew.
        Ages may be those of its day.
        """
        self._refresh(ages=False)
        waiting = self.filtered(lambda notice: notice.state == 'to_print')
        anew = waiting.filtered(lambda notice: not notice.attachment_id)
        anew.write(
            {
                'state': 'to_send',
                'printed': False,
                'date_next': False,
                'reason': self.env._("Made anew: what is open, or the recipient, has changed since."),
            }
        )
        passed, refused = (waiting - anew)._pass_gate('letter')
        for notice in self.browse(refused):
            notice.write({'state': 'excluded', 'reason': refused[notice.id], 'refused': True})
        passed.filtered('reason').write({'reason': False, 'date_next': False})
        if self - passed:
            self._trigger()
        return self - passed

    def _pass_gate(self, channel=None):
        """Ask the contact rules whether those who get these notices may be contacted now; who may later, waits.

        :param channel: in place of the notices' own
        :returns: (those that may go out, {id: why not} of those to whom it is never allowed this way)
        """
        passed, refused, now = self.browse(), {}, fields.Datetime.now()
        groups = self.grouped(lambda notice: (channel or notice.channel, notice.company_id))
        for (through, company), group in groups.items():
            recipients = {notice.id: notice._recipients() for notice in group}
            everybody = self.env['res.partner'].union(*recipients.values())
            gate = self.env['dunning.contact.rule']._gate(everybody, through, now, company)
            for notice in group:
                answers = [gate[partner.id] for partner in recipients[notice.id] if partner.id in gate]
                allowed, moment, reason = strictest(answers)
                if allowed:
                    passed |= notice
                elif not moment:
                    refused[notice.id] = reason
                else:
                    notice.write({'reason': reason, 'date_next': moment})
        return passed, refused

    def _may_be_letter(self):
        return self.step_id.letter_fallback and self.kind == 'reminder'

    def _attempt(self, method):
        """Hand notices over in a savepoint; if that fails, one by one, and what fails alone is told so."""
        try:
            with self.env.cr.savepoint():
                getattr(self, method)()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Of no use in this transaction: it goes on seeing its old snapshot.
            raise
        except Exception as error:  # whatever it is, the others go on
            self.invalidate_recordset()
            if len(self) == 1:
                _logger.info("Reminder %s was not sent: %s", self.id, type(error).__name__)
                self._set_error(
                    str(error)
                    if isinstance(error, UserError)
                    else self.env._("Unexpected error: %(error)s", error=type(error).__name__)
                )
                return
            for notice in self:
                notice._attempt(method)

    def _set_error(self, text, final=False):
        """Note why these could not be sent: they are tried again later, a few times."""
        now = fields.Datetime.now()
        for notice in self:
            attempts = notice.attempts + 1
            over = final or attempts >= TRIES
            notice.write(
                {
                    'state': 'failed' if over else 'to_send',
                    'reason': text,
                    'attempts': attempts,
                    'date_next': False if over else now + min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT),
                }
            )

    def _set_sent(self):
        """Note that these have gone out."""
        self.write(
            {'state': 'sent', 'date_sent': fields.Datetime.now(), 'reason': False, 'date_next': False, 'booked': False}
        )

    def _bounced(self, address):
        """Note that the e-mails of these came back from an address."""
        for notice in self:
            reader = notice.with_context(lang=notice.company_id.partner_id.lang or self.env.lang)
            said = address or notice._addresses()
            reader._undelivered(reader.env._("The e-mail came back: %(address)s", address=said))

    def _undelivered(self, reason):
        """Note that these did not arrive, and have somebody correct the address; progress stays."""
        news = self.filtered(lambda notice: notice.delivery != 'undelivered')
        news.write({'delivery': 'undelivered', 'reason': reason})
        news = news.filtered(lambda notice: notice.state == 'sent')
        Account, requests = self.env['credit.account'], []
        for company, notices in news.grouped('company_id').items():
            account_of = Account._for_partners(notices.partner_id, company).grouped('partner_id')
            self.env['credit.event']._record(
                [
                    (account_of[notice.partner_id], 'dunning_undelivered', notice._prepare_payload())
                    for notice in notices
                    if notice.kind == 'reminder'
                ]
            )
            for notice in notices:
                account = account_of[notice.partner_id]
                user = account._collector(notice.run_id.user_id)
                reader = notice.with_context(lang=user.lang or self.env.lang)
                note = reader.env._(
                    "%(reminder)s: %(reason)s\nCorrect the address, then send the reminder again from there.",
                    reminder=reader.display_name,
                    reason=reason,
                )
                summary = reader.env._("Reminder not delivered: correct the address")
                requests.append((account, user, summary, note))
        Account._ask_once('dunning_followup.mail_activity_type_undelivered', requests)

    @api.model
    def _recover(self):
        """Look after what somebody was handing over who is not there any more."""
        dead = self.search([('state', '=', 'sending'), ('date_claimed', '<', fields.Datetime.now() - ABANDONED)])
        dead = dead.try_lock_for_update().filtered(lambda notice: notice.state == 'sending')
        again = dead.filtered(
            lambda notice: notice.channel in GATEWAY_CHANNELS and notice.step_id.gateway_id.idempotent
        )
        again.write({'state': 'to_send'})
        (dead - again)._interrupted()
        # Somebody deleted the mail, or cancelled it in the mail queue.
        self.search([('state', '=', 'queued'), ('mail_mail_id', '=', False), ('sms_uuid', '=', False)]).write(
            {'state': 'to_send', 'reason': self.env._("The e-mail was deleted from the queue.")}
        )
        # The connection broke when somebody sent it by hand, or code that knows no notices has sent it.
        missed = self.search([('state', '=', 'queued'), ('mail_mail_id.state', 'in', ('exception', 'sent'))])
        missed = missed.try_lock_for_update()
        missed.filtered(lambda notice: notice.mail_mail_id.state == 'sent')._set_sent()
        for notice in missed.filtered(lambda notice: notice.mail_mail_id.state == 'exception'):
            notice._set_error(notice.mail_mail_id.failure_reason or self.env._("The e-mail failed."))
        self.flush_model(['sms_uuid', 'state'])
        self.env['sms.sms'].flush_model(['uuid'])
        lost = self.env.execute_query(
            SQL(
                """
                SELECT id FROM dunning_notice notice
                 WHERE state = 'queued' AND sms_uuid IS NOT NULL AND mail_mail_id IS NULL
                   AND NOT EXISTS (SELECT FROM sms_sms sms WHERE sms.uuid = notice.sms_uuid)
                """
            )
        )
        self.browse(id_ for [id_] in lost).write(
            {'state': 'to_send', 'reason': self.env._("The text message was deleted from the queue.")}
        )
        self.search([('state', '=', 'queued'), ('mail_mail_id.state', '=', 'cancel')]).write(
            {'state': 'cancelled', 'reason': self.env._("The e-mail was cancelled in the mail queue.")}
        )

    def _interrupted(self):
        """Note that it is not known whether these went out: a person has to find out, nothing is sent twice."""
        for notice in self:
            if notice.channel == 'email':
                reason = self.env._(
                    "Interrupted while it was handed to the mail server: it is not known whether it went out. Look "
                    "in the mail server's log, then send it again or mark it as sent."
                )
            else:
                reason = self.env._(
                    "Interrupted: it is not known whether it went out. Ask the provider, then send it again or mark "
                    "it as sent."
                )
            # The queue shall not take it up again.
            notice.mail_mail_id.filtered(lambda mail: mail.state == 'outgoing').write(
                {'state': 'exception', 'failure_reason': reason}
            )
            notice.write({'state': 'failed', 'reason': reason, 'date_next': False, 'booked': False})
        self._open_sms().filtered(lambda sms: sms.state == 'outgoing').write(
            {'state': 'error', 'failure_type': 'unknown'}
        )

    def _may_hand_over(self):
        """Tell whether this notice may go out from its queue: nobody is at it, it has not gone, nor lies long."""
        self.ensure_one()
        return self.state in ('to_send', 'failed') or (self.state == 'queued' and not self._lies_long())

    def _lies_long(self):
        self.ensure_one()
        return not self.date_queued or self.date_queued < fields.Datetime.now() - FRESH

    def _take_back(self):
        """Take those that lie in a queue for long out of it, and commit: they come back after another look.

        :returns: those that were taken out
        """
        try:
            old = self.filtered(lambda notice: notice.state == 'queued' and notice._lies_long())
            old = old.try_lock_for_update()
            if old:
                reason = self.env._("Lay in the queue for long: it is looked at again before it goes out.")
                old.write({'state': 'to_send', 'date_next': False, 'reason': reason})
                # As it is now, nobody is to send it; what is sent after all is written anew.
                old._open_sms().write({'state': 'canceled'})
                old.mail_mail_id.filtered(lambda mail: mail.state == 'outgoing').cancel()
                self.env.ref('dunning_followup.ir_cron_send').sudo()._trigger()
                self.env['ir.cron']._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Another is at them, or they are taken out with the next turn of the queue.
            self.env.cr.rollback()
            return self.browse()
        return old

    def _refresh(self, ages=True):
        """Bring notices that were not sent yet up to date.

        What was paid or excluded meanwhile is taken out; what has got its step with another notice, or whose due date
        was changed, is at no step any more.

        :param ages: whether the ages become those of today; False: they alone make no difference
        """
        for company, notices in self.filtered(lambda notice: notice.kind == 'reminder').grouped('company_id').items():
            date = company._credit_today()
            rows = {row['id']: row for row in self.env['dunning.item']._rows(company, date, notices.partner_id.ids)}
            excluded = self.env['dunning.exclusion']._excluded(
                self.env['account.move.line'].browse(rows), company, date
            )
            steps = notices.plan_id._engine_steps()
            elsewhere = notices._lines_elsewhere()
            again = self.env['dunning.progress'].search([('notice_id', 'in', notices.ids)])
            # Sent once, and not delivered: the step is theirs.
            own = {(progress.notice_id.id, progress.move_line_id.id) for progress in again}
            changed, gone = set(), []
            for line in notices.line_ids:
                row = rows.get(line.move_line_id.id)
                remaining, currency_part = _left(row, excluded, company)
                if company.currency_id.compare_amounts(remaining, 0.0) <= 0:
                    gone.append(line.id)
                    changed.add(line.notice_id.id)
                    continue
                vals = {}
                due = (line.notice_id.id, line.move_line_id.id) in own or (
                    line.step_id and line._still_due(row, steps.get(line.notice_id.plan_id.id, []), date)
                )
                if line.step_id and (line.id in elsewhere or not due):
                    vals = {'step_id': False, 'step_days': False}
                if row['days_overdue'] <= 0 and (vals or not line.step_id):
                    gone.append(line.id)
                    changed.add(line.notice_id.id)
                    continue
                if company.currency_id.compare_amounts(remaining, line.amount_residual):
                    vals |= {'amount_residual': remaining, 'amount_currency': currency_part}
                older = ages and line.days_overdue != row['days_overdue']
                if older or line.date_due != (row['date_due'] or False):
                    vals |= {'days_overdue': row['days_overdue'], 'date_due': row['date_due']}
                if vals:
                    line.write(vals)
                    changed.add(line.notice_id.id)
            self.env['dunning.notice.line'].browse(gone).unlink()
            self.browse(sorted(changed))._follow_lines()
        self._follow_contacts()

    def _lines_elsewhere(self):
        """Return the ids of those lines of these notices whose item is on its way with another notice.

        Of several that wait, the oldest takes it.
        """
        self.env.flush_all()
        return {
            id_
            for [id_] in self.env.execute_query(
                SQL(
                    """
                    SELECT mine.id
                      FROM dunning_notice_line mine
                      JOIN dunning_notice_line other
                        ON other.move_line_id = mine.move_line_id AND other.notice_id <> mine.notice_id
                      JOIN dunning_notice notice ON notice.id = other.notice_id
                      JOIN dunning_notice own ON own.id = mine.notice_id
                     WHERE mine.notice_id = ANY(%s) AND mine.step_id IS NOT NULL AND other.step_id IS NOT NULL
                       AND (notice.state IN ('rendering', 'to_print', 'queued', 'sending')
                            OR (notice.state = 'sent' AND notice.booked IS NOT TRUE)
                            OR (notice.state = 'to_send' AND own.state = 'to_send' AND notice.id < own.id))
                    """,
                    self.ids,
                )
            )
        }

    def _follow_lines(self):
        """Take totals and leading step from the lines that are left; without any step the notice is pointless."""
        for notice in self:
            lead = max(notice.line_ids.filtered('step_id'), key=lambda line: line.step_days, default=None)
            vals = notice._prepare_totals()
            if lead is None:
                text = self.env._("Reminded with another notice meanwhile, or not due any more.")
                if not notice.line_ids:
                    text = self.env._("Paid, or not to be chased any more.")
                vals |= {'state': 'cancelled', 'reason': text}
            elif lead.step_id != notice.step_id:
                vals |= {'step_id': lead.step_id.id, 'channel': lead.step_id.channel}
            # What was made of the former amounts is made anew.
            notice.write({**vals, **NOT_MADE})

    def _follow_contacts(self):
        """Take the recipients as they are now: another contact may have been chosen, or another step leads."""
        waiting = self.filtered(lambda notice: notice.state in ('to_send', 'to_print'))
        for company, notices in waiting.grouped('company_id').items():
            contacts = self._contacts(company, notices.partner_id.ids)
            lawyers = self.env['credit.account']._represented(notices.partner_id, company)
            for notice in notices:
                contact_id = contacts[notice.partner_id.id, notice.step_id.recipient or 'followup']
                represented = notice.partner_id.id in lawyers
                if (notice.contact_id.id, notice.represented) != (contact_id, represented):
                    notice.write({'contact_id': contact_id, 'represented': represented, **NOT_MADE})

    @api.model
    def _contacts(self, company, partner_ids):
        """Return {(customer id, recipient of a step): id of the contact who gets the message}.

        The follow-up contact, else that of the invoices, else the customer; in place of all, the customer's lawyer.
        """
        self.env['res.partner'].flush_model(['active', 'commercial_partner_id', 'parent_id', 'type'])
        self.env['credit.account'].flush_model(
            ['active', 'company_id', 'dunning_contact_id', 'dunning_lawyer_id', 'dunning_represented', 'partner_id']
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT customer.id, COALESCE(lawyer.id, followup.id, invoice.id, customer.id),
                       COALESCE(lawyer.id, invoice.id, customer.id)
                  FROM res_partner customer
             LEFT JOIN credit_account account
                    ON account.partner_id = customer.id AND account.company_id = %s AND account.active
             LEFT JOIN res_partner lawyer
                    ON lawyer.id = account.dunning_lawyer_id AND account.dunning_represented AND lawyer.active
             LEFT JOIN res_partner followup ON followup.id = account.dunning_contact_id AND followup.active
             LEFT JOIN LATERAL (
                    SELECT child.id FROM res_partner child
                     WHERE child.parent_id = customer.id AND child.type = 'invoice' AND child.active
                  ORDER BY child.id LIMIT 1) AS invoice ON TRUE
                 WHERE customer.id = ANY(%s)
                """,
                company.id,
                partner_ids,
            )
        )
        contacts = {}
        for customer_id, followup_id, invoice_id in rows:
            contacts |= {(customer_id, 'invoice'): invoice_id}
            contacts |= dict.fromkeys([(customer_id, 'followup'), (customer_id, 'both')], followup_id)
        return contacts

    def _prepare_totals(self):
        return {
            'amount_total': self.currency_id.round(sum(self.line_ids.mapped('amount_residual'))),
            'item_count': len(self.line_ids),
            'days_overdue': max(self.line_ids.mapped('days_overdue'), default=0),
        }

    # -------------------------------------------------------------------------
    # Afterwards
    # -------------------------------------------------------------------------

    @api.model
    def _book_batch(self, ids):
        """Note what was sent or has failed, in a constant number of statements per company."""
        notices = self._take(ids, ['sent', 'failed']).filtered(lambda notice: not notice.booked)
        for company, group in notices.grouped('company_id').items():
            accounts = self.env['credit.account']._for_partners(group.partner_id, company).grouped('partner_id')
            reminders = group.filtered(lambda notice: notice.kind == 'reminder')
            sent = reminders.filtered(lambda notice: notice.state == 'sent')
            # Thanks are contacts like all others.
            self.env['dunning.contact']._log_notices(
                (group - reminders).filtered(lambda notice: notice.state == 'sent')
            )
            sent._advance_progress()
            self.env['dunning.claim']._book_step(sent)
            self.env['credit.event']._record(
                [
                    (accounts[notice.partner_id], f'dunning_{notice.state}', notice._prepare_payload())
                    for notice in reminders
                ]
            )
            sent._escalate(accounts)
        notices.write({'booked': True})

    def _prepare_payload(self):
        return {
            'dunning_notice_id': self.id,
            'dunning_step_id': self.step_id.id,
            'channel': self.channel,
            'amount': self.amount_total,
            'currency_id': self.currency_id.id,
            'items': len(self.line_ids.filtered('step_id')),
        }

    def _sent_day(self):
        """Return on which day where the company is this notice was sent."""
        self.ensure_one()
        local = self.with_context(tz=self.company_id._credit_timezone())
        return fields.Datetime.context_timestamp(local, self.date_sent).date()

    def _advance_progress(self):
        """Move the items that have reached a step to where they are now."""
        steps = self.plan_id._engine_steps()
        refused = self.plan_id._refused_steps(self.company_id, self.partner_id.ids) if self else {}
        rows = []
        for notice in self:
            passed = refused.get(notice.partner_id.id, frozenset())
            day = notice._sent_day()
            for line in notice.line_ids.filtered('step_id'):
                item = schedule.Item(
                    line.id, line.date_due or day, schedule.Progress(line.step_id.id, line.step_days, day)
                )
                coming = schedule.next_step(
                    item, steps.get(notice.plan_id.id, []), day + timedelta(days=1), passed=passed
                )
                rows.append(
                    (
                        line.move_line_id.id,
                        line.move_line_id.company_id.id,
                        notice.plan_id.id,
                        line.step_id.id,
                        line.step_days,
                        day,
                        coming and coming[0],
                        notice.id,
                    )
                )
        self.env['dunning.progress']._advance(rows)

    def _escalate(self, accounts):
        """Give a manager an activity on each customer whose step escalates."""
        vals_list = [
            accounts[notice.partner_id]._prepare_escalation(notice.step_id, notice.amount_total)
            for notice in self.filtered('step_id.escalate')
        ]
        self.env['mail.activity'].with_context(mail_activity_quick_update=True).create(vals_list)

    @api.model
    def _thank(self):
        """Make the notices of thanks to those who have paid all that their last reminder was about."""
        self.flush_model()
        self.env['account.partial.reconcile'].flush_model(['credit_move_id', 'debit_move_id'])
        self.env['account.move.line'].flush_model(['journal_id', 'reconciled'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT notice.id
                  FROM dunning_notice notice
                  JOIN dunning_plan plan ON plan.id = notice.plan_id AND plan.thank_you
                 WHERE notice.state = 'sent' AND notice.booked AND notice.kind = 'reminder'
                   AND notice.thanked IS NOT TRUE
                   AND notice.date_sent > now() AT TIME ZONE 'UTC' - INTERVAL '90 days'
                   AND EXISTS (SELECT FROM dunning_notice_line line WHERE line.notice_id = notice.id)
                   AND NOT EXISTS (SELECT FROM dunning_notice_line line
                                     JOIN account_move_line aml ON aml.id = line.move_line_id
                                    WHERE line.notice_id = notice.id AND aml.reconciled IS NOT TRUE)
                   -- Who got credit notes, or whose debt was written off, has not paid.
                   AND EXISTS (SELECT FROM dunning_notice_line line
                                 JOIN account_partial_reconcile partial ON partial.debit_move_id = line.move_line_id
                                 JOIN account_move_line credit ON credit.id = partial.credit_move_id
                                 JOIN account_journal journal ON journal.id = credit.journal_id
                                WHERE line.notice_id = notice.id AND journal.type IN ('bank', 'cash', 'credit'))
              ORDER BY notice.id
                """
            )
        )
        self._work([id_ for [id_] in rows], BATCH, self._thank_batch)

    @api.model
    def _thank_batch(self, ids):
        paid = self._take(ids, ['sent']).filtered(lambda notice: not notice.thanked)
        paid.write({'thanked': True})
        for company, group in paid.grouped('company_id').items():
            date = company._credit_today()
            # Who still has something overdue is not thanked yet.
            owing = {
                row['partner_id']
                for row in self.env['dunning.item']._rows(company, date, group.partner_id.ids)
                if row['days_overdue'] > 0 and row['remaining'] > 0
            }
            latest = {notice.partner_id: notice for notice in group.sorted('id')}
            thanks = self.create(
                [
                    {
                        'kind': 'thank_you',
                        'company_id': company.id,
                        'partner_id': partner.id,
                        'contact_id': notice.contact_id.id,
                        'plan_id': notice.plan_id.id,
                        'channel': 'email',
                        'state': 'to_send',
                        'date': date,
                    }
                    for partner, notice in latest.items()
                    if partner.id not in owing and (notice.contact_id.email or partner.email)
                ]
            )
            if thanks:
                self.env.ref('dunning_followup.ir_cron_send').sudo()._trigger()


def _left(row, excluded, company):
    """Return what of an item is to be collected: in company currency, and in its own."""
    if not row or row['no_followup']:
        return 0.0, 0.0
    remaining = row['remaining']
    if row['id'] in excluded:
        _code, _text, amount = excluded[row['id']]
        remaining = 0.0 if amount is None else max(0.0, remaining - amount)
    remaining = company.currency_id.round(remaining)
    part = row['amount_currency'] * remaining / row['remaining'] if row['remaining'] else 0.0
    return remaining, part
