from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, formatLang

from ..engine.facts import CATEGORIES
from .caches import drop_caches
from .credit_exposure import LEDGER_ROLES
from .credit_policy import SEGMENT_PARTNER_FIELDS
from .credit_rule import STATUS_LABELS

READERS = 'credit_management.group_credit_sales,account.group_account_readonly,account.group_account_invoice'
# Read from the credit account's statement.
FIGURE = {'compute': '_compute_credit_figures', 'groups': READERS}
AMOUNT = FIGURE | {'currency_field': 'credit_currency_id'}
# Partner field: figure of the credit account's statement.
PARTNER_FIGURES = {
    'credit_unlimited': 'unlimited',
    'credit_effective_limit': 'effective_limit',
    'credit_exposure': 'exposure',
    **{f'credit_exposure_{category}': f'exposure_{category}' for category in CATEGORIES},
    **{f'credit_ledger_{role}': f'ledger_{role}' for role in LEDGER_ROLES},
    'credit_available': 'available',
    'credit_utilisation': 'utilisation',
    'credit_unallocated': 'unallocated_credit',
    'credit_overdue_amount': 'overdue_amount',
    'credit_days_overdue': 'days_overdue',
}
# What a customer was called before is kept; by what else it is known in registers.
NAME_FIELDS = {'name', 'vat', 'company_registry'}
# What may make a customer of a contact, and a contact of a customer.
HIERARCHY_FIELDS = {'parent_id', 'is_company'}
# The ids of the partners into which the transaction is merging others at the moment.
MERGED_KEY = 'credit_management.merged'
# Codes are written with and without blanks, dots and dashes.
CODE = "upper(regexp_replace(%s, '[^[:alnum:]]', '', 'g'))"


