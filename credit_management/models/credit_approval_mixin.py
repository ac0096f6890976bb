from collections import defaultdict
from math import inf

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..engine.approval import Request
from .credit_approval import OPEN, Ask

# What only the flow of the approval writes.
APPROVAL_FIELDS = {'approval_id', 'outside_policy', 'reason_id'}


class CreditApprovalMixin(models.AbstractModel):
    """A document that is decided level by level.

    A model that inherits it has an `account_id` and a `state`, and says what is
    asked for::

        class CreditWriteOff(models.Model):
            _inherit = ['credit.approval.mixin', 'mail.thread', 'mail.activity.mixin']
            _approval_kind = 'write_off'  # added to `credit.approval.level.kind`
            _approval_state = 'submitted'
            _approval_activity = 'my_module.mail_activity_type_write_off'

            def _approval_request(self):
                return self._prepare_approval_request(self.amount_company)

            def action_approve(self):
                approved = self._approval_decide('approved')
                ...  # what a decision brings about, for `approved`

    Getting into `_approval_state` asks the first level, leaving it cancels what
    is still asked. Names of methods and fields are stable.
    """

    _name = 'credit.approval.mixin'
    _description = "Credit Approval Flow"

    # What the levels call this kind of document, the state in which it waits
    # for approval, and the activity type of those who are asked.
    _approval_kind = None
    _approval_state = 'submitted'
    _approval_activity = None

    approval_ids = fields.One2many(
        'credit.approval',
        'res_id',
        string="Approvals",
        domain=lambda self: [('res_model', '=', self._name)],
        readonly=True,
        copy=False,
    )
    approval_id = fields.Many2one(
        'credit.approval',
        string="Open Approval",
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='set null',
    )
    approval_user_id = fields.Many2one(related='approval_id.user_id', string="Decides Next")
    approval_since = fields.Datetime(related='approval_id.asked_date', string="Asked Since")
    approval_deadline = fields.Datetime(related='approval_id.deadline', string="Decision Due")
    approval_level_name = fields.Char(related='approval_id.level_name')
    can_decide = fields.Boolean(compute='_compute_can_decide', help="Whether you are one of those who decide now.")
    outside_policy = fields.Boolean(
        readonly=True, copy=False, help="Decided although it goes beyond what the policy allows."
    )
    outside_text = fields.Char(string="Why Outside Policy", compute='_compute_outside_text')
    reason_id = fields.Many2one('credit.reason', string="Reason Code", readonly=True, copy=False, ondelete='restrict')

    # -------------------------------------------------------------------------
    # What a document says
    # -------------------------------------------------------------------------

    def _approval_request(self):
        """Return the engine's Request: what is asked for, in company currency."""
        raise NotImplementedError

    def _approval_company(self):
        """Return the company or branch whose people decide."""
        return self.company_id

    def _approval_requester(self):
        """Return who asked; he does not decide."""
        return self.requested_by_id

    def _approval_barred(self):
        """Return all who must not decide now: who asked, who gains by it, who wrote it."""
        return self._approval_requester()

    def _approval_policy(self):
        """Return the policy whose levels and bounds apply."""
        return self.account_id.applied_policy_id

    def _approval_outside(self):
        """Return in words why approving is beyond what the policy allows; False if it is not."""
        return False

    def _approval_target(self):
        """Return the record on which the activity and the notes are."""
        return self

    def _approval_summary(self):
        """Return in a few words what is to be decided, in the language of the context."""
        return self.display_name

    def _approval_open(self):
        """Return the action that opens what is to be decided."""
        return self._approval_target().get_formview_action()

    def _approval_button(self, decision, step):
        """Carry out, or ask about, what was pressed in the list of approvals.

        :param decision: 'approve' or 'reject'
        :param step: the credit.approval that the user saw
        """
        raise NotImplementedError

    def _approval_unconfirmed(self):
        """Do what has to be done where a confirmation was not given in time."""

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    @api.depends('approval_id', 'approval_id.user_id')
    @api.depends_context('uid')
    def _compute_can_decide(self):
        # Who may decide depends on users and groups that not everybody reads.
        steps = self.sudo().approval_id
        lineups = steps._lineups()
        for document in self:
            step = document.sudo().approval_id
            document.can_decide = bool(step) and step._may_decide(self.env.user, lineups[step])

    @api.depends('account_id')
    @api.depends_context('lang')
    def _compute_outside_text(self):
        for document in self:
            document.outside_text = bool(document.account_id) and document.sudo()._approval_outside()

    def _prepare_approval_request(self, amount, present=0.0, excess=0.0):
        """Return the engine's Request of these amounts in company currency."""
        return Request(self._approval_company().currency_id.rounding, amount, present, excess)

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        documents = super().create(vals_list)
        documents.filtered(lambda document: document.state == document._approval_state)._approval_start()
        return documents

    def write(self, vals):
        result = super().write(vals)
        if vals.get('state') == self._approval_state:
            self._approval_start()
        elif 'state' in vals:
            self._approval_cancel()
        self._approval_follow_account(vals)
        return result

    def unlink(self):
        # Of a draft that was taken back; the credit file still knows it.
        self.sudo().approval_ids.unlink()
        return super().unlink()

    def _approval_write(self, vals):
        """Write what documents keep clients from writing, also on behalf of who may decide but not write.

        Starts and cancels nothing.
        """
        result = super(CreditApprovalMixin, self.sudo()).write(vals)  # pylint: disable=super-method-mismatch
        self._approval_follow_account(vals)
        return result

    def _approval_follow_account(self, vals):
        """Move what is still asked to another account, as when customers are merged."""
        if 'account_id' in vals:
            steps = self.sudo().approval_ids.filtered(lambda step: step.state in OPEN)
            steps.account_id = vals['account_id']

    def _approval_levels(self, request):
        """Return the levels that are asked about this document."""
        self.ensure_one()
        return self._approval_policy().sudo()._approval_levels(self._approval_kind, request, self.account_id)

    def _approval_asks(self):
        """Return {document: the Ask of the level that would be the first} of documents that are not asked about yet."""
        return {
            document: Ask(
                document._approval_levels(document._approval_request())[:1],
                document.account_id,
                document._approval_company(),
                document._approval_barred(),
            )
            for document in self
        }

    def _approval_start(self):
        """Make the steps of these documents and ask the first of each; what was asked before is cancelled."""
        self._approval_cancel()
        # Nobody has the right to write steps.
        Step = self.env['credit.approval'].sudo()
        attempts = {
            res_id: attempt
            for res_id, attempt in Step._read_group(
                [('res_model', '=', self._name), ('res_id', 'in', self.ids)], ['res_id'], ['attempt:max']
            )
        }
        vals_list = []
        for document in self.sudo():
            request = document._approval_request()
            for sequence, level in enumerate(document._approval_levels(request) or [self.env['credit.approval.level']]):
                vals_list.append(
                    document._prepare_step_vals(request, level)
                    | {'sequence': sequence, 'attempt': attempts.get(document.id, 0) + 1}
                )
        steps = Step.create(vals_list)
        first = steps.filtered(lambda step: not step.sequence)
        first._ask(notify=False)
        for step in first:
            self.browse(step.res_id)._approval_write({'approval_id': step.id})

    def _prepare_step_vals(self, request, level):
        """Return what a step about this document consists of."""
        self.ensure_one()
        unlimited = request.amount == inf
        currency = self._approval_company().currency_id
        return {
            'account_id': self.account_id.id,
            'company_id': self._approval_company().id,
            'res_model': self._name,
            'res_id': self.id,
            'amount': 0.0 if unlimited else currency.round(request.amount),
            'unlimited': unlimited,
            'excess': 0.0 if unlimited else currency.round(max(0.0, request.excess)),
            'level_id': level.id,
            'level_name': level.name,
            'requested_by_id': self._approval_requester().id,
        }

    def _approval_update_steps(self):
        """Show those who are still asked about these documents the amounts of now."""
        for document in self.sudo():
            request = document._approval_request()
            for step in document.approval_ids.filtered(lambda item: item.state in OPEN):
                vals = document._prepare_step_vals(request, step.level_id)
                step.write({name: vals[name] for name in ('amount', 'unlimited', 'excess')})

    def _approval_cancel(self):
        """Take back what is still asked about these documents."""
        asked = self.filtered(lambda document: document.sudo().approval_id)
        if not asked:
            return
        # Nobody has the right to write steps.
        asked.sudo().approval_ids.filtered(lambda step: step.state in OPEN).write({'state': 'cancelled'})
        asked._approval_write({'approval_id': False})
        asked._approval_close_activity(withdrawn=True)

    def _approval_close_activity(self, feedback=None, withdrawn=False):
        """Close the activities of those who were asked; what was withdrawn nobody has done."""
        targets = defaultdict(list)
        # Whoever decides need not have the right to write the document.
        for document in self.sudo():
            target = document._approval_target()
            targets[target._name] += target.ids
        for name, ids in targets.items():
            documents = self.env[name].sudo().browse(ids)
            if withdrawn:
                documents.activity_unlink([self._approval_activity])
            else:
                documents.activity_feedback([self._approval_activity], feedback=feedback)

    def _approval_decide(self, state, note=None, reason=None, step=None):
        """Record the user's decision on what he is asked about these documents.

        The system (sudo) decides on all levels at once.

        :param state: 'approved' or 'rejected'
        :param note: the reason in words
        :param reason: credit.reason
        :param step: the credit.approval that the user saw, to refuse where it has been decided meanwhile
        :returns: the documents that are decided with it; the others wait for their next level
        :raise AccessError: if it is not for the user to decide
        :raise UserError: if it is decided already, or lacks the reason that it needs
        """
        asked = self.sudo()
        asked.filtered(lambda item: not item.approval_id and item.state == item._approval_state)._approval_start()
        self._approval_check(step)
        outside = self.browse()
        if state == 'approved':
            outside = self.filtered(lambda document: document.sudo()._approval_outside())
            outside._approval_check_reason(note, reason)
        decision = {
            'state': state,
            'decided_by_id': self.env.uid,
            'decided_date': fields.Datetime.now(),
            'reason_id': reason.id if reason else False,
            'note': note,
        }
        finished = self.browse()
        # Nobody has the right to write steps.
        decided = following = dropped = self.env['credit.approval'].sudo()
        given = []
        for document in self:
            steps = document.sudo().approval_ids.filtered(lambda item: item.state in OPEN).sorted('sequence')
            current = steps if self.env.su and state == 'approved' else steps[:1]
            decided += current
            rest = steps - current
            if state == 'approved' and rest:
                following += rest[:1]
                document._approval_write({'approval_id': rest[0].id})
                given.append((document.account_id, 'approval_given', current._prepare_event_payload()))
            else:
                dropped += rest
                finished += document
        decided.write(decision)
        dropped.write({'state': 'cancelled'})
        finished._approval_write({'approval_id': False})
        self._approval_close_activity(note)
        if reason:
            self._approval_write({'reason_id': reason.id})
        if outside:
            outside._approval_write({'outside_policy': True})
            given += [
                (document.account_id, 'outside_policy', {'res_model': document._name, 'res_id': document.id})
                for document in outside & finished
            ]
        self.env['credit.event']._record(given)
        following._ask()
        return finished

    def _approval_check(self, step=None):
        """Refuse a decision by who is not asked, or on what is decided.

        :raise AccessError: if it is not for the user to decide
        :raise UserError: if `step`, which the user saw, has been decided meanwhile
        """
        if step and step not in self.sudo().approval_id:
            # The number is a client's: nothing is told of another document's step.
            decided = (
                step.sudo().exists().filtered(lambda item: item.res_model == self._name and item.res_id in self.ids)
            )
            if decided.state == 'cancelled':
                raise UserError(
                    self.env._(
                        "What is asked about %(document)s has changed meanwhile. Reload the page and look at it again.",
                        document=self[0].sudo().display_name,
                    )
                )
            raise UserError(
                self.env._(
                    "%(document)s has been decided meanwhile by %(user)s. Reload the page.",
                    document=self[0].sudo().display_name,
                    user=decided.decided_by_id.name or self.env._("the system"),
                )
            )
        if self.env.su:
            return
        steps = self.sudo().approval_id
        lineups = steps._lineups()
        for item, document in steps._documents().items():
            if item._may_decide(self.env.user, lineups[item]):
                continue
            raise AccessError(document._approval_refusal(lineups[item], item.user_id, item.level_name))

    def _approval_refusal(self, lineup, asked, level):
        """Return in words why the user can't decide on this document, and who can.

        :param lineup: the Lineup of those who decide now
        :param asked: res.users, who is asked first
        :param level: name of the level, empty for any credit manager
        """
        self.ensure_one()
        document = self.sudo()
        if self.env.user in document._approval_barred():
            # Names are no secret among colleagues.
            others = self.env['res.users'].sudo().browse(lineup.deciders())
            return self.env._(
                "%(document)s is your own: you asked for it, wrote it or sell it. Somebody else has to decide: "
                "%(users)s.",
                document=document.display_name,
                users=', '.join(others.sorted('name').mapped('name')) or self.env._("nobody can at present"),
            )
        return self.env._(
            "%(user)s is asked to decide on %(document)s (%(level)s). Only who belongs to this level or stands in "
            "there can, and nobody decides at two levels.",
            document=document.display_name,
            user=asked.sudo().name or self.env._("Nobody"),
            level=level or self.env._("any credit manager"),
        )

    def _approval_check_reason(self, note, reason):
        """Refuse a decision outside the policy without its reason.

        :raise UserError: if it is missing
        """
        if self and not (reason and reason.for_outside and note):
            raise UserError(
                self.env._(
                    "%(why)s Choose a reason for a decision outside the policy, and add a note.",
                    why=self[0].sudo()._approval_outside(),
                )
            )

    def _approval_notify(self):
        """Give whoever is asked about each of these documents an activity, or move it there."""
        for document in self.sudo():
            user = document.approval_id.user_id
            target = document._approval_target()
            if not user or not target:
                continue
            reader = document.with_context(lang=user.lang or self.env.lang)
            company = document._approval_company()
            vals = {
                'summary': reader._approval_summary(),
                'user_id': user.id,
                # Not that of the deadline: what is due later is not counted in the menu of activities.
                'date_deadline': company._credit_today(),
            }
            if activities := target.activity_search([self._approval_activity]):
                activities.write(vals)
            else:
                target.activity_schedule(self._approval_activity, **vals)

    def _approval_note(self, text, users):
        """Tell users in the document's chatter."""
        for document in self.sudo():
            document._approval_target().message_post(
                body=text, partner_ids=users.partner_id.ids, subtype_xmlid='mail.mt_note'
            )
