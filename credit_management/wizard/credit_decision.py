from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# Which reasons a decision offers, where it is within the policy.
PURPOSES = {
    'release': 'for_release',
    'reject': 'for_reject',
    'reject_limit': 'for_reject',
    'approve_limit': 'for_limit',
    'emergency': 'for_emergency',
    'confirm': 'for_release',
    'refuse': 'for_reject',
    'approve_raise': 'for_release',
    'refuse_raise': 'for_reject',
}


class CreditDecision(models.TransientModel):
    """Asks for the reason of a request or a decision; the documents check the rights."""

    _name = 'credit.decision'
    _inherit = ['credit.dialog']
    _description = "Credit Decision"

    decision = fields.Selection(
        [
            ('request', "Request release"),
            ('release', "Release"),
            ('reject', "Reject"),
            ('reject_limit', "Reject the limit"),
            ('approve_limit', "Approve the limit"),
            ('emergency', "Emergency release"),
            ('confirm', "Confirm an emergency release"),
            ('refuse', "Refuse an emergency release"),
            ('raise', "Ask for a raise"),
            ('approve_raise', "Approve the raise"),
            ('refuse_raise', "Refuse the raise"),
        ],
        required=True,
        readonly=True,
    )
    order_id = fields.Many2one('sale.order', readonly=True)
    # For those who decide on limits only: the name of whatever a wizard refers to
    # is read on behalf of the system, and a limit's name has its amount.
    limit_id = fields.Many2one('credit.limit', readonly=True, groups='credit_management.group_credit_analyst')
    approval_id = fields.Many2one('credit.approval', readonly=True, groups='credit_management.group_credit_analyst')
    outside_text = fields.Char(compute='_compute_outside_text', groups='credit_management.group_credit_analyst')
    reason_id = fields.Many2one(
        'credit.reason', string="Reason Code", domain="[('id', 'in', offered_reason_ids)]", ondelete='cascade'
    )
    offered_reason_ids = fields.Many2many('credit.reason', compute='_compute_offered_reason_ids')
    reason = fields.Text(string="Why it is on hold", compute='_compute_reason')
    note = fields.Text(string="Reason", help="Is kept with the decision.")

    @api.depends('order_id')
    def _compute_reason(self):
        for wizard in self:
            # Not as a related field, which would read any order for anybody.
            wizard.order_id.check_access('read')
            wizard.reason = wizard.order_id.credit_reason

    @api.depends('order_id', 'limit_id', 'decision', 'margin')
    def _compute_outside_text(self):
        for wizard in self:
            wizard.outside_text = wizard.limit_id.outside_text if wizard.decision == 'approve_limit' else False
            if wizard.order_id and wizard.decision in ('release', 'approve_raise'):
                wizard.order_id.check_access('read')
                order = wizard.order_id.sudo()
                release = (
                    order.credit_raise_id if wizard.decision == 'approve_raise' else order._credit_planned_release()
                )
                wizard.outside_text = bool(release.account_id) and release._approval_outside(wizard.margin)

    @api.depends('decision', 'order_id', 'limit_id', 'margin')
    def _compute_offered_reason_ids(self):
        purposes = {*PURPOSES.values(), 'for_outside'}
        reasons = self.env['credit.reason'].search(Domain.OR(Domain(name, '=', True) for name in sorted(purposes)))
        decider = self.env.user.has_group('credit_management.group_credit_analyst')
        for wizard in self:
            outside = decider and wizard.outside_text
            purpose = 'for_outside' if outside else PURPOSES.get(wizard.decision)
            wizard.offered_reason_ids = reasons.filtered(purpose) if purpose else False

    def action_apply(self):
        """Carry out the request or the decision.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        note = (self.note or '').strip()
        # To confirm what another one answers for takes no words.
        if not note and (self.decision != 'confirm' or self.reason_id.note_required):
            raise UserError(self.env._("State a reason: it is kept with the decision."))
        if self.reason_id - self.offered_reason_ids:
            raise UserError(self.env._("“%(reason)s” is no reason for this decision.", reason=self.reason_id.name))
        if self.decision == 'request':
            self.order_id._credit_request_release(note)
        elif self.decision == 'raise':
            self.order_id._credit_request_raise(self.raise_amount, note)
        else:
            self._decide(note)
        return {'type': 'ir.actions.act_window_close'}

    def _decide(self, note):
        """Carry out a decision; the documents check whether it is the user's."""
        # Only deciders read approvals; whoever else comes here is refused by the document.
        step = self.sudo().approval_id.with_env(self.env)
        if self.decision in ('approve_limit', 'reject_limit'):
            decide = self.limit_id._approve if self.decision == 'approve_limit' else self.limit_id._reject
            decide(note, self.reason_id, step)
        elif self.decision == 'release':
            self.order_id._credit_release(note, self.reason_id, step, self._prepare_conditions())
        elif self.decision == 'reject':
            self.order_id._credit_reject(note, self.reason_id, step)
        elif self.decision == 'approve_raise':
            self.order_id._credit_approve_raise(note, self.reason_id, step, self._prepare_conditions())
        elif self.decision == 'refuse_raise':
            self.order_id._credit_refuse_raise(note, self.reason_id, step)
        elif self.decision == 'emergency':
            self.order_id._credit_release_alone(note, self.reason_id)
        else:
            self.order_id._credit_settle_emergency(self.decision == 'confirm', note, self.reason_id, step)
