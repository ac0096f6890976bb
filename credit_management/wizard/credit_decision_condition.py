from datetime import timedelta

from odoo import api, fields, models

from ..models.credit_release_condition import CONDITIONS, TERMS

# A week to pay, if nothing else is said.
DAYS = 7


class CreditDecision(models.TransientModel):
    """The conditions of a release, and the amount of a raise."""

    _inherit = 'credit.decision'  # pylint: disable=consider-merging-classes-inherited

    currency_id = fields.Many2one(related='order_id.currency_id')
    order_confirmed = fields.Boolean(compute='_compute_order_confirmed')
    raise_amount = fields.Monetary(
        string="Up To",
        compute='_compute_raise_amount',
        store=True,
        readonly=False,
        help="Taxed total up to which the order is to be raised, in its currency.",
    )
    condition = fields.Selection(
        CONDITIONS,
        string="Against",
        help="Promise and proof of payment: the order goes on at once, and is held again if the money has not come in "
        "time. Deposit: the order waits until the money has come.",
    )
    condition_amount = fields.Monetary(
        string="Expected Amount",
        compute='_compute_condition_amount',
        store=True,
        readonly=False,
        help="What has to come after this decision, in the currency of the order.",
    )
    condition_due = fields.Date(
        string="Expected By",
        compute='_compute_condition_due',
        store=True,
        readonly=False,
        help="Last day for the money to come.",
    )
    proof = fields.Binary(string="Proof of Payment", attachment=False)
    proof_name = fields.Char()
    margin = fields.Float(
        string="Margin (%)", digits=(16, 2), help="By how much the order may grow before it is held again."
    )
    valid_until = fields.Date(help="Last day on which this release lets the order go on.")
    recheck_delivery = fields.Boolean(
        string="Check Again at Delivery", help="The order is checked once more before its goods leave; with Inventory."
    )

    @api.model
    def default_get(self, fields):
        # EXTENDS base: begin with what the level before has laid down
        values = super().default_get(fields)
        order = self.env['sale.order'].browse(values.get('order_id'))
        if order and self.env.user.has_group('credit_management.group_credit_analyst'):
            order.check_access('read')
            raised = values.get('decision') == 'approve_raise'
            release = order.sudo().credit_raise_id if raised else order.sudo().credit_release_id
            if release.state == 'requested':
                values |= {name: release[name] for name in TERMS.intersection(fields) if release[name]}
        return values

    @api.depends('order_id')
    def _compute_order_confirmed(self):
        for wizard in self:
            wizard.order_id.check_access('read')
            wizard.order_confirmed = wizard.order_id.state == 'sale'

    @api.depends('order_id', 'decision')
    def _compute_raise_amount(self):
        for wizard in self:
            order = wizard.order_id
            order.check_access('read')
            asked = order.sudo().credit_raise_id
            wizard.raise_amount = asked.amount if wizard.decision == 'approve_raise' else order.amount_total

    @api.depends('order_id', 'condition')
    def _compute_condition_amount(self):
        for wizard in self:
            order = wizard.order_id
            order.check_access('read')
            # What would have let it pass, of a check that sales may not read as a record.
            check = order.sudo().credit_check_id
            needed = check.currency_id._convert(
                check.payment_needed, order.currency_id, order.company_id, order.company_id._credit_today()
            ) if check else 0.0  # fmt: skip
            wizard.condition_amount = wizard.condition and (needed or order.amount_total)

    @api.depends('order_id', 'condition')
    def _compute_condition_due(self):
        for wizard in self:
            company = wizard.order_id.company_id
            wizard.condition_due = wizard.condition and company._credit_today() + timedelta(days=DAYS)

    def _prepare_conditions(self):
        """Return the values of the release's conditions."""
        self.ensure_one()
        return self.env['credit.release']._prepare_condition_vals(
            {name: self[name] for name in TERMS}, self.order_id.sudo()
        )
