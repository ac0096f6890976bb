from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_datetime

from ..engine.verdict import OUTCOMES, STOPPING
from .sale_order import STAFF

# More than these are left to the job.
EVALUATED_AT_ONCE = 40
ACTIVITY = 'credit_management.mail_activity_type_held_order'


class SaleOrder(models.Model):
    """Looking again at orders on hold: by hand, and by the job after something has changed."""

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    credit_ready_date = fields.Datetime(
        string="Ready Since",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Since when this order on hold would pass, as far as was looked at again.",
    )
    credit_can_evaluate = fields.Boolean(compute='_compute_credit_can_evaluate', groups=STAFF)

    @api.depends('credit_state', 'state')
    @api.depends_context('uid')
    def _compute_credit_can_evaluate(self):
        mine = self._origin._credit_evaluable()
        for order in self:
            order.credit_can_evaluate = order._credit_is_held() and order._origin in mine

    def _credit_is_held(self):
        """Tell whether this is a quotation on hold."""
        self.ensure_one()
        return self.credit_state == 'on_hold' and self.state in ('draft', 'sent')

    def _credit_evaluable(self):
        """Return those orders that the user may have looked at again: the own, or all for who analyses credit."""
        user = self.env.user
        if user.has_group('credit_management.group_credit_analyst'):
            return self._filtered_access('read')
        if user.has_group('credit_management.group_credit_sales'):
            return self._filtered_access('write')
        return self.browse()

    def _credit_wanted_by(self):
        """Return who wants this order to go on: when the system looks at it again, who wanted it before."""
        self.ensure_one()
        user = self.env.user
        before = self.sudo().credit_check_id.user_id if self.credit_state == 'on_hold' else user
        return before if before and user._is_superuser() else user

    # -------------------------------------------------------------------------
    # By hand
    # -------------------------------------------------------------------------

    def action_credit_evaluate(self):
        """Check these orders on hold again and say what has become of them; many are left to the job.

        :returns: the action that shows the result
        :raise AccessError: if the user may not have them looked at
        :raise UserError: if none of them is on hold
        """
        self.check_access('read')
        held = self.filtered(lambda order: order._credit_is_held())
        if not held:
            raise UserError(self.env._("None of these orders is on hold."))
        if refused := held - held._credit_evaluable():
            raise AccessError(
                self.env._(
                    "%(order)s is checked again by its salesperson or by a credit analyst.", order=refused[0].name
                )
            )
        if len(held) > EVALUATED_AT_ONCE:
            return held._credit_leave_to_job()
        names = {'confirmed': [], 'ready': [], 'held': [], None: []}
        ready = self.browse()
        for order in held.sorted('id'):
            outcome = order._credit_attempt(
                lambda order=order, ready=ready: order._credit_reevaluate(ready, renew=True), tell=False
            )
            names[outcome].append(order.name)
            if outcome == 'ready':
                ready |= order
        return held._credit_evaluated(names)

    def _credit_evaluated(self, names):
        """Return the notification on what has become of orders that were looked at.

        :param names: {outcome: names of orders}
        """
        sentences = [
            (names['confirmed'], self.env._("Confirmed: %(orders)s.", orders=', '.join(names['confirmed']))),
            (names['ready'], self.env._("Ready to be confirmed: %(orders)s.", orders=', '.join(names['ready']))),
            (names[None], self.env._("Could not be checked: %(orders)s.", orders=', '.join(names[None]))),
        ]
        parts = [sentence for orders, sentence in sentences if orders]
        still = self.filtered(lambda order: order.name in names['held'])
        if still:
            parts.append(still._credit_hold_text())
        level = 'warning' if still or names[None] else 'success'
        return self._credit_notification(self.env._("Checked Again"), ' '.join(parts), level, 'soft_reload')

    def action_credit_evaluate_all(self):
        """Leave all orders on hold that the user may have checked again to the job.

        :raise UserError: if there is none
        """
        held = self.search([('credit_state', '=', 'on_hold'), ('state', 'in', ('draft', 'sent'))])
        mine = held._credit_evaluable()
        if not mine:
            raise UserError(self.env._("None of these orders is on hold."))
        return mine._credit_leave_to_job()

    def _credit_leave_to_job(self):
        # Of accounts that a salesperson may not read; nothing of them comes back.
        self.env['credit.recheck'].sudo()._mark_accounts(self.sudo().credit_account_id)
        return self._credit_notification(
            self.env._("Checked Again"),
            self.env._(
                "Orders to be checked again: %(count)s. It is done in the background, customer by customer; the "
                "salespeople are told what has become of them.",
                count=len(self),
            ),
            'info',
            'soft_reload',
        )

    # -------------------------------------------------------------------------
    # By the system
    # -------------------------------------------------------------------------

    def _credit_reevaluate(self, ready=None, renew=False):
        """Look at an order on hold again, on behalf of the system, whoever asks for it.

        :param ready: orders of the same customer that were found ready before: they go first
        :param renew: whether to record a check also if the reasons are the same
        :returns: 'confirmed', 'ready' or 'held'
        """
        self.ensure_one()
        order = self._credit_as_system()
        if order._credit_forced():
            return 'held'
        if not order._credit_is_held():
            order._credit_let_deliver()
            return 'held'
        before = order.browse(ready.ids) if ready else order.browse()
        result = (before + order)._credit_check(record=False).get(order)
        if result and result['outcome'] in STOPPING:
            if renew or not order._credit_same_figures(result):
                order._credit_apply(order._credit_check())
            elif order.credit_ready_date:
                order._credit_write({'credit_ready_date': False})
            return 'held'
        if order.credit_account_id.applied_policy_id.recheck == 'confirm':
            return order._credit_confirm_by_itself()
        if not order.credit_ready_date:
            order._credit_mark_ready()
        return 'ready'

    def _credit_as_system(self):
        """Return this order as the system looks at it, in its salesperson's language."""
        self.ensure_one()
        system = self.with_user(SUPERUSER_ID).with_company(self.company_id)
        return system.with_context(lang=system.user_id.lang or self.env.lang)

    def _credit_refresh(self):
        """Check quotations on hold again where their customers' figures have changed since.

        Who asks for a release or decides about it does so on what is owed now:
        orders released meanwhile may have raised it to where another level decides.
        What has itself changed since is left for its salesperson to confirm again.
        """
        for held in self:
            order = held._credit_as_system()
            if not order._credit_is_held() or order._credit_changed():
                continue
            result = order._credit_check(record=False).get(order)
            if not result or result['outcome'] not in STOPPING:
                continue
            if not order._credit_same_figures(result):
                order._credit_apply(order._credit_check())

    def _credit_same_figures(self, result):
        """Tell whether an order would be held for the very reasons and at the very figures of its check.

        Figures are all on which it depends who decides, with the grade.

        :param result: of `_credit_check`, for this order
        """
        self.ensure_one()
        check = self.credit_check_id
        profile, facts, _decision = self._credit_main_decision(result)
        pairs = (
            (facts.exposure, check.exposure),
            (facts.effective_limit, check.effective_limit),
            (facts.document_amount, check.document_amount),
        )
        return (
            self._credit_same_reasons(result)
            and facts.unlimited == check.unlimited
            and (profile['figures']['grade_id'] or False) == check.grade_id.id
            and not any(check.currency_id.compare_amounts(now, then) for now, then in pairs)
        )

    @api.model
    def _credit_main_decision(self, result):
        """Return (profile, facts, decision) of the customer for whose sake an order is held.

        :param result: of `_credit_check`, for one order
        """
        return max(
            (item for item in result['decisions'] if item[0]['enforcing']),
            key=lambda item: OUTCOMES.index(item[2].outcome),
        )

    def _credit_forced(self):
        """Tell whether somebody has put this order's customer on hold, or on the blacklist, by hand."""
        self.ensure_one()
        customers = (self.partner_id + self.partner_invoice_id).commercial_partner_id
        domain = [
            ('partner_id', 'in', customers.ids),
            ('company_id', '=', self.company_id.root_id.id),
            ('status', 'in', ('hold', 'blacklisted')),
        ]
        return bool(self.env['credit.account'].search_count(domain, limit=1))

    def _credit_same_reasons(self, result):
        """Tell whether an order would be held for the very reasons that it is held for."""
        self.ensure_one()
        check = self.credit_check_id
        profile, _facts, decision = self._credit_main_decision(result)
        stands = {
            (line.kind, line.verdict, check.currency_id.round(line.excess))
            for line in check.line_ids
            if line.verdict != 'pass' and not line.shadow
        }
        found = {
            (verdict.rule.kind, verdict.outcome, check.currency_id.round(verdict.excess))
            for verdict in decision.reasons
        }
        return profile['account_id'] == check.account_id.id and stands == found

    def _credit_confirm_by_itself(self):
        """Confirm an order that would pass, as the policy says, and tell its salesperson."""
        self.ensure_one()
        since = format_datetime(self.env, self.credit_hold_date, tz=self.user_id.tz or self.env.user.tz)
        self.action_confirm()
        if self.state != 'sale':
            return 'held'
        self._credit_post(
            self.env._("Confirmed by the system"),
            [self.env._("On hold since %(date)s; the customer's credit is enough for it now.", date=since)],
            notify=True,
        )
        return 'confirmed'

    def _credit_mark_ready(self):
        """Note that an order on hold would pass, and tell its salesperson to confirm it."""
        self.ensure_one()
        self._credit_write({'credit_ready_date': fields.Datetime.now()})
        note = self.env._("The customer's credit is enough for it now: confirm it.")
        self._credit_post(self.env._("Ready to be confirmed"), [note])
        self._credit_ask(self.user_id or self.credit_controller_id, self.env._("Ready to be confirmed"), note)

    def _credit_ask(self, user, summary, note):
        """Give somebody an activity on this order, unless he has the same already."""
        self.ensure_one()
        user = user.filtered('active') or self.credit_controller_id or self.env.user
        if self.activity_search([ACTIVITY], user_id=user.id).filtered(lambda item: item.summary == summary):
            return
        self.activity_schedule(
            ACTIVITY,
            date_deadline=self.company_id._credit_today(),
            summary=summary,
            note=note,
            user_id=user.id,
        )

    def _credit_attempt(self, work, tell=True):
        """Do something with this order in a savepoint; an error goes to its salesperson, or who decides about it.

        :returns: what `work` returns, None if it failed
        """
        self.ensure_one()

        def failed(error):
            if not tell:
                return
            order = self.with_user(SUPERUSER_ID)
            # What stands in the way is the salesperson's to mend; what is broken is not.
            text = str(error) if isinstance(error, UserError) else self.env._("The reason is in the server's log.")
            user = order.user_id if isinstance(error, UserError) else order.credit_controller_id
            order._credit_ask(user, self.env._("Could not be checked again"), text)

        return self.env['credit.recheck']._attempt(work, failed)

    def _credit_write(self, vals):
        # EXTENDS credit_management: what is decided about an order is ready no more, and its old asks are settled
        if 'credit_state' in vals:
            vals = {'credit_ready_date': False, **vals}
            self._credit_close_asks()
        elif vals.get('credit_ready_date', True) is False:
            self._credit_close_asks()
        return super()._credit_write(vals)

    def _credit_close_asks(self):
        waiting = self.sudo().filtered(lambda order: order.credit_state in ('on_hold', 'awaiting_payment'))
        if waiting:
            waiting.activity_unlink([ACTIVITY])
