from odoo import Command, api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.credit_management.models.caches import drop_caches

from ..engine import schedule

# What says for whom a plan is; a customer has to meet each line that is filled in.
SEGMENT_FIELDS = ('tag_ids', 'country_group_ids', 'country_ids', 'industry_ids', 'team_ids', 'grade_ids')
PRESETS = ('plan_friendly', 'plan_standard', 'plan_strict', 'plan_consumers')
# Which plans there are, for the SQL that chooses one.
CHOICE_FIELDS = {'active', 'company_id', 'customer_kind', 'sequence', *SEGMENT_FIELDS}


class DunningPlan(models.Model):
    """Which reminders a customer gets, when, and how: a time line around the due date."""

    _name = 'dunning.plan'
    _inherit = ['credit.root.company', 'mail.thread']
    _description = "Reminder Plan"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(
        default=10, help="Where a customer is in the segments of several plans, the first in the list applies."
    )
    customer_kind = fields.Selection(
        [('all', "All"), ('business', "Businesses"), ('consumer', "Consumers")],
        required=True,
        default='all',
        tracking=True,
        help="Businesses: contacts that are companies. Consumers: persons.",
    )
    # What a plan relies on can't be deleted under it: without it, the plan would be for everybody.
    tag_ids = fields.Many2many(
        'res.partner.category',
        'dunning_plan_tag_rel',
        'plan_id',
        'tag_id',
        string="Tags",
        ondelete='restrict',
        help="Customers that have one of these tags.",
    )
    country_group_ids = fields.Many2many(
        'res.country.group',
        'dunning_plan_country_group_rel',
        'plan_id',
        'group_id',
        ondelete='restrict',
        help="Customers in a country of one of these groups, or in one of the countries beside.",
    )
    country_ids = fields.Many2many(
        'res.country', 'dunning_plan_country_rel', 'plan_id', 'country_id', string="Countries", ondelete='restrict'
    )
    industry_ids = fields.Many2many(
        'res.partner.industry',
        'dunning_plan_industry_rel',
        'plan_id',
        'industry_id',
        string="Industries",
        ondelete='restrict',
    )
    team_ids = fields.Many2many(
        'crm.team',
        'dunning_plan_team_rel',
        'plan_id',
        'team_id',
        string="Sales Teams",
        ondelete='restrict',
        help="Customers whose salesperson is in one of these teams.",
    )
    grade_ids = fields.Many2many(
        'credit.grade',
        'dunning_plan_grade_rel',
        'plan_id',
        'grade_id',
        string="Grades",
        ondelete='restrict',
        check_company=True,
        help="Customers whose credit account has one of these grades.",
    )
    segmented = fields.Boolean(string="For a Segment", compute='_compute_segmented')
    start = fields.Selection(
        [('age', "Where their age is"), ('first', "At the first step")],
        string="Old Debts Begin",
        required=True,
        default='age',
        tracking=True,
        help="With which step an item begins that was never reminded although several steps have passed. The steps "
        "after it follow one by one, with their minimum of days between.",
    )
    manager_id = fields.Many2one(
        'res.users',
        string="Escalate To",
        tracking=True,
        domain="[('share', '=', False)]",
        help="Gets an activity when a step escalates. Empty: the collections managers of the company.",
    )
    thank_you = fields.Boolean(
        string="Thank for Payments",
        tracking=True,
        help="A customer who paid all that the last reminder was about gets an e-mail of thanks.",
    )
    thank_subject = fields.Char(
        string="Subject of Thanks", translate=True, default=lambda self: self.env._("Thank you for your payment")
    )
    thank_body = fields.Html(
        string="Text of Thanks",
        translate=True,
        sanitize_attributes=False,
        default=lambda self: self.env._(
            "<p>Dear {{contact}},</p><p>we have received your payment. Thank you, our reminder is settled.</p>"
            "<p>Kind regards<br/>{{company}}</p>"
        ),
    )
    step_ids = fields.One2many('dunning.step', 'plan_id', string="Steps", copy=True)
    timeline = fields.Json(compute='_compute_timeline', string="Time Line")
    customer_count = fields.Integer(
        string="Customers", compute='_compute_customer_count', help="Customers with open items to whom it applies."
    )
    is_default = fields.Boolean(compute='_compute_is_default', string="Company Default")

    @api.depends(*SEGMENT_FIELDS, 'customer_kind')
    def _compute_segmented(self):
        for plan in self.with_context(active_test=False):
            plan.segmented = plan.customer_kind != 'all' or any(plan[name] for name in SEGMENT_FIELDS)

    @api.depends(
        'step_ids.days',
        'step_ids.name',
        'step_ids.channel',
        'step_ids.fee_amount',
        'step_ids.with_interest',
        'step_ids.no_more_credit',
        'step_ids.escalate',
    )
    @api.depends_context('lang')
    def _compute_timeline(self):
        for plan in self:
            plan.timeline = [
                {
                    'id': step.id if isinstance(step.id, int) else str(step.id),
                    'days': step.days,
                    'when': step._when(),
                    'name': step.name or '',
                    'channel': step.channel,
                    'flags': step._flags(),
                }
                for step in plan.step_ids.sorted('days')
            ]

    def _compute_customer_count(self):
        counts = {}
        for company in self.company_id:
            rows = self.env['dunning.item'].sudo()._sql(company)
            counts.update(
                self.env.execute_query(
                    SQL("SELECT plan_id, COUNT(DISTINCT partner_id) FROM (%s) AS item GROUP BY plan_id", rows)
                )
            )
        for plan in self:
            plan.customer_count = counts.get(plan.id, 0)

    def _compute_is_default(self):
        for plan in self:
            plan.is_default = plan.company_id.sudo().dunning_plan_id == plan

    @api.constrains('active')
    def _check_not_used(self):
        archived = self.filtered(lambda plan: not plan.active)
        company = self.env['res.company'].sudo().search([('dunning_plan_id', 'in', archived.ids)], limit=1)
        if company:
            raise ValidationError(
                self.env._(
                    "%(plan)s is the default reminder plan of %(company)s. Choose another in the settings first.",
                    plan=company.dunning_plan_id.name,
                    company=company.name,
                )
            )
        account = self.env['credit.account'].sudo().search([('dunning_plan_id', 'in', archived.ids)], limit=1)
        if account:
            raise ValidationError(
                self.env._(
                    "%(plan)s is the own reminder plan of %(customer)s. Choose another there first.",
                    plan=account.dunning_plan_id.name,
                    customer=account.display_name,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        plans = super().create(vals_list)
        drop_caches(self.env)
        return plans

    def write(self, vals):
        if 'company_id' in vals and any(plan.company_id.id != vals['company_id'] for plan in self):
            raise UserError(
                self.env._(
                    "The plan %(plan)s stays with its company. Copy it for the other company.", plan=self[0].name
                )
            )
        result = super().write(vals)
        if CHOICE_FIELDS & vals.keys():
            drop_caches(self.env)
        return result

    def unlink(self):
        result = super().unlink()
        drop_caches(self.env)
        return result

    def copy_data(self, default=None):
        # EXTENDS base: the copy is told from its original
        return [
            {**vals, 'name': (default or {}).get('name') or self.env._("%(plan)s (copy)", plan=plan.name)}
            for plan, vals in zip(self, super().copy_data(default), strict=True)
        ]

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    @api.model
    def action_add_presets(self):
        """Add those of the preset plans that the current company lacks; for collections managers.

        :returns: the action on the plans
        """
        self.check_access('create')
        company = self.env.company.root_id
        for name in PRESETS:
            preset = self.env.ref(f'dunning_followup.{name}', raise_if_not_found=False)
            if preset and preset.sudo().company_id != company:
                # The texts are nobody's secret, whichever company the preset stands in.
                preset = preset.sudo()
                if not self.search_count([('company_id', '=', company.id), ('name', '=', preset.name)], limit=1):
                    preset.copy({'company_id': company.id, 'name': preset.name, **self._prepare_preset_vals()})
        return self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_plan_action')

    @api.model
    def _prepare_preset_vals(self):
        """Return what of a preset is not taken to another company."""
        return {'grade_ids': [Command.clear()], 'manager_id': False}

    def action_view_items(self):
        """Open the open items of the customers to whom this plan applies."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_item_action')
        return action | {'domain': [('plan_id', '=', self.id)], 'context': {}}

    # -------------------------------------------------------------------------
    # Engine
    # -------------------------------------------------------------------------

    def _engine_steps(self):
        """Return {plan id: the engine's steps, in the order of the time line}."""
        return {
            plan.id: [
                schedule.Step(step.id, step.days, step.minimum_days)
                for step in plan.step_ids.filtered('active').sorted('days')
            ]
            for plan in self
        }

    # -------------------------------------------------------------------------
    # For whom
    # -------------------------------------------------------------------------

    @api.model
    def _plan_sql(self, company, partner):
        """Return the SQL of the id of the plan that applies to a customer.

        The most specific wins: the account's own plan, then the segments in
        their sequence, then the company's default.

        :param company: the root company
        :param partner: SQL of the commercial partner's id; beside it, the SQL
            reads `account`, the customer's credit account or NULLs
        """
        conditions = self._segment_conditions()
        default = company.sudo().dunning_plan_id.id or None
        whens = SQL(" ").join(
            SQL(
                "WHEN %s THEN %s",
                SQL(" AND ").join(SQL(conditions[name][1], *map(list, ids)) for name, ids in criteria),
                plan_id,
            )
            for plan_id, criteria in self._entries(company.id)
            if criteria
        )
        if not whens:
            return SQL("COALESCE(account.dunning_plan_id, %s)", default)
        return SQL(
            "COALESCE(account.dunning_plan_id, (SELECT CASE %s END FROM res_partner debtor WHERE debtor.id = %s), %s)",
            whens,
            partner,
            default,
        )

    @api.model
    def _segment_conditions(self):
        """Return the criteria of a plan, in the form of `credit.policy._segment_conditions`."""
        conditions = self.env['credit.policy']._segment_conditions()
        return {name: entry for name, entry in conditions.items() if set(entry[0]) <= set(SEGMENT_FIELDS)} | {
            'business': ((), "debtor.is_company"),
            'consumer': ((), "debtor.is_company IS NOT TRUE"),
        }

    @api.model
    @tools.ormcache('company_id')
    def _entries(self, company_id):
        """Return ((plan id, ((name of the criterion, ids per field), …)), …) of a company's active plans."""
        plans = (
            self.sudo()
            .with_context(active_test=False)
            .search([('company_id', '=', company_id), ('active', '=', True)], order='sequence, id')
        )
        conditions = self._segment_conditions()
        return tuple(
            (
                plan.id,
                tuple(
                    (name, tuple(tuple(plan[field].ids) for field in names))
                    for name, (names, _condition) in conditions.items()
                    if (any(plan[field] for field in names) if names else plan.customer_kind == name)
                ),
            )
            for plan in plans
        )
