from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_list, formatLang
from odoo.tools.constants import PREFETCH_MAX

from ..engine.facts import CATEGORIES, NO_CREDIT
from .credit_exposure import LEDGER_ROLES, MANY
from .credit_rule import STATUS_LABELS

# Fields of an account that one statement computes for any number of accounts.
FIGURES = (
    'limit_kind',
    'limit_amount',
    'unlimited',
    'effective_limit',
    'limit_temporary',
    'limit_until',
    'limit_grace_until',
    'exposure',
    *(f'exposure_{category}' for category in CATEGORIES),
    *(f'ledger_{role}' for role in LEDGER_ROLES),
    'available',
    'utilisation',
    'excess',
    'unallocated_credit',
    'overdue_booked',
    'overdue_amount',
    'days_overdue',
    'oldest_due_date',
)
# What "accept as is" consists of: written by it only.
ACCEPTED_FIELDS = {
    'accepted_from',
    'accepted_until',
    'accepted_exposure',
    'accepted_reason',
    'accepted_by_id',
}
# One statement computes them all, for any number of accounts.
FIGURE = {'compute': '_compute_figures', 'compute_sudo': True}


class CreditAccount(models.Model):
    """One customer's credit in one company (with its branches)."""

    _name = 'credit.account'
    _inherit = ['credit.root.company', 'mail.thread', 'mail.activity.mixin']
    _description = "Credit Account"
    _order = 'id desc'
    # On a phone the menu of activities opens no cards unless told so.
    _systray_view = 'kanban'
    _rec_names_search = [
        'partner_id.complete_name',
        'partner_id.ref',
        'partner_id.vat',
        'partner_id.credit_former_name_ids.value',
    ]

    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        required=True,
        index=True,
        ondelete='restrict',
        domain="['|', ('is_company', '=', True), ('parent_id', '=', False)]",
        help="The commercial entity that owes; its contacts and addresses are included.",
    )
    active = fields.Boolean(default=True, tracking=True)
    policy_id = fields.Many2one(
        'credit.policy',
        string="Own Policy",
        check_company=True,
        tracking=True,
        help="Empty: the policy for the customer's segment applies, else the company's default.",
    )
    applied_policy_id = fields.Many2one(
        'credit.policy',
        string="Policy",
        compute='_compute_applied_policy_id',
        search='_search_applied_policy_id',
        help="The account's own policy, else the first one for a segment that the customer is in, else the company's "
        "default. A policy in shadow mode takes nobody out of one that is enforced.",
    )
    controller_id = fields.Many2one(
        'res.users',
        string="Credit Controller",
        tracking=True,
        domain="[('share', '=', False)]",
        help="Is asked when an order of this customer is held. Empty: the policy's controller.",
    )
    salesperson_id = fields.Many2one(related='partner_id.user_id', string="Salesperson")
    status = fields.Selection(
        STATUS_LABELS,
        required=True,
        default='normal',
        tracking=True,
        help="Set by hand. What it means for an order is decided by the rules of the policy.",
    )
    status_reason = fields.Char(tracking=True, help="Why the status is not normal.")
    next_review_date = fields.Date(tracking=True, help="When the limit should be looked at again.")
    merged_into_id = fields.Many2one(
        'credit.account',
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='restrict',
        help="The account that goes on since the customers were merged.",
    )
    merged_ids = fields.One2many(
        'credit.account', 'merged_into_id', string="Merged Accounts", readonly=True, context={'active_test': False}
    )
    merged_count = fields.Integer(string="Merged", compute='_compute_merged_count')
    dormant = fields.Boolean(
        readonly=True,
        copy=False,
        help="Archived while its customer is a contact of another one; back when it is a customer of its own again.",
    )
    former_name_ids = fields.One2many(related='partner_id.credit_former_name_ids', string="Former Names")
    duplicate_partner_ids = fields.Many2many(
        'res.partner',
        string="Same Registration Code",
        compute='_compute_duplicate_partner_ids',
        context={'active_test': False},
        help="Other customers with the same tax or company number.",
    )
    duplicate_code = fields.Boolean(
        string="Registration Code Used Twice",
        compute='_compute_duplicate_partner_ids',
        search='_search_duplicate_code',
    )
    accepted_from = fields.Date(
        readonly=True, copy=False, help="Items due before this day are accepted as overdue until the end."
    )
    accepted_until = fields.Date(readonly=True, copy=False, help="Last day of the acceptance.")
    accepted_exposure = fields.Monetary(
        readonly=True, copy=False, help="Exposure up to which the utilisation of the limit holds nothing."
    )
    accepted_reason = fields.Char(readonly=True, copy=False)
    accepted_by_id = fields.Many2one('res.users', readonly=True, copy=False)
    accepted = fields.Boolean(
        string="Accepted As Is",
        compute='_compute_accepted',
        search='_search_accepted',
        help="Until a day, by a manager.",
    )
    limit_ids = fields.One2many('credit.limit', 'account_id', string="Limits")
    check_ids = fields.One2many('credit.check', 'account_id', string="Checks")
    limit_kind = fields.Selection(
        [('none', "None decided"), ('amount', "Amount"), ('unlimited', "Unlimited")],
        **FIGURE,
        help="None decided: the policy's default applies. An amount of 0 means no credit at all.",
    )
    limit_amount = fields.Monetary(string="Credit Limit", **FIGURE, help="Limit in force, company currency.")
    unlimited = fields.Boolean(**FIGURE)
    effective_limit = fields.Monetary(
        **FIGURE,
        help="What counts in checks: the limit in force, else the policy's default. Company currency.",
    )
    limit_temporary = fields.Boolean(
        string="Temporary Limit", **FIGURE, help="A temporary limit is in force in place of the base limit."
    )
    limit_until = fields.Date(**FIGURE, help="Last day of the limit in force. Empty: until another decision.")
    limit_grace_until = fields.Date(
        string="Expired, In Force Until",
        **FIGURE,
        help="The base limit has expired and was not renewed; it stays in force for the policy's days of grace.",
    )
    exposure = fields.Monetary(
        **FIGURE,
        search='_search_exposure',
        help="All that we stand to lose, taxes included, in company currency.",
    )
    exposure_open_item = fields.Monetary(
        string="Open Items",
        **FIGURE,
        help="What is left of posted invoices, less credit notes and payments not yet matched, less advances.",
    )
    ledger_receivable = fields.Monetary(
        **FIGURE,
        help="The customer's balance on the receivable accounts, as the trial balance has it.",
    )
    ledger_advance = fields.Monetary(
        string="Advance Accounts",
        **FIGURE,
        help="Paid by the customer before there was an invoice; negative. Down payments of confirmed orders are "
        "left out: they come off the order.",
    )
    ledger_other = fields.Monetary(
        string="Other Receivable Accounts",
        **FIGURE,
        help="What the customer owes on the other accounts that count, see Configuration, Ledger Accounts.",
    )
    exposure_in_clearing = fields.Monetary(
        string="In Clearing",
        **FIGURE,
        help="Paid by bill, note or cheque whose credit has not come back yet.",
    )
    exposure_draft_invoice = fields.Monetary(string="Draft Invoices", **FIGURE, help="Draft credit notes don't count.")
    exposure_delivered = fields.Monetary(string="Delivered, Not Invoiced", **FIGURE)
    exposure_ordered = fields.Monetary(
        string="Ordered, Not Delivered",
        **FIGURE,
        help="Confirmed orders, neither delivered nor invoiced, less down payments.",
    )
    available = fields.Monetary(
        **FIGURE,
        search='_search_available',
        help="Effective limit less exposure; negative when the limit is exceeded.",
    )
    utilisation = fields.Float(
        string="Utilisation (%)",
        digits=(16, 1),
        **FIGURE,
        search='_search_utilisation',
        help="Exposure in percent of the effective limit.",
    )
    excess = fields.Monetary(string="Over Limit By", **FIGURE, search='_search_excess')
    unallocated_credit = fields.Monetary(
        **FIGURE,
        help="Payments and credit notes not yet matched. They are taken as paying the oldest items first.",
    )
    overdue_booked = fields.Monetary(
        string="Overdue as Booked",
        **FIGURE,
        help="What is left of items past their due date, before credits not yet matched are applied.",
    )
    overdue_amount = fields.Monetary(
        string="Overdue",
        **FIGURE,
        search='_search_overdue_amount',
        help="After credits not yet matched have paid the oldest items, without residues below the policy's floors.",
    )
    days_overdue = fields.Integer(**FIGURE, search='_search_days_overdue', help="Age of the oldest item.")
    oldest_due_date = fields.Date(string="Oldest Due", **FIGURE)
    meter = fields.Json(compute='_compute_meter')
    held_order_count = fields.Integer(
        string="Held Orders", compute='_compute_held_order_count', compute_sudo=True, search='_search_held_order_count'
    )

    _partner_company_unique = models.UniqueIndex(
        '(partner_id, company_id) WHERE active', "This customer already has a credit account in this company."
    )

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    def _compute_display_name(self):
        for account in self:
            account.display_name = account.partner_id.display_name

    @api.depends('partner_id', 'policy_id', 'grade_id', 'company_id.credit_policy_id')
    def _compute_applied_policy_id(self):
        # Not from the stored account: an own policy that is just being chosen
        # on the form counts.
        for (company, policy), accounts in self.grouped(
            lambda account: (account.company_id, account.policy_id)
        ).items():
            applied = self._applied_policies(accounts.partner_id._origin, company, policy._origin)
            for account in accounts:
                account.applied_policy_id = applied.get(account.partner_id._origin.id, policy)

    @api.model
    def _applied_policies(self, partners, company, own=None):
        """Return {commercial partner id: the policy that applies to it}; no statement where there is but one.

        :param own: the own policy of them all; None for that of their accounts
        """
        Policy = self.env['credit.policy'].sudo()
        company = company.root_id.sudo()
        entries = Policy._entries(company)
        if own is not None and not any(entry.criteria for entry in entries):
            enforcing = {entry.id for entry in entries if entry.enforcing}
            default = company.credit_policy_id
            keeps = own and (own.id in enforcing or default.id not in enforcing)
            return dict.fromkeys(partners.ids, own.sudo() if keeps else default)
        Policy._flush_choice()
        account = (
            SQL(
                "LEFT JOIN credit_account account ON account.partner_id = customer.partner_id"
                " AND account.company_id = %s AND account.active",
                company.id,
            )
            if own is None
            else SQL(
                "LEFT JOIN credit_account graded ON graded.partner_id = customer.partner_id"
                " AND graded.company_id = %s AND graded.active"
                " CROSS JOIN LATERAL (SELECT %s::int AS policy_id, graded.grade_id) AS account",
                company.id,
                own.id or None,
            )
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT customer.partner_id, %s FROM (SELECT unnest(%s::int[]) AS partner_id) AS customer %s",
                Policy._policy_sql(company, SQL("customer.partner_id")),
                partners.ids,
                account,
            )
        )
        return {partner_id: Policy.browse(policy_id) for partner_id, policy_id in rows}

    def _search_applied_policy_id(self, operator, value):
        Policy = self.env['credit.policy']
        if operator in ('any', 'any!'):
            value = Policy.sudo().search(value).ids if isinstance(value, Domain) else list(value)
        elif operator != 'in':
            return NotImplemented
        Policy._flush_choice()
        queries = [
            SQL(
                "SELECT account.id FROM credit_account account WHERE account.company_id = %s AND (%s)",
                company.id,
                SQL(" OR ").join(
                    SQL("%s = %s", policy, policy_id) if policy_id else SQL("%s IS NULL", policy)
                    for policy in [Policy._policy_sql(company, SQL("account.partner_id"))]
                    for policy_id in value
                ),
            )
            for company in self.env.companies.root_id.sudo()
            if value
        ]
        return [('id', 'in', SQL("(%s)", SQL(" UNION ALL ").join(queries)) if queries else [])]

    @api.depends('accepted_until')
    def _compute_accepted(self):
        for account in self:
            account.accepted = (
                bool(account.accepted_until) and account.accepted_until >= account.company_id._credit_today()
            )

    def _search_accepted(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return [('accepted_until', '>=', fields.Date.to_string(self.env.company._credit_today()))]

    @api.depends('partner_id', 'company_id', 'policy_id', 'limit_ids.state', 'limit_ids.amount')
    def _compute_figures(self):
        self._fill_figures(FIGURES)

    def _fill_figures(self, names):
        """Put some of the figures of these accounts into the cache, in one statement per company."""
        zero = dict.fromkeys(FIGURES, False)
        # Stored accounts have both; for thousands of them a record each takes as long as the statement.
        stored, companies = all(self._ids), self.company_id
        self.mapped('partner_id')
        partner_of = self._fields['partner_id']._get_cache(self.env)
        groups = {companies: self} if stored and len(companies) == 1 else self.grouped('company_id')
        for company, accounts in groups.items():
            if stored:
                known = partner_ids = [partner_of[account_id] for account_id in accounts._ids]
            else:
                partner_ids = [account.partner_id._origin.id for account in accounts]
                known = [partner_id for partner_id in partner_ids if partner_id]
            figures = self._figures(company, known, names=names) if company and known else {}
            rows = [figures.get(partner_id, zero) for partner_id in partner_ids]
            for name in names:
                field = self._fields[name]
                # As `fetch` does with what it reads: assigning one by one takes
                # longer than the statement for a page of accounts.
                field._insert_cache(
                    accounts, [field.convert_to_cache(row[name], accounts, validate=False) for row in rows]
                )

    def _read_format(self, fnames, load='_classic_read'):
        # EXTENDS base: the ORM computes a thousand records at a time, one statement does for all
        names = [name for name in FIGURES if name in fnames]
        if names and len(self) > PREFETCH_MAX:
            self.fetch(['company_id', 'partner_id'])
            # Figures are everybody's who may read the account.
            self.sudo()._fill_figures(names)
        return super()._read_format(fnames, load)

    @api.depends('exposure', 'effective_limit', 'unlimited')
    def _compute_meter(self):
        for account in self:
            account.meter = self._prepare_meter(account, account.currency_id)

    @api.depends('merged_ids')
    def _compute_merged_count(self):
        for account in self:
            account.merged_count = len(account._file_accounts()) - 1 if account.merged_ids else 0

    @api.depends('partner_id.vat', 'partner_id.company_registry', 'partner_id.country_id')
    @api.depends_context('uid', 'allowed_company_ids')
    def _compute_duplicate_partner_ids(self):
        duplicates = self.partner_id._credit_duplicates()
        for account in self:
            account.duplicate_partner_ids = duplicates.get(account.partner_id._origin.id, self.env['res.partner'])
            account.duplicate_code = bool(account.duplicate_partner_ids)

    def _search_duplicate_code(self, operator, value):
        if operator != 'in' or list(value) != [True]:
            return NotImplemented
        accounts = self._search([('active', '=', True)], bypass_access=True)
        return [('partner_id', 'in', self.env['res.partner']._credit_duplicates_sql(accounts.subselect('partner_id')))]

    def _compute_held_order_count(self):
        counts = defaultdict(int)
        groups = self.env['sale.order']._read_group(
            [('credit_state', '=', 'on_hold'), ('credit_account_id', 'in', self.ids)],
            ['credit_account_id'],
            ['__count'],
        )
        counts.update({account.id: count for account, count in groups})
        for account in self:
            account.held_order_count = counts[account.id]

    def _search_held_order_count(self, operator, value):
        if (operator, value) not in ((">", 0), ("!=", 0)):
            return NotImplemented
        # Totals of orders that the user may not read; only the accounts come back.
        orders = self.env['sale.order'].sudo()._search([('credit_state', '=', 'on_hold')])
        return [('id', 'in', orders.subselect('credit_account_id'))]

    def _search_exposure(self, operator, value):
        return self._search_figure('exposure', operator, value)

    def _search_available(self, operator, value):
        return self._search_figure('available', operator, value)

    def _search_utilisation(self, operator, value):
        return self._search_figure('utilisation', operator, value)

    def _search_excess(self, operator, value):
        return self._search_figure('excess', operator, value)

    def _search_overdue_amount(self, operator, value):
        return self._search_figure('overdue_amount', operator, value)

    def _search_days_overdue(self, operator, value):
        return self._search_figure('days_overdue', operator, value)

    def _search_figure(self, name, operator, value):
        """Return the domain of the accounts whose computed figure compares so."""
        comparators = {'>': SQL(">"), '>=': SQL(">="), '<': SQL("<"), '<=': SQL("<="), '=': SQL("="), '!=': SQL("<>")}
        if operator == 'in':
            condition = SQL("%s = ANY(%s)", SQL.identifier('figures', name), [float(item or 0) for item in value])
        elif operator in comparators:
            condition = SQL("%s %s %s", SQL.identifier('figures', name), comparators[operator], value or 0)
        else:
            return NotImplemented
        return [
            ('id', 'in', SQL("(%s SELECT figures.account_id FROM figures WHERE %s)", self._figure_sql(name), condition))
        ]

    @api.model
    def _figure_sql(self, name):
        """Return the common table expression `figures` with one figure of all accounts of the user's companies."""
        # Computed apart: merged into a search, its estimates would have it done
        # once per account. By name: what other figures need is left out then.
        return SQL(
            "WITH figures AS MATERIALIZED (SELECT account_id, %s FROM (%s) AS everything)",
            SQL.identifier(name),
            self._all_figures_sql(),
        )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        # EXTENDS base: lists of accounts are sorted by figures that no column holds
        if field_name in FIGURES and self._fields[field_name].type in ('monetary', 'float', 'integer', 'date'):
            figures = query.make_alias(alias, f'figures_{field_name}')
            if figures not in query._joins:
                query.add_join(
                    'LEFT JOIN',
                    figures,
                    SQL("(%s SELECT * FROM figures)", self._figure_sql(field_name)),
                    SQL("%s = %s", SQL.identifier(alias, 'id'), SQL.identifier(figures, 'account_id')),
                )
            return SQL("%s %s %s", SQL.identifier(figures, field_name), direction, nulls)
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    # -------------------------------------------------------------------------
    # Constraints
    # -------------------------------------------------------------------------

    @api.constrains('partner_id', 'active')
    def _check_commercial_partner(self):
        for account in self:
            commercial = account.partner_id.commercial_partner_id
            if account.active and account.partner_id != commercial:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact of %(customer)s. Credit is given to %(customer)s: "
                        "open the credit account there.",
                        contact=account.partner_id.name or account.partner_id.display_name,
                        customer=commercial.name,
                    )
                )

    @api.constrains('controller_id')
    def _check_controller_active(self):
        for account in self:
            if account.controller_id and not account.controller_id.active:
                raise ValidationError(
                    self.env._(
                        "%(user)s is archived and can't be a credit controller.", user=account.controller_id.name
                    )
                )

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # Explicit, so that no default from a client's context gets in.
            vals.update(dict.fromkeys(ACCEPTED_FIELDS, False), merged_into_id=False, dormant=False)
        accounts = super().create(vals_list)
        # The records, not the values: a default of the context counts as well.
        accounts.filtered('policy_id')._check_may_loosen()
        accounts._record_changes({account: ('normal', self.env['credit.policy'], True) for account in accounts})
        return accounts

    def write(self, vals):
        if ACCEPTED_FIELDS & vals.keys():
            raise AccessError(self.env._("What a customer is accepted with is set by “Accept As Is” only."))
        for name in ('partner_id', 'company_id'):
            if name in vals and any(account[name].id != vals[name] for account in self):
                raise UserError(
                    self.env._(
                        "The credit account of %(customer)s stays with that customer and company: its limits and "
                        "checks are about them. Open another account instead.",
                        customer=self[0].display_name,
                    )
                )
        if {'merged_into_id', 'dormant'} & vals.keys():
            raise AccessError(self.env._("Credit accounts are merged by merging their customers."))
        if vals.get('active') and (merged := self.filtered('merged_into_id')):
            raise UserError(
                self.env._(
                    "The credit account of %(customer)s was merged into another one, which goes on. "
                    "It stays in the archive.",
                    customer=merged[0].display_name,
                )
            )
        loosened = self.filtered(lambda account: account._loosened_by(vals))
        loosened._check_may_loosen()
        before = {account: (account.status, account.policy_id, account.active) for account in self}
        result = super().write(vals)
        self._record_changes(before)
        # Whatever may lower what a customer is allowed is seen by the
        # confirmations under way.
        if {'status', 'policy_id', 'active'} & vals.keys():
            self.env['credit.counter']._bump(self)
        if {'status', 'policy_id', 'active', 'grade_id', 'next_review_date'} & vals.keys():
            self.env['credit.recheck']._mark_accounts(self)
        if 'active' in vals:
            self.env['credit.core.limit']._mirror_accounts(self)
        return result

    def _record_changes(self, before):
        """Note in the credit files by what these accounts differ from before.

        :param before: {account: (status, own policy, active)}
        """
        entries = []
        for account in self:
            status, policy, active = before[account]
            if account.status != status:
                entries.append((account, 'status', {'before': status, 'after': account.status}))
            if account.policy_id != policy:
                change = {'policy_before_id': policy.id or None, 'policy_id': account.policy_id.id or None}
                entries.append((account, 'policy', change))
            if account.active != active:
                entries.append((account, 'restored' if account.active else 'archived', {}))
        self.env['credit.event']._record(entries)

    def _loosened_by(self, vals):
        """Tell whether a write takes a customer out of the rules: another policy, or a milder status."""
        self.ensure_one()
        order = [status for status, _label in STATUS_LABELS]
        status = vals.get('status', self.status)
        return (
            ('policy_id' in vals and vals['policy_id'] != self.policy_id.id)
            or ('active' in vals and vals['active'] != self.active)
            or (self.status in ('hold', 'blacklisted') and order.index(status) < order.index(self.status))
        )

    def _check_may_loosen(self):
        if self and not self.env.su and not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(
                self.env._(
                    "Only credit managers lift a hold, take %(customer)s off the blacklist, or choose another policy.",
                    customer=self[0].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # Whether there is a file, also to those who may not read it.
        events = self.env['credit.event'].sudo().search([('account_id', 'in', self.ids)], limit=1)
        if used := self.filtered(lambda account: account.limit_ids or account.check_ids) or events.account_id:
            raise UserError(
                self.env._(
                    "%(customer)s has limits, checks or events on file, which are kept. Archive the account instead.",
                    customer=used[0].display_name,
                )
            )

    # -------------------------------------------------------------------------
    # Figures
    # -------------------------------------------------------------------------

    @api.model
    def _figures(
        self, company, partner_ids, date=None, exclude_order_ids=(), graces=(0,), held=False, choice=None, names=None
    ):
        """Return {commercial partner id: {figure: value}} of one root company, in one statement.

        Works for customers without an account too. Amounts are in company
        currency; besides FIGURES a row has `overdue_<n>` for each of `graces`.

        :param date: the company's today, the default, or the date of the rates and ages
        :param exclude_order_ids: orders that don't count, as those being checked
        :param partner_ids: None for all customers, see `credit.policy._customers_sql`
        :param held: with what counts in rules: see `_figures_sql`
        :param choice: which policy is taken, see `credit.policy._policy_sql`
        :param names: the figures that are wanted, None for all; what others need is not computed then
        """
        self.env['credit.exposure']._flush_sources(partner_ids)
        self._flush_accounts()
        company = company.sudo()
        # Not all of the company: that would take a third of the time of a check.
        company.fetch(['credit_policy_id', 'currency_id'])
        company.currency_id.fetch(['rounding'])
        everybody = None
        if partner_ids is None:
            customers = self.env['credit.policy']._customers_sql(company)
            everybody = SQL("SELECT partner_id FROM (%s) AS everybody", customers)
        query = self._figures_sql(
            company,
            date or company._credit_today(),
            partner_ids if partner_ids is None else list(partner_ids),
            exclude_order_ids,
            graces,
            held,
            choice,
            everybody,
        )
        if names is not None:
            columns = SQL(", ").join(map(SQL.identifier, ('partner_id', *names)))
            query = SQL("SELECT %s FROM (%s) AS everything", columns, query)
        rows = self.env.execute_query_dict(query)
        for name in {'oldest_due_date', 'limit_until', 'limit_grace_until'}.intersection(rows[0] if rows else ()):
            for row in rows:
                row[name] = row[name] or False
        return {row['partner_id']: row for row in rows}

    @api.model
    def _flush_accounts(self):
        self.env['credit.policy']._flush_choice()
        self.flush_model(
            ['accepted_exposure', 'accepted_from', 'accepted_until', 'grade_id', 'next_review_date', 'status']
        )
        self.env['credit.grade'].flush_model(['sequence'])
        self.env['credit.limit'].flush_model(
            ['account_id', 'amount', 'currency_id', 'date_from', 'date_to', 'date_until', 'kind', 'limit_kind', 'state']
        )
        self.env['credit.policy'].flush_model(
            ['customer_floor', 'date_start', 'default_limit_amount', 'default_limit_kind', 'item_floor_percent']
        )

    @api.model
    def _fact_columns(self):
        """Return the columns of the account that rules of add-ons look at, read with each check: names of its fields.

        Extend it together with `_flush_accounts`; the engine has them in `Facts.extra`.
        """
        return []

    def _all_figures_sql(self):
        """Return the SELECT of the figures of all accounts of the user's companies."""
        self.env['credit.exposure']._flush_sources(None)
        self._flush_accounts()
        return SQL(" UNION ALL ").join(
            SQL("SELECT * FROM (%s) AS one_company", self._figures_sql(company, company._credit_today()))
            for company in self.env.companies.root_id.sudo()
        )

    @api.model
    def _figures_sql(
        self,
        company,
        date,
        partner_ids=None,
        exclude_order_ids=(),
        graces=(0,),
        held=False,
        choice=None,
        customers=None,
    ):
        """Return the SELECT of limits and exposure, one row per customer.

        The customers are those asked for, else all that have an account.

        :param held: with what counts in rules: `held_overdue_<n>` for each of
            `graces`, `held_days_overdue`, `overdue_left_out`, `counted_from`,
            what is accepted as is: `accepted_exposure`, `accepted_until`, and `next_review_date`
        :param choice: which policy is taken, see `credit.policy._policy_sql`
        :param customers: SQL of the partner ids, where `partner_ids` is None
        """
        customers = customers or (
            SQL("SELECT partner_id FROM credit_account WHERE company_id = %s AND active", company.id)
            if partner_ids is None
            else SQL("SELECT unnest(%s::int[]) AS partner_id", partner_ids)
        )
        if partner_ids is not None and len(partner_ids) > MANY:
            # Looking up each of them takes longer than reading all, and so does planning it.
            partner_ids = None
        Exposure = self.env['credit.exposure']
        total = SQL(" + ").join(SQL("COALESCE(%s, 0)", SQL.identifier('sums', category)) for category in CATEGORIES)
        names = {category: f'exposure_{category}' for category in CATEGORIES}
        names |= {name: name for name in (f'ledger_{role}' for role in LEDGER_ROLES)}
        names |= {name: name for name in (f'overdue_{grace}' for grace in graces)}
        names |= {'unallocated': 'unallocated_credit', 'overdue_booked': 'overdue_booked'}
        if held:
            names |= {name: name for name in (f'held_overdue_{grace}' for grace in graces)}
            names |= {'held_days_overdue': 'held_days_overdue', 'overdue_left_out': 'overdue_left_out'}
        return SQL(
            """
            WITH customer AS MATERIALIZED (%(customers)s)
            SELECT figures.*,
                   CASE WHEN unlimited THEN 0 ELSE effective_limit - exposure END AS available,
                   CASE WHEN unlimited THEN 0 ELSE GREATEST(0, exposure - effective_limit) END AS excess,
                   CASE WHEN unlimited OR exposure <= 0 THEN 0
                        WHEN effective_limit <= 0 THEN %(no_credit)s
                        ELSE LEAST(%(no_credit)s, 100.0 * exposure / effective_limit) END::float8 AS utilisation
              FROM (
                SELECT customer.partner_id, account_id, status, grade_id, grade_rank, policy_id, limit_kind,
                       limit_amount, unlimited, effective_limit, limit_temporary, limit_until, limit_grace_until,
                       %(counted)s
                       %(total)s AS exposure,
                       %(sums_read)s,
                       COALESCE(sums.overdue_0, 0) AS overdue_amount,
                       COALESCE(sums.days_overdue, 0) AS days_overdue,
                       sums.oldest_due AS oldest_due_date
                  FROM customer
             LEFT JOIN (%(sums)s) AS sums ON sums.partner_id = customer.partner_id
              ) AS figures
            """,
            customers=self._customer_sql(company, date, customers, choice, everybody=partner_ids is None),
            no_credit=NO_CREDIT,
            counted=SQL(
                "counted_from, accepted_until, accepted_exposure, next_review_date, %s",
                SQL().join(SQL("%s, ", SQL.identifier(name)) for name in self._fact_columns()),
            )
            if held
            else SQL(),
            total=total,
            sums_read=SQL(", ").join(
                SQL("COALESCE(%s, 0) AS %s", SQL.identifier('sums', column), SQL.identifier(name))
                for column, name in names.items()
            ),
            sums=Exposure._sums_sql(
                date,
                Exposure._rows_sql(company, date, partner_ids, exclude_order_ids, detail=False),
                sorted({0, *graces}),
                held,
            ),
        )

    @api.model
    def _customer_sql(self, company, date, customers, choice=None, everybody=False):
        """Return the SELECT of what is decided on customers: the table expression `customer` that the sums join.

        Columns: partner_id, account_id, status, grade_id, grade_rank (of the sequence; NULL: no grade), policy_id,
        item_floor_percent and customer_floor of the policy, counted_from (the day from which on due items count in
        rules; NULL: all of them), accepted_until and accepted_exposure (while accepted as is), next_review_date,
        limit_kind, limit_amount, unlimited, effective_limit, limit_temporary, limit_until, limit_grace_until (once it
        has expired).

        :param customers: SELECT of their partner_id
        :param everybody: whether these are so many that their limits are better read all at once
        """
        return SQL(
            """
            SELECT wanted.partner_id, account.id AS account_id, account.status, account.grade_id,
                   (SELECT sequence FROM credit_grade WHERE id = account.grade_id) AS grade_rank,
                   policy.id AS policy_id, policy.item_floor_percent, policy.customer_floor,
                   GREATEST(policy.date_start,
                            CASE WHEN account.accepted_until >= %(date)s THEN account.accepted_from END
                   ) AS counted_from,
                   CASE WHEN account.accepted_until >= %(date)s THEN account.accepted_until END AS accepted_until,
                   CASE WHEN account.accepted_until >= %(date)s THEN account.accepted_exposure ELSE 0
                    END AS accepted_exposure,
                   account.next_review_date, %(facts)s
                   COALESCE(decided.limit_kind, 'none') AS limit_kind,
                   COALESCE(decided.amount, 0) AS limit_amount,
                   COALESCE(decided.limit_kind, policy.default_limit_kind, 'unlimited') = 'unlimited' AS unlimited,
                   CASE COALESCE(decided.limit_kind, policy.default_limit_kind, 'unlimited')
                        WHEN 'unlimited' THEN 0
                        ELSE COALESCE(decided.amount, policy.default_limit_amount, 0) END AS effective_limit,
                   COALESCE(decided.kind = 'temporary', FALSE) AS limit_temporary, decided.date_to AS limit_until,
                   CASE WHEN decided.date_to < %(date)s THEN decided.date_until END AS limit_grace_until
              FROM (%(customers)s) AS wanted
         LEFT JOIN %(accounts)s
         LEFT JOIN credit_policy policy ON policy.id = %(policy)s
         LEFT JOIN LATERAL (%(limits)s) AS decided ON %(decided)s
            """,
            customers=customers,
            # One by one for a few: for a page of them PostgreSQL would read all accounts.
            accounts=SQL(
                "credit_account account ON account.partner_id = wanted.partner_id AND %s"
                if everybody
                else "LATERAL (SELECT * FROM credit_account account WHERE account.partner_id = wanted.partner_id AND %s"
                " OFFSET 0) AS account ON TRUE",
                SQL("account.company_id = %s AND account.active", company.id),
            ),
            date=date,
            policy=self.env['credit.policy']._policy_sql(company, SQL("wanted.partner_id"), **(choice or {})),
            limits=self.env['credit.limit']._in_force_sql(company, date, everybody=everybody),
            decided=SQL("decided.account_id = account.id") if everybody else SQL("TRUE"),
            facts=SQL().join(SQL("%s, ", SQL.identifier('account', name)) for name in self._fact_columns()),
        )

    @api.model
    def _standing(self, partners, company, choice=None):
        """Return what a check has to know of customers before it sums anything, in one statement.

        {partner id: {account_id, status, policy_id, policy_mode, policy_version, unlimited, holds,
        shadow_policy_id, shadow_policy_version}}; the last two of a more specific policy that is
        in shadow mode beside an enforced one, `holds` whether orders are on hold already. Customers
        without an account are there too, with account_id None.

        :param choice: which policy is taken, see `credit.policy._policy_sql`
        """
        self._flush_accounts()
        company = company.sudo()
        Policy = self.env['credit.policy']
        partner = SQL("customer.partner_id")
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT customer.partner_id, account.id AS account_id, COALESCE(account.status, 'normal') AS status,
                       policy.id AS policy_id, policy.mode AS policy_mode, policy.version AS policy_version,
                       shadow.id AS shadow_policy_id, shadow.version AS shadow_policy_version,
                       %(stamp)s AS stamp,
                       EXISTS (SELECT 1
                                 FROM sale_order held
                                WHERE held.credit_account_id = account.id AND held.credit_state = 'on_hold') AS holds,
                       COALESCE(decided.limit_kind, policy.default_limit_kind, 'unlimited') = 'unlimited' AS unlimited
                  FROM (SELECT unnest(%(partners)s) AS partner_id) AS customer
             LEFT JOIN credit_account account
                    ON account.partner_id = customer.partner_id AND account.company_id = %(company)s AND account.active
             LEFT JOIN credit_policy policy ON policy.id = %(policy)s
             LEFT JOIN credit_policy shadow ON shadow.id = NULLIF(%(specific)s, policy.id)
             LEFT JOIN LATERAL (%(limits)s) AS decided ON TRUE
                """,
                partners=partners.ids,
                company=company.id,
                policy=Policy._policy_sql(company, partner, **(choice or {})),
                specific=Policy._policy_sql(company, partner, specific=True),
                stamp=Policy._stamp_sql(company),
                limits=self.env['credit.limit']._in_force_sql(company, company._credit_today()),
            )
        )
        if rows and not Policy._entries_stand(company, rows[0]['stamp']):
            return self._standing(partners, company, choice)
        return {row['partner_id']: row for row in rows}

    @api.model
    def _prepare_meter(self, figures, currency, document_amount=0.0):
        """Return what the meter widget draws; amounts in company currency.

        :param figures: what has `unlimited`, `effective_limit` and `exposure`: a
            row of `_figures`, an account, or a check
        """
        unlimited = figures['unlimited']
        return {
            'currency_id': currency.id,
            'unlimited': unlimited,
            'effective_limit': figures['effective_limit'],
            'exposure': figures['exposure'],
            'document': document_amount,
            'available': 0.0 if unlimited else figures['effective_limit'] - figures['exposure'],
        }

    # -------------------------------------------------------------------------
    # Business
    # -------------------------------------------------------------------------

    @api.model
    def _for_partners(self, partners, company):
        """Return the accounts of these partners' commercial entities in a company, making those that lack.

        Only checks, limits and jobs call it: looking at a customer makes no
        account. Two who make the same account at once don't collide: the second
        is run again by Odoo and finds it.

        :param company: any company; the account is its root's
        """
        root = company.root_id
        commercial = partners.commercial_partner_id
        # The account is looked for on behalf of whoever acts, also a portal user.
        Account = self.sudo().with_company(root)
        # Whatever list of archived contacts it is called from.
        domain = [('partner_id', 'in', commercial.ids), ('company_id', '=', root.id), ('active', '=', True)]
        accounts = Account.search_fetch(
            domain, ['partner_id', 'company_id', 'status', 'policy_id', 'controller_id'], order='id'
        )
        missing = commercial - accounts.partner_id
        if missing:
            self.env.execute_query(
                SQL(
                    """
                    INSERT INTO credit_account
                           (partner_id, company_id, active, status, create_uid, create_date, write_uid, write_date)
                    SELECT id, %(company)s, TRUE, 'normal', %(uid)s, now() at time zone 'UTC',
                           %(uid)s, now() at time zone 'UTC'
                      FROM unnest(%(partners)s) AS id
                    ON CONFLICT DO NOTHING
                      RETURNING id
                    """,
                    company=root.id,
                    partners=sorted(missing.ids),
                    uid=self.env.uid,
                )
            )
            accounts = Account.search(domain, order='id')
        return accounts

    @api.model
    def _visible_partners(self, partners, user):
        """Return those commercial partners whose credit a user may see: all, or the own customers for sales."""
        everything = (
            'account.group_account_readonly',
            'account.group_account_invoice',
            'sales_team.group_sale_salesman_all_leads',
        )
        if user._is_superuser() or any(user.has_group(group) for group in everything):
            return partners
        if user.has_group('credit_management.group_credit_sales'):
            return partners.filtered(lambda partner: partner.user_id == user)
        return partners.browse()

    # -------------------------------------------------------------------------
    # Merge
    # -------------------------------------------------------------------------

    def _file_accounts(self):
        """Return these accounts and all that were merged into them, whose limits, checks and events stay theirs."""
        accounts = level = self.with_context(active_test=False)
        while level := self.with_context(active_test=False).search([('merged_into_id', 'in', level.ids)]) - accounts:
            accounts |= level
        return accounts

    def _write_merged(self, vals):
        """Write what `write` keeps clients from writing."""
        result = super().write(vals)  # pylint: disable=super-method-mismatch
        self.env['credit.counter']._bump(self)
        return result

    @api.model
    def _merge_partners(self, sources, destination):
        """Bring the accounts of partners that are about to be merged into one per company.

        Core's merge moves or deletes rows by SQL afterwards: none of ours may
        collide then. Called with sudo: who merges contacts need not know their
        credit, and all companies are concerned.

        :returns: the customer that will owe what the partners owe
        """
        # A contact into which a company is merged becomes one itself.
        customer = (
            destination
            if any(partner.is_company for partner in sources | destination)
            else destination.commercial_partner_id
        )
        accounts = self.with_context(active_test=False).search(
            [('partner_id', 'in', (sources | destination | customer).ids), ('merged_into_id', '=', False)], order='id'
        )
        for group in accounts.grouped('company_id').values():
            target = group.filtered(lambda account: account.active and account.partner_id == customer)
            moving = group.filtered(lambda account: account.partner_id != customer)
            if not target:
                # One that meets none at the destination goes on there.
                target = moving.filtered('active')[:1]
                target._note_merged(
                    destination=customer,
                    note=self.env._("%(former)s was merged into %(target)s, whose credit account this is now."),
                )
            if target and moving - target:
                target._absorb(moving - target)
        if accounts:
            self.env['credit.partner.name']._record(
                [
                    (customer, kind, partner[kind])
                    for partner in sources
                    if partner.commercial_partner_id == partner
                    for kind in ('name', 'vat', 'company_registry')
                    if partner[kind] and partner[kind] != customer[kind]
                ]
            )
        return customer

    @api.model
    def _follow_merge(self, destination, customer):
        """Move to the customer what core's merge has moved to one of its contacts: only the partner, no content."""
        if customer == destination:
            return
        self.env.flush_all()
        for table, column in (
            ('credit_account', 'partner_id'),
            ('credit_alert', 'partner_id'),
            ('credit_debt_duty', 'partner_id'),
            ('credit_handover_line', 'partner_id'),
            ('credit_check', 'debtor_id'),
            ('credit_check', 'partner_id'),
            ('credit_limit', 'partner_id'),
            ('credit_application', 'partner_id'),
            ('credit_partner_name', 'partner_id'),
            ('credit_release', 'debtor_id'),
            ('credit_release', 'partner_id'),
        ):
            self.env.execute_query(
                SQL(
                    "UPDATE %(table)s SET %(column)s = %(customer)s WHERE %(column)s = %(contact)s RETURNING id",
                    table=SQL.identifier(table),
                    column=SQL.identifier(column),
                    customer=customer.id,
                    contact=destination.id,
                )
            )
        self.env.invalidate_all(flush=False)
        # Core has made the contact the customer of what came with it.
        partners = destination.with_context(active_test=False).search([('id', 'child_of', destination.id)])
        self.env.add_to_compute(partners._fields['commercial_partner_id'], partners)
        destination._credit_follow_drafts()

    def _absorb(self, sources):
        """Take over what is open of other accounts of this company, and archive them.

        Their limits end: what this customer is allowed is what was decided for
        it, never a sum. Orders, open requests, proposals and activities move;
        checks, releases and events stay where they were written.
        """
        self.ensure_one()
        severity = [status for status, _label in STATUS_LABELS]
        for source in sources:
            facts = {'from_account_id': source.id, 'into_account_id': self.id, **source._limit_in_force()}
            limit_text = source._limit_text()
            note = self.env._(
                "%(former)s was merged into %(target)s.", former=source.display_name, target=self.display_name
            )
            source.limit_ids.filtered(lambda limit: limit.state == 'approved' or limit.in_force)._close_merged(note)
            source.limit_ids.filtered(lambda limit: limit.state in ('draft', 'submitted'))._write_flow(
                {'account_id': self.id}
            )
            self.env['credit.release'].search(
                [('account_id', '=', source.id), ('state', '=', 'requested')]
            ).account_id = self
            self.env['sale.order'].search([('credit_account_id', '=', source.id)])._credit_write(
                {'credit_account_id': self.id}
            )
            source._move_activities(self)
            if source.active and severity.index(source.status) > severity.index(self.status):
                self.write({'status': source.status, 'status_reason': source.status_reason or note})
            facts['status'] = self.status
            source._write_merged({'active': False, 'merged_into_id': self.id, 'dormant': False})
            source._note_merged(note=note, **facts)
            self._note_merged(
                note=' '.join(
                    [
                        note,
                        self.env._(
                            "Its credit limit was: %(limit)s. It is not added: the limit of this account stays.",
                            limit=limit_text,
                        ),
                    ]
                ),
                **facts,
            )
        # What is allowed may have become less.
        self.env['credit.counter']._bump(self)
        self.invalidate_recordset(['held_order_count'])
        if self.held_order_count:
            self._schedule_hold_activity()

    def _limit_in_force(self):
        """Return what was decided for this account and holds today, for the credit file."""
        limit = self._limit_of_today()
        return {
            'limit_kind': limit.limit_kind or 'none',
            'amount': limit.amount,
            'currency_id': limit.currency_id.id or self.currency_id.id,
        }

    def _limit_of_today(self):
        """Return the limit in force; a temporary one takes the place of the base limit."""
        self.ensure_one()
        return self.limit_ids.filtered('in_force').sorted(lambda limit: limit.kind == 'base')[:1]

    def _limit_text(self):
        limit = self._limit_of_today()
        if not limit:
            return self.env._("none decided")
        if limit.limit_kind == 'unlimited':
            return self.env._("unlimited")
        return formatLang(self.env, limit.amount, currency_obj=limit.currency_id)

    def _move_activities(self, target):
        """Hand the open activities over; that on held orders is one per customer."""
        hold = self.env.ref('credit_management.mail_activity_type_hold')
        activities = self.env['mail.activity'].search([('res_model', '=', self._name), ('res_id', 'in', self.ids)])
        doubled = activities.filtered(lambda activity: activity.activity_type_id == hold)
        doubled.unlink()
        (activities - doubled).write({'res_id': target.id})

    def _note_merged(self, note, destination=None, **facts):
        """Write to the chatter and the credit file that accounts were merged, and tell the controllers."""
        events = []
        for account in self:
            if destination is not None:
                facts = {'from_partner_id': account.partner_id.id, 'into_partner_id': destination.id}
                names = {'former': account.partner_id.display_name, 'target': destination.display_name}
            else:
                names = None
            account.message_post(
                body=note % names if names else note,
                partner_ids=(account.controller_id or account.applied_policy_id.controller_id).partner_id.ids,
            )
            events.append((account, 'merged', facts))
        self.env['credit.event']._record(events)

    def _leave_customer(self):
        """Settle the accounts of partners that have become contacts of another customer.

        The other one will owe, so its account holds. One is opened for it only
        where there is something to hand over; else this account waits in the
        archive. Called with sudo, from a contact's form: it raises nothing.
        """
        for account in self:
            customer = account.partner_id.commercial_partner_id
            target = account._active_of(customer)
            if not target and account._has_open_matter():
                target = self._for_partners(customer, account.company_id)
            if target:
                target._absorb(account)
                continue
            note = self.env._(
                "%(contact)s is now a contact of %(customer)s, which will owe its orders and has no credit account "
                "yet. This account (limit: %(limit)s) waits in the archive: propose a limit for %(customer)s if it is "
                "to have one.",
                contact=account.partner_id.display_name,
                customer=customer.display_name,
                limit=account._limit_text(),
            )
            facts = {'from_account_id': account.id, 'into_partner_id': customer.id, **account._limit_in_force()}
            account._write_merged({'active': False, 'dormant': True})
            account._note_merged(note=note, **facts)

    def _note_renamed(self, before):
        """Keep what the customers of these accounts were called; the credit file gets ids only.

        :param before: {partner: {field: former value}}
        """
        changed = [
            (partner, name, value)
            for partner, values in before.items()
            for name, value in values.items()
            if value and value != partner[name]
        ]
        self.env['credit.partner.name'].sudo()._record(changed)
        kinds = defaultdict(list)
        for partner, name, _value in changed:
            kinds[partner].append(name)
        self.env['credit.event']._record(
            [
                (account, 'renamed', {'partner_id': account.partner_id.id, 'fields': sorted(kinds[account.partner_id])})
                for account in self
                if account.partner_id in kinds and not account.merged_into_id
            ]
        )

    def _note_customer_archived(self):
        """Say on the accounts that their customer was archived, and what is open."""
        for company, accounts in self.filtered('active').grouped('company_id').items():
            figures = self._figures(company, accounts.partner_id.ids)
            for account in accounts:
                account.message_post(
                    body=self.env._(
                        "The customer was archived with an exposure of %(amount)s, which still counts.",
                        amount=formatLang(
                            self.env, figures[account.partner_id.id]['exposure'], currency_obj=company.currency_id
                        ),
                    )
                )

    def _active_of(self, customer):
        """Return the account in use of a customer in the company of this one."""
        self.ensure_one()
        return self.search(
            [('partner_id', '=', customer.id), ('company_id', '=', self.company_id.id), ('active', '=', True)]
        )

    def _has_open_matter(self):
        """Tell whether somebody waits for this account: a hold, a request, a proposal, a status to heed."""
        self.ensure_one()
        return (
            self.status != 'normal'
            or bool(self.held_order_count)
            or any(limit.state in ('draft', 'submitted') for limit in self.limit_ids)
            or bool(self.env['mail.activity'].search_count([('res_model', '=', self._name), ('res_id', '=', self.id)]))
        )

    def _return_customer(self):
        """Settle the archived accounts of partners that are customers of their own again.

        One that waited is back as it was. Where it was merged, a status that
        had to be heeded goes on in a new account; a limit has to be decided.
        Called with sudo, from a contact's form: it raises nothing.
        """
        for account in self:
            active = account._active_of(account.partner_id)
            note = self.env._("%(customer)s is a customer of its own again.", customer=account.partner_id.display_name)
            if account.dormant and not active:
                account._write_merged({'active': True, 'dormant': False})
                account.message_post(body=note)
            elif account.merged_into_id and account.status != 'normal' and not active:
                opened = self._for_partners(account.partner_id, account.company_id)
                opened.write({'status': account.status, 'status_reason': account.status_reason})
                opened.message_post(body=note)

    def _controller(self):
        """Return who is asked about this account, see `_controllers`."""
        self.ensure_one()
        return self._controllers()[self]

    def _controllers(self):
        """Return {account: who is asked about it}: its controller, the policy's, else a credit manager."""
        managers = {company: company._credit_managers() for company in self.company_id}
        return {
            account: (account.controller_id | account.applied_policy_id.controller_id).filtered(
                lambda user, account=account: user.active and account.company_id in user.company_ids
            )[:1]
            or managers[account.company_id][:1]
            for account in self
        }

    def _schedule_hold_activity(self):
        """Ask the controller to look at the held orders: one open activity per customer."""
        activity_type = 'credit_management.mail_activity_type_hold'
        for account in self:
            if account.activity_search([activity_type]):
                continue
            controller = account._controller()
            reader = account.with_context(lang=controller.lang or self.env.lang)
            account.activity_schedule(
                activity_type,
                date_deadline=account.company_id._credit_today(),
                summary=reader.env._("Orders held for credit"),
                user_id=controller.id or self.env.uid,
            )

    def _schedule_growth_activity(self, order):
        """Tell the controller of an order that the system has raised beyond the customer's credit."""
        self.ensure_one()
        controller = self._controller()
        reader = self.with_context(lang=controller.lang or self.env.lang)
        self.activity_schedule(
            'mail.mail_activity_data_todo',
            date_deadline=self.company_id._credit_today(),
            summary=reader.env._("%(order)s has grown beyond the credit", order=order.name),
            user_id=controller.id or self.env.uid,
        )

    def _close_hold_activity(self):
        """Close the activity of accounts with no order left on hold."""
        self.invalidate_recordset(['held_order_count'])
        self.filtered(lambda account: not account.held_order_count).activity_feedback(
            ['credit_management.mail_activity_type_hold'], feedback=self.env._("No order is held any more.")
        )

    # -------------------------------------------------------------------------
    # Accepted as is
    # -------------------------------------------------------------------------

    def _accept(self, until, reason):
        """Accept what these customers owe now, until a day: what is overdue, and the exposure.

        :raise AccessError: if the user is no credit manager
        :raise UserError: if the day has passed, or no reason is given
        """
        self._check_may_accept()
        reason = (reason or '').strip()
        if not reason:
            raise UserError(self.env._("State a reason: it is kept with the account."))
        for company, accounts in self.grouped('company_id').items():
            today = company._credit_today()
            if not until or until < today:
                raise UserError(self.env._("Choose a day from today on until which this is accepted."))
            figures = self.sudo()._figures(company, accounts.partner_id.ids)
            exposures = [max(0.0, figures[account.partner_id.id]['exposure']) for account in accounts]
            accounts._write_accepted(today, until, exposures, reason)
            self.env['credit.event']._record(
                [
                    (account, 'accepted', account._prepare_accepted_payload(today, until, exposure))
                    for account, exposure in zip(accounts, exposures, strict=True)
                ]
            )

    def _write_accepted(self, start, until, exposures, reason):
        """Write what `write` keeps clients from writing, for any number of accounts in one statement."""
        self.flush_recordset()
        # An acceptance may replace one that allowed more.
        self.env['credit.counter'].sudo()._bump(self)
        self.env.execute_query(
            SQL(
                """
                UPDATE credit_account
                   SET accepted_from = %(start)s, accepted_until = %(until)s, accepted_exposure = given.exposure,
                       accepted_reason = %(reason)s, accepted_by_id = %(user)s,
                       write_uid = %(uid)s, write_date = now() at time zone 'UTC'
                  FROM unnest(%(ids)s, %(exposures)s::numeric[]) AS given(id, exposure)
                 WHERE credit_account.id = given.id
             RETURNING credit_account.id
                """,
                start=start or None,
                until=until or None,
                reason=reason or None,
                user=self.env.uid if until else None,
                uid=self.env.uid,
                ids=self.ids,
                exposures=exposures,
            )
        )
        self.invalidate_recordset()
        self.env['credit.recheck']._mark_accounts(self)

    def _prepare_accepted_payload(self, start, until, exposure):
        """Return what is accepted as is, as the credit file keeps it."""
        self.ensure_one()
        return {'date_from': start, 'date_to': until, 'amount': exposure, 'currency_id': self.currency_id.id}

    def _check_may_accept(self):
        if not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers accept as is what a customer owes."))
        self.check_access('write')

    def action_accept(self):
        """Ask until when and why what these customers owe is accepted as is; for credit managers."""
        self._check_may_accept()
        return self.env['credit.acceptance']._open(self)

    def action_end_acceptance(self):
        """End at once what was accepted as is; for credit managers."""
        self._check_may_accept()
        accepted = self.filtered('accepted')
        entries = [
            (
                account,
                'accepted',
                {
                    **account._prepare_accepted_payload(
                        account.accepted_from, account.accepted_until, account.accepted_exposure
                    ),
                    'ended': True,
                },
            )
            for account in accepted
        ]
        if accepted:
            accepted._write_accepted(False, False, [0.0] * len(accepted), False)
            self.env['credit.event']._record(entries)
        return True

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_propose_limit(self):
        """Open a new draft limit of this account."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Propose a Limit"),
            'res_model': 'credit.limit',
            'views': [(False, 'form')],
            'target': 'current',
            'context': {'default_account_id': self.id, 'default_currency_id': self.currency_id.id},
        }

    def action_view_exposure(self):
        """Open the documents behind the exposure; context `credit_category` for one category."""
        self.ensure_one()
        return self.env['credit.exposure']._action('account', self, self.env.context.get('credit_category'))

    def action_view_held_orders(self):
        """Open the orders of this customer that are on hold."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.sale_order_held_action')
        action['domain'] = [('credit_state', '=', 'on_hold'), ('credit_account_id', '=', self.id)]
        return action

    def action_view_checks(self):
        """Open the checks of this customer."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_check_action')
        action['domain'] = [('account_id', 'in', self._file_accounts().ids)]
        return action

    def action_view_events(self):
        """Open the credit file of this customer."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_event_action')
        return action | {
            'domain': [('account_id', 'in', self._file_accounts().ids)],
            'context': {'credit_file_of_one': True},
        }

    def action_view_merged(self):
        """Open the accounts that were merged into this one, whose files go on here."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_account_action')
        action['domain'] = [('id', 'in', (self._file_accounts() - self).ids)]
        action['context'] = {'active_test': False, 'create': False}
        action['name'] = self.env._("Merged Accounts")
        return action

    def action_merge_duplicates(self):
        """Open core's dialog to merge the customer with those of the same registration code."""
        self.ensure_one()
        return self.partner_id.action_credit_merge_duplicates()

    def action_view_overdue_items(self):
        """Open the customer's unreconciled journal items, oldest first, where they can be matched."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Open Items"),
            'res_model': 'account.move.line',
            'views': [(self.env.ref('credit_management.account_move_line_view_list_open_items').id, 'list')],
            'search_view_id': [self.env.ref('credit_management.account_move_line_view_search_open_items').id, 'search'],
            'domain': self._open_items_domain(),
            'context': {'create': False},
        }

    def action_match(self):
        """Match the unallocated payments and credit notes with the oldest items.

        :raise UserError: if there is nothing to match
        :raise AccessError: if the user may not write journal items
        """
        lines = self.env['account.move.line']
        lines.check_access('write')
        matched = defaultdict(float)
        for account in self:
            open_lines = lines.search(account._open_items_domain(), order='date_maturity, id')
            # What is booked together is matched together: same receivable
            # account, company and currency.
            for group in open_lines.grouped(lambda line: (line.account_id, line.company_id, line.currency_id)).values():
                balances = group.mapped('amount_residual')
                if min(balances) < 0 < max(balances):
                    credit = sum(balance for balance in balances if balance < 0)
                    group.reconcile()
                    rest = sum(balance for balance in group.mapped('amount_residual') if balance < 0)
                    matched[account.currency_id] += rest - credit
        if not matched:
            raise UserError(self.env._("There is nothing to match: no open credit meets an open item in its currency."))
        self.invalidate_recordset(list(FIGURES))
        amounts = [formatLang(self.env, amount, currency_obj=currency) for currency, amount in matched.items()]
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'message': self.env._(
                    "Matched with the oldest items: %(amounts)s.", amounts=format_list(self.env, amounts)
                ),
                'type': 'success',
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }

    def _open_items_domain(self):
        """Return the domain of the journal items behind `exposure_open_item`."""
        self.ensure_one()
        accounts = self.env['credit.ledger.account'].sudo()._item_account_ids(self.company_id)
        return list(
            Domain('partner_id.commercial_partner_id', '=', self.partner_id.id)
            & Domain('account_id', 'in', accounts)
            & Domain('parent_state', '=', 'posted')
            & Domain('reconciled', '=', False)
            & Domain('amount_residual', '!=', 0)
            & Domain('company_id', 'child_of', self.company_id.id)
        )

    @api.model
    def action_open_for_partners(self, partner_ids):
        """Open the credit accounts of some customers in the current company, making those that lack.

        :param partner_ids: ids of res.partner
        :raise AccessError: if the user may not make credit accounts
        """
        self.check_access('create')
        accounts = self._for_partners(self.env['res.partner'].browse(partner_ids), self.env.company)
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_account_action')
        if len(accounts) == 1:
            return action | {'res_id': accounts.id, 'views': [(False, 'form')]}
        return action | {'domain': [('id', 'in', accounts.ids)]}
