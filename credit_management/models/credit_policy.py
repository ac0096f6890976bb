from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .caches import drop_caches

# What of a customer moves it from one segment to another.
SEGMENT_PARTNER_FIELDS = {'category_id', 'country_id', 'state_id', 'industry_id', 'user_id'}
# For so long an expired base limit stays in force, unless a policy says otherwise.
EXPIRY_GRACE_DAYS = 30
# Which policies there are, as checked in this transaction.
ENTRIES_KEY = 'credit_management.policies'


class PolicyEntry(NamedTuple):
    """What the choice of a customer's policy has to know of one policy."""

    id: int
    version: int
    enforcing: bool
    criteria: tuple  # of (name in `_segment_conditions`, ids per field)


class CreditPolicy(models.Model):
    """Who may buy on credit, how much, and what happens when a rule is broken."""

    _name = 'credit.policy'
    _inherit = ['credit.segmented']
    _description = "Credit Policy"
    _default_field = 'credit_policy_id'
    _own_field = 'policy_id'

    mode = fields.Selection(
        [('shadow', "Shadow"), ('enforcing', "Enforcing")],
        required=True,
        default='shadow',
        tracking=True,
        help="Shadow: checks are recorded for managers, no order is held and nobody else sees anything. "
        "Enforcing: orders that break a rule are held.",
    )
    date_start = fields.Date(
        string="Start From",
        tracking=True,
        help="Items due before this day are listed as overdue but not held against the customer: the rules on overdue "
        "amount and age leave them out. They still count in the exposure.",
    )
    tag_ids = fields.Many2many(relation='credit_policy_tag_rel', column1='policy_id', column2='tag_id')
    country_group_ids = fields.Many2many(
        relation='credit_policy_country_group_rel', column1='policy_id', column2='group_id'
    )
    country_ids = fields.Many2many(relation='credit_policy_country_rel', column1='policy_id', column2='country_id')
    state_ids = fields.Many2many(
        'res.country.state',
        'credit_policy_state_rel',
        'policy_id',
        'state_id',
        string="States",
        ondelete='restrict',
        help="Only customers in one of these states or provinces.",
    )
    industry_ids = fields.Many2many(relation='credit_policy_industry_rel', column1='policy_id', column2='industry_id')
    team_ids = fields.Many2many(relation='credit_policy_team_rel', column1='policy_id', column2='team_id')
    grade_ids = fields.Many2many(relation='credit_policy_grade_rel', column1='policy_id', column2='grade_id')
    default_limit_kind = fields.Selection(
        [('amount', "Amount"), ('unlimited', "Unlimited")],
        string="Default Limit",
        required=True,
        default='unlimited',
        tracking=True,
        help="What applies to customers for whom no limit has been decided.",
    )
    default_limit_amount = fields.Monetary(
        tracking=True,
        help="In company currency. 0 means no credit at all.",
    )
    expiry_grace_days = fields.Integer(
        string="Grace for Expired Limits (Days)",
        default=EXPIRY_GRACE_DAYS,
        required=True,
        tracking=True,
        help="For how many days a base limit stays in force after its last day. Orders are checked with it and the "
        "rule “Limit expired” applies; after that the default limit does. Counts for limits approved from now on.",
    )
    review_interval = fields.Integer(
        string="Review Every (Months)",
        default=12,
        required=True,
        tracking=True,
        help="When a base limit is approved or a review is done, the next review is due after so many months. "
        "0: no reviews by themselves.",
    )
    review_notice_days = fields.Integer(
        string="Notice of Reviews (Days)",
        default=14,
        required=True,
        tracking=True,
        help="The credit controller gets an activity so many days before a review is due.",
    )
    item_floor_percent = fields.Float(
        string="Item Floor (%)",
        default=1.0,
        tracking=True,
        help="What is left of an item counts as overdue only above this share of its original amount, "
        "so that small residues do not stop an order.",
    )
    customer_floor = fields.Monetary(
        default=50.0,
        tracking=True,
        help="A customer whose overdue items add up to no more than this amount, in company currency, is not overdue.",
    )
    increase_tolerance = fields.Float(
        string="Tolerated Increase (%)",
        default=2.0,
        tracking=True,
        help="How much a confirmed order may grow, in percent of its total, before it is checked again.",
    )
    controller_id = fields.Many2one(
        'res.users',
        string="Credit Controller",
        tracking=True,
        domain="[('share', '=', False)]",
        help="Gets the activity when an order is held and the customer has no controller of its own.",
    )
    recheck = fields.Selection(
        [('ready', "Mark it ready"), ('confirm', "Confirm it")],
        string="When an Order Would Pass",
        required=True,
        default='ready',
        tracking=True,
        help="What happens to an order on hold once the facts let it pass, e.g. after a payment: its salesperson is "
        "told that it is ready to be confirmed, or it is confirmed at once.",
    )
    version = fields.Integer(readonly=True, copy=False, default=1, help="Rises with each change of the rules.")
    rule_ids = fields.One2many('credit.rule', 'policy_id', string="Rules", copy=True)
    customer_count = fields.Integer(
        string="Customers",
        compute='_compute_customer_count',
        help="Customers to whom this policy applies; in shadow mode, to whom it would apply.",
    )

    _default_limit_positive = models.Constraint(
        'CHECK (default_limit_amount >= 0)', "The default limit of a policy can't be negative. 0 means no credit."
    )
    _floors_positive = models.Constraint(
        'CHECK (item_floor_percent >= 0 AND item_floor_percent < 100 AND customer_floor >= 0)',
        "Floors can't be negative, and the floor per item has to be below 100 %.",
    )
    _expiry_positive = models.Constraint(
        'CHECK (expiry_grace_days >= 0)', "The days of grace for expired limits can't be negative. 0 means none."
    )
    _review_positive = models.Constraint(
        'CHECK (review_interval >= 0 AND review_notice_days >= 0)',
        "The months between reviews and the days of notice can't be negative. 0 means none.",
    )
    _tolerance_positive = models.Constraint(
        'CHECK (increase_tolerance >= 0)', "The tolerated increase can't be negative."
    )

    def _compute_customer_count(self):
        counts = {}
        for company in self.company_id:
            self._flush_choice()
            customers = SQL("(%s) AS customer", self._members_sql(company.sudo()))
            counts.update(
                self.env.execute_query(SQL("SELECT policy_id, COUNT(*) FROM %s GROUP BY policy_id", customers))
            )
        for policy in self:
            policy.customer_count = counts.get(policy.id, 0)

    @api.constrains('active', 'mode', 'rule_ids')
    def _check_has_rules(self):
        for policy in self:
            if policy.active and policy.mode == 'enforcing' and not policy.rule_ids:
                raise ValidationError(
                    self.env._(
                        "The policy %(policy)s has no rules, so it would let everything pass. "
                        "Add at least one rule before you enforce it.",
                        policy=policy.name,
                    )
                )

    @api.constrains('controller_id')
    def _check_controller_active(self):
        for policy in self:
            if policy.controller_id and not policy.controller_id.active:
                raise ValidationError(
                    self.env._("%(user)s is archived and can't be a credit controller.", user=policy.controller_id.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        policies = super().create(vals_list)
        policies._forget()
        # The rules were made before the policy knew its segment.
        self.env['credit.counter'].sudo()._bump(policies.filtered('segmented')._accounts())
        return policies

    def write(self, vals):
        # Whom the policy gives up may come under a harder one: before and after.
        moves = bool((self._segment_fields() | {'active', 'mode', 'sequence'}) & vals.keys())
        if moves:
            self._forget()
        before = self._accounts() if moves else self.env['credit.account']
        result = super().write(vals)
        self._forget()
        if moves or {'date_start', 'default_limit_kind', 'default_limit_amount'} & vals.keys():
            self._tighten()
        if moves:
            self.env['credit.counter'].sudo()._bump(before | self._accounts())
        if {'active', 'mode', 'default_limit_kind', 'default_limit_amount'} & vals.keys():
            for company in self.env['res.company'].sudo().search([('credit_policy_id', 'in', self.ids)]):
                self.env['credit.core.limit']._mirror_default(company.root_id)
        return result

    def unlink(self):
        accounts = self._accounts()
        result = super().unlink()
        self._forget()
        self.env['credit.counter'].sudo()._bump(accounts)
        return result

    def action_view_customers(self):
        """Open the customers to whom this policy applies."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Customers of %(policy)s", policy=self.display_name),
            'res_model': 'res.partner',
            'view_mode': 'list,kanban,form',
            'domain': [('credit_policy_id', '=', self.id)],
            'context': {'create': False},
            'help': Markup("<p class='o_view_nocontent_smiling_face'>%s</p><p>%s</p>")
            % (
                self.env._("This policy applies to nobody"),
                self.env._(
                    "Choose its segment here, make it the company's default in the settings, or choose it on a credit "
                    "account."
                ),
            ),
        }

    def action_view_statistic(self):
        """Open how often the rules of this policy held orders, and how often that was wrong."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_rule_statistic_action')
        return action | {'domain': [('policy_id', '=', self.id)]}

    def action_dry_run(self):
        """Show what this policy would hold if all of it were enforced now; for credit managers."""
        self.ensure_one()
        return self.env['credit.dry.run']._open(self.company_id, self)

    def action_enforce(self):
        """Start to hold orders; only credit managers may."""
        self.write({'mode': 'enforcing'})

    def action_shadow(self):
        """Go back to recording only; only credit managers may."""
        self.write({'mode': 'shadow'})

    # -------------------------------------------------------------------------
    # For whom
    # -------------------------------------------------------------------------

    def _accounts(self):
        """Return the accounts under these policies: by their own, by their segment or by the company's default."""
        accounts = self.env['credit.account'].sudo()
        if self:
            self._flush_choice()
        for company in self.sudo().company_id:
            query = SQL(
                """
                SELECT account.id
                  FROM credit_account account
                 WHERE account.company_id = %s AND account.active AND %s = ANY(%s)
                """,
                company.id,
                self._policy_sql(company, SQL("account.partner_id")),
                self.ids,
            )
            accounts |= accounts.browse(account_id for [account_id] in self.env.execute_query(query))
        return accounts

    @api.model
    def _flush_choice(self):
        """Flush what `_policy_sql` reads."""
        self.flush_model(['active', 'company_id', 'mode', 'sequence', 'version'])
        self.env['credit.account'].flush_model(['active', 'company_id', 'grade_id', 'partner_id', 'policy_id'])
        self.env['res.company'].flush_model(['credit_policy_id'])
        self.env['res.partner'].flush_model(
            [
                'active',
                'commercial_partner_id',
                'company_id',
                'customer_rank',
                *SEGMENT_PARTNER_FIELDS - {'category_id'},
            ]
        )
        self.env['crm.team.member'].flush_model(['active', 'crm_team_id', 'user_id'])

    @api.model
    def _policy_sql(self, company, partner, specific=False, default=None):
        """Return the SQL of the id of the policy that applies to a customer.

        The most specific wins: the account's own policy, then the segments in
        their sequence, then the company's default. But a policy in shadow mode
        takes nobody out of one that is enforced: trying one out must not let
        pass what is held today.

        Without segments and with one mode for all it is a constant or a column.

        :param company: the root company
        :param partner: SQL of the commercial partner's id; beside it, the SQL
            reads `account`, the customer's credit account or NULLs
        :param specific: the most specific one, whatever its mode
        :param default: id of a policy to take for the company's default
        """
        entries = self._entries(company)
        default = default or company.credit_policy_id.id or None
        chosen = self._most_specific_sql(entries, partner, SQL("account.policy_id"), default)
        enforcing = {entry.id for entry in entries if entry.enforcing}
        if specific or not enforcing or len(enforcing) == len(entries):
            return chosen
        enforced = self._most_specific_sql(
            [entry for entry in entries if entry.enforcing],
            partner,
            SQL("CASE WHEN account.policy_id = ANY(%s) THEN account.policy_id END", list(enforcing)),
            default if default in enforcing else None,
        )
        return SQL("COALESCE(%s, %s)", enforced, chosen)

    @api.model
    def _segment_conditions(self):
        # EXTENDS credit.segmented
        return {**super()._segment_conditions(), 'state': (('state_ids',), "debtor.state_id = ANY(%s)")}

    @api.model
    def _entries(self, company):
        """Return the PolicyEntry of each active policy of a root company, in their sequence."""
        checked = self.env.cr.cache.get(ENTRIES_KEY, {})
        return checked.get(company.id) or self._cached_entries(company.id)

    @api.model
    def _entries_stand(self, company, stamp):
        """Tell whether the entries are those that this transaction sees; if not, read them anew.

        Another server, or a transaction that is not committed yet, may have
        filled the cache: what decides about a document is compared first.

        :param stamp: what the SQL of `_stamp_sql` gave
        """
        entries = self._entries(company)
        stands = [[entry.id, entry.version] for entry in entries] == (stamp or [])
        if not stands:
            self.env.registry.clear_cache()
            entries = self._read_entries(company.id)
        # What was compared stays for this transaction, whatever others do to the cache.
        self.env.cr.cache.setdefault(ENTRIES_KEY, {})[company.id] = entries
        return stands

    @api.model
    def _stamp_sql(self, company):
        """Return the SQL of the active policies and their versions, see `_entries_stand`."""
        return SQL(
            """(SELECT array_agg(ARRAY[id, version] ORDER BY sequence, id)
                  FROM credit_policy WHERE company_id = %s AND active)""",
            company.id,
        )

    @api.model
    @tools.ormcache('company_id')
    def _cached_entries(self, company_id):
        return self._read_entries(company_id)

    @api.model
    def _read_entries(self, company_id):
        return tuple(
            PolicyEntry(policy.id, policy.version, policy.mode == 'enforcing', policy._criteria())
            for policy in self._of_company(company_id)
        )

    @api.model
    def _graded(self):
        """Return the active policies in which grades decide: by their segment or by a rule."""
        return self.search(['|', ('grade_ids', '!=', False), ('rule_ids.kind', '=', 'grade_below')])

    @api.model
    def _segmented_companies(self):
        """Return the root companies that have a policy for a segment; nothing is read where there is none."""
        companies = self.env['res.company'].browse(list(self._companies_with_policy()))
        return companies.filtered(lambda company: any(entry.criteria for entry in self._entries(company)))

    def _members_sql(self, company):
        """Return the SELECT of (partner_id, policy_id) of those to whom these policies of a company apply.

        Of a policy in shadow mode those to whom it would apply, were it enforced.
        """
        policies = self.filtered(lambda policy: policy.company_id == company)
        enforcing = policies.filtered(lambda policy: policy.mode == 'enforcing')
        return SQL(" UNION ALL ").join(
            SQL(
                "SELECT partner_id, policy_id FROM (%s) AS everybody WHERE policy_id = ANY(%s)",
                self._customers_sql(company, **choice),
                group.ids,
            )
            for group, choice in ((enforcing, {}), (policies - enforcing, {'specific': True}))
        )

    @api.model
    def _customers_sql(self, company, **choice):
        """Return the SELECT of (partner_id, account_id, policy_id) of all customers of a root company.

        Customers are those with a credit account, and those that Odoo takes
        for customers and that are not another company's.

        :param choice: see `_policy_sql`
        """
        return SQL(
            """
            SELECT customer.id AS partner_id, account.id AS account_id, %(policy)s AS policy_id
              FROM res_partner customer
         LEFT JOIN credit_account account
                ON account.partner_id = customer.id AND account.company_id = %(company)s AND account.active
             WHERE account.id IS NOT NULL
                OR (customer.active AND customer.customer_rank > 0 AND customer.commercial_partner_id = customer.id
                    AND (customer.company_id IS NULL OR customer.company_id = ANY(%(branches)s)))
            """,
            policy=self._policy_sql(company, SQL("customer.id"), **choice),
            company=company.id,
            branches=self.env['credit.exposure']._branches_sql(company),
        )

    @api.model
    @tools.ormcache()
    def _companies_with_policy(self):
        """Return the ids of the root companies that have an active policy.

        Cached, so that a company without one pays nothing for being asked.
        """
        self.flush_model(['active', 'company_id'])
        rows = self.env.execute_query(SQL("SELECT DISTINCT company_id FROM credit_policy WHERE active"))
        return frozenset(company_id for [company_id] in rows)

    @tools.ormcache('self.id', 'version', 'checkpoint', 'full')
    def _engine_rules(self, version, checkpoint, full=False):
        """Return this policy's rules for a checkpoint, as the engine wants them.

        :param version: of the policy as the transaction sees it; a cached value
            of another version is never returned
        :param full: as if all of them were enforced
        """
        self.ensure_one()
        rules = self.rule_ids.filtered(lambda rule: checkpoint in rule.checkpoint_ids.mapped('code'))
        return tuple(rule._to_engine(full) for rule in rules)

    def _tighten(self):
        """Make confirmations under way see these policies as they are now.

        Writing the counters makes those that have summed already run again.
        Once per transaction, and only where something can be held.
        """
        if not self:
            return
        self._renew()
        bumped = self.env.cr.precommit.data.setdefault('credit_management.tightened', set())
        due = self.filtered(lambda policy: policy.mode == 'enforcing' and policy.id not in bumped)
        bumped.update(due.ids)
        self.env['credit.counter'].sudo()._bump(due._accounts())

    def _renew(self):
        """Give these policies a new version, which makes what is cached of them unreachable on every server."""
        self.flush_model(['version'])
        self.env.execute_query(
            SQL("UPDATE credit_policy SET version = version + 1 WHERE id = ANY(%s) RETURNING id", self.ids)
        )
        self.invalidate_recordset(['version'])
        self._forget()

    @api.model
    def _forget(self):
        """Drop what is cached of the policies."""
        self.env.cr.cache.pop(ENTRIES_KEY, None)
        # Else another thread may go on believing that there is no policy, and nothing would be checked.
        drop_caches(self.env)

    @api.model
    def _create_standard(self, company):
        """Make the policy that suits most companies, in shadow mode, and its default for the company."""
        order = self.env.ref('credit_management.checkpoint_order')
        rules = [
            ('account_status', 'block', {'account_status': 'blacklisted'}),
            ('account_status', 'hold', {'account_status': 'hold'}),
            ('account_status', 'warn', {'account_status': 'watch'}),
            ('utilisation', 'hold', {'threshold': 100.0}),
            ('utilisation', 'warn', {'threshold': 80.0}),
            ('days_overdue', 'hold', {'threshold': 30.0}),
            ('overdue_amount', 'warn', {'threshold': 1000.0}),
            ('no_limit', 'warn', {}),
            ('limit_expired', 'warn', {}),
            ('review_overdue', 'warn', {}),
        ]
        policy = self.create(
            {
                'name': self.env._("Standard policy"),
                'company_id': company.id,
                **self.env['credit.core.limit']._default_vals(company.sudo()),
                'rule_ids': [
                    fields.Command.create(
                        {
                            'sequence': sequence,
                            'kind': kind,
                            'outcome': outcome,
                            'checkpoint_ids': [fields.Command.set(order.ids)],
                            **values,
                        }
                    )
                    for sequence, (kind, outcome, values) in enumerate(rules, start=1)
                ],
            }
        )
        company.sudo().credit_policy_id = policy
        return policy
