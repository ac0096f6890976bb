from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine.facts import CATEGORIES
from .credit_rule import STATUS_LABELS

READERS = 'credit_management.group_credit_sales,account.group_account_readonly,account.group_account_invoice'
# Partner field: figure of the credit account's statement.
PARTNER_FIGURES = {
    'credit_unlimited': 'unlimited',
    'credit_effective_limit': 'effective_limit',
    'credit_exposure': 'exposure',
    **{f'credit_exposure_{category}': f'exposure_{category}' for category in CATEGORIES},
    'credit_available': 'available',
    'credit_utilisation': 'utilisation',
    'credit_unallocated': 'unallocated_credit',
    'credit_overdue_amount': 'overdue_amount',
    'credit_days_overdue': 'days_overdue',
}


class ResPartner(models.Model):
    _inherit = 'res.partner'

    credit_account_id = fields.Many2one('credit.account', compute='_compute_credit_figures', groups=READERS)
    credit_currency_id = fields.Many2one('res.currency', compute='_compute_credit_figures', groups=READERS)
    credit_visible = fields.Boolean(compute='_compute_credit_figures', groups=READERS)
    credit_unlimited = fields.Boolean(string="Unlimited Credit", compute='_compute_credit_figures', groups=READERS)
    credit_effective_limit = fields.Monetary(
        string="Effective Limit",
        compute='_compute_credit_figures',
        currency_field='credit_currency_id',
        groups=READERS,
        help="What counts in credit checks, in company currency.",
    )
    credit_exposure = fields.Monetary(
        string="Exposure",
        compute='_compute_credit_figures',
        currency_field='credit_currency_id',
        groups=READERS,
        help="All that we stand to lose with this customer and its contacts, taxes included, in company currency.",
    )
    credit_exposure_open_item = fields.Monetary(
        string="Ledger Receivable",
        compute='_compute_credit_figures',
        currency_field='credit_currency_id',
        groups=READERS,
        help="What is left of posted invoices, less credit notes and payments not yet matched: "
        "the customer's balance on the receivable accounts.",
    )
    credit_exposure_in_clearing = fields.Monetary(
        string="In Clearing", compute='_compute_credit_figures', currency_field='credit_currency_id', groups=READERS
    )
    credit_exposure_draft_invoice = fields.Monetary(
        string="Draft Invoices", compute='_compute_credit_figures', currency_field='credit_currency_id', groups=READERS
    )
    credit_exposure_delivered = fields.Monetary(
        string="Delivered, Not Invoiced",
        compute='_compute_credit_figures',
        currency_field='credit_currency_id',
        groups=READERS,
    )
    credit_exposure_ordered = fields.Monetary(
        string="Ordered, Not Delivered",
        compute='_compute_credit_figures',
        currency_field='credit_currency_id',
        groups=READERS,
    )
    credit_available = fields.Monetary(
        string="Available Credit",
        compute='_compute_credit_figures',
        currency_field='credit_currency_id',
        groups=READERS,
    )
    credit_utilisation = fields.Float(
        string="Utilisation (%)", compute='_compute_credit_figures', digits=(16, 1), groups=READERS
    )
    credit_unallocated = fields.Monetary(
        string="Unallocated Credit",
        compute='_compute_credit_figures',
        currency_field='credit_currency_id',
        groups=READERS,
        help="Payments and credit notes not yet matched. They are taken as paying the oldest items first.",
    )
    credit_overdue_amount = fields.Monetary(
        string="Overdue", compute='_compute_credit_figures', currency_field='credit_currency_id', groups=READERS
    )
    credit_days_overdue = fields.Integer(string="Days Overdue", compute='_compute_credit_figures', groups=READERS)
    credit_status = fields.Selection(STATUS_LABELS, compute='_compute_credit_figures', groups=READERS)
    credit_meter = fields.Json(compute='_compute_credit_figures', groups=READERS)

    @api.depends('commercial_partner_id', 'user_id')
    @api.depends_context('company', 'uid')
    def _compute_credit_figures(self):
        root = self.env.company.root_id
        commercial = self.commercial_partner_id
        shown = self.env['credit.account'].sudo()._visible_partners(commercial, self.env.user)
        # Only sums leave the statement: the orders behind them may be another's.
        figures = shown and self.env['credit.account'].sudo()._figures(root, shown.ids) or {}
        for partner in self:
            row = figures.get(partner.commercial_partner_id.id)
            partner.credit_visible = bool(row)
            partner.credit_currency_id = root.currency_id
            partner.credit_account_id = row and row['account_id']
            partner.credit_status = row and row['status']
            for name, figure in PARTNER_FIGURES.items():
                partner[name] = row and row[figure]
            partner.credit_meter = row and self.env['credit.account']._prepare_meter(row, root.currency_id)

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account: a credit limit given here is a proposal
        field = self._fields['credit_limit']
        context = dict(self.env.context)
        default = context.pop('default_credit_limit', None)
        default = default if self._has_field_access(field, 'write') else None
        without_default = self.with_context(context)  # pylint: disable=context-overridden
        numbers = [vals.get('credit_limit', default) for vals in vals_list]
        if any(number is not None for number in numbers):
            self._check_field_access(field, 'write')
            vals_list = [{name: value for name, value in vals.items() if name != 'credit_limit'} for vals in vals_list]
        partners = super(ResPartner, without_default).create(vals_list).with_env(self.env)
        partners._credit_write_numbers(
            {partner: number for partner, number in zip(partners, numbers, strict=True) if number is not None}
        )
        return partners

    def write(self, vals):
        # EXTENDS account: a credit limit written here is a proposal
        numbers = {}
        if 'credit_limit' in vals:
            self.check_access('write')
            self._check_field_access(self._fields['credit_limit'], 'write')
            # In a merge the accounts say what the customer has.
            numbers = {} if self.env.context.get('credit_merging') else dict.fromkeys(self, vals['credit_limit'])
            vals = {name: value for name, value in vals.items() if name != 'credit_limit'}
        result = super().write(vals)
        self._credit_write_numbers(numbers)
        if 'tz' in vals:
            # A company's credit dates follow the time zones of its address and users.
            self.env.registry.clear_cache()
        if {'parent_id', 'is_company'} & vals.keys():
            self.env['credit.core.limit']._mirror_partners(self)
        return result

    def _credit_write_numbers(self, numbers):
        """Write core's credit limits of the current company where they are core's, and propose those that are new.

        :param numbers: {partner: number}; a contact's is its customer's
        """
        if not numbers:
            return
        Core = self.env['credit.core.limit']
        # Sudo: that the user may write was checked, reading is for the comparison.
        customers = {partner: partner.sudo().commercial_partner_id for partner in numbers}
        numbers = {partner: float(number or 0.0) for partner, number in numbers.items()}
        news = {
            customers[partner]: number
            for partner, number in numbers.items()
            if number != customers[partner].credit_limit
        }
        governed = Core._governed(self.env['res.partner'].sudo().union(*news))
        through = defaultdict(self.browse)
        for partner, number in numbers.items():
            customer = customers[partner]
            # The same again is no news, but a contact takes it over from its customer.
            if (partner != customer) if customer not in news else (customer.id not in governed):
                through[number] += partner
        for number, partners in through.items():
            super(ResPartner, partners).write({'credit_limit': number})  # pylint: disable=super-method-mismatch
        if news:
            Core._propose(news, governed)

    def action_view_credit_account(self):
        """Open the credit account of this customer; an analyst's look opens one that is not there yet.

        :raise UserError: if there is none and the user may not make one
        """
        self.ensure_one()
        Account = self.env['credit.account']
        account = self.credit_account_id
        if not account:
            if not Account.has_access('create'):
                raise UserError(
                    self.env._(
                        "%(customer)s has no credit account yet. A credit analyst can open one.",
                        customer=self.commercial_partner_id.display_name,
                    )
                )
            account = Account._for_partners(self, self.env.company)
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_account_action')
        return action | {'res_id': account.id, 'views': [(False, 'form')]}

    def action_view_credit_exposure(self):
        """Open the documents behind the exposure; context `credit_category` for one category."""
        self.ensure_one()
        return self.env['credit.exposure']._action('partner', self, self.env.context.get('credit_category'))
