from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine.facts import CATEGORIES
from .credit_policy import SEGMENT_PARTNER_FIELDS
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
    credit_policy_id = fields.Many2one(
        'credit.policy',
        compute='_compute_credit_policy_id',
        search='_search_credit_policy_id',
        groups='credit_management.group_credit_auditor,credit_management.group_credit_analyst,'
        'account.group_account_invoice',
        help="The policy that applies to this customer in the current company.",
    )

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

    @api.depends('commercial_partner_id')
    @api.depends_context('company')
    def _compute_credit_policy_id(self):
        policies = self.env['credit.account']._applied_policies(self.commercial_partner_id, self.env.company)
        for partner in self:
            partner.credit_policy_id = policies.get(partner.commercial_partner_id.id)

    def _search_credit_policy_id(self, operator, value):
        Policy = self.env['credit.policy']
        if operator in ('any', 'any!'):
            value = Policy.search(value).ids if isinstance(value, Domain) else list(value)
        elif operator != 'in' or False in value:
            return NotImplemented
        policies = Policy.sudo().browse(value)
        Policy._flush_choice()
        queries = [
            SQL("SELECT partner_id FROM (%s) AS customer", policies._members_sql(company))
            for company in policies.company_id
        ]
        return [('id', 'in', SQL("(%s)", SQL(" UNION ").join(queries)) if queries else [])]

    def write(self, vals):
        # EXTENDS base: a company's credit dates follow the time zones of its address and users
        result = super().write(vals)
        if 'tz' in vals:
            self.env.registry.clear_cache()
        if SEGMENT_PARTNER_FIELDS & vals.keys():
            self._credit_move_segment()
        return result

    def _credit_enforced(self, company):
        """Tell whether a policy is enforced for this commercial partner in a company."""
        self.ensure_one()
        policies = self.env['credit.account'].sudo()._applied_policies(self._origin, company)
        return any(policy.mode == 'enforcing' for policy in policies.values())

    def _credit_move_segment(self):
        """Make confirmations under way see that these customers may have come under another policy.

        Every later check sees it anyway: the segment is read with the check, not
        stored. Where no policy is for a segment, nothing is read or written.
        """
        companies = self.env['credit.policy'].sudo()._segmented_companies()
        if companies:
            domain = [('partner_id', 'in', self.ids), ('company_id', 'in', companies.ids)]
            self.env['credit.counter'].sudo()._bump(self.env['credit.account'].sudo().search(domain))

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
