from contextlib import contextmanager
from functools import wraps

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

from ..engine.verdict import OUTCOMES, STOPPING

# Written by the flow only, see `_credit_write`.
CREDIT_FIELDS = {
    'credit_state',
    'credit_account_id',
    'credit_check_id',
    'credit_release_id',
    'credit_hold_date',
    'credit_checked_total',
    'credit_ready_date',
    'credit_raise_id',
}
# What may change the total or the debtor of a confirmed order.
GROWTH_FIELDS = {'order_line', 'partner_id', 'partner_invoice_id', 'pricelist_id', 'currency_id', 'fiscal_position_id'}
# Stored, so that a client could write them; what they are follows from the lines.
COMPUTED_FIELDS = {'amount_total', 'amount_untaxed', 'amount_tax'}
# Confirmed orders whose growth an outer call is already watching; False while
# orders are made as confirmed, which are checked as a whole.
WATCHED_KEY = 'credit_management.watched'
# Which orders passed a check in this transaction, and as what (total, debtor,
# currency). Lost with the transaction and with each savepoint, so that nothing
# passes twice.
PASSED_KEY = 'credit_management.passed'
# Orders that the wrapped `action_confirm` is at work on.
CONFIRMING_KEY = 'credit_management.confirming'
# Customers may read their orders over RPC; reasons and figures are for the staff.
STAFF = 'base.group_user'


class OrderGrown(Exception):
    """An order that passed its check grew while it was confirmed, and does not pass any more."""

    def __init__(self, totals):
        super().__init__()
        self.totals = totals


