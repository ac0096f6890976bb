from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.credit_false_hold import REASON_LABELS


class CreditFalseHoldDecision(models.TransientModel):
    """Asks what is wrong with a hold, or a manager whether it is; the report checks the rights."""

    _name = 'credit.false.hold.decision'
    _inherit = ['credit.dialog']
    _description = "False Hold"

    step = fields.Selection([('report', "Report"), ('judge', "Decide")], required=True, readonly=True)
    order_id = fields.Many2one('sale.order', required=True, readonly=True)
    hold_reason = fields.Text(string="Why it is on hold", compute='_compute_hold')
    reason = fields.Selection(REASON_LABELS, string="What is wrong")
    reported = fields.Text(string="What was reported", compute='_compute_hold')
    note = fields.Text(help="Is kept with it.")

    @api.depends('order_id', 'step')
    @api.depends_context('lang')
    def _compute_hold(self):
        labels = dict(self._fields['reason']._description_selection(self.env))
        for wizard in self:
            # Not as a related field, which would read any order for anybody.
            wizard.order_id.check_access('read')
            order = wizard.order_id
            wizard.hold_reason = order.credit_reason
            said = [labels.get(order.credit_false_hold_reason), order.credit_false_hold_note]
            wizard.reported = wizard.step == 'judge' and ': '.join(filter(None, said))

    def action_report(self):
        """Report the hold as wrong.

        :raise UserError: if nothing is chosen
        """
        self.ensure_one()
        if not self.reason:
            raise UserError(self.env._("Choose what is wrong with this hold."))
        self.env['credit.false.hold']._report(self.order_id, self.reason, self.note)
        return {'type': 'ir.actions.act_window_close'}

    def action_justified(self):
        """Say that the hold was wrong."""
        return self._judge(True)

    def action_declined(self):
        """Say that the hold was right."""
        return self._judge(False)

    def _judge(self, justified):
        self.ensure_one()
        self.order_id.check_access('read')
        # Its ids come from the order that the user may read; the report checks the rest.
        report = self.env['credit.false.hold'].browse(self.order_id.sudo().credit_false_hold_id.id)
        if not report:
            raise UserError(self.env._("Nobody reported the hold of %(order)s.", order=self.order_id.name))
        report._judge(justified, self.note)
        return {'type': 'ir.actions.act_window_close'}
