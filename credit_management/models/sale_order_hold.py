from odoo import api, fields, models
from odoo.exceptions import AccessError

from .credit_false_hold import REASON_LABELS, STATE_LABELS
from .sale_order import STAFF

DECIDERS = 'credit_management.group_credit_auditor,credit_management.group_credit_analyst,account.group_account_invoice'


class SaleOrder(models.Model):
    """What is said about an order's hold: whether it would still be held, and whether it is wrong.

    Apart from `sale_order.py`, which decides: nothing here does.
    """

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    credit_outlook = fields.Selection(
        [('pass', "Would pass now"), ('hold', "Would be held again"), ('block', "Would be blocked")],
        string="Now",
        compute='_compute_credit_outlook',
        search='_search_credit_outlook',
        groups=STAFF,
        help="What a check would say now of an order on hold, if it were the only one.",
    )
    credit_false_hold_id = fields.Many2one(
        'credit.false.hold', compute='_compute_credit_false_hold_id', compute_sudo=True, groups=STAFF
    )
    credit_false_hold_state = fields.Selection(
        STATE_LABELS,
        string="Said To Be Wrong",
        compute='_compute_credit_false_hold_id',
        compute_sudo=True,
        search='_search_credit_false_hold_state',
        groups=STAFF,
    )
    credit_false_hold_reason = fields.Selection(
        REASON_LABELS, compute='_compute_credit_false_hold_id', compute_sudo=True, groups=STAFF
    )
    credit_false_hold_note = fields.Text(compute='_compute_credit_false_hold_id', compute_sudo=True, groups=STAFF)
    credit_can_report = fields.Boolean(compute='_compute_credit_can_report', groups=STAFF)
    credit_can_judge = fields.Boolean(compute='_compute_credit_can_report', groups=STAFF)

    @api.depends('credit_state', 'amount_total', 'partner_invoice_id', 'currency_id')
    def _compute_credit_outlook(self):
        held = self.filtered(lambda order: order.credit_state == 'on_hold' and order.state in ('draft', 'sent'))
        # All of them at once: the list asks for a page of orders, not for one.
        results = held.sudo()._credit_check(record=False, together=False) if held else {}
        outlooks = {order.id: result['outcome'] for order, result in results.items()}
        for order in self:
            outcome = outlooks.get(order.id)
            order.credit_outlook = False if order not in held else outcome if outcome in ('hold', 'block') else 'pass'

    def _search_credit_outlook(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # Which orders there are is decided by what the domain is added to.
        held = self.sudo().search([('credit_state', '=', 'on_hold'), ('company_id', 'in', self.env.companies.ids)])
        return [('id', 'in', held.filtered(lambda order: order.credit_outlook in value).ids)]

    @api.depends('credit_check_id')
    def _compute_credit_false_hold_id(self):
        reports = self.env['credit.false.hold'].search([('check_id', 'in', self.credit_check_id.ids)])
        found = {report.check_id: report for report in reports}
        for order in self:
            report = found.get(order.credit_check_id, self.env['credit.false.hold'])
            order.credit_false_hold_id = report
            order.credit_false_hold_state = report.state
            order.credit_false_hold_reason = report.reason
            order.credit_false_hold_note = report.note

    def _search_credit_false_hold_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        reports = self.env['credit.false.hold'].sudo().search([('state', 'in', list(value))])
        return [('credit_check_id', 'in', reports.check_id.ids)]

    @api.depends('credit_state', 'credit_false_hold_id')
    @api.depends_context('uid')
    def _compute_credit_can_report(self):
        sales = self.env.user.has_group('credit_management.group_credit_sales')
        manager = self.env.user.has_group('credit_management.group_credit_manager')
        for order in self:
            report = order.sudo().credit_false_hold_id
            order.credit_can_report = sales and order.credit_state == 'on_hold' and not report
            order.credit_can_judge = manager and report.state == 'reported' and report.reported_by_id != self.env.user

    def action_credit_report_false_hold(self):
        """Ask why this hold is wrong."""
        self.ensure_one()
        return self._credit_false_hold_action('report', self.env._("This Hold Is Wrong"))

    def action_credit_judge_false_hold(self):
        """Ask a credit manager whether the hold is wrong, as the salesperson says."""
        self.ensure_one()
        if not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers decide whether a hold is wrong."))
        return self._credit_false_hold_action('judge', self.env._("Is This Hold Wrong?"))

    def _credit_false_hold_action(self, step, title):
        return self.env['credit.false.hold.decision']._dialog_action(
            title, {'default_step': step, 'default_order_id': self.id}
        )
