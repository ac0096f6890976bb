import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import formatLang

from ..engine.verdict import STOPPING
from .sale_order import STAFF

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    """What a release does to an order besides confirming it: conditions, raises, several at once."""

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    credit_raise_id = fields.Many2one(
        'credit.release', string="Raise Requested", readonly=True, copy=False, groups=STAFF
    )
    credit_can_ask_raise = fields.Boolean(compute='_compute_credit_raise_buttons', groups=STAFF)
    credit_can_decide_raise = fields.Boolean(compute='_compute_credit_raise_buttons', groups=STAFF)
    credit_condition_state = fields.Selection(
        related='credit_release_id.condition_state', string="Condition", groups=STAFF
    )

    @api.depends('state')
    def _compute_credit_buttons(self):
        # EXTENDS credit_management: a confirmed order can be released again, but not be rejected; who has asked for a
        # deposit may change his mind
        super()._compute_credit_buttons()
        for order in self:
            if order.credit_state == 'awaiting_payment' and order.state in ('draft', 'sent'):
                order.credit_can_release = order.credit_can_decide
            if order.credit_state == 'on_hold' and order.state == 'sale':
                order.credit_can_release = order.credit_can_decide
                order.credit_can_decide = False

    @api.depends('state', 'credit_raise_id.approval_id')
    @api.depends_context('uid')
    def _compute_credit_raise_buttons(self):
        sales = self.env.user.has_group('credit_management.group_credit_sales')
        controlled = self._credit_controlled()
        for order in self:
            asked = order.sudo().credit_raise_id
            confirmed = order.state == 'sale' and order in controlled
            order.credit_can_ask_raise = sales and confirmed and order.credit_state != 'on_hold' and not asked
            order.credit_can_decide_raise = asked.can_decide

    def _credit_write(self, vals):
        # EXTENDS credit_management: a release whose place another takes is settled
        if 'credit_release_id' in vals:
            former = self.sudo().credit_release_id.filtered(lambda release: release.id != vals['credit_release_id'])
            former._settled_by_another()
        if vals.get('credit_state') == 'none':
            asked = self.sudo().credit_raise_id
            asked.state = 'cancelled'
        return super()._credit_write(vals)

    def write(self, vals):
        # EXTENDS sale: what a cancelled order gives back may let others go on
        confirmed = (
            self.filtered(lambda order: order.state == 'sale') if vals.get('state') == 'cancel' else self.browse()
        )
        result = super().write(vals)
        for company, orders in confirmed.grouped('company_id').items():
            self.env['credit.recheck'].sudo()._mark_partners(orders.sudo().partner_invoice_id, company)
        return result

    # -------------------------------------------------------------------------
    # Conditions
    # -------------------------------------------------------------------------

    def _credit_request_release(self, *args, **kwargs):
        # EXTENDS credit_management: what is released already waits for its deposit only
        if self.credit_state == 'awaiting_payment':
            raise UserError(self.env._("%(order)s is released and waits for its deposit only.", order=self.sudo().name))
        return super()._credit_request_release(*args, **kwargs)

    def _credit_not_waiting(self, checks):
        """Return those orders that a check is to put on hold; others go on waiting for the deposit asked for.

        :param checks: {order: credit.check}
        """
        waiting = self.filtered(lambda order: order._credit_waits_for(checks[order]))
        for order in waiting:
            order._credit_write({'credit_check_id': checks[order].id})
        return self - waiting

    def _credit_waits_for(self, check):
        """Tell whether this order waits for a deposit that would let it go on as the check has found it."""
        self.ensure_one()
        release = self.sudo().credit_release_id
        return (
            self.credit_state == 'awaiting_payment'
            and check.outcome != 'block'
            and release._waits()
            and release.debtor_id == check.debtor_id
            and release.currency_id == check.document_currency_id
            and release.currency_id.compare_amounts(check.document_total_currency, release._allowed_amount()) <= 0
        )

    def _credit_released_as_it_stands(self, note):
        """After a release: tell whether there is nothing to confirm, because it waits or is confirmed already."""
        self.ensure_one()
        order = self.sudo()
        release = order.credit_release_id
        if release.condition:
            # Whose payments are looked at later on.
            order.env['credit.account']._for_partners(release.debtor_id, order.company_id)
        confirmed = order.state == 'sale'
        if not confirmed and not release._waits():
            return False
        if not confirmed:
            order._credit_write({'credit_state': 'awaiting_payment'})
        author = self._credit_as_author()
        told = release.with_context(lang=author.env.lang)
        author._credit_post(
            author.env._("Released by %(user)s", user=self.env.user.name) if confirmed else told._title(),
            told._story(),
            notify=True,
        )
        order.credit_account_id._close_hold_activity()
        return True

    def _credit_condition_kept(self, release):
        """The money of a condition has come: confirm the order that waited, or let the goods of a confirmed one go."""
        self.ensure_one()
        account = self.credit_account_id
        self._credit_write({'credit_state': 'released'})
        if self.state != 'sale':
            self.action_confirm()
        if self.state != 'sale':
            return  # on hold again, for another reason; its salesperson reads it in the messages
        self._credit_post(release._title(), release._story(), notify=True)
        account._close_hold_activity()

    def _credit_hold_again(self, release):
        """A condition is broken: hold the order, if there is anything left to hold, and tell who has to know."""
        self.ensure_one()
        title, story = (
            release.with_context(lang=self.env.lang)._title(),
            release.with_context(lang=self.env.lang)._story(),
        )
        if self._credit_hold_rest() and self.state == 'sale':
            story.append(
                self.env._("What is not delivered yet waits until the money has come or it is released again.")
            )
        decider = release.decided_by_id
        self._credit_post(title, story, notify=True, partners=decider.partner_id)
        for user in decider | self.user_id:
            self._credit_ask(user, title, story[-1])

    def _credit_hold_rest(self):
        """Hold an order whose release does not hold any more, if there is anything left to hold; tell whether."""
        self.ensure_one()
        if self.credit_state != 'awaiting_payment' and not (self.state == 'sale' and self._credit_undelivered()):
            return False
        self._credit_write({'credit_state': 'on_hold', 'credit_hold_date': fields.Datetime.now()})
        self.credit_account_id._schedule_hold_activity()
        return True

    def _credit_undelivered(self):
        """Tell whether anything of a confirmed order is still to be delivered."""
        self.ensure_one()
        return any(
            not line.display_type
            and not line.is_downpayment
            and line.product_uom_id.compare(line.qty_delivered, line.product_uom_qty - line.credit_closed_quantity) < 0
            for line in self.order_line
        )

    def _credit_check_open(self, record=True):
        """Check what is still open of a confirmed order as if it were asked for now; see `credit.check._run`."""
        self.ensure_one()
        request = {
            **self._prepare_credit_request(),
            'increase': self.env['credit.exposure']._open_value(self),
            'release': self.env['credit.release'],
            'paid': lambda: 0.0,
        }
        return self.env['credit.check']._run([request], self.company_id.root_id, 'order', record=record)[self]

    def _credit_delivery_stopped(self):
        """Return why the goods of this order may not leave as long as it is on hold, '' if they may."""
        self.ensure_one()
        order = self.sudo()
        if order.state != 'sale' or order.credit_state != 'on_hold':
            return ''
        release = order.credit_release_id
        if release.condition_state == 'broken':
            return ' '.join([release._title(), *release._story()])
        return order.credit_reason.replace('\n', ' ')

    def _credit_check_delivery(self):
        """Check an order whose release says so once more before its goods leave; hold it if it does not pass."""
        self.ensure_one()
        order = self.sudo()
        if order.credit_state != 'released' or not order.credit_release_id.recheck_delivery:
            return
        if order._credit_check_open(record=False)['outcome'] not in STOPPING:
            return
        check = order._credit_check_open()['check']
        order._credit_write(
            {
                'credit_state': 'on_hold',
                'credit_check_id': check.id,
                'credit_account_id': check.account_id.id,
                'credit_hold_date': fields.Datetime.now(),
            }
        )
        author = order._credit_as_author()
        reason = check.with_context(lang=author.env.lang).reason
        author._credit_post(author.env._("Delivery stopped for credit"), reason.split('\n'), notify=True)
        self.env['credit.event']._record([(check.account_id, 'held', check._prepare_event_payload())])
        check.account_id._schedule_hold_activity()

    def _credit_let_deliver(self):
        """Let the goods of an order go that was stopped at delivery, if it would pass by now."""
        self.ensure_one()
        if (
            self.state != 'sale'
            or self.credit_state != 'on_hold'
            or self.credit_release_id.condition_state == 'broken'
            or self._credit_check_open(record=False)['outcome'] in STOPPING
        ):
            return
        vals = {'credit_state': 'released'}
        if self.credit_release_id.emergency_state == 'refused':
            # Not the release lets it go on, the customer's credit does.
            vals = {'credit_state': 'passed', 'credit_release_id': False}
        self._credit_write(vals)
        self._credit_post(
            self.env._("The goods may leave"), [self.env._("The customer's credit is enough for it now.")], notify=True
        )
        self.credit_account_id._close_hold_activity()

    # -------------------------------------------------------------------------
    # Raise of a confirmed order
    # -------------------------------------------------------------------------

    def action_credit_ask_raise(self):
        """Ask up to which amount a confirmed order should be raised, and why."""
        return self._credit_decision_action('raise', self.env._("Ask for a Raise"))

    def action_credit_approve_raise(self):
        """Ask for the reason of approving the raise."""
        return self._credit_decision_action('approve_raise', self.env._("Approve the Raise"))

    def action_credit_refuse_raise(self):
        """Ask for the reason of refusing the raise."""
        return self._credit_decision_action('refuse_raise', self.env._("Refuse the Raise"))

    def _credit_request_raise(self, amount, note):
        """Ask for a release of a confirmed order up to an amount, before it is raised.

        :param amount: taxed total up to which the order is to be raised, in its currency
        :raise UserError: if it needs no release, or none can be given
        """
        self.ensure_one()
        if not self.env.user.has_group('credit_management.group_credit_sales'):
            raise AccessError(self.env._("Only salespeople ask for a raise."))
        self.check_access('write')
        order = self.sudo()
        if order.state != 'sale' or order.credit_state == 'on_hold' or order.credit_raise_id:
            raise UserError(self.env._("%(order)s is not a confirmed order that can be raised.", order=order.name))
        covered = order.credit_checked_total or order._credit_owed_total()
        if order.currency_id.compare_amounts(amount, covered) <= 0:
            raise UserError(
                self.env._(
                    "%(order)s may go up to %(amount)s already.",
                    order=order.name,
                    amount=formatLang(self.env, covered, currency_obj=order.currency_id),
                )
            )
        owed = order._credit_owed_total()
        request = {
            **order._prepare_credit_request(),
            'total': amount,
            # The whole order as it would be, less what is in the ledger already.
            'paid': lambda: owed - order.env['credit.exposure']._open_value(order),
            'release': order.env['credit.release'],
        }
        result = order.env['credit.check']._run([request], order.company_id.root_id, 'order')[order]
        if not self._credit_stopped({self: result}):
            raise UserError(
                self.env._("The customer's credit is enough for it: raise the order, no release is needed.")
            )
        check = result['check']
        if check.outcome == 'block':
            raise UserError(
                self.env._("%(order)s can't be raised: %(reasons)s", order=order.name, reasons=check.reason)
            )
        release = order.env['credit.release'].create(
            {
                **order._prepare_release_vals(),
                'check_id': check.id,
                'account_id': check.account_id.id,
                'debtor_id': check.debtor_id.id,
                'currency_id': order.currency_id.id,
                'amount': amount,
                'purpose': 'raise',
                'state': 'requested',
                'requested_by_id': self.env.uid,
                'requested_date': fields.Datetime.now(),
                'request_note': note,
            }
        )
        order._credit_write({'credit_raise_id': release.id})
        release._record_event('release_requested')
        release._approval_notify()
        author = self._credit_as_author()
        author._credit_post(
            author.env._(
                "Raise to %(amount)s requested by %(user)s",
                amount=formatLang(author.env, amount, currency_obj=order.currency_id),
                user=self.env.user.name,
            ),
            [note, *check.with_context(lang=author.env.lang).reason.split('\n')],
        )

    def _credit_approve_raise(self, note, reason=None, step=None, conditions=None):
        """Approve the raise that is asked for; the last level lets it happen.

        :param reason: credit.reason
        :param step: the credit.approval that the user saw
        :param conditions: values of the release, see `credit.release._prepare_condition_vals`
        :raise AccessError: if it is not for the user to decide
        :raise UserError: if none is asked for
        """
        release = self._credit_asked_raise()
        former = self.sudo().credit_release_id
        if self.credit_state == 'on_hold' or former.emergency_state in ('open', 'refused', 'overdue'):
            raise UserError(
                self.env._(
                    "%(order)s is held again, or its emergency release is not confirmed. Decide on that first.",
                    order=self.name,
                )
            )
        conditions = release._lay_down(conditions, self)
        if not release._approval_decide('approved', note, reason, step):
            self._credit_note_level(note, release.sudo())
            return
        self._credit_settle_raise('released', note, conditions)

    def _credit_refuse_raise(self, note, reason=None, step=None):
        """Refuse the raise that is asked for.

        :raise AccessError: if it is not for the user to decide
        :raise UserError: if none is asked for
        """
        self._credit_asked_raise()._approval_decide('rejected', note, reason, step)
        self._credit_settle_raise('rejected', note)

    def _credit_asked_raise(self):
        """Return the raise that is to be decided.

        :raise UserError: if none is asked for
        """
        self.ensure_one()
        self.check_access('read')
        # Whoever decides reads it or is refused by it.
        release = self.sudo().credit_raise_id
        if not release or self.state != 'sale':
            raise UserError(self.env._("No raise of %(order)s is requested.", order=self.name))
        return self.env['credit.release'].browse(release.id)

    def _credit_settle_raise(self, state, note, conditions=None):
        """Record the decision about a raise, and tell who asked for it."""
        order = self.sudo()
        release = order.credit_raise_id
        kept = order.credit_release_id._kept_by_a_raise(conditions) if state == 'released' else {}
        if kept.get('condition_state') == 'kept':
            # Its money counts once.
            order.credit_release_id._settled_by_another(('kept',))
        release.write(
            {
                **(conditions or {}),
                **kept,
                'state': state,
                'decided_by_id': self.env.uid,
                'decided_date': fields.Datetime.now(),
                'decision_note': note,
            }
        )
        vals = {'credit_raise_id': False}
        if state == 'released':
            vals.update(credit_state='released', credit_release_id=release.id, credit_check_id=release.check_id.id)
        order._credit_write(vals)
        release._record_event(state)
        author = self._credit_as_author()
        money = formatLang(author.env, release._allowed_amount(), currency_obj=release.currency_id)
        author._credit_post(
            author.env._("Raise to %(amount)s approved by %(user)s", amount=money, user=self.env.user.name)
            if state == 'released'
            else author.env._("Raise to %(amount)s refused by %(user)s", amount=money, user=self.env.user.name),
            [note],
            notify=True,
        )

    def _prepare_release_vals(self):
        # EXTENDS credit_management: a confirmed order is released as it is now, for who asked at first and not for
        # who released it
        vals = super()._prepare_release_vals()
        if self.state == 'sale':
            former = self.credit_release_id
            vals.update(amount=self.amount_total, currency_id=self.currency_id.id)
            vals.setdefault('requested_by_id', (former.requested_by_id or former.check_id.user_id).id)
        return vals

    def _credit_check_growth(self, *before):
        # EXTENDS credit_management: who is asked to release a confirmed order again is asked about what it is by now
        super()._credit_check_growth(*before)
        order = self.sudo()
        order.credit_release_id._follow(order._prepare_release_vals())

    def _credit_require_quotation(self):
        if self.state == 'sale':
            raise UserError(
                self.env._(
                    "%(order)s is confirmed and can't be rejected. Release it again, or have it cancelled.",
                    order=self.name,
                )
            )

    # -------------------------------------------------------------------------
    # Several at once
    # -------------------------------------------------------------------------

    def action_credit_release_selected(self):
        """Ask for the reason of releasing these orders."""
        return self.env['credit.mass.decision']._open(self, 'release')

    def action_credit_reject_selected(self):
        """Ask for the reason of rejecting these orders."""
        return self.env['credit.mass.decision']._open(self, 'reject')

    def _credit_obstacle(self, decision, mine):
        """Return why the user can't release or reject this order, '' if nothing stands in the way.

        :param mine: orders that are the user's to decide, see `_credit_deciders`
        """
        self.ensure_one()
        try:
            self._credit_require_held()
            if self not in mine:
                raise AccessError(self._credit_refusal())
            if decision == 'reject':
                self._credit_require_quotation()
            else:
                self._credit_require_releasable()
                self._credit_require_unchanged()
        except (AccessError, UserError) as error:
            return str(error)
        return ''

    def _credit_refusal(self):
        """Return in words why the user can't decide on this held order, and who can."""
        self.ensure_one()
        # Whether and who, never how much.
        order = self.sudo()
        release = order._credit_planned_release()
        Step = order.env['credit.approval']
        if release.id:
            step = release.approval_id
            return release._approval_refusal(step._lineups()[step], step.user_id, step.level_name)
        [ask] = release._approval_asks().values()
        lineup = Step._lineups_of({release: ask})[release]
        return release._approval_refusal(lineup, order.env['res.users'].browse(lineup.first()), ask.level.name)

    def _credit_expected_payment(self, total=False):
        """Return what has to come for this order to go on, in its currency; its total if that is not known."""
        self.ensure_one()
        # What would have let it pass, of a check that sales may not read as a record.
        check = self.sudo().credit_check_id
        if total or not check.payment_needed:
            return self.amount_total
        today = self.company_id._credit_today()
        return check.currency_id._convert(check.payment_needed, self.currency_id, self.company_id, today)

    def _credit_decide_each(self, decision, note, reason=None, steps=None, terms=None):
        """Release or reject each of these orders in a savepoint of its own.

        :param reason: credit.reason
        :param steps: {order: the credit.approval that the user saw}
        :param terms: returns the conditions of an order's release, see `credit.release._prepare_condition_vals`
        :returns: (orders that are decided, orders that go on to their next level, {order: why not})
        """
        done, passed_on, refused = self.browse(), self.browse(), {}
        for order in self.sorted('id'):
            step = (steps or {}).get(order)
            try:
                with self.env.cr.savepoint():
                    if decision == 'release':
                        order._credit_release(note, reason, step, terms(order) if terms else None)
                    else:
                        order._credit_reject(note, reason, step)
                if order.sudo().credit_release_id.state == 'requested':
                    passed_on |= order
                else:
                    done |= order
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except (AccessError, UserError) as error:
                refused[order] = str(error)
            except Exception:  # whatever it is, the other orders are decided
                _logger.exception("Order %s could not be decided", order.id)
                refused[order] = self.env._(
                    "%(order)s could not be decided; the reason is in the server's log.", order=order.sudo().name
                )
        return done, passed_on, refused

    # -------------------------------------------------------------------------
    # Panel
    # -------------------------------------------------------------------------

    def _prepare_credit_panel(self):
        # EXTENDS credit_management: the story of a release with conditions
        self.ensure_one()
        release = self.credit_release_id
        if self.credit_state == 'awaiting_payment' and release._waits():
            panel = self._prepare_panel_of_release('info', release, [])
            return {**panel, 'actions': self._prepare_panel_actions()}
        if self.credit_state == 'on_hold' and self.state == 'sale':
            controller = self.credit_controller_id.name
            again = self.env._("Have it released again; %(controller)s decides.", controller=controller)
            if release.condition_state == 'broken':
                missing = release._money(release.condition_amount - release.condition_received)
                payment = self.env._("Once %(amount)s has come, the goods may leave.", amount=missing)
                return self._prepare_panel_of_release('danger', release, [payment, again])
            panel = self._prepare_panel_of_check(self.credit_check_id)
            return {**panel, 'level': 'danger', 'title': self.env._("Delivery stopped for credit"), 'ways': [again]}
        panel = super()._prepare_credit_panel()
        if panel and self.credit_state == 'released':
            terms = release._story()[1:]
            if release.condition:
                terms.insert(0, release._title())
            panel['reasons'] += [{'verdict': '', 'message': term} for term in terms]
        return panel

    def _prepare_panel_of_release(self, level, release, ways):
        """Return the panel that tells the story of a release, and what helps."""
        panel = self._prepare_panel_of_check(self.credit_check_id)
        story = [{'verdict': '', 'message': sentence} for sentence in release._story()]
        return {**panel, 'level': level, 'title': release._title(), 'reasons': story, 'ways': ways}
