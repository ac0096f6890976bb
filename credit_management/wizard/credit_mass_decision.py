from odoo import api, fields, models
from odoo.exceptions import UserError


class CreditMassDecision(models.TransientModel):
    """Asks for one reason for several orders on hold; says beforehand which can't be decided. They check the rights."""

    _name = 'credit.mass.decision'
    _inherit = ['credit.dialog']
    _description = "Decision on Several Orders"

    decision = fields.Selection([('release', "Release"), ('reject', "Reject")], required=True, readonly=True)
    line_ids = fields.One2many('credit.mass.decision.line', 'decision_id', readonly=True)
    possible_count = fields.Integer(compute='_compute_counts')
    obstacle_count = fields.Integer(compute='_compute_counts')
    note = fields.Text(string="Reason", help="Is kept with each decision.")

    @api.depends('line_ids.obstacle')
    def _compute_counts(self):
        for wizard in self:
            wizard.obstacle_count = len(wizard.line_ids.filtered('obstacle'))
            wizard.possible_count = len(wizard.line_ids) - wizard.obstacle_count

    @api.model
    def _open(self, orders, decision):
        """Open the dialog about some orders.

        :raise UserError: if none is chosen
        """
        if not orders:
            raise UserError(self.env._("Choose at least one order."))
        orders.check_access('read')
        wizard = self.create(
            {
                'decision': decision,
                'line_ids': [fields.Command.create({'order_id': order.id}) for order in orders.sorted('id')],
            }
        )
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Release Orders") if decision == 'release' else self.env._("Reject Orders"),
            'res_model': self._name,
            'res_id': wizard.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    def action_apply(self):
        """Decide about each order; one that can't be decided stops no other and is reported.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        note = (self.note or '').strip()
        if not note:
            raise UserError(self.env._("State a reason: it is kept with the decision."))
        orders = self.line_ids.order_id
        done, refused = orders._credit_decide_each(self.decision, note)
        text = (
            self.env._("Orders released: %(count)s.", count=len(done))
            if self.decision == 'release'
            else self.env._("Orders rejected: %(count)s.", count=len(done))
        )
        return orders._credit_notification(
            self.env._("Held Orders"),
            ' '.join([text, *refused.values()]),
            'warning' if refused else 'success',
            'soft_reload',
        )
