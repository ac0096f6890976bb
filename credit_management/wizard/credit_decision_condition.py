from datetime import timedelta

from odoo import api, fields, models

from ..models.credit_release_condition import TERMS
from .credit_release_terms import DAYS


class CreditDecision(models.TransientModel):
    """The conditions of a release, and the amount of a raise."""

    _name = 'credit.decision'
    _inherit = ['credit.decision', 'credit.release.terms']

    currency_id = fields.Many2one(related='order_id.currency_id')
    order_confirmed = fields.Boolean(compute='_compute_order_confirmed')
    raise_amount = fields.Monetary(
        string="Up To",
        compute='_compute_raise_amount',
        store=True,
        readonly=False,
        help="Taxed total up to which the order is to be raised, in its currency.",
    )
    condition_amount = fields.Monetary(
        string="Expected Amount",
        compute='_compute_condition_amount',
        store=True,
        readonly=False,
        help="What has to come after this decision, in the currency of the order.",
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
            wizard.condition_amount = wizard.condition and order._credit_expected_payment()

    @api.depends('order_id', 'condition')
    def _compute_condition_due(self):
        for wizard in self:
            company = wizard.order_id.company_id
            wizard.condition_due = wizard.condition and company._credit_today() + timedelta(days=DAYS)

    def _prepare_conditions(self):
        """Return the values of the release's conditions."""
        self.ensure_one()
        return self._prepare_terms(self.order_id, self.condition_amount)
