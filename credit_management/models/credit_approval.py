import json
import logging
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import format_datetime

from ..engine.approval import Lineup

_logger = logging.getLogger(__name__)

# What is not decided yet.
OPEN = ('waiting', 'pending')


class Ask(NamedTuple):
    """Whom a step would ask, also one that there is not yet."""

    level: models.BaseModel  # credit.approval.level; empty for any credit manager
    account: models.BaseModel
    company: models.BaseModel
    barred: models.BaseModel  # users who must not decide


class CreditApproval(models.Model):
    """One step on the way to a decision: who was asked, since when, until when, and who decided what.

    Written by the flow of the documents only, see `credit.approval.mixin`;
    nobody has the right to write it.
    """

    _name = 'credit.approval'
    _description = "Credit Approval"
    _order = 'id desc'
    _rec_name = 'document_name'

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one(related='account_id.partner_id')
    company_id = fields.Many2one('res.company', required=True, readonly=True, help="Company or branch of the document.")
    currency_id = fields.Many2one(related='company_id.currency_id')
    res_model = fields.Char(string="Document Type", required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', required=True, readonly=True)
    document_name = fields.Char(string="Document", compute='_compute_document', compute_sudo=True)
    decision_type = fields.Char(string="To Decide", compute='_compute_document', compute_sudo=True)
    amount = fields.Monetary(readonly=True, help="What is asked for, in company currency.")
    unlimited = fields.Boolean(readonly=True)
    excess = fields.Monetary(
        string="Over By", readonly=True, help="How far it goes beyond what the customer may owe now, company currency."
    )
    kind = fields.Selection(
        [('decision', "Approval"), ('confirmation', "Confirmation of an emergency release")],
        required=True,
        readonly=True,
        default='decision',
    )
    attempt = fields.Integer(
        required=True, readonly=True, default=1, help="Counts how often the document was asked about."
    )
    sequence = fields.Integer(required=True, readonly=True)
    level_id = fields.Many2one('credit.approval.level', readonly=True, index='btree_not_null', ondelete='set null')
    level_name = fields.Char(string="Approval Level", readonly=True, help="Empty: any credit manager.")
    state = fields.Selection(
        [
            ('waiting', "Waiting"),
            ('pending', "Pending"),
            ('approved', "Approved"),
            ('rejected', "Rejected"),
            ('cancelled', "Cancelled"),
        ],
        required=True,
        readonly=True,
        default='waiting',
    )
    requested_by_id = fields.Many2one('res.users', readonly=True)
    user_id = fields.Many2one('res.users', string="Asked", readonly=True, index='btree_not_null')
    asked_date = fields.Datetime(string="Asked Since", readonly=True)
    deadline = fields.Datetime(readonly=True)
    escalated = fields.Boolean(readonly=True, help="Somebody did not answer in time.")
    exhausted = fields.Boolean(readonly=True, help="Everybody who could decide has been asked.")
    story = fields.Json(readonly=True)
    story_text = fields.Text(string="Who Was Asked", compute='_compute_story_text')
    decided_by_id = fields.Many2one('res.users', readonly=True)
    decided_date = fields.Datetime(string="Decided On", readonly=True)
    reason_id = fields.Many2one('credit.reason', readonly=True, ondelete='restrict')
    note = fields.Text(readonly=True)
    can_decide = fields.Boolean(string="I May Decide", compute='_compute_can_decide', search='_search_can_decide')

    _document_index = models.Index('(res_model, res_id)')
    _pending_index = models.Index("(user_id) WHERE state = 'pending'")

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    @api.depends('res_model', 'res_id')
    @api.depends_context('lang')
    def _compute_document(self):
        for step, document in self._documents().items():
            step.document_name = document.display_name if document else False
            step.decision_type = document and self.env['ir.model']._get(document._name).name

    @api.depends('story')
    @api.depends_context('lang', 'tz')
    def _compute_story_text(self):
        labels = {
            'asked': self.env._("%(date)s: %(user)s is asked."),
            'absence': self.env._("%(date)s: %(user)s is asked, because who was asked before is away."),
            'deadline': self.env._("%(date)s: %(user)s is asked, because the deadline has passed."),
            'handover': self.env._("%(date)s: %(user)s is asked, because duties were handed over."),
            'nobody': self.env._("%(date)s: Nobody else can be asked."),
        }
        ids = {entry['user'] for step in self for entry in step.story or [] if entry.get('user')}
        # Names are no secret among colleagues, also of those who have left.
        names = {user.id: user.name for user in self.env['res.users'].sudo().browse(ids).exists()}
        for step in self:
            step.story_text = '\n'.join(
                labels[entry['cause']]
                % {
                    'date': format_datetime(self.env, entry['date'], dt_format='short'),
                    'user': names.get(entry.get('user'), self.env._("nobody")),
                }
                for entry in step.story or []
            )

    @api.depends('state', 'user_id')
    @api.depends_context('uid')
    def _compute_can_decide(self):
        pending = self.filtered(lambda step: step.state == 'pending')
        # Who may decide depends on users and groups that not everybody reads.
        lineups = pending.sudo()._lineups()
        for step in self:
            step.can_decide = step in pending and step.sudo()._may_decide(self.env.user, lineups[step.sudo()])

    def _search_can_decide(self, operator, value):
        if operator != 'in':
            return NotImplemented
        pending = self.search([('state', '=', 'pending')])
        return [('id', 'in', pending.filtered('can_decide').ids)]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        if any(step.state in ('approved', 'rejected') for step in self):
            raise UserError(self.env._("What was decided stays in the customer's history."))

    # -------------------------------------------------------------------------
    # Who
    # -------------------------------------------------------------------------

    def _documents(self):
        """Return {step: its document}, empty where it is gone."""
        found = {}
        for name, steps in self.grouped('res_model').items():
            model = self.env[name] if name in self.env else None
            documents = (
                {} if model is None else {item.id: item for item in model.browse(steps.mapped('res_id')).exists()}
            )
            found |= {step: documents.get(step.res_id) for step in steps}
        return found

    def _lineups(self):
        """Return {step: the Lineup of those who may decide on it}, in a constant number of statements."""
        keys = [('res_model', 'in', self.mapped('res_model')), ('res_id', 'in', self.mapped('res_id'))]
        decided = defaultdict(self.env['res.users'].browse)
        for step in self.search([*keys, ('state', '=', 'approved')]) if self else ():
            decided[step.res_model, step.res_id, step.attempt] |= step.decided_by_id
        return self._lineups_of(
            {
                step: Ask(
                    step.level_id,
                    step.account_id,
                    step.company_id,
                    # Each level is another person.
                    decided[step.res_model, step.res_id, step.attempt]
                    | (document._approval_barred() if document else step.requested_by_id),
                )
                for step, document in self._documents().items()
            }
        )

    @api.model
    def _lineups_of(self, asks):
        """Return {key: Lineup} of some questions.

        :param asks: {key: Ask}
        """
        Level = self.env['credit.approval.level']
        managers, members, able, absent = {}, {}, {}, {}
        lineups = {}
        for key, ask in asks.items():
            company, level = ask.company, ask.level
            if company not in managers:
                managers[company] = company._credit_managers()
                able[company] = Level._able(company) & Level._approvers(company)
                today = company._credit_today()
                if today not in absent:
                    absent[today] = self.env['credit.absence']._substitutes(today)
            if (company, level) not in members:
                members[company, level] = level._members(company) if level else managers[company]
            controllers = ask.account.controller_id | ask.account.applied_policy_id.controller_id
            users = members[company, level] - ask.barred
            reserve = managers[company] - ask.barred
            if not users:  # a level nobody of whom may decide falls to the credit managers
                users = reserve
            lineups[key] = Lineup(
                tuple(((controllers & users) | users).ids),
                absent[company._credit_today()],
                frozenset((able[company] - ask.barred).ids),
                tuple(((controllers & reserve) | reserve).ids),
            )
        return lineups

    def _may_decide(self, user, lineup):
        """Tell whether a user may decide on this step now: a member, who stands in for one, or who is asked."""
        self.ensure_one()
        return user.id in lineup.deciders() or (user == self.user_id and user.id in lineup.able)

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def _ask(self, cause='asked', notify=True, successors=None):
        """Ask the first who may decide on each step, or the next after those who were asked.

        :param cause: 'asked' for the first time, 'absence', 'deadline' or 'handover'
        :param notify: give an activity, or move it
        :param successors: {step: res.users} of those who are asked if they may decide
        """
        now = fields.Datetime.now()
        lineups = self._lineups()
        deadlines = {}
        entries, asked = [], self.browse()
        changes = defaultdict(self.browse)
        for step in self:
            lineup, before = lineups[step], step.user_id
            user_id = lineup.first() if cause == 'asked' else step._next(lineup, cause, (successors or {}).get(step))
            if cause != 'asked' and not user_id:
                step._note_exhausted(now)
                continue
            key = (step.company_id, step.level_id)
            if key not in deadlines:
                deadlines[key] = step._deadline_from(now)
            story = step._story_with(now, cause if user_id else 'nobody', user_id)
            changes[user_id or False, deadlines[key], step.escalated or cause == 'deadline', json.dumps(story)] += step
            asked += step
            if cause != 'asked':
                payload = {
                    **step._prepare_event_payload(),
                    'asked_id': user_id,
                    'asked_before_id': before.id or None,
                    'cause': cause,
                }
                entries.append((step.account_id, 'approval_passed_on', payload))
        # Steps that change alike in one write: each looks for what depends on them.
        for (user_id, deadline, escalated, story), steps in changes.items():
            steps.write(
                {
                    'state': 'pending',
                    'user_id': user_id,
                    'asked_date': now,
                    'deadline': deadline,
                    'escalated': escalated,
                    'story': json.loads(story),
                }
            )
        self.env['credit.event']._record(entries)
        if notify:
            for document in asked._documents().values():
                if document:
                    document._approval_notify()

    def _next(self, lineup, cause, successor=None):
        """Return the id of who is asked after the present one; None for nobody."""
        if cause == 'absence':
            acting = lineup.present(self.user_id.id)
            if acting and acting != self.user_id.id:
                return acting
        if successor and successor.id in lineup.deciders():
            acting = lineup.present(successor.id)
            if acting and acting != self.user_id.id:
                return acting
        following = lineup.next({entry.get('user') for entry in self.story or []})
        if cause == 'handover':
            # Who leaves is waited for no longer: rather somebody who did not answer once.
            return following or lineup.next({self.user_id.id})
        return following

    def _deadline_from(self, start):
        if self.kind == 'confirmation':
            return self.env['credit.working.day']._deadline(self.company_id, start, 1, 'days')
        level = self.level_id
        if not level.deadline_number:
            return False
        return self.env['credit.working.day']._deadline(
            self.company_id, start, level.deadline_number, level.deadline_unit
        )

    def _story_with(self, now, cause, user_id=None):
        entry = {'date': fields.Datetime.to_string(now), 'cause': cause, 'user': user_id or None}
        return [*(self.story or []), entry]

    def _note_exhausted(self, now):
        """Tell the credit managers and who asked that nobody is left who could be asked; once."""
        self.ensure_one()
        if self.exhausted:
            return
        self.write({'exhausted': True, 'escalated': True, 'story': self._story_with(now, 'nobody')})
        if document := self._documents()[self]:
            document._approval_note(
                self.env._("Still not decided: %(document)s. Nobody else can be asked.", document=self.document_name),
                self.company_id._credit_managers() | self.requested_by_id,
            )

    @api.model
    def _pass_over(self, users=None, domain=()):
        """Ask on where whoever is asked is away, or may not decide any more, and where nobody could be asked.

        :param users: only steps that these are asked about
        :param domain: only these of the pending steps
        """
        domain = [('state', '=', 'pending'), *domain]
        self.search(domain if users is None else [*domain, ('user_id', 'in', users.ids)])._pass_on()

    def _pass_on(self):
        """Ask on those of these pending steps where whoever is asked is away, or nobody could be asked."""
        lineups = self._lineups()
        self.filtered(lambda step: not step.user_id or lineups[step].present(step.user_id.id) != step.user_id.id)._ask(
            'absence'
        )

    @api.model
    def _cron_follow_up(self):
        """Ask on where somebody is away or has let the deadline pass."""
        companies = self.search([('state', '=', 'pending')]).company_id.root_id
        self.env['credit.counter']._each_company(
            companies, self._follow_up, 'credit_management.mail_activity_type_approval_failed'
        )

    @api.model
    def _follow_up(self, company):
        domain = [('state', '=', 'pending'), ('company_id', 'child_of', company.id)]
        failed = self.search(domain)._apart(lambda steps: steps._pass_on())
        late = self.search([*domain, ('deadline', '<', fields.Datetime.now()), ('exhausted', '=', False)])
        unconfirmed = late.filtered(lambda step: step.kind == 'confirmation')
        failed |= (late - unconfirmed)._apart(lambda steps: steps._ask('deadline'))
        failed |= unconfirmed._apart(lambda steps: steps._report_unconfirmed())
        if failed:
            # What could be done stays; the managers are told of the rest.
            self.env['ir.cron']._commit_progress()
            raise UserError(
                self.env._(
                    "Approvals could not be followed up: %(numbers)s.",
                    numbers=', '.join(str(step.id) for step in failed),
                )
            )

    def _apart(self, function):
        """Do something with these steps: with all at once, or if that fails with each in a savepoint of its own.

        :returns: the steps with which it failed
        """
        failed = self.browse()
        for steps in (self, *self) if len(self) > 1 else self:
            try:
                with self.env.cr.savepoint():
                    function(steps)
                if len(steps) > 1:
                    break
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:  # whatever it is, the others are asked
                if len(steps) == 1:
                    _logger.exception("Approval %s could not be followed up", steps.id)
                    failed |= steps
        return failed

    def _report_unconfirmed(self):
        for step, document in self._documents().items():
            step.exhausted = True
            if document:
                document._approval_unconfirmed()

    def _prepare_event_payload(self):
        """Return this step as the credit file keeps it."""
        self.ensure_one()
        return {
            'res_model': self.res_model,
            'res_id': self.res_id,
            'level_id': self.level_id.id or None,
            'asked_id': self.user_id.id or None,
        }

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def _document(self):
        """Return the document of this step, which the user has to be able to read.

        :raise UserError: if it is gone
        """
        self.ensure_one()
        self.check_access('read')
        document = self._documents()[self]
        if not document:
            raise UserError(self.env._("The document of this approval was deleted."))
        document.check_access('read')
        return document

    def action_open(self):
        """Open what is to be decided."""
        return self._document()._approval_open()

    def action_approve(self):
        """Approve, or ask for the reason where one is needed."""
        return self._document()._approval_button('approve', self)

    def action_reject(self):
        """Ask for the reason of the rejection."""
        return self._document()._approval_button('reject', self)
