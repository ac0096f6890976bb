from collections import defaultdict
from datetime import timedelta
from math import inf

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from .credit_approval_mixin import APPROVAL_FIELDS

# What a decision consists of: fixed once it is submitted.
CONTENT_FIELDS = {'account_id', 'kind', 'limit_kind', 'amount', 'currency_id', 'date_from', 'date_to', 'reason'}
# What only the flow itself writes.
FLOW_FIELDS = {
    'state', 'requested_by_id', 'decided_by_id', 'decided_date', 'decision_note', 'superseded_by_id', 'origin',
    *APPROVAL_FIELDS,
    'date_until', 'author_ids',
}  # fmt: skip
# What follows from the account.
ACCOUNT_FIELDS = {'partner_id', 'company_id'}
# States of a limit that was approved, and may have been in force since then.
DECIDED = ('approved', 'superseded', 'expired')
# What the customer's credit file notes when a limit gets into a state.
STATE_EVENTS = {
    'draft': 'limit_withdrawn',
    'submitted': 'limit_submitted',
    'approved': 'limit_approved',
    'rejected': 'limit_rejected',
    'superseded': 'limit_closed',
    'expired': 'limit_closed',
}


class CreditLimit(models.Model):
    """A dated decision about an amount, from proposal to history, in one record."""

    _name = 'credit.limit'
    _inherit = ['credit.approval.mixin', 'mail.thread', 'mail.activity.mixin']
    _description = "Credit Limit"
    _order = 'date_from desc, id desc'
    # On a phone the menu of activities opens no cards unless told so.
    _systray_view = 'kanban'
    _approval_kind = 'limit'
    _approval_activity = 'credit_management.mail_activity_type_limit'

    account_id = fields.Many2one(
        'credit.account', string="Credit Account", required=True, index=True, ondelete='restrict', readonly=False
    )
    partner_id = fields.Many2one(related='account_id.partner_id', store=True, index=True)
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    kind = fields.Selection(
        [('base', "Base"), ('temporary', "Temporary")],
        required=True,
        default='base',
        help="Base: what the customer has until another decision.\n"
        "Temporary: takes the place of the base limit from its first to its last day, and then ends by itself.",
    )
    limit_kind = fields.Selection(
        [('amount', "Amount"), ('unlimited', "Unlimited")],
        string="Limit",
        required=True,
        default='amount',
        help="An amount of 0 means no credit at all.",
    )
    amount = fields.Monetary(help="In the currency beside it, taxes included.")
    currency_id = fields.Many2one(
        'res.currency',
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="Converted at each check.",
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._credit_today(), help="First day in force."
    )
    date_to = fields.Date(
        string="To",
        help="Last day. Empty: until another decision. A base limit stays in force for the policy's days of grace.",
    )
    date_until = fields.Date(
        string="In Force Until",
        readonly=True,
        copy=False,
        help="Last day in force, of a base limit with the days of grace that the policy gave when it was approved. "
        "Before the first day: it was replaced before it began. Empty: until another decision.",
    )
    state = fields.Selection(
        [
            ('draft', "Draft"),
            ('submitted', "Submitted"),
            ('approved', "Approved"),
            ('rejected', "Rejected"),
            ('superseded', "Superseded"),
            ('expired', "Expired"),
        ],
        required=True,
        readonly=True,
        default='draft',
        copy=False,
        tracking=True,
        index=True,
    )
    reason = fields.Text(help="Why this limit is proposed.")
    origin = fields.Selection(
        [('manual', "By hand"), ('core', "Contact")],
        required=True,
        readonly=True,
        default='manual',
        help="Where the proposal came from. Contact: from the credit limit of the contact, written there by an import, "
        "another program or before the credit accounts were installed.",
    )
    requested_by_id = fields.Many2one('res.users', readonly=True, copy=False, default=lambda self: self.env.user)
    author_ids = fields.Many2many(
        'res.users',
        'credit_limit_author_rel',
        'limit_id',
        'user_id',
        string="Written By",
        readonly=True,
        copy=False,
        help="Who wrote the proposal or changed it. None of them approves it.",
    )
    decided_by_id = fields.Many2one('res.users', readonly=True, copy=False)
    decided_date = fields.Datetime(string="Decided On", readonly=True, copy=False)
    decision_note = fields.Text(string="Reason of the Decision", readonly=True, copy=False)
    superseded_by_id = fields.Many2one('credit.limit', readonly=True, copy=False)
    # What the approver decides on.
    meter = fields.Json(related='account_id.meter')
    in_force = fields.Boolean(compute='_compute_in_force', search='_search_in_force')

    _amount_positive = models.Constraint(
        'CHECK (amount >= 0)', "A credit limit can't be negative. Enter 0 for no credit at all."
    )

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    @api.depends('partner_id', 'kind', 'limit_kind', 'amount', 'currency_id')
    def _compute_display_name(self):
        for limit in self:
            amount = (
                self.env._("unlimited")
                if limit.limit_kind == 'unlimited'
                else formatLang(self.env, limit.amount, currency_obj=limit.currency_id)
            )
            if limit.kind == 'temporary':
                amount = self.env._("%(limit)s temporarily", limit=amount)
            # Empty while nobody is chosen: the client then says "New".
            limit.display_name = f"{limit.partner_id.display_name}: {amount}" if limit.partner_id else ''

    @api.depends('state', 'date_from', 'date_until')
    def _compute_in_force(self):
        for limit in self:
            today = limit.company_id._credit_today() if limit.company_id else fields.Date.context_today(self)
            limit.in_force = (
                limit.state in DECIDED
                and limit.date_from <= today
                and (not limit.date_until or limit.date_until >= today)
            )

    def _search_in_force(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return Domain.OR(
            Domain('company_id', '=', company.id)
            & Domain('state', 'in', DECIDED)
            & Domain('date_from', '<=', company._credit_today())
            & (Domain('date_until', '=', False) | Domain('date_until', '>=', company._credit_today()))
            for company in self.env.companies.root_id
        )

    # -------------------------------------------------------------------------
    # Constraints
    # -------------------------------------------------------------------------

    @api.constrains('date_from', 'date_to', 'kind')
    def _check_dates(self):
        for limit in self:
            if limit.kind == 'temporary' and not limit.date_to:
                raise ValidationError(
                    self.env._(
                        "State the last day of the temporary limit of %(customer)s. What has no end is a base limit.",
                        customer=limit.partner_id.display_name,
                    )
                )
            if limit.date_to and limit.date_to < limit.date_from:
                raise ValidationError(
                    self.env._(
                        "The limit of %(customer)s ends on %(end)s, before it starts on %(start)s.",
                        customer=limit.partner_id.display_name,
                        end=format_date(self.env, limit.date_to),
                        start=format_date(self.env, limit.date_from),
                    )
                )

    @api.constrains('currency_id', 'account_id')
    def _check_currency_rate(self):
        for limit in self:
            self.env['credit.check']._require_rate(limit.currency_id, limit.company_id)

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if given := FLOW_FIELDS & vals.keys():
                if any(vals[name] != self._flow_defaults().get(name) for name in given):
                    raise AccessError(
                        self.env._("A limit starts as a draft and is decided by submitting and approving it.")
                    )
            # Explicit, so that no default from a client's context gets in.
            vals.update(self._flow_defaults())
            # The record rule asks for the company: that of the account, whatever a client says.
            account_id = vals.get('account_id', self.env.context.get('default_account_id'))
            account = self.env['credit.account'].sudo().browse(account_id)
            vals.update(partner_id=account.partner_id.id, company_id=account.company_id.id)
        return super().create(vals_list)

    def write(self, vals):
        if FLOW_FIELDS & vals.keys():
            raise AccessError(
                self.env._("The state of a limit follows from its buttons: submit, approve or reject it.")
            )
        if ACCOUNT_FIELDS & vals.keys():
            raise AccessError(self.env._("The customer and the company of a limit are those of its credit account."))
        if 'account_id' in vals:
            # The record rule has looked at the account before.
            self.env['credit.account'].browse(vals['account_id']).check_access('read')
        if CONTENT_FIELDS & vals.keys() and any(limit.state != 'draft' for limit in self):
            raise UserError(
                self.env._("A submitted limit can't be changed. Put it back to draft, or propose a new one.")
            )
        result = super().write(vals)
        if CONTENT_FIELDS & vals.keys():
            # Written by the flow only.
            others = self.filtered(lambda limit: self.env.user not in limit.sudo().author_ids)
            others._approval_write({'author_ids': [fields.Command.link(self.env.uid)]})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        if any(limit.state != 'draft' for limit in self):
            raise UserError(self.env._("Only drafts can be deleted; decisions stay in the customer's history."))

    def unlink(self):
        # The number in core's field that a draft was made of goes with it.
        accounts = self.filtered(lambda limit: limit.origin == 'core').account_id
        result = super().unlink()
        self.env['credit.core.limit']._mirror_accounts(accounts)
        return result

    def _flow_defaults(self):
        return {
            'state': 'draft',
            'origin': 'manual',
            'requested_by_id': self.env.uid,
            'decided_by_id': False,
            'decided_date': False,
            'decision_note': False,
            'superseded_by_id': False,
            **dict.fromkeys(APPROVAL_FIELDS, False),
            'date_until': False,
            'author_ids': [fields.Command.set([self.env.uid])],
        }

    def _write_flow(self, vals):
        """Write what `write` keeps clients from writing, and note it in the credit file."""
        self._write_flows([(self, vals)])

    @api.model
    def _write_flows(self, changes):
        """Write the flow of several limits; the credit file and core's field follow in one go.

        :param changes: iterable of (credit.limit, values); each is written before the next is asked for
        """
        entries, decided = [], self.env['credit.account']
        asked = settled = self.browse()
        for limits, vals in changes:
            limits._approval_write(vals)
            if vals.get('state') == self._approval_state:
                asked |= limits
            elif 'state' in vals:
                settled |= limits
            if kind := STATE_EVENTS.get(vals.get('state') or ('superseded' if 'superseded_by_id' in vals else None)):
                entries += [(limit.account_id, kind, limit._prepare_event_payload()) for limit in limits]
            if vals.get('state') not in (None, 'draft', 'submitted'):
                decided |= limits.account_id
        # All at once, not with each write.
        settled._approval_cancel()
        asked._approval_start()
        self.env['credit.event']._record(entries)
        self.env['credit.core.limit']._mirror_accounts(decided)
        self.env['credit.recheck']._mark_accounts(decided)

    def _prepare_event_payload(self):
        """Return the decision as the credit file keeps it."""
        self.ensure_one()
        return {
            'limit_id': self.id,
            'state': self.state,
            'kind': self.kind,
            'limit_kind': self.limit_kind,
            'amount': self.amount,
            'currency_id': self.currency_id.id,
            'date_from': self.date_from,
            'date_to': self.date_to or None,
            'date_until': self.date_until or None,
            'superseded_by_id': self.superseded_by_id.id or None,
        }

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def action_submit(self):
        """Hand the drafts in for approval; the approvers get an activity."""
        self.check_access('write')
        for limit in self:
            if limit.state != 'draft':
                raise UserError(self.env._("Only a draft can be submitted."))
            limit._check_still_possible()
            limit._write_flow({'state': 'submitted', 'requested_by_id': self.env.uid})
        self._approval_notify()
        return True

    def action_draft(self):
        """Take submitted limits back."""
        self.check_access('write')
        if any(limit.state != 'submitted' for limit in self):
            raise UserError(self.env._("Only a submitted limit can be put back to draft."))
        self._write_flow({'state': 'draft'})
        return True

    def action_approve(self):
        """Approve; the last level puts the limits in force, and what was in force before ends the day before.

        :raise AccessError: if it is not for the user to decide, or he asked for the limit
        :raise UserError: if a limit is beyond what the policy allows, which takes a reason
        :raise ValidationError: if a later limit is approved already
        """
        # Which step the client saw: it may only keep a decision from counting for the next level.
        seen = self.env.context.get('credit_approval')
        self._approve(step=self.env['credit.approval'].browse(seen) if isinstance(seen, int) else None)
        return True

    def _approve(self, note=None, reason=None, step=None):
        """Approve, see `action_approve`; for the other arguments see `_approval_decide`."""
        self._check_decision()
        # Confirmations and other approvals for the same customers queue here.
        self.env['credit.counter'].sudo()._bump(self.account_id)
        self._approval_decide('approved', note, reason, step)._put_in_force(note)

    def _put_in_force(self, note=None):
        """Put limits in force that all levels have approved."""
        if not self:
            return
        self._write_flows(self._approvals())
        if note:
            self._write_flow({'decision_note': note})
        self.filtered(lambda limit: limit.kind == 'base').account_id._reviewed()
        messages = {}
        for account, limits in self.grouped('account_id').items():
            bodies = [
                self.env._(
                    "Credit limit approved by %(user)s: %(limit)s, from %(start)s.",
                    user=self.env.user.name,
                    limit=limit.display_name,
                    start=format_date(self.env, limit.date_from),
                )
                for limit in limits
            ]
            messages[account.id] = Markup("<br/>").join(bodies)
        self.account_id._message_log_batch(bodies=messages)

    def action_reject(self):
        """Ask for the reason and reject the submitted limit."""
        self.ensure_one()
        return self._decision_action('reject_limit', self.env._("Reject"))

    def action_approve_outside(self):
        """Ask for the reason and approve a submitted limit that is beyond what the policy allows."""
        self.ensure_one()
        return self._decision_action('approve_limit', self.env._("Approve Outside Policy"))

    def _decision_action(self, decision, title):
        return self.env['credit.decision']._dialog_action(
            title,
            {
                'default_decision': decision,
                'default_limit_id': self.id,
                'default_approval_id': self.approval_id.id,
            },
        )

    def _reject(self, note, reason=None, step=None):
        self._check_decision()
        self._approval_decide('rejected', note, reason, step)
        self._write_flow({'state': 'rejected', **self._decision_vals(), 'decision_note': note})
        for limit in self:
            limit.message_post(
                body=self.env._("Rejected by %(user)s: %(reason)s", user=self.env.user.name, reason=note),
                partner_ids=limit.requested_by_id.partner_id.ids,
            )

    def action_end(self):
        """End approved temporary limits with yesterday; one that starts today or later is never in force.

        :raise AccessError: if the user is no credit manager
        """
        self._check_manager()
        if any(limit.kind != 'temporary' or limit.state != 'approved' for limit in self):
            raise UserError(
                self.env._("Only an approved temporary limit can be ended. Propose another base limit instead.")
            )
        # Confirmations that counted on it are run again.
        self.env['credit.counter'].sudo()._bump(self.account_id)
        for limit in self:
            today = limit.company_id._credit_today()
            if limit.date_from < today:
                end = min(limit.date_to, today - timedelta(days=1))
                limit._write_flow({'state': 'expired', 'date_to': end, 'date_until': end})
            else:
                note = self.env._("Ended before it had been in force for a day.")
                limit._write_flow({'state': 'rejected', 'decision_note': note, **limit._decision_vals()})
            limit.account_id.message_post(
                body=self.env._("%(limit)s was ended by %(user)s.", limit=limit.display_name, user=self.env.user.name)
            )
        return True

    def _decision_vals(self):
        return {'decided_by_id': self.env.uid, 'decided_date': fields.Datetime.now()}

    def _check_decision(self):
        """Refuse a decision in the wrong state; who may decide is checked with the approval."""
        self.check_access('read')
        if any(limit.state != 'submitted' for limit in self):
            raise UserError(self.env._("Only a submitted limit can be approved or rejected."))

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers decide on limits."))
        self.check_access('write')

    def _check_still_possible(self):
        self.ensure_one()
        self.env['credit.check']._require_rate(self.currency_id, self.company_id)
        if self.date_to and self.date_to < self.company_id._credit_today():
            raise ValidationError(
                self.env._(
                    "This limit ended on %(end)s, before it was decided. Change its dates.",
                    end=format_date(self.env, self.date_to),
                )
            )

    def _approvals(self):
        """Yield what approving these limits writes, as `_write_flows` wants it."""
        approved = defaultdict(
            self.browse,
            self.search([('account_id', 'in', self.account_id.ids), ('state', 'in', ('approved', 'expired'))]).grouped(
                'account_id'
            ),
        )
        grace_days = self.account_id._expiry_grace_days()
        for limit in self:
            limit._check_still_possible()
            start = max(limit.date_from, limit.company_id._credit_today())
            others = approved[limit.account_id].filtered(
                lambda other, limit=limit, start=start: (
                    other.kind == limit.kind
                    and other.state in ('approved', 'expired')
                    and (not other.date_until or other.date_until >= max(start, other.date_from))
                )
            )
            until = limit._last_day(grace_days[limit.account_id])
            yield from limit._superseding(others, start, until)
            vals = {'state': 'approved', 'date_from': start, 'date_until': until, **self._decision_vals()}
            if following := until and others.filtered(lambda other, end=limit.date_to: other.date_from > end).sorted(
                'date_from'
            ):
                # No grace where another decision follows.
                vals['date_until'] = min(until, following[0].date_from - timedelta(days=1))
                if vals['date_until'] < until:
                    vals['superseded_by_id'] = following[0].id
            yield limit, vals
            approved[limit.account_id] += limit

    def _last_day(self, grace_days):
        """Return the last day in force: a base limit that nobody has renewed stays for some days of grace."""
        self.ensure_one()
        if not self.date_to or self.kind == 'temporary':
            return self.date_to
        return self.date_to + timedelta(days=grace_days)

    def _superseding(self, others, start, until):
        """Yield what ends `others`, in force from `start` on, so that one limit of a kind is in force on each day.

        :param until: the last day of this one, with its days of grace
        """
        self.ensure_one()
        today = self.company_id._credit_today()
        for other in others:
            if other.date_from > start and (not self.date_to or other.date_from <= self.date_to):
                raise ValidationError(
                    self.env._(
                        "Two limits of %(customer)s would be in force at the same time: %(limit)s is approved from "
                        "%(start)s on. Let this one end before that day.",
                        customer=self.partner_id.display_name,
                        limit=other.display_name,
                        start=format_date(self.env, other.date_from),
                    )
                )
            if (
                self.kind == 'base'
                and other.date_from <= start
                and self.date_to
                and until == self.date_to
                and (not other.date_to or other.date_to > self.date_to)
            ):
                # With days of grace it is renewed in time; without, it would be gone overnight.
                raise ValidationError(
                    self.env._(
                        "After %(end)s %(customer)s would be without a limit, because %(limit)s would have ended for "
                        "good and the policy gives no days of grace. Leave the end empty, or propose a temporary "
                        "limit.",
                        customer=self.partner_id.display_name,
                        limit=other.display_name,
                        end=format_date(self.env, self.date_to),
                    )
                )
            if other.date_from <= start:
                last = start - timedelta(days=1)
                # Replaced on its first day, it keeps that day as its last on paper, and is in force on none.
                end = max(last, other.date_from)
                vals = {
                    'date_to': min(other.date_to or end, end),
                    'date_until': last,
                    'superseded_by_id': self.id,
                }
                if last < today or other.date_from == start:
                    vals['state'] = 'superseded'
                yield other, vals

    def _close_merged(self, note):
        """End approved limits, whose account is merged into another one, with the day before today."""
        for limit in self:
            yesterday = limit.company_id._credit_today() - timedelta(days=1)
            end = max(limit.date_from, min(limit.date_to or yesterday, yesterday))
            until = min(limit.date_until or yesterday, yesterday)
            limit._write_flow({'state': 'superseded', 'date_to': end, 'date_until': until})
            limit.message_post(body=note)

    def _approver(self):
        """Return who is asked to approve."""
        self.ensure_one()
        return self.approval_user_id

    def _approval_request(self):
        # EXTENDS credit.approval.mixin
        company, account = self.company_id, self.account_id
        amount = (
            inf
            if self.limit_kind == 'unlimited'
            else self.currency_id._convert(self.amount, company.currency_id, company, company._credit_today())
        )
        present = inf if account.unlimited else account.effective_limit
        return self._prepare_approval_request(amount, present, 0.0 if present == inf else max(0.0, amount - present))

    def _approval_barred(self):
        # EXTENDS credit.approval.mixin: nor who wrote it, whoever handed it in
        limit = self.sudo()
        return super()._approval_barred() | limit.create_uid | limit.author_ids

    def _approval_outside(self):
        # EXTENDS credit.approval.mixin
        bound = self._approval_policy().max_limit_amount
        currency = self.company_id.currency_id
        amount = self._approval_request().amount
        if not bound or (amount != inf and currency.compare_amounts(amount, bound) <= 0):
            return False
        return self.env._(
            "The policy allows limits up to %(amount)s.", amount=formatLang(self.env, bound, currency_obj=currency)
        )

    def _approval_button(self, decision, step):
        # EXTENDS credit.approval.mixin
        if decision == 'reject':
            return self.action_reject()
        if self.outside_text:
            return self.action_approve_outside()
        self._approve(step=step)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    @api.model
    def _cron_close(self):
        """Mark the limits whose last day has passed."""
        self.env['credit.counter']._each_root_company(
            self._close_ended, 'credit_management.mail_activity_type_close_failed'
        )

    @api.model
    def _close_ended(self, company):
        today = company._credit_today()
        ended = self.search(
            [('company_id', '=', company.id), ('state', 'in', ('approved', 'expired')), ('date_to', '<', today)]
        )
        # In its days of grace it has expired and is in force all the same.
        superseded = ended.filtered(lambda limit: limit.superseded_by_id and limit.date_until < today)
        superseded._write_flow({'state': 'superseded'})
        (ended - superseded).filtered(lambda limit: limit.state == 'approved')._write_flow({'state': 'expired'})

    # -------------------------------------------------------------------------
    # SQL
    # -------------------------------------------------------------------------

    @api.model
    def _in_force_sql(self, company, date, kinds=('base', 'temporary'), everybody=False):
        """Return the SELECT of (limit_kind, amount in company currency) in force at a date, to be joined laterally.

        Reads the `account`; with `everybody` instead, to be joined by `account_id`,
        those of all accounts at once. A temporary limit goes before the base limit.
        Also for a date in the past: what was superseded or expired since then was
        approved before. One of a kind is in force on each day, see `_superseding`;
        `date_to` is before the date where it is in its days of grace.
        """
        return SQL(
            """
            SELECT %(distinct)s decision.account_id, decision.kind, decision.date_to, decision.date_until,
                   decision.limit_kind,
                   CASE WHEN decision.currency_id = %(currency)s THEN decision.amount
                        ELSE ROUND((decision.amount * %(factor)s / %(rounding)s)::numeric) * %(rounding)s
                    END AS amount
              FROM credit_limit decision
             WHERE %(accounts)s
               AND decision.kind = ANY(%(kinds)s)
               AND decision.state IN ('approved', 'superseded', 'expired')
               AND decision.date_from <= %(date)s
               AND (decision.date_until IS NULL OR decision.date_until >= %(date)s)
          ORDER BY %(order)s decision.kind = 'temporary' DESC
             %(limit)s
            """,
            distinct=SQL("DISTINCT ON (decision.account_id)") if everybody else SQL(),
            accounts=(
                SQL(
                    "decision.account_id IN (SELECT id FROM credit_account WHERE company_id = %s AND active)",
                    company.id,
                )
                if everybody
                else SQL("decision.account_id = account.id")
            ),
            order=SQL("decision.account_id,") if everybody else SQL(),
            limit=SQL() if everybody else SQL("LIMIT 1"),
            factor=self.env['credit.exposure']._factor_sql(company, date, SQL("decision.currency_id")),
            currency=company.currency_id.id,
            rounding=company.currency_id.rounding,
            date=date,
            kinds=list(kinds),
        )
