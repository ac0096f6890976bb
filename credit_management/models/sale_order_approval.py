from odoo import api, fields, models
from odoo.exceptions import UserError

from .sale_order import STAFF


class SaleOrder(models.Model):
    """Who decides on an order's hold, level by level, and what one may release alone.

    Apart from `sale_order.py`: what a decision brings about is there.
    """

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    credit_approval_user_id = fields.Many2one(
        related='credit_release_id.approval_id.user_id', string="Decides Next", groups=STAFF
    )
    credit_approval_since = fields.Datetime(
        related='credit_release_id.approval_id.asked_date', string="Asked Since", groups=STAFF
    )
    credit_approval_deadline = fields.Datetime(
        related='credit_release_id.approval_id.deadline', string="Decision Due", groups=STAFF
    )
    credit_approval_level = fields.Char(
        related='credit_release_id.approval_id.level_name', string="Approval Level", groups=STAFF
    )
    credit_emergency_state = fields.Selection(
        related='credit_release_id.emergency_state', string="Emergency Release", groups=STAFF
    )
    credit_outside_policy = fields.Boolean(
        related='credit_release_id.outside_policy', string="Outside Policy", groups=STAFF
    )
    credit_can_release_alone = fields.Boolean(compute='_compute_credit_can_release_alone', groups=STAFF)
    credit_can_confirm_release = fields.Boolean(compute='_compute_credit_can_release_alone', groups=STAFF)

    @api.depends('credit_state', 'credit_check_id', 'credit_release_id.state', 'credit_release_id.emergency_state')
    @api.depends_context('uid')
    def _compute_credit_can_release_alone(self):
        user = self.env.user
        decider = user.has_group('credit_management.group_credit_analyst')
        for order in self:
            # Whether, never whom or how much.
            release = order.sudo().credit_release_id
            held = order.credit_state == 'on_hold' and order.sudo().credit_check_id.outcome != 'block'
            order.credit_can_release_alone = (
                decider and held and order.sudo()._credit_planned_release()._may_release_in_emergency(user)
            )
            order.credit_can_confirm_release = (
                decider and release.emergency_state in ('open', 'overdue') and release.can_decide
            )

    def _credit_planned_release(self):
        """Return the release that is asked for, or the one that a request would make, not saved."""
        release = self.credit_release_id
        return release if release.state == 'requested' else release.new(self._prepare_release_vals())

    def _credit_deciders(self):
        """Return those held orders on which the user may decide now."""
        user = self.env.user
        held = self.filtered(
            lambda order: order.credit_state in ('on_hold', 'awaiting_payment') and order.sudo().credit_check_id
        )
        if not user.has_group('credit_management.group_credit_analyst'):
            return self.browse()
        # Whether, never whom or how much.
        planned = {order: order.sudo()._credit_planned_release() for order in held}
        found = {order for order, release in planned.items() if release.id and release.can_decide}
        asks = self.env['credit.release'].sudo().union(*planned.values()).filtered(lambda item: not item.id)
        lineups = self.env['credit.approval'].sudo()._lineups_of(asks._approval_asks())
        found |= {
            order for order, release in planned.items() if not release.id and user.id in lineups[release].deciders()
        }
        return held.filtered(lambda order: order in found)

    def _credit_asked_release(self):
        """Return the release that is to be decided; without a request it is made by the decision."""
        self.ensure_one()
        # Releases are written by the flow only.
        order = self.sudo()
        if order.credit_release_id.state != 'requested':
            release = order.env['credit.release'].create({**order._prepare_release_vals(), 'state': 'requested'})
            order._credit_write({'credit_release_id': release.id})
        return self.env['credit.release'].browse(order.credit_release_id.id)

    def _credit_note_level(self, note, release=None):
        """Tell in the chatter that a level has approved, and who is asked next."""
        release = release or self.sudo().credit_release_id
        author = self._credit_as_author()
        author._credit_post(
            author.env._(
                "Approved by %(user)s; %(next)s is asked next",
                user=self.env.user.name,
                next=release.approval_user_id.name or author.env._("nobody"),
            ),
            [note],
        )

    # -------------------------------------------------------------------------
    # Emergency
    # -------------------------------------------------------------------------

    def action_credit_release_alone(self):
        """Ask why the order can't wait for those who would have to decide."""
        return self._credit_decision_action('emergency', self.env._("Emergency Release"))

    def action_credit_confirm_release(self):
        """Ask for a note on the confirmation of an emergency release."""
        return self._credit_decision_action('confirm', self.env._("Confirm the Emergency Release"))

    def action_credit_refuse_release(self):
        """Ask why the emergency release is refused."""
        return self._credit_decision_action('refuse', self.env._("Refuse the Emergency Release"))

    def _credit_release_alone(self, note, reason):
        """Release a held order that can't wait, to be confirmed by the proper level.

        :param reason: credit.reason
        :raise AccessError: if the user may not release it alone
        :raise UserError: if the order is not on hold or can't be released
        """
        self.ensure_one()
        self.check_access('read')
        self._credit_require_releasable()
        self._credit_require_unchanged()
        self._credit_refresh()
        self._credit_require_releasable()
        if self.credit_state != 'on_hold':
            raise UserError(self.env._("%(order)s is not on hold.", order=self.name))
        self._credit_asked_release()
        # Whether he may depends on levels and on a release that he need not read.
        release = self.sudo().credit_release_id
        # What a level before has laid down, as a margin, is not his to use.
        release._lay_down(release._prepare_condition_vals({}, self.sudo()), self)
        release._check_emergency(note, reason)
        self._credit_decide('released', note)
        release._ask_confirmation(reason)
        self._credit_go_on(note)

    def _credit_settle_emergency(self, confirmed, note, reason=None, step=None):
        """Confirm or refuse what one released alone.

        :param reason: credit.reason
        :param step: the credit.approval that the user saw
        :raise AccessError: if it is not for the user to decide
        :raise UserError: if there is nothing to be confirmed
        """
        self.ensure_one()
        self.check_access('read')
        release = self.env['credit.release'].browse(self.sudo().credit_release_id.id)
        if not release:
            raise UserError(self.env._("%(document)s has no release to be confirmed.", document=self.name))
        release._settle_emergency(confirmed, note, reason, step)
        if not confirmed:
            # Whoever decides need not have the right to write orders.
            self.sudo()._credit_hold_rest()
        author = self._credit_as_author()
        title = (
            author.env._("Emergency release confirmed by %(user)s", user=self.env.user.name)
            if confirmed
            else author.env._("Emergency release refused by %(user)s", user=self.env.user.name)
        )
        author._credit_post(title, [note], notify=True)

    def _credit_goods_stopped(self):
        """Tell whether the goods of this order have to stay until its emergency release is confirmed.

        One that is refused is on hold, see `_credit_delivery_stopped`.
        """
        self.ensure_one()
        order = self.sudo()
        state = order.credit_release_id.emergency_state
        return state == 'overdue' or (state == 'refused' and order.credit_state != 'on_hold')

    def _credit_approval_button(self, decision, step):
        """Return the dialog that the list of approvals opens for this order.

        :raise UserError: if there is nothing to decide
        """
        self.ensure_one()
        if step.kind == 'confirmation':
            return (
                self.action_credit_confirm_release() if decision == 'approve' else self.action_credit_refuse_release()
            )
        if self.credit_state != 'on_hold':
            raise UserError(self.env._("%(order)s is not on hold.", order=self.name))
        return self.action_credit_release() if decision == 'approve' else self.action_credit_reject()
