from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_round

from .sale_order import STAFF


class SaleOrder(models.Model):
    """The application for the limit that a held order would need.

    Apart from `sale_order.py`, which decides.
    """

    _inherit = 'sale.order'  # pylint: disable=consider-merging-classes-inherited

    credit_can_apply = fields.Boolean(compute='_compute_credit_can_apply', groups=STAFF)

    @api.depends('credit_state', 'credit_check_id', 'partner_invoice_id')
    @api.depends_context('uid')
    def _compute_credit_can_apply(self):
        Account = self.env['credit.account'].sudo()
        sales = self.env.user.has_group('credit_management.group_credit_sales')
        # Whose limit it is about is read of orders that the user reads.
        held = self.filtered(lambda order: sales and order.credit_state == 'on_hold' and order._credit_over_limit())
        visible = Account._visible_partners(held.sudo().partner_invoice_id.commercial_partner_id, self.env.user)
        for order in self:
            order.credit_can_apply = order in held and order.sudo().partner_invoice_id.commercial_partner_id in visible

    def _credit_over_limit(self):
        """Tell whether a higher limit would help: the order is held because it exceeds the one in force."""
        self.ensure_one()
        lines = self.sudo().credit_check_id.line_ids
        return any(line.kind == 'utilisation' and line.verdict == 'hold' for line in lines)

    def action_credit_apply(self):
        """Open the application for the limit that would let this held order pass.

        The amount is the limit that counted in the check plus what the order is over it by, in company currency,
        rounded up; whether more than the limit holds the order is for the analyst to see.

        :raise AccessError: if the user may not apply for this customer
        :raise UserError: if the order is not held for its limit
        """
        self.ensure_one()
        self.check_access('read')
        if self.credit_state != 'on_hold' or not self._credit_over_limit():
            raise UserError(self.env._("%(order)s is not held for the credit limit.", order=self.name))
        # Figures of the check that the order's own panel shows.
        check = self.sudo().credit_check_id
        application = self.env['credit.application']._open_for(
            check.debtor_id.sudo(False),
            self.company_id,
            origin='order',
            order=self,
            amount=self._credit_limit_needed(check),
            currency_id=check.currency_id.id,
            reason=self.env._("For %(order)s", order=self.name),
        )
        return application._open_action()

    @api.model
    def _credit_limit_needed(self, check):
        """Return the limit with which a check would have passed, in company currency, rounded up to three digits."""
        needed = max(
            (check.exposure + check.document_amount) * 100.0 / line.threshold
            for line in check.line_ids
            if line.kind == 'utilisation' and line.verdict == 'hold'
        )
        step = max(check.currency_id.rounding, 10.0 ** max(0, len(str(int(needed))) - 3))
        return float_round(needed, precision_rounding=step, rounding_method='UP')
