from typing import NamedTuple

from odoo import Command, api, fields, models, tools
from odoo.tools import SQL

from odoo.addons.credit_management.models.caches import drop_caches

from ..engine import schedule
from .res_partner_claims import OPT_OUTS

PRESETS = ('plan_friendly', 'plan_standard', 'plan_strict', 'plan_consumers')


class PlanEntry(NamedTuple):
    """What the choice of a customer's plan has to know of one plan."""

    id: int
    criteria: tuple  # of (name in `_segment_conditions`, ids per field)


# As `res.partner._dunning_kinds` has it.
KIND_SQL = (
    "COALESCE(debtor.dunning_customer_kind, CASE WHEN debtor.is_company OR COALESCE(debtor.vat, '') NOT IN ('', '/')"
    " THEN 'business' ELSE 'consumer' END)"
)


class DunningPlan(models.Model):
    """Which reminders a customer gets, when, and how: a time line around the due date."""

    _name = 'dunning.plan'
    _inherit = ['credit.segmented']
    _description = "Reminder Plan"
    _default_field = 'dunning_plan_id'
    _own_field = 'dunning_plan_id'

    customer_kind = fields.Selection(
        [('all', "All"), ('business', "Businesses"), ('consumer', "Consumers")],
        required=True,
        default='all',
        tracking=True,
        help="Businesses: companies and those with a tax ID. Consumers: the others. Reminded As, on the contact, says "
        "otherwise.",
    )
    tag_ids = fields.Many2many(relation='dunning_plan_tag_rel', column1='plan_id', column2='tag_id')
    country_group_ids = fields.Many2many(
        relation='dunning_plan_country_group_rel', column1='plan_id', column2='group_id'
    )
    country_ids = fields.Many2many(relation='dunning_plan_country_rel', column1='plan_id', column2='country_id')
    industry_ids = fields.Many2many(relation='dunning_plan_industry_rel', column1='plan_id', column2='industry_id')
    team_ids = fields.Many2many(relation='dunning_plan_team_rel', column1='plan_id', column2='team_id')
    grade_ids = fields.Many2many(relation='dunning_plan_grade_rel', column1='plan_id', column2='grade_id')
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

    @api.model_create_multi
    def create(self, vals_list):
        plans = super().create(vals_list)
        drop_caches(self.env)
        return plans

    def write(self, vals):
        result = super().write(vals)
        if (self._segment_fields() | {'active', 'sequence'}) & vals.keys():
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

    def _refused_steps(self, company, partner_ids):
        """Return {customer id: {id of a step of these plans that he refuses for its channel: reason}}.

        Who refuses nothing is not in it. A constant number of statements.
        """
        contacts = self.env['dunning.notice']._contacts(company, partner_ids)
        persons = self.env['res.partner'].sudo().browse({*partner_ids, *contacts.values()})
        persons.fetch(['commercial_partner_id', *set(OPT_OUTS.values())])
        refusing = {person.id for person in persons if any(person[name] for name in set(OPT_OUTS.values()))}
        concerned = persons.filtered(lambda person: {person.id, person.commercial_partner_id.id} & refusing)
        if not concerned:
            return {}
        steps = self.step_ids.filtered('active')
        refused = {
            channel: self.env['dunning.contact.rule']._refusals(concerned, channel, company)
            for channel in {'letter', *steps.mapped('channel')}
        }
        result = {}
        for partner_id in partner_ids:
            result[partner_id] = {
                step.id: refused[step.channel][min(refusing)]
                for step in steps
                for whom in [{contacts[partner_id, role] for role in step._recipient_roles()}]
                if (refusing := whom & refused[step.channel].keys())
                and not (step._may_become_letter() and not whom & refused['letter'].keys())
            }
        return {partner_id: reasons for partner_id, reasons in result.items() if reasons}

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
        self.env['res.partner'].flush_model(['dunning_customer_kind', 'is_company', 'vat'])
        default = company.sudo().dunning_plan_id.id or None
        return self._most_specific_sql(self._entries(company.id), partner, SQL("account.dunning_plan_id"), default)

    @api.model
    def _segment_fields(self):
        # EXTENDS credit_management
        return {*super()._segment_fields(), 'customer_kind'}

    @api.model
    def _segment_conditions(self):
        # EXTENDS credit_management: of the kind of customer, which is no field of ids
        return {
            **super()._segment_conditions(),
            'business': ((), KIND_SQL + " = 'business'"),
            'consumer': ((), KIND_SQL + " = 'consumer'"),
        }

    def _criteria(self):
        # EXTENDS credit_management
        kind = self.customer_kind
        return (*super()._criteria(), *([(kind, ())] if kind != 'all' else []))

    @api.model
    @tools.ormcache('company_id')
    def _entries(self, company_id):
        """Return the PlanEntry of each active plan of a root company, in their sequence."""
        return tuple(PlanEntry(plan.id, plan._criteria()) for plan in self._of_company(company_id))