class ResPartner(models.Model):
    _inherit = 'res.partner'

    credit_account_id = fields.Many2one('credit.account', **FIGURE)
    credit_currency_id = fields.Many2one('res.currency', **FIGURE)
    credit_visible = fields.Boolean(**FIGURE)
    credit_unlimited = fields.Boolean(string="Unlimited Credit", **FIGURE)
    credit_effective_limit = fields.Monetary(
        string="Effective Limit",
        **AMOUNT,
        help="What counts in credit checks, in company currency.",
    )
    credit_exposure = fields.Monetary(
        string="Exposure",
        **AMOUNT,
        help="All that we stand to lose with this customer and its contacts, taxes included, in company currency.",
    )
    credit_exposure_open_item = fields.Monetary(
        string="Open Items",
        **AMOUNT,
        help="What is left of posted invoices, less credit notes, payments not yet matched and advances.",
    )
    credit_ledger_receivable = fields.Monetary(
        string="Ledger Receivable",
        **AMOUNT,
        help="The customer's balance on the receivable accounts, as the trial balance has it.",
    )
    credit_ledger_advance = fields.Monetary(
        string="Advance Accounts",
        **AMOUNT,
        help="Paid by the customer before there was an invoice; negative.",
    )
    credit_ledger_other = fields.Monetary(
        string="Other Receivable Accounts",
        **AMOUNT,
        help="What the customer owes on the other accounts that count.",
    )
    credit_exposure_in_clearing = fields.Monetary(string="In Clearing", **AMOUNT)
    credit_exposure_draft_invoice = fields.Monetary(string="Draft Invoices", **AMOUNT)
    credit_exposure_delivered = fields.Monetary(
        string="Delivered, Not Invoiced",
        **AMOUNT,
    )
    credit_exposure_ordered = fields.Monetary(
        string="Ordered, Not Delivered",
        **AMOUNT,
    )
    credit_available = fields.Monetary(
        string="Available Credit",
        **AMOUNT,
    )
    credit_utilisation = fields.Float(string="Utilisation (%)", digits=(16, 1), **FIGURE)
    credit_unallocated = fields.Monetary(
        string="Unallocated Credit",
        **AMOUNT,
        help="Payments and credit notes not yet matched. They are taken as paying the oldest items first.",
    )
    credit_overdue_amount = fields.Monetary(string="Overdue", **AMOUNT)
    credit_days_overdue = fields.Integer(string="Days Overdue", **FIGURE)
    credit_status = fields.Selection(STATUS_LABELS, **FIGURE)
    credit_meter = fields.Json(**FIGURE)
    credit_former_name_ids = fields.One2many(
        'credit.partner.name', 'partner_id', string="Former Names", readonly=True, groups=READERS
    )
    credit_duplicate_ids = fields.Many2many(
        'res.partner',
        string="Same Registration Code",
        compute='_compute_credit_duplicate_ids',
        context={'active_test': False},
        groups=READERS,
        help="Other customers with the same tax or company number.",
    )
    credit_policy_id = fields.Many2one(
        'credit.policy',
        compute='_compute_credit_policy_id',
        search='_search_credit_policy_id',
        groups='credit_management.group_credit_auditor,credit_management.group_credit_analyst,'
        'account.group_account_invoice',
        help="The policy that applies to this customer in the current company.",
    )

    _credit_vat_index = models.Index(f"({CODE % 'vat'}) WHERE vat IS NOT NULL")
    _credit_registry_index = models.Index(f"({CODE % 'company_registry'}) WHERE company_registry IS NOT NULL")

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

    # -------------------------------------------------------------------------
    # Rename, hierarchy, archive, delete
    # -------------------------------------------------------------------------

    def write(self, vals):
        # EXTENDS account: a credit limit written here is a proposal; a company's
        # credit dates follow the time zones of its address and users; a credit
        # account follows its customer
        numbers = {}
        if 'credit_limit' in vals:
            self.check_access('write')
            self._check_field_access(self._fields['credit_limit'], 'write')
            # In a merge the accounts say what the customer has.
            merged = self.env.cr.cache.get(MERGED_KEY, ())
            numbers = {partner: vals['credit_limit'] for partner in self if partner.id not in merged}
            vals = {name: value for name, value in vals.items() if name != 'credit_limit'}
        # Looked at now: core takes some values out of the dict.
        names, hierarchy = NAME_FIELDS & vals.keys(), HIERARCHY_FIELDS & vals.keys()
        accounts = self.env['credit.account']
        if names or hierarchy or vals.get('active') is False:
            # Credit follows the customer, whoever edits the contact.
            accounts = accounts.sudo().with_context(active_test=False).search([('partner_id', 'in', self.ids)])
        customers = accounts.partner_id
        before = {customer: {name: customer[name] for name in names} for customer in customers}
        contacts = customers.filtered(lambda partner: partner.commercial_partner_id != partner)
        archived = customers.filtered('active') if vals.get('active') is False else customers.browse()
        result = super().write(vals)
        self._credit_write_numbers(numbers)
        if 'tz' in vals:
            # A company's credit dates follow the time zones of its address and users.
            drop_caches(self.env)
        if names and accounts:
            accounts._note_renamed(before)
        if hierarchy:
            self._credit_follow_hierarchy(accounts, contacts)
        if archived:
            accounts.filtered(lambda account: account.partner_id in archived)._note_customer_archived()
        if {'parent_id', 'is_company'} & vals.keys():
            self.env['credit.core.limit']._mirror_partners(self)
        if SEGMENT_PARTNER_FIELDS & vals.keys():
            self._credit_move_segment()
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

    def _credit_follow_hierarchy(self, accounts, contacts):
        """Settle credit after partners may have become customers or contacts.

        :param accounts: the accounts of `self`, archived ones as well
        :param contacts: those of their partners who were contacts before
        """
        accounts.filtered(
            lambda account: account.active and account.partner_id.commercial_partner_id != account.partner_id
        )._leave_customer()
        accounts.filtered(
            lambda account: (
                not account.active
                and account.partner_id in contacts
                and account.partner_id.commercial_partner_id == account.partner_id
            )
        )._return_customer()
        self._credit_follow_drafts()

    def _credit_follow_drafts(self):
        """Let the drafts of these partners and their contacts count with the customer of today.

        Core leaves them with the customer of their day, who may be none any more.
        """
        Move = self.env['account.move']
        # All drafts, whoever may read them.
        drafts = (
            Move.sudo()
            .with_context(active_test=False)
            .search([('state', '=', 'draft'), ('partner_id', 'child_of', self.ids)])
            .filtered(lambda move: move.commercial_partner_id != move.partner_id.commercial_partner_id)
        )
        self.env.add_to_compute(Move._fields['commercial_partner_id'], drafts)

    def action_archive(self):
        # EXTENDS base: archived customers owe what they owe
        customers = self.filtered(lambda partner: partner.active and partner.commercial_partner_id == partner)
        open_amounts = customers._credit_open_amounts()
        result = super().action_archive()
        if not open_amounts:
            return result
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': 'warning',
                'sticky': True,
                'title': self.env._("Archived with an open amount"),
                'message': ' '.join(
                    [*open_amounts, self.env._("It still counts in all figures, and the credit account stays.")]
                ),
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }

    def _credit_open_amounts(self):
        """Return one sentence per customer and company with an exposure, of those whose credit the user may see."""
        Account = self.env['credit.account'].sudo()
        visible = Account._visible_partners(self, self.env.user)
        sentences = []
        for company in self.env.companies.root_id.sudo() if visible else ():
            figures = Account._figures(company, visible.ids)
            for partner in visible:
                amount = figures[partner.id]['exposure']
                if not company.currency_id.is_zero(amount):
                    sentences.append(
                        self.env._(
                            "%(customer)s: %(amount)s is open in %(company)s.",
                            customer=partner.display_name,
                            amount=formatLang(self.env, amount, currency_obj=company.currency_id),
                            company=company.name,
                        )
                    )
        return sentences

    @api.ondelete(at_uninstall=False)
    def _unlink_except_credit_file(self):
        # Whoever deletes need not know the credit file that is in the way.
        account = (
            self.env['credit.account']
            .sudo()
            .with_context(active_test=False)
            .search([('partner_id', 'in', self.ids)], limit=1)
        )
        check = self.env['credit.check'].sudo()
        if not account:
            check = check.search(['|', ('partner_id', 'in', self.ids), ('debtor_id', 'in', self.ids)], limit=1)
        if account or check:
            raise UserError(
                self.env._(
                    "%(customer)s has a credit file, which is kept. Archive the contact instead, "
                    "or merge it with another one.",
                    customer=(account.partner_id or (check.partner_id | check.debtor_id) & self).display_name,
                )
            )

    # -------------------------------------------------------------------------
    # The same registration code
    # -------------------------------------------------------------------------

    @api.depends('vat', 'company_registry', 'country_id', 'parent_id')
    @api.depends_context('uid', 'allowed_company_ids')
    def _compute_credit_duplicate_ids(self):
        duplicates = self._credit_duplicates()
        for partner in self:
            partner.credit_duplicate_ids = duplicates.get(partner._origin.id, self.browse())

    def _credit_duplicates(self):
        """Return {partner id: other customers of the same registration code that the user may read}."""
        ids = self._origin.ids
        if not ids:
            return {}
        rows = self.env.execute_query(self._credit_duplicates_sql(SQL("(SELECT unnest(%s))", ids), pairs=True))
        readable = self.browse({other for _partner, other in rows})._filtered_access('read')
        result = {}
        for partner_id, other_id in rows:
            if other_id in readable._ids:
                result[partner_id] = result.get(partner_id, self.browse()) | self.browse(other_id)
        return result

    @api.model
    def _credit_duplicates_sql(self, partners, pairs=False):
        """Return the SELECT of those customers whose tax or company number another customer has too.

        A number in one country is another one elsewhere. A subsidiary may have
        the number of its parent.

        :param partners: subselect of partner ids
        :param pairs: also select the other partner
        """
        self.flush_model([*NAME_FIELDS, 'active', 'commercial_partner_id', 'company_id', 'country_id', 'parent_id'])
        # A branch works with the contacts of its main company.
        companies = (self.env.companies | self.env.companies.parent_ids).ids
        return SQL(
            """(
            WITH asked AS MATERIALIZED (
                SELECT partner.id, partner.parent_id, partner.country_id, code.value
                  FROM res_partner partner
            CROSS JOIN LATERAL (VALUES (%(partner_vat)s), (%(partner_registry)s)) AS code(value)
                 WHERE partner.id IN %(partners)s AND partner.commercial_partner_id = partner.id
                   AND length(code.value) > 3
            ),
            pair AS (
                SELECT asked.id, other.id AS other_id, asked.parent_id, asked.country_id
                  FROM asked JOIN res_partner other ON %(other_vat)s = asked.value
                 UNION
                SELECT asked.id, other.id, asked.parent_id, asked.country_id
                  FROM asked JOIN res_partner other ON %(other_registry)s = asked.value
            )
            SELECT DISTINCT %(columns)s
              FROM pair
              JOIN res_partner other ON other.id = pair.other_id
             WHERE other.id <> pair.id
               AND other.commercial_partner_id = other.id
               AND other.parent_id IS DISTINCT FROM pair.id
               AND pair.parent_id IS DISTINCT FROM other.id
               AND (other.country_id IS NULL OR pair.country_id IS NULL OR other.country_id = pair.country_id)
               AND (other.company_id IS NULL OR other.company_id = ANY(%(companies)s))
            )""",
            columns=SQL("pair.id, other.id") if pairs else SQL("pair.id"),
            companies=companies,
            partners=partners,
            partner_vat=SQL(CODE % 'partner.vat'),
            partner_registry=SQL(CODE % 'partner.company_registry'),
            other_vat=SQL(CODE % 'other.vat'),
            other_registry=SQL(CODE % 'other.company_registry'),
        )

    def action_credit_merge_duplicates(self):
        """Open core's dialog to merge this customer with those of the same registration code.

        :raise AccessError: if the user may not merge contacts
        """
        self.ensure_one()
        self.env['base.partner.merge.automatic.wizard'].check_access('create')
        # Core merges three at a time.
        partners = self | self._credit_duplicates().get(self.id, self.browse())[:2]
        action = self.env['ir.actions.act_window']._for_xml_id('base.action_partner_merge')
        return action | {'context': {'active_model': self._name, 'active_ids': partners.ids}}

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
