from odoo import api, fields, models


class CreditMassDecisionLine(models.TransientModel):
    """One order of a decision about several, and what stands in its way."""

    _name = 'credit.mass.decision.line'
    _inherit = ['credit.dialog']
    _description = "Order of a Decision on Several"

    decision_id = fields.Many2one('credit.mass.decision', required=True, readonly=True, ondelete='cascade')
    order_id = fields.Many2one('sale.order', required=True, readonly=True, ondelete='cascade')
    approval_id = fields.Many2one(
        'credit.approval', readonly=True, ondelete='cascade', groups='credit_management.group_credit_analyst'
    )
    customer = fields.Char(compute='_compute_facts')
    company_id = fields.Many2one('res.company', compute='_compute_facts')
    currency_id = fields.Many2one('res.currency', compute='_compute_facts')
    company_currency_id = fields.Many2one('res.currency', compute='_compute_facts')
    amount = fields.Monetary(compute='_compute_facts')
    excess = fields.Monetary(string="Over By", currency_field='company_currency_id', compute='_compute_facts')
    reason = fields.Text(string="Reasons", compute='_compute_facts')
    expected = fields.Monetary(compute='_compute_expected', help="What has to come for this order, in its currency.")
    obstacle = fields.Text(string="Not Possible Because", compute='_compute_facts')

    @api.depends('order_id', 'decision_id.decision')
    @api.depends_context('uid', 'lang')
    def _compute_facts(self):
        # Not as related fields, which would read any order for anybody.
        self.order_id.check_access('read')
        mine = self.order_id._credit_deciders()
        for line in self:
            order = line.order_id
            line.customer = order.partner_id.display_name
            line.company_id = order.company_id
            line.currency_id = order.currency_id
            line.company_currency_id = order.company_currency_id
            line.amount = order.amount_total
            line.excess = order.credit_excess
            line.reason = order.credit_reason
            line.obstacle = order._credit_obstacle(line.decision_id.decision, mine)

    @api.depends('order_id', 'decision_id.condition', 'decision_id.condition_basis')
    def _compute_expected(self):
        self.order_id.check_access('read')
        for line in self:
            wizard = line.decision_id
            line.expected = wizard.condition and line.order_id._credit_expected_payment(
                wizard.condition_basis == 'total'
            )
