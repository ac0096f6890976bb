from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError


class CreditPolicy(models.Model):
    """Who may buy on credit, how much, and what happens when a rule is broken."""

    _name = 'credit.policy'
    _inherit = ['mail.thread']
    _description = "Credit Policy"
    _order = 'sequence, id'
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
        help="The company whose customers this policy is for. Branches follow their main company.",
    )
    currency_id = fields.Many2one(related='company_id.currency_id')
    mode = fields.Selection(
        [('shadow', "Shadow"), ('enforcing', "Enforcing")],
        required=True,
        default='shadow',
        tracking=True,
        help="Shadow: checks are recorded for managers, no order is held and nobody else sees anything. "
        "Enforcing: orders that break a rule are held.",
    )
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
    version = fields.Integer(readonly=True, copy=False, default=1, help="Rises with each change of the rules.")
    rule_ids = fields.One2many('credit.rule', 'policy_id', string="Rules", copy=True)
    account_count = fields.Integer(compute='_compute_account_count')
    is_default = fields.Boolean(compute='_compute_is_default', string="Company Default")

    _default_limit_positive = models.Constraint(
        'CHECK (default_limit_amount >= 0)', "The default limit of a policy can't be negative. 0 means no credit."
    )
    _floors_positive = models.Constraint(
        'CHECK (item_floor_percent >= 0 AND item_floor_percent < 100 AND customer_floor >= 0)',
        "Floors can't be negative, and the floor per item has to be below 100 %.",
    )
    _tolerance_positive = models.Constraint(
        'CHECK (increase_tolerance >= 0)', "The tolerated increase can't be negative."
    )

    def _compute_account_count(self):
        groups = self.env['credit.account']._read_group([('policy_id', 'in', self.ids)], ['policy_id'], ['__count'])
        counts = {policy.id: count for policy, count in groups}
        for policy in self:
            policy.account_count = counts.get(policy.id, 0)

    def _compute_is_default(self):
        for policy in self:
            policy.is_default = policy.company_id.sudo().credit_policy_id == policy

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

    @api.constrains('company_id')
    def _check_root_company(self):
        for policy in self:
            if policy.company_id.parent_id:
                raise ValidationError(
                    self.env._(
                        "%(branch)s is a branch. Make the policy for %(company)s, it holds for all its branches.",
                        branch=policy.company_id.name,
                        company=policy.company_id.root_id.name,
                    )
                )

    @api.constrains('active')
    def _check_not_used(self):
        """Refuse to archive what a company or a customer relies on."""
        archived = self.filtered(lambda policy: not policy.active)
        company = self.env['res.company'].sudo().search([('credit_policy_id', 'in', archived.ids)], limit=1)
        if company:
            raise ValidationError(
                self.env._(
                    "%(policy)s is the default credit policy of %(company)s. Choose another in the settings first.",
                    policy=company.credit_policy_id.name,
                    company=company.name,
                )
            )
        account = self.env['credit.account'].sudo().search([('policy_id', 'in', archived.ids)], limit=1)
        if account:
            raise ValidationError(
                self.env._(
                    "%(policy)s is the own policy of %(customer)s. Choose another there first.",
                    policy=account.policy_id.name,
                    customer=account.display_name,
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
        self.env.registry.clear_cache()
        return policies

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        if {'active', 'mode', 'default_limit_kind', 'default_limit_amount'} & vals.keys():
            self._tighten()
            for company in self.env['res.company'].sudo().search([('credit_policy_id', 'in', self.ids)]):
                self.env['credit.core.limit']._mirror_default(company.root_id)
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    def action_view_accounts(self):
        """Open the credit accounts that have this policy of their own."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Credit Accounts"),
            'res_model': 'credit.account',
            'view_mode': 'list,form',
            'domain': [('policy_id', '=', self.id)],
        }

    def action_enforce(self):
        """Start to hold orders; only credit managers may."""
        self.write({'mode': 'enforcing'})

    def action_shadow(self):
        """Go back to recording only; only credit managers may."""
        self.write({'mode': 'shadow'})

    def _accounts(self):
        """Return the accounts under these policies, by their own or by the company's default."""
        Account = self.env['credit.account'].sudo()
        defaults = self.env['res.company'].sudo().search([('credit_policy_id', 'in', self.ids)])
        return Account.search(
            ['|', ('policy_id', 'in', self.ids), '&', ('policy_id', '=', False), ('company_id', 'in', defaults.ids)]
        )

    @api.model
    @tools.ormcache()
    def _companies_with_policy(self):
        """Return the ids of the root companies that have an active policy.

        Cached, so that a company without one pays nothing for being asked.
        """
        self.flush_model(['active', 'company_id'])
        rows = self.env.execute_query(tools.SQL("SELECT DISTINCT company_id FROM credit_policy WHERE active"))
        return frozenset(company_id for [company_id] in rows)

    @tools.ormcache('self.id', 'version', 'checkpoint')
    def _engine_rules(self, version, checkpoint):
        """Return this policy's rules for a checkpoint, as the engine wants them.

        :param version: of the policy as the transaction sees it; a cached value
            of another version is never returned
        """
        self.ensure_one()
        rules = self.rule_ids.filtered(lambda rule: checkpoint in rule.checkpoint_ids.mapped('code'))
        return tuple(rule._to_engine() for rule in rules)

    def _tighten(self):
        """Make confirmations under way see these policies as they are now.

        A new version makes cached rules unreachable on every server; writing
        the counters makes those that have summed already run again. Once per
        transaction, and only where something can be held.
        """
        if not self:
            return
        self.flush_model(['version'])
        self.env.execute_query(
            tools.SQL("UPDATE credit_policy SET version = version + 1 WHERE id = ANY(%s) RETURNING id", self.ids)
        )
        self.invalidate_recordset(['version'])
        self.env.registry.clear_cache()
        bumped = self.env.cr.precommit.data.setdefault('credit_management.tightened', set())
        due = self.filtered(lambda policy: policy.mode == 'enforcing' and policy.id not in bumped)
        bumped.update(due.ids)
        self.env['credit.counter'].sudo()._bump(due._accounts())

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
