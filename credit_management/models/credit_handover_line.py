from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

# What a client may say of a line; the rest follows from the customer.
GIVEN_FIELDS = {'handover_id', 'partner_id', 'successor_id'}


class CreditHandoverLine(models.Model):
    """A customer that is handed over, to whom, and the balances that are signed for."""

    _name = 'credit.handover.line'
    _description = "Credit Hand-Over Line"
    _order = 'handover_id desc, exposure desc, id'
    _rec_name = 'partner_id'

    handover_id = fields.Many2one('credit.handover', string="Hand-Over", required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='handover_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    partner_id = fields.Many2one('res.partner', string="Customer", required=True, index=True, ondelete='restrict')
    successor_id = fields.Many2one(
        'res.users',
        required=True,
        ondelete='restrict',
        domain="[('share', '=', False), ('id', '!=', parent.user_id)]",
        help="Who takes this customer over.",
    )
    is_salesperson = fields.Boolean(string="Salesperson", readonly=True)
    is_controller = fields.Boolean(string="Controller", readonly=True)
    is_debt_responsible = fields.Boolean(string="Old Debts", readonly=True)
    has_order = fields.Boolean(string="Orders", readonly=True)
    open_item = fields.Monetary(string="Open Items", readonly=True, help="Company currency.")
    overdue_amount = fields.Monetary(string="Overdue", readonly=True, help="Company currency.")
    days_overdue = fields.Integer(readonly=True, aggregator='max')
    unlimited = fields.Boolean(readonly=True)
    effective_limit = fields.Monetary(
        string="Limit", readonly=True, aggregator=None, help="What counts in checks, company currency."
    )
    exposure = fields.Monetary(readonly=True, help="Company currency.")
    held_order_count = fields.Integer(string="Held Orders", readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_given(vals)
        lines = super().create(vals_list)
        lines._check_draft()
        return lines

    def write(self, vals):
        self._check_given(vals)
        self._check_draft()
        result = super().write(vals)
        self._check_draft()  # nor moved into a hand-over that is confirmed
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_confirmed(self):
        self._check_draft()

    def _check_given(self, vals):
        if vals.keys() - GIVEN_FIELDS:
            raise AccessError(self.env._("The balances of a hand-over are those of the credit accounts."))
        # The system moves the customers later on: nobody names one that he may not read, as of another company.
        self.env['res.partner'].browse(vals.get('partner_id') or ()).check_access('read')

    def _check_draft(self):
        if any(line.handover_id.state != 'draft' for line in self):
            raise UserError(
                self.env._("A confirmed hand-over can't be changed. Put it back to draft, and have it signed again.")
            )

    @api.model
    def _load(self, vals_list):
        """Make lines of what the hand-over has found; the successor can be changed afterwards."""
        return super().create(vals_list)  # pylint: disable=super-method-mismatch