class SaleOrder(models.Model):
    _inherit = 'sale.order'

    credit_state = fields.Selection(
        [
            ('none', "Not checked"),
            ('passed', "Passed"),
            ('warned', "Passed with a warning"),
            ('awaiting_payment', "Awaiting payment"),
            ('on_hold', "On hold"),
            ('released', "Released"),
            ('rejected', "Rejected"),
        ],
        string="Credit",
        required=True,
        readonly=True,
        default='none',
        copy=False,
        groups=STAFF,
        help="Follows from the credit checks and releases of this order.",
    )
    credit_account_id = fields.Many2one(
        'credit.account',
        readonly=True,
        copy=False,
        index='btree_not_null',
        groups=STAFF,
    )
    credit_check_id = fields.Many2one('credit.check', readonly=True, copy=False, groups=STAFF)
    credit_check_ids = fields.One2many(
        'credit.check',
        'res_id',
        string="Credit Checks",
        domain=[('res_model', '=', 'sale.order')],
        readonly=True,
        groups='credit_management.group_credit_auditor,credit_management.group_credit_analyst',
    )
    credit_release_id = fields.Many2one('credit.release', readonly=True, copy=False, groups=STAFF)
    credit_hold_date = fields.Datetime(string="On Hold Since", readonly=True, copy=False, groups=STAFF)
    credit_checked_total = fields.Monetary(
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Taxed total up to which a check or a release let this order go on.",
    )
    credit_reason = fields.Text(string="Credit Reasons", related='credit_check_id.reason', groups=STAFF)
    credit_excess = fields.Monetary(
        string="Over By", related='credit_check_id.excess', currency_field='company_currency_id', groups=STAFF
    )
    credit_check_date = fields.Datetime(
        string="Figures Of",
        related='credit_check_id.date',
        groups=STAFF,
        help="When reasons and amounts of this order were found. They are looked at again when orders of the customer "
        "are confirmed or cancelled or payments come, each night, and before anybody decides.",
    )
    credit_controller_id = fields.Many2one(
        'res.users',
        compute='_compute_credit_controller_id',
        compute_sudo=True,
        groups=STAFF,
    )
    credit_release_state = fields.Selection(related='credit_release_id.state', string="Release Request", groups=STAFF)
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    credit_panel = fields.Json(
        compute='_compute_credit_panel', groups=STAFF, help="What the order form shows about credit."
    )
    credit_can_request = fields.Boolean(compute='_compute_credit_buttons', groups=STAFF)
    credit_can_release = fields.Boolean(compute='_compute_credit_buttons', groups=STAFF)
    credit_can_decide = fields.Boolean(compute='_compute_credit_buttons', groups=STAFF)
    credit_can_close_remainder = fields.Boolean(compute='_compute_credit_remainder', groups=STAFF)
    credit_can_reopen_remainder = fields.Boolean(compute='_compute_credit_remainder', groups=STAFF)

    _credit_state_index = models.Index("(credit_state) WHERE credit_state = 'on_hold'")

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    @api.depends('credit_account_id')
    def _compute_credit_controller_id(self):
        controllers = self.credit_account_id._controllers()
        for order in self:
            order.credit_controller_id = controllers.get(order.credit_account_id)

    @api.depends('credit_state', 'credit_check_id', 'credit_release_id.state')
    @api.depends_context('uid')
    def _compute_credit_buttons(self):
        sales = self.env.user.has_group('credit_management.group_credit_sales')
        deciders = self._credit_deciders()
        for order in self:
            # The outcome only, of a check that sales may not read as a record.
            held = order.credit_state == 'on_hold' and order.sudo().credit_check_id.outcome != 'block'
            requested = order.sudo().credit_release_id.state == 'requested'
            order.credit_can_request = sales and held and not requested
            order.credit_can_decide = order in deciders
            order.credit_can_release = order.credit_can_decide and held

    @api.depends('state', 'order_line.credit_closed_quantity', 'order_line.qty_delivered', 'order_line.qty_invoiced')
    @api.depends_context('uid')
    def _compute_credit_remainder(self):
        confirmed = self.filtered(lambda order: order._origin and order.state == 'sale')._origin
        mine = confirmed.filtered(lambda order: order._credit_may_close())
        # A sum per order that the user may read.
        amounts = self.env['credit.remainder'].sudo()._amounts(mine.sudo()) if mine else {}
        for order in self:
            order.credit_can_close_remainder = amounts.get(order._origin.id, 0.0) > 0
            order.credit_can_reopen_remainder = order._origin in mine and bool(
                order.sudo().order_line._credit_reopenable()
            )

    @api.depends(
        'state', 'credit_state', 'credit_check_id', 'credit_release_id.state', 'partner_id', 'partner_invoice_id',
        'amount_total', 'currency_id', 'company_id',
    )  # fmt: skip
    @api.depends_context('lang', 'uid')
    def _compute_credit_panel(self):
        controlled = self._credit_controlled()
        for order in self:
            # Figures of all the customer's orders, also those that the user may
            # not read; only sums are shown.
            panel = order.sudo()._prepare_credit_panel() if order in controlled else False
            if panel and not order._credit_figures_visible():
                panel |= {'reasons': [], 'ways': [], 'actions': [], 'meter': False}
            order.credit_panel = panel

    def _credit_figures_visible(self):
        """Tell whether the user may see the figures of this order's debtor.

        On hold, the order's salesperson has to know by how much; before that,
        figures are shown of the own customers and of nobody's.
        """
        self.ensure_one()
        debtor = self.sudo().partner_invoice_id.commercial_partner_id
        saved = self.sudo()._origin
        return bool(
            (saved.credit_state != 'none' and saved.partner_invoice_id.commercial_partner_id == debtor)
            or not debtor.user_id
            or self.env['credit.account'].sudo()._visible_partners(debtor, self.env.user)
        )

    @api.depends('company_id', 'partner_id', 'amount_total')
    def _compute_partner_credit_warning(self):
        # EXTENDS sale: where a policy is enforced, our panel says more than core's banner
        super()._compute_partner_credit_warning()
        for order in self._credit_controlled():
            debtor = order.sudo().partner_invoice_id.commercial_partner_id
            if debtor and debtor._credit_enforced(order.company_id.root_id):
                order.partner_credit_warning = ''

    # -------------------------------------------------------------------------
    # Doors
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS sale: an order created as confirmed is checked like a confirmation
        for vals in vals_list:
            if any(vals.get(name) not in (None, False, 'none') for name in CREDIT_FIELDS & vals.keys()):
                raise AccessError(self._credit_flow_message())
            # Explicit, so that no default from a client's context gets in.
            vals.update(dict.fromkeys(CREDIT_FIELDS - {'credit_state'}, False), credit_state='none')
            for name in COMPUTED_FIELDS if not self.env.su else ():
                vals.pop(name, None)
        state = self.env.context.get('default_state')
        confirmed = [vals.get('state', state) == 'sale' for vals in vals_list]
        if not any(confirmed) or not self.env['credit.policy']._companies_with_policy():
            return super().create(vals_list)
        # What is confirmed from the start has procurements and more made for
        # it. So make it, look, and if it is to be held undo all of that.
        with self.env.cr.savepoint() as savepoint:
            orders = self._credit_create_confirmed(super().create, vals_list)
            results = orders.filtered(lambda order: order.state == 'sale')._credit_check()
            held = [order in results and results[order]['outcome'] in STOPPING for order in orders]
            if any(held):
                savepoint.rollback()
        if not any(held):
            orders._credit_apply(results)
            return orders
        orders = self._credit_create_confirmed(
            super().create,
            [{**vals, 'state': 'draft'} if stopped else vals for vals, stopped in zip(vals_list, held, strict=True)],
        )
        # In their order, so that what fits counts before what is held.
        wanted = orders.browse(order.id for order, wants in zip(orders, confirmed, strict=True) if wants)
        wanted._credit_apply(wanted._credit_check())
        return orders

    def _credit_create_confirmed(self, create, vals_list):
        """Create orders without watching them grow line by line."""
        before = self.env.cr.cache.get(WATCHED_KEY)
        self.env.cr.cache[WATCHED_KEY] = False
        try:
            return create(vals_list)
        finally:
            self.env.cr.cache[WATCHED_KEY] = before or set()

    def write(self, vals):
        # EXTENDS sale: no way into `sale` but through a check, no way at the credit fields at all
        if CREDIT_FIELDS & vals.keys():
            raise AccessError(self._credit_flow_message())
        if not self.env.su:
            vals = {name: value for name, value in vals.items() if name not in COMPUTED_FIELDS}
        if vals.get('state') == 'sale':
            if changing := {name: value for name, value in vals.items() if name in GROWTH_FIELDS}:
                # What is checked must be what is confirmed.
                self.write(changing)
                vals = {name: value for name, value in vals.items() if name not in GROWTH_FIELDS}
            if held := self._credit_stop_uncovered():
                rest = {name: value for name, value in vals.items() if name not in ('state', 'date_order')}
                if rest:
                    super(SaleOrder, held).write(rest)
                going_on = self - held
                return super(SaleOrder, going_on).write(vals) if going_on else True
        with self._credit_watch(vals.keys() & GROWTH_FIELDS):
            result = super().write(vals)
        if vals.get('state') in ('draft', 'cancel'):
            self.filtered(lambda order: order.credit_state != 'none')._credit_reset()
            self._credit_forget_remainders()
        elif vals.get('state') == 'sale':
            # Held once, and now nothing holds it any more: the policy is in shadow mode or gone.
            self.filtered(lambda order: order.credit_state in ('on_hold', 'rejected'))._credit_reset()
        return result

    def unlink(self):
        # EXTENDS sale: no request and no activity stays behind for a quotation that is gone
        self.filtered(lambda order: order.credit_state != 'none')._credit_reset()
        return super().unlink()

    def _credit_stop_uncovered(self):
        """Check those orders that no check of this transaction covers, hold what may not go on, return it.

        :raise OrderGrown: for an order that is being confirmed: then all that
            its confirmation has done so far has to be undone
        """
        uncovered = self.filtered(lambda order: order.state != 'sale' and not order._credit_covered())
        results = uncovered._credit_check()
        stopped = uncovered._credit_stopped(results)
        confirming = self.env.cr.cache.get(CONFIRMING_KEY, ())
        if grown := stopped.filtered(lambda order: order.id in confirming):
            raise OrderGrown({order.id: order.amount_total for order in grown})
        uncovered._credit_apply(results)
        return stopped

    @api.model
    def _credit_flow_message(self):
        return self.env._("The credit state of an order follows from its checks and releases and can't be set.")

    def _credit_write(self, vals):
        """Write what `write` keeps clients from writing."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    # -------------------------------------------------------------------------
    # Confirmation
    # -------------------------------------------------------------------------

    def _register_hook(self):
        """Wrap the finished class's `action_confirm`.

        Outside every override, because add-ons above ours go on with their own
        full `self` after `super()`: with a plain override, an order on hold got
        its thank-you mail and its loyalty points.
        """
        super()._register_hook()
        model_class = type(self)
        confirm = model_class.action_confirm
        if hasattr(confirm, 'credit_origin'):
            return

        @wraps(confirm)
        def action_confirm(self):
            return self._confirm_checked(confirm)

        action_confirm.credit_origin = confirm
        model_class.action_confirm = action_confirm

    def _unregister_hook(self):
        super()._unregister_hook()
        model_class = type(self)
        if hasattr(model_class.__dict__.get('action_confirm'), 'credit_origin'):
            del model_class.action_confirm

    def _confirm_checked(self, confirm):
        """Check, confirm those that pass, report those that don't.

        :param confirm: the finished `action_confirm`; held orders never reach it
        :returns: core's result, or a notification that names the held orders
        """
        quotations = self.filtered(lambda order: order.state in ('draft', 'sent'))
        results = quotations._credit_check()
        if all(result['outcome'] is None for result in results.values()):
            quotations._credit_apply(results)
            return confirm(self)
        held = quotations._credit_stopped(results)
        held._credit_apply({order: results[order] for order in held})
        going_on = self - held
        result = True
        if going_on:
            try:
                result = going_on._credit_confirm(confirm, results)
            except OrderGrown as grown:
                # Loyalty and the like settle the total while they confirm.
                held |= self._credit_hold_grown(grown.totals)
                if rest := self - held:
                    rest._confirm_checked(confirm)
                    held |= rest.filtered(lambda order: order.credit_state == 'on_hold')
        return held._credit_hold_notification() if held else result

    def _credit_confirm(self, confirm, results):
        """Confirm orders that passed; undo all of it if one of them grows beyond what passed."""
        with self.env.cr.savepoint():
            self._credit_apply({order: result for order, result in results.items() if order in self})
            cache = self.env.cr.cache
            outer = cache.get(CONFIRMING_KEY, frozenset())
            cache[CONFIRMING_KEY] = outer | set(self.ids)
            try:
                return confirm(self)
            finally:
                cache[CONFIRMING_KEY] = outer

    def _credit_hold_grown(self, totals):
        """Hold orders at the totals to which their confirmation would have raised them."""
        orders = self.browse(totals)
        results = orders._credit_check(totals=totals)
        orders._credit_hold({order: results[order]['check'] for order in orders})
        return orders

    def action_credit_confirm_selected(self):
        """Confirm the quotations among the selected orders and say how many were confirmed and held."""
        quotations = self.filtered(lambda order: order.state in ('draft', 'sent'))
        if not quotations:
            raise UserError(self.env._("None of the selected orders is a quotation."))
        quotations.action_confirm()
        confirmed = quotations.filtered(lambda order: order.state == 'sale')
        held = quotations - confirmed
        message = self.env._("Orders confirmed: %(count)s.", count=len(confirmed))
        if held:
            message = f"{message} {held._credit_hold_text()}"
        return self._credit_notification(
            self.env._("Confirmation"), message, 'warning' if held else 'success', 'soft_reload'
        )

    def _credit_controlled(self):
        """Return those orders whose company has an active policy."""
        roots = self.env['credit.policy']._companies_with_policy()
        return self.filtered(lambda order: order.company_id.root_id.id in roots) if roots else self.browse()

    def _credit_covered(self):
        """Tell whether a check of this transaction let this order go on with its present total."""
        self.ensure_one()
        total, debtor, currency = self.env.cr.precommit.data.get(PASSED_KEY, {}).get(self.id, (None, None, None))
        return (
            total is not None
            and currency == self.currency_id
            and debtor == self.sudo().partner_invoice_id.commercial_partner_id
            and self.currency_id.compare_amounts(self.amount_total, total) <= 0
        )

    def _credit_stopped(self, results):
        """Return those orders that their checks don't let go on."""
        return self.filtered(
            lambda order: (
                order in results
                and (
                    results[order]['outcome'] == 'block'
                    or (results[order]['outcome'] == 'hold' and not results[order]['check'].release_id)
                )
            )
        )

    def _credit_check(self, record=True, totals=None, together=True):
        """Run the checks of these orders; see `credit.check._run` for what comes back.

        :param totals: {order id: total} where it is not the order's present total
        :param together: False to look at each order as if it were the only one
        """
        results = {}
        for company, orders in self._credit_controlled().grouped(lambda order: order.company_id.root_id).items():
            requests = [
                {**order._prepare_credit_request(), **({'total': totals[order.id]} if totals else {})}
                for order in orders
            ]
            # The check is the system's: it counts documents that the user, or
            # the customer in the portal, may not read.
            results |= (
                self.env['credit.check'].sudo()._run(requests, company, 'order', record=record, together=together)
            )
        return results

    def _prepare_credit_request(self):
        """Return what a check has to know of this order."""
        self.ensure_one()
        order = self.sudo()
        debtor = order.partner_invoice_id.commercial_partner_id
        release = order.credit_release_id if order.credit_state == 'released' else self.env['credit.release']
        return {
            'document': self,
            'debtor': debtor,
            'others': order.partner_id.commercial_partner_id - debtor,
            'total': order.amount_total,
            'paid': order._credit_paid_amount,
            'currency': order.currency_id,
            'release': release.filtered(lambda item: item._covers(order.amount_total, order.currency_id, debtor)),
            'user_id': order._credit_wanted_by().id,
        }

    def _credit_paid_amount(self, since=None):
        """Return what is paid online for this order but not in the ledger yet, in its currency.

        Core confirms an order before it makes the payment of its transaction.

        :param since: only what was begun from this moment on
        """
        self.ensure_one()
        transactions = self.transaction_ids.filtered(
            lambda transaction: (
                transaction.state in ('authorized', 'done')
                and transaction.operation not in ('refund', 'validation')
                # Once its payment has an entry or is matched, the ledger tells whether it has come.
                and (
                    not transaction.payment_id
                    or (transaction.payment_id.state == 'in_process' and not transaction.payment_id.move_id)
                )
                and (not since or transaction.create_date >= since)
            )
        )
        refunds = transactions.child_transaction_ids.filtered(
            lambda transaction: transaction.operation == 'refund' and transaction.state in ('authorized', 'done')
        )
        today = self.company_id._credit_today()
        # Refunds have a negative amount.
        return sum(
            self._credit_share(transaction.source_transaction_id or transaction)
            * transaction.currency_id._convert(transaction.amount, self.currency_id, self.company_id, today)
            for transaction in transactions + refunds
        )

    def _credit_share(self, transaction):
        """Return which part of a transaction is for this order: one that pays several counts once."""
        self.ensure_one()
        orders = transaction.sale_order_ids.filtered(lambda order: order.state != 'cancel')
        if len(orders) < 2:
            return 1.0
        today = self.company_id._credit_today()
        totals = {
            order: order.currency_id._convert(order.amount_total, transaction.currency_id, order.company_id, today)
            for order in orders
        }
        return totals.get(self, 0.0) / (sum(totals.values()) or 1.0)

    def _credit_apply(self, results):
        """Note the outcome of checks on the orders and return those that are held."""
        passed = self.env.cr.precommit.data.setdefault(PASSED_KEY, {})
        held = self._credit_stopped(results)
        accounts = holding = self.env['credit.account'].sudo()
        for order, result in results.items():
            if order in held:
                continue
            # What goes on is missing for the orders that its customer has on hold.
            holding |= holding.browse(
                profile['account_id'] for profile, _facts, _decision in result['decisions'] if profile['holds']
            )
            debtor = order.sudo().partner_invoice_id.commercial_partner_id
            passed[order.id] = (order.amount_total, debtor, order.currency_id)
            check, release = result['check'], order.sudo().credit_release_id
            if result['outcome'] is None:
                continue
            if release.state == 'requested':
                release.state = 'cancelled'
            if order.credit_state in ('on_hold', 'released'):
                accounts |= order.sudo().credit_account_id
            state = 'released' if check.release_id else 'warned' if result['outcome'] == 'warn' else 'passed'
            order._credit_write(
                {
                    'credit_state': state,
                    'credit_account_id': check.account_id.id,
                    'credit_check_id': check.id,
                    'credit_release_id': check.release_id.id,
                    'credit_hold_date': False,
                    'credit_checked_total': order.amount_total,
                }
            )
        if held:
            held._credit_hold({order: results[order]['check'] for order in held})
            holding |= holding.union(*(order.sudo().credit_account_id for order in self - held))
        accounts._close_hold_activity()
        self.env['credit.recheck'].sudo()._mark_accounts(holding)
        return held

    # -------------------------------------------------------------------------
    # Growth of confirmed orders
    # -------------------------------------------------------------------------

    @contextmanager
    def _credit_watch(self, relevant=True):
        """Check the confirmed orders that grow, or change their debtor, while the block runs.

        Before is compared with after the whole block, so that one write may
        raise a line and lower another.

        :raise UserError: if a person's edit asks for more credit than there is
        """
        orders = self._credit_controlled().filtered(lambda order: order.state == 'sale') if relevant else self.browse()
        watched = self.env.cr.cache.setdefault(WATCHED_KEY, set())
        orders = orders.filtered(lambda order: watched is not False and order.id not in watched)
        if not orders:
            yield
            return
        before = {
            order: (order._credit_owed_total(), order.partner_invoice_id.commercial_partner_id, order.currency_id)
            for order in orders
        }
        watched.update(orders.ids)
        try:
            yield
        finally:
            watched.difference_update(orders.ids)
        for order in orders:
            order._credit_check_growth(*before[order])

    def _credit_check_growth(self, total_before, debtor_before, currency_before):
        """Check what a confirmed order has grown by since the total that was let go on."""
        self.ensure_one()
        order = self.sudo()
        debtor = order.partner_invoice_id.commercial_partner_id
        total = order._credit_owed_total()
        covered = order.credit_checked_total or total_before
        if order.currency_id != currency_before:
            if not self.env.su:
                # At the rate of 1 that core takes, nothing would seem to grow.
                self.env['credit.check'].sudo()._require_rate(order.currency_id, order.company_id)
            today = order.company_id._credit_today()
            covered = currency_before._convert(covered, order.currency_id, order.company_id, today)
        if order.currency_id.compare_amounts(covered, order.credit_checked_total):
            # What is tolerated counts from one total on: neither from each edit
            # anew, nor from a number in another currency.
            order._credit_write({'credit_checked_total': covered})
        if debtor == debtor_before:
            policy = self.env['credit.account']._applied_policies(debtor, order.company_id)[debtor.id]
            allowed = covered * (1 + policy.increase_tolerance / 100)
            if order.currency_id.compare_amounts(total, covered) < 0:
                # What was given back may be used by others, so it has to be
                # asked for again.
                order._credit_write({'credit_checked_total': total})
                return
            if order.currency_id.compare_amounts(total, allowed) <= 0:
                return
            increase = total - covered
        else:
            # All that is still open has changed hands.
            increase = self.env['credit.exposure'].sudo()._open_value(order)
            if order.currency_id.is_zero(increase):
                return
        request = {**self._prepare_credit_request(), 'increase': increase, 'paid': lambda: 0.0}
        result = self.env['credit.check'].sudo()._run([request], order.company_id.root_id, 'order')[self]
        check = result['check']
        if self._credit_stopped({self: result}):
            values = {'order': order.name, 'increase': formatLang(self.env, increase, currency_obj=order.currency_id)}
            if not self.env.su:
                raise UserError(
                    self.env._(
                        "%(order)s is confirmed and can't be raised by %(increase)s: %(reasons)s",
                        reasons=check.reason,
                        **values,
                    )
                )
            # What the system adds for work already done is never refused.
            author = self._credit_as_author()
            author._credit_post(
                author.env._("Raised by %(increase)s beyond the customer's credit", **values),
                check.with_context(lang=author.env.lang).reason.split('\n'),
            )
            check.account_id._schedule_growth_activity(order)
            payload = {**check._prepare_event_payload(), 'increase': increase}
            self.env['credit.event']._record([(check.account_id, 'grown', payload)])
            return
        order._credit_write({'credit_checked_total': total})

    # -------------------------------------------------------------------------
    # Hold
    # -------------------------------------------------------------------------

    def _credit_hold(self, checks):
        """Put orders on hold: state, reasons in the chatter, the controller's activity."""
        accounts = former = self.env['credit.account'].sudo()
        entries = []
        for order in self._credit_not_waiting(checks):
            check = checks[order]
            former |= order.sudo().credit_account_id
            again = order.credit_state == 'on_hold'
            before = order.sudo().credit_check_id if again else check.browse()
            vals = {
                'credit_state': 'on_hold',
                'credit_account_id': check.account_id.id,
                'credit_check_id': check.id,
                'credit_hold_date': order.credit_hold_date if again else fields.Datetime.now(),
            }
            if not again:
                vals['credit_release_id'] = False
            # A cart must not be edited while its order waits for a decision.
            if 'website_id' in order._fields and order.website_id and order.state == 'draft':
                vals['state'] = 'sent'
            order._credit_write(vals)
            order.sudo().credit_release_id._follow(order.sudo()._prepare_release_vals())
            if not before or not check._tells_the_same(before):
                author = order._credit_as_author()
                reason = check.with_context(lang=author.env.lang).reason
                author._credit_post(author.env._("On hold for credit"), reason.split('\n'), notify=not again)
                entries.append((check.account_id, 'held', check._prepare_event_payload()))
            accounts |= check.account_id
        self.env['credit.event']._record(entries)
        accounts._schedule_hold_activity()
        (former - accounts)._close_hold_activity()

    def _credit_as_author(self):
        """Return this order in the language of whoever acts, in which a message is kept for all who read it.

        What a customer or the system does is told in the salesperson's.
        """
        user = self.env.user
        staff = not user.share and not user._is_superuser()
        return self.with_context(lang=(user if staff else self.user_id).lang or self.env.lang)

    def _credit_post(self, title, lines, notify=False, partners=None):
        """Post an internal note that the customer never sees; by the system, whoever acts."""
        self.ensure_one()
        body = Markup("<p><b>%s</b></p><ul>%s</ul>") % (
            title,
            Markup().join(Markup("<li>%s</li>") % line for line in lines),
        )
        followers = partners or self.env['res.partner']
        # Who confirms sees the banner; a salesperson whose customer signed or
        # paid in the portal has to be told.
        if notify and self.user_id and self.user_id != self.env.user:
            followers |= self.user_id.partner_id
        self.sudo().message_post(
            body=body,
            author_id=self.env.ref('base.partner_root').id if self.env.user.share else None,
            partner_ids=followers.ids,
            subtype_xmlid='mail.mt_note',
        )

    def _credit_reset(self):
        """Forget the hold of orders that were cancelled or put back to draft."""
        releases = self.sudo().credit_release_id.filtered(lambda release: release.state == 'requested')
        releases.state = 'cancelled'
        self.sudo().credit_release_id._approval_cancel()
        accounts = self.sudo().credit_account_id
        self._credit_write({**dict.fromkeys(CREDIT_FIELDS - {'credit_account_id'}, False), 'credit_state': 'none'})
        accounts._close_hold_activity()

    def _credit_hold_text(self):
        """Return one sentence per held order, with its reasons."""
        return ' '.join(
            self.env._(
                "%(order)s is on hold: %(reasons)s", order=order.name, reasons=' '.join(order.credit_reason.split('\n'))
            )
            for order in self
        )

    def _credit_hold_notification(self):
        """Return the action that tells a list, a form and an RPC caller which orders are held and why."""
        return self._credit_notification(
            self.env._("Held for credit"), self._credit_hold_text(), 'warning', {'type': 'ir.actions.act_window_close'}
        )

    @api.model
    def _credit_notification(self, title, message, level, then):
        if isinstance(then, str):
            then = {'type': 'ir.actions.client', 'tag': then}
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {'title': title, 'message': message, 'type': level, 'sticky': level == 'warning', 'next': then},
        }

    # -------------------------------------------------------------------------
    # Panel
    # -------------------------------------------------------------------------

    def _prepare_credit_panel(self):
        """Return what the form shows: level, title, reasons, ways out, meter; False for nothing."""
        self.ensure_one()
        if self.credit_state in ('rejected', 'released', 'warned') and self.credit_check_id:
            return self._prepare_panel_of_check(self.credit_check_id)
        if self.state not in ('draft', 'sent') or not self.partner_id or not self.partner_invoice_id:
            return False
        # A look at the present facts, also for an order on hold, whose check
        # may be of yesterday: nothing is recorded or locked.
        result = self._credit_check(record=False).get(self)
        enforced = [item for item in result['decisions'] if item[0]['enforcing']] if result else []
        if not enforced:
            return False
        profile, facts, decision = max(enforced, key=lambda item: OUTCOMES.index(item[2].outcome))
        Check = self.env['credit.check']
        vals = Check._prepare_check_vals(self._prepare_credit_request(), profile, facts, decision, 'order')
        if len([item for item in enforced if item[2].stops]) > 1:
            # What satisfies the rules of one customer leaves those of the other.
            vals |= {'payment_needed': 0.0, 'reduction_needed': 0.0}
        panel = self._prepare_panel_of_check(Check.new(vals))
        if decision.stops:
            panel['ways'] += self._prepare_dated_ways(result)
            panel['actions'] = self._prepare_panel_actions(result)
        return panel

    def _prepare_panel_of_check(self, check):
        level, title = self._prepare_panel_title(check.outcome)
        return {
            'level': level,
            'title': title,
            'reasons': [{'verdict': line.verdict, 'message': line.message} for line in check._reason_lines()],
            'ways': self._prepare_panel_ways(check),
            'actions': [],
            'meter': self.env['credit.account']._prepare_meter(check, check.currency_id, check.document_amount),
        }

    def _prepare_panel_ways(self, check):
        """Return the sentences on what would let the order go on."""
        if self.credit_state == 'rejected' and self.state in ('draft', 'sent'):
            return [self.env._("Change the order and confirm it again: it is checked anew.")]
        if self.credit_state not in ('none', 'on_hold') or check.outcome not in STOPPING:
            return []
        if check.outcome == 'block':
            return [self.env._("It can't be released: the customer's status has to change first.")]
        money = {'currency_obj': check.currency_id}
        ways = []
        if check.payment_needed:
            ways.append(
                self.env._(
                    "A payment of %(amount)s would let it pass.",
                    amount=formatLang(self.env, check.payment_needed, **money),
                )
            )
        if check.reduction_needed and check.reduction_needed < check.document_total:
            ways.append(
                self.env._(
                    "An order smaller by %(amount)s would pass.",
                    amount=formatLang(self.env, check.reduction_needed, **money),
                )
            )
        if self.credit_state == 'on_hold':
            controller = (self.credit_release_id.approval_user_id or self.credit_controller_id).name
            ways.append(
                self.env._("A release is requested; %(controller)s decides.", controller=controller)
                if self.credit_release_id.state == 'requested'
                else self.env._("Request a release; %(controller)s decides.", controller=controller)
            )
        return ways

    def _prepare_panel_title(self, outcome):
        """Return the level and the headline of the panel."""
        decision = {
            'user': self.credit_release_id.decided_by_id.name,
            'reason': self.credit_release_id.decision_note or '',
        }
        if self.credit_state == 'released':
            return 'info', self.env._("Released by %(user)s: %(reason)s", **decision)
        if self.credit_state == 'rejected':
            return 'danger', self.env._("Rejected by %(user)s: %(reason)s", **decision)
        if self.credit_state == 'warned':
            return 'warning', self.env._("Confirmed with a credit warning")
        if self.credit_state == 'on_hold':
            if outcome == 'block':
                return 'danger', self.env._("Blocked for credit: not confirmed")
            if outcome == 'hold':
                return 'danger', self.env._("On hold for credit: not confirmed")
            return 'info', self.env._("On hold, but it would pass now: confirm it again")
        return {
            'pass': ('success', self.env._("Within the customer's credit")),
            'warn': ('warning', self.env._("Can be confirmed, with a warning")),
            'hold': ('warning', self.env._("Will be held for credit when confirmed")),
            'block': ('danger', self.env._("Will be blocked when confirmed")),
        }[outcome]

    # -------------------------------------------------------------------------
    # Request, release, reject
    # -------------------------------------------------------------------------

    def action_credit_request_release(self):
        """Ask for the reason of the request."""
        return self._credit_decision_action('request', self.env._("Request Release"))

    def action_credit_release(self):
        """Ask for the reason of the release."""
        return self._credit_decision_action('release', self.env._("Release"))

    def action_credit_reject(self):
        """Ask for the reason of the rejection."""
        return self._credit_decision_action('reject', self.env._("Reject"))

    @api.model
    def get_view(self, view_id=None, view_type='form', **options):
        # EXTENDS base: who decides about credit or keeps the books need not be a
        # salesperson, and core's form can't be read by others once e.g.
        # sale_loyalty is there; wherever a link comes from, it must open.
        if view_type == 'form' and not view_id and not self._credit_reads_order_form():
            view_id = self.env.ref('credit_management.sale_order_view_form_held').id
        return super().get_view(view_id, view_type, **options)

    @api.model
    def _credit_reads_order_form(self):
        """Tell whether the user is at home in core's order form."""
        user = self.env.user
        if user.has_group('sales_team.group_sale_salesman'):
            return True
        deciders = ('credit_management.group_credit_analyst', 'credit_management.group_credit_auditor')
        loyalty = self.env.get('loyalty.card')
        return not any(map(user.has_group, deciders)) and (loyalty is None or loyalty.has_access('read'))

    def action_view_credit_checks(self):
        """Open the checks of this order."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_check_action')
        action['domain'] = [('res_model', '=', 'sale.order'), ('res_id', '=', self.id)]
        return action

    def _credit_decision_action(self, decision, title):
        self.ensure_one()
        self.check_access('read')
        order = self.sudo()
        if decision in ('release', 'emergency') and self.env.user.has_group('credit_management.group_credit_analyst'):
            # What the dialog shows, and which step it asks about, is of now.
            self._credit_refresh()
        release = order.credit_raise_id if decision in ('approve_raise', 'refuse_raise') else order.credit_release_id
        context = {'default_decision': decision, 'default_order_id': self.id}
        if decision not in ('request', 'raise'):
            # Which step is seen, for those who decide.
            context['default_approval_id'] = release.approval_id.id
        return self.env['credit.decision']._dialog_action(title, context)

    def _credit_request_release(self, note):
        """Record the request for a release and tell the controller.

        :raise UserError: if the order is not on hold or can't be released
        """
        self.ensure_one()
        self.check_access('write')
        self._credit_require_releasable()
        self._credit_refresh()
        self._credit_require_releasable()
        order = self.sudo()
        if order.credit_release_id.state == 'requested':
            raise UserError(self.env._("A release of %(order)s is requested already.", order=self.name))
        release = order.env['credit.release'].create(
            {
                **order._prepare_release_vals(),
                'state': 'requested',
                'requested_by_id': self.env.uid,
                'requested_date': fields.Datetime.now(),
                'request_note': note,
            }
        )
        order._credit_write({'credit_release_id': release.id})
        release._record_event('release_requested')
        author = self._credit_as_author()
        author._credit_post(author.env._("Release requested by %(user)s", user=self.env.user.name), [note])
        release._approval_notify()

    def _credit_release(self, note, reason=None, step=None, conditions=None):
        """Release a held order; the last level that approves it confirms it, unless a condition is still open.

        :param reason: credit.reason
        :param step: the credit.approval that the user saw
        :param conditions: values of the release, see `credit.release._prepare_condition_vals`
        :raise AccessError: if it is not for the user to decide, or he asked for the release
        :raise UserError: if the order is not on hold or can't be released
        """
        self.ensure_one()
        self.check_access('read')
        self._credit_require_releasable()
        self._credit_require_unchanged()
        self._credit_refresh()
        self._credit_require_releasable()
        release = self._credit_asked_release()
        conditions = release._lay_down(conditions, self)
        if release._approval_decide('approved', note, reason, step):
            self._credit_decide('released', note, conditions)
            self._credit_go_on(note)
        else:
            self._credit_note_level(note)

    def _credit_go_on(self, note):
        """Confirm an order that was released, unless there is nothing to confirm yet or any more."""
        if self._credit_released_as_it_stands(note):
            return
        # Credit managers need not have the right to confirm orders; the release
        # is their right, and the order's mails and moves are the system's work.
        self.sudo().action_confirm()
        if self.state != 'sale':
            raise UserError(
                self.env._(
                    "%(order)s can't be released: %(reasons)s", order=self.name, reasons=self.sudo().credit_reason
                )
            )
        author = self._credit_as_author()
        terms = self.sudo().credit_release_id.with_context(lang=author.env.lang)._story()[1:]
        author._credit_post(author.env._("Released by %(user)s", user=self.env.user.name), [note, *terms], notify=True)
        self.sudo().credit_account_id._close_hold_activity()

    def _credit_reject(self, note, reason=None, step=None):
        """Reject a held order; the quotation stays and its salesperson is told why.

        :param reason: credit.reason
        :param step: the credit.approval that the user saw
        :raise AccessError: if it is not for the user to decide, or he asked for the release
        :raise UserError: if the order is not on hold
        """
        self.ensure_one()
        self.check_access('read')
        self._credit_require_held()
        self._credit_require_quotation()
        self._credit_asked_release()._approval_decide('rejected', note, reason, step)
        self._credit_decide('rejected', note)
        author = self._credit_as_author()
        author._credit_post(author.env._("Rejected by %(user)s", user=self.env.user.name), [note], notify=True)
        self.sudo().credit_account_id._close_hold_activity()

    def _credit_require_held(self):
        # A confirmed order is on hold when a condition of its release is broken.
        # One that waits for a deposit can be decided about otherwise.
        if self.credit_state not in ('on_hold', 'awaiting_payment') or self.state not in ('draft', 'sent', 'sale'):
            raise UserError(self.env._("%(order)s is not on hold.", order=self.name))

    def _credit_require_unchanged(self):
        """Refuse to release what the manager has not seen: the hold is about one total of one debtor."""
        order = self.sudo()
        check = order.credit_check_id
        if order._credit_changed():
            raise UserError(
                self.env._(
                    "%(order)s has changed since it was held at %(total)s. Its salesperson has to confirm it again, "
                    "so that you decide on what it is now.",
                    order=order.name,
                    total=formatLang(self.env, check.document_total_currency, currency_obj=check.document_currency_id),
                )
            )

    def _credit_changed(self):
        """Tell whether this quotation is not what its check has held any more; a smaller one is."""
        self.ensure_one()
        check = self.credit_check_id
        # What a confirmed order has grown by was checked.
        return self.state != 'sale' and (
            self.currency_id != check.document_currency_id
            or self.partner_invoice_id.commercial_partner_id != check.debtor_id
            or self.currency_id.compare_amounts(self.amount_total, check.document_total_currency) > 0
        )

    def _credit_require_releasable(self):
        self._credit_require_held()
        if self.sudo().credit_check_id.outcome == 'block':
            raise UserError(
                self.env._(
                    "%(order)s is blocked and can't be released: %(reasons)s Change the credit account first.",
                    order=self.name,
                    reasons=self.sudo().credit_reason,
                )
            )

    def _credit_decide(self, state, note, conditions=None):
        """Record the decision on the request, or on a release made without one."""
        order = self.sudo()
        vals = {
            **order._prepare_release_vals(),
            'state': state,
            'decided_by_id': self.env.uid,
            'decided_date': fields.Datetime.now(),
            'decision_note': note,
            **(conditions or {}),
        }
        release = order.credit_release_id
        if release.state == 'requested':
            release.write(vals)
        else:
            release = release.create(vals)
        order._credit_write({'credit_state': state, 'credit_release_id': release.id})
        release._record_event(state)

    def _prepare_release_vals(self):
        """Return what a request or a decision is about: the document as its check saw it."""
        check = self.credit_check_id
        return {
            'account_id': check.account_id.id,
            'company_id': self.company_id.id,
            'check_id': check.id,
            'debtor_id': check.debtor_id.id,
            'res_model': self._name,
            'res_id': self.id,
            'document_name': self.name,
            'currency_id': check.document_currency_id.id,
            'amount': check.document_total_currency,
        }

    # -------------------------------------------------------------------------
    # Open remainders
    # -------------------------------------------------------------------------

    def action_credit_close_remainder(self):
        """Ask for the reason of closing what is left of these orders."""
        return self._credit_remainder_action('close', self.env._("Close Remainder"))

    def action_credit_reopen_remainder(self):
        """Ask for the reason of opening the closed remainders again."""
        return self._credit_remainder_action('reopen', self.env._("Reopen Remainder"))

    def _credit_remainder_action(self, decision, title):
        context = {'default_decision': decision, 'default_order_ids': self.ids}
        return self.env['credit.remainder.close']._dialog_action(title, context)

    def _credit_remainder_summary(self, decision):
        """Return one line per order with the amount that is to be closed or reopened."""
        if decision == 'close':
            amounts = self.env['credit.remainder'].sudo()._amounts(self.sudo())
            figures = [(order, amounts[order.id], order.company_id.root_id.currency_id) for order in self]
        else:
            figures = [(order, order.sudo().order_line._credit_closed_value(), order.currency_id) for order in self]
        return '\n'.join(
            f"{order.name}, {order.partner_id.display_name}: {formatLang(self.env, amount, currency_obj=currency)}"
            for order, amount, currency in figures
        )

    def _credit_may_close(self):
        """Tell whether the user may close the remainder of this order: who may write it, or who analyses credit."""
        self.ensure_one()
        user = self.env.user
        if self.env.su or user.has_group('credit_management.group_credit_analyst'):
            return self.has_access('read')
        return user.has_group('sales_team.group_sale_salesman') and self.has_access('write')

    def _credit_check_may_close(self):
        self.ensure_one()
        if not self._credit_may_close():
            raise AccessError(
                self.env._(
                    "You can't close or reopen the remainder of %(order)s. Ask its salesperson or a credit analyst.",
                    order=self.sudo().name,
                )
            )
        if self.state != 'sale':
            raise UserError(self.env._("%(order)s is not a confirmed order.", order=self.name))

    def _credit_close_remainders(self, note):
        """Close the remainders of some orders; see `_credit_remainder_batch` for what comes back."""
        return self._credit_remainder_batch(
            lambda order: order._credit_close_remainder(note), self.env._("Remainders closed: %(count)s.")
        )

    def _credit_reopen_remainders(self, note):
        """Open closed remainders again; see `_credit_remainder_batch` for what comes back."""
        return self._credit_remainder_batch(
            lambda order: order._credit_reopen_remainder(note), self.env._("Remainders reopened: %(count)s.")
        )

    def _credit_remainder_batch(self, work, done):
        """Do something to each order and report it; of several, one that is refused stops no other.

        :returns: the action that closes the dialog, for several orders with a notification
        :raise UserError, AccessError: if it is refused to a single order
        """
        close = {'type': 'ir.actions.act_window_close'}
        if len(self) == 1:
            work(self)
            return close
        refused = []
        for order in self:
            try:
                with self.env.cr.savepoint():
                    work(order)
            except (AccessError, UserError) as error:
                refused.append(str(error))
        message = ' '.join([done % {'count': len(self) - len(refused)}, *refused])
        return self._credit_notification(
            self.env._("Open Remainders"), message, 'warning' if refused else 'success', 'soft_reload'
        )

    def _credit_close_remainder(self, note):
        """Let this order owe no more than what is delivered or invoiced.

        :param note: the reason, kept in the chatter
        :raise AccessError: if the user may neither write the order nor analyses credit
        :raise UserError: if nothing is left of it, or it can't be stopped any more
        """
        self.ensure_one()
        self._credit_check_may_close()
        # Whoever may close need not have the rights on lines and deliveries;
        # the sums are of an order that he reads.
        order = self.sudo()
        Remainder = order.env['credit.remainder']
        before = Remainder._amounts(order)[order.id]
        # A discount or a trade-in stays: it lowers what is owed for the rest.
        rows = {line_id: row for line_id, row in Remainder._lines(order).items() if row['ordered'] > 0}
        if not rows or order.company_id.root_id.currency_id.compare_amounts(before, 0.0) <= 0:
            raise UserError(self.env._("Nothing is left of %(order)s to be delivered.", order=order.name))
        order._credit_stop_deliveries(order.env['sale.order.line'].browse(rows))
        for line in order.env['sale.order.line'].browse(rows):
            row = rows[line.id]
            line.credit_closed_quantity = max(0.0, line.product_uom_qty - (row['due'] - row['missing']))
        self._credit_note_remainder(self.env._("Remainder of %(amount)s closed by %(user)s"), before, note)

    def _credit_stop_deliveries(self, lines):
        """Cancel what is under way to deliver these lines; the stock bridge does.

        :raise UserError: if something can't be stopped any more
        """

    def _credit_reopen_remainder(self, note):
        """Let the closed remainder be owed again, checked like any growth of a confirmed order.

        :raise AccessError: if the user may neither write the order nor analyses credit
        :raise UserError: if nothing is closed, or the customer's credit is not enough
        """
        self.ensure_one()
        self._credit_check_may_close()
        order = self.sudo()
        lines = order.order_line._credit_reopenable()
        if not lines:
            raise UserError(
                self.env._("Nothing of %(order)s can be reopened. Raise the quantities instead.", order=order.name)
            )
        before = order.env['credit.remainder']._amounts(order)[order.id]
        # Watched on behalf of the person, who is refused what the credit does
        # not allow; the line is the system's to write.
        with self._credit_watch():
            lines.credit_closed_quantity = 0.0
        self._credit_note_remainder(self.env._("Remainder of %(amount)s reopened by %(user)s"), before, note)

    def _credit_note_remainder(self, title, before, note):
        """Record by how much the open amount has changed: in the chatter and in the customer's credit file."""
        order = self.sudo()
        company = order.company_id.root_id
        amount = before - order.env['credit.remainder']._amounts(order)[order.id]
        self._credit_post(
            title
            % {
                'amount': formatLang(self.env, abs(amount), currency_obj=company.currency_id),
                'user': self.env.user.name,
            },
            [note],
            notify=True,
        )
        # Looking after remainders opens no account.
        account = order.env['credit.account'].search(
            [
                ('partner_id', '=', order.partner_invoice_id.commercial_partner_id.id),
                ('company_id', '=', company.id),
            ]
        )
        payload = {
            'order_id': order.id,
            'amount': company.currency_id.round(abs(amount)),
            'currency_id': company.currency_id.id,
        }
        kind = 'remainder_closed' if amount >= 0 else 'remainder_reopened'
        self.env['credit.event']._record([(account, kind, payload)] if account else [])
        self.invalidate_recordset(['credit_can_close_remainder', 'credit_can_reopen_remainder'])

    def _credit_owed_total(self):
        """Return the taxed total without the closed remainders: what the customer will owe in the end."""
        self.ensure_one()
        return self.amount_total - self.order_line._credit_closed_value()

    def _credit_forget_remainders(self):
        """Forget what was closed of orders that are no longer confirmed: they are checked as a whole again."""
        # Only the flow writes it, on behalf of whoever cancels.
        self.sudo().order_line._credit_closed().write({'credit_closed_quantity': 0.0})
