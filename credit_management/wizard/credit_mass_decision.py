from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..models.credit_release_condition import TERMS
from .credit_release_terms import DAYS

# Which reasons a decision offers; what is outside the policy needs one of its own.
PURPOSES = {'release': ('for_release', 'for_outside'), 'reject': ('for_reject',)}


class CreditMassDecision(models.TransientModel):
    """Asks for one reason for several orders on hold; says beforehand which can't be decided. They check the rights."""

    _name = 'credit.mass.decision'
    _inherit = ['credit.dialog', 'credit.release.terms']
    _description = "Decision on Several Orders"

    decision = fields.Selection([('release', "Release"), ('reject', "Reject")], required=True, readonly=True)
    line_ids = fields.One2many('credit.mass.decision.line', 'decision_id', readonly=True)
    possible_count = fields.Integer(compute='_compute_counts')
    obstacle_count = fields.Integer(compute='_compute_counts')
    reason_id = fields.Many2one(
        'credit.reason',
        string="Reason Code",
        domain="[('id', 'in', offered_reason_ids)]",
        help="Needed where an order is outside the policy.",
    )
    offered_reason_ids = fields.Many2many('credit.reason', compute='_compute_offered_reason_ids')
    note = fields.Text(string="Reason", help="Is kept with each decision.")
    condition_basis = fields.Selection(
        [('needed', "What each order needs to pass"), ('total', "The total of each order")],
        string="Expected Amount",
        required=True,
        default='needed',
        help="What has to come for each order after this decision, in its own currency.",
    )

    @api.depends('line_ids.obstacle')
    def _compute_counts(self):
        for wizard in self:
            wizard.obstacle_count = len(wizard.line_ids.filtered('obstacle'))
            wizard.possible_count = len(wizard.line_ids) - wizard.obstacle_count

    @api.depends('decision')
    def _compute_offered_reason_ids(self):
        for wizard in self:
            purposes = PURPOSES.get(wizard.decision, ())
            wizard.offered_reason_ids = (
                self.env['credit.reason'].search(Domain.OR(Domain(name, '=', True) for name in purposes))
                if purposes
                else False
            )

    @api.depends('condition')
    def _compute_condition_due(self):
        for wizard in self:
            wizard.condition_due = wizard.condition and self.env.company._credit_today() + timedelta(days=DAYS)

    @api.model
    def _open(self, orders, decision):
        """Open the dialog about some orders.

        :raise AccessError: if the user decides on nothing
        :raise UserError: if none is chosen
        """
        if not self.env.user.has_group('credit_management.group_credit_analyst'):
            raise AccessError(
                self.env._("Credit analysts and managers decide on held orders. Ask for a release instead.")
            )
        if not orders:
            raise UserError(self.env._("Choose at least one order."))
        orders.check_access('read')
        if decision == 'release':
            orders._credit_refresh()
        # Which step is seen; whether it is the user's is looked at later on.
        seen = {order: order.sudo().credit_release_id.approval_id.id for order in orders}
        wizard = self.create(
            {
                'decision': decision,
                'line_ids': [
                    fields.Command.create({'order_id': order.id, 'approval_id': seen[order]})
                    for order in orders.sorted('id')
                ],
            }
        )
        title = self.env._("Release Orders") if decision == 'release' else self.env._("Reject Orders")
        return wizard._dialog_action(title)

    def action_apply(self):
        """Decide about each order; one that can't be decided stops no other and is reported.

        :raise UserError: if no reason is given
        """
        self.ensure_one()
        note = (self.note or '').strip()
        if not note:
            raise UserError(self.env._("State a reason: it is kept with the decision."))
        if self.reason_id - self.offered_reason_ids:
            raise UserError(self.env._("“%(reason)s” is no reason for this decision.", reason=self.reason_id.name))
        lines = {line.order_id: line for line in self.line_ids}
        orders = self.line_ids.order_id
        done, passed_on, refused = orders._credit_decide_each(
            self.decision,
            note,
            self.reason_id,
            {order: line.approval_id for order, line in lines.items()},
            (lambda order: self._terms_of(order, lines[order].expected)) if self._has_terms() else None,
        )
        return orders._credit_notification(
            self.env._("Held Orders"),
            ' '.join(self._result_texts(done, passed_on, refused)),
            'warning' if refused else 'success',
            'soft_reload',
        )

    def _has_terms(self):
        """Tell whether conditions are stated; without, those that the level before has laid down hold."""
        self.ensure_one()
        return bool(self.condition or self.margin or self.valid_until or self.recheck_delivery)

    def _terms_of(self, order, expected):
        """Return the conditions of an order's release: what is stated here goes before what the level before said.

        :param expected: what has to come, in its currency
        """
        self.ensure_one()
        # What has been laid down so far, of a release that is the user's to decide or refused later on.
        release = order.sudo().credit_release_id.with_context(bin_size=False)
        before = {name: release[name] for name in TERMS} if release.state == 'requested' else {}
        stated = {name: self[name] for name in ('margin', 'valid_until', 'recheck_delivery') if self[name]}
        if self.condition:
            stated |= {name: self[name] for name in ('condition', 'condition_due', 'proof', 'proof_name')}
            stated['condition_amount'] = expected
        return self.env['credit.release']._prepare_condition_vals({**before, **stated}, order.sudo())

    def _result_texts(self, done, passed_on, refused):
        """Return in sentences what has become of the orders.

        :param passed_on: orders that are asked about at their next level now
        :param refused: {order: why not}
        """
        texts = []
        if done or not (passed_on or refused):
            texts.append(
                self.env._("Orders released: %(count)s.", count=len(done))
                if self.decision == 'release'
                else self.env._("Orders rejected: %(count)s.", count=len(done))
            )
        if passed_on:
            texts.append(
                self.env._(
                    "Approved by you and passed on to the next level: %(count)s (%(orders)s).",
                    count=len(passed_on),
                    orders=', '.join(
                        self.env._(
                            "%(order)s to %(user)s",
                            order=order.name,
                            # Who is asked is told to whoever has decided before.
                            user=order.sudo().credit_approval_user_id.name or self.env._("nobody"),
                        )
                        for order in passed_on
                    ),
                )
            )
        if refused:
            texts.append(self.env._("Not decided: %(count)s.", count=len(refused)))
        return [*texts, *refused.values()]
