from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine.facts import TeamLimit, utilisation
from ..engine.verdict import can_oversubscribe_team, needs_team_limits
from .credit_exposure import MANY

# What a confirmation under way has to see.
CONTENT_FIELDS = {'active', 'amount', 'date_from', 'date_to', 'team_id', 'user_id'}


class CreditTeamLimit(models.Model):
    """What all customers of a salesperson, or of a sales team, may owe together in one company."""

    _name = 'credit.team.limit'
    _inherit = ['credit.root.company', 'mail.thread']
    _description = "Limit of a Salesperson or Team"
    _order = 'id desc'

    user_id = fields.Many2one(
        'res.users',
        string="Salesperson",
        index='btree_not_null',
        ondelete='restrict',
        tracking=True,
        domain="[('share', '=', False)]",
        help="All customers of this salesperson together.",
    )
    team_id = fields.Many2one(
        'crm.team',
        string="Sales Team",
        index='btree_not_null',
        ondelete='restrict',
        tracking=True,
        help="All customers whose salesperson is in this team together.",
    )
    amount = fields.Monetary(required=True, tracking=True, help="In company currency, taxes included.")
    date_from = fields.Date(
        string="From",
        required=True,
        tracking=True,
        default=lambda self: self.env.company._credit_today(),
        help="First day in force.",
    )
    date_to = fields.Date(string="To", tracking=True, help="Last day in force. Empty: until it is archived.")
    active = fields.Boolean(default=True, tracking=True)
    exposure = fields.Monetary(
        compute='_compute_exposure',
        compute_sudo=True,
        help="All that the customers owe together, taxes included, in company currency.",
    )
    available = fields.Monetary(compute='_compute_exposure', compute_sudo=True, help="Limit less exposure.")
    utilisation = fields.Float(
        string="Utilisation (%)",
        digits=(16, 1),
        compute='_compute_exposure',
        compute_sudo=True,
        help="Exposure in percent of the limit.",
    )
    customer_count = fields.Integer(string="Customers", compute='_compute_exposure', compute_sudo=True)
    checked = fields.Boolean(
        compute='_compute_checked', compute_sudo=True, help="An active policy of the company has a rule on it."
    )

    _amount_positive = models.Constraint(
        'CHECK (amount >= 0)', "A limit can't be negative. Enter 0 for no credit at all."
    )
    _one_owner = models.Constraint(
        'CHECK (num_nonnulls(user_id, team_id) = 1)', "Choose either a salesperson or a sales team."
    )

    @api.depends('user_id', 'team_id')
    def _compute_display_name(self):
        for limit in self:
            limit.display_name = limit.user_id.name or limit.team_id.name or ''

    @api.depends('user_id', 'team_id', 'company_id', 'amount')
    def _compute_exposure(self):
        zero = (0.0, 0)
        for company, limits in self.grouped('company_id').items():
            sums = self._sums(company, limits._members(company)) if company and limits._origin else {}
            for limit in limits:
                limit.exposure, limit.customer_count = sums.get(limit._origin.id, zero)
                limit.available = limit.amount - limit.exposure
                limit.utilisation = (
                    utilisation(limit.exposure, limit.amount, False, company.currency_id.rounding) if company else 0.0
                )

    @api.depends('company_id')
    def _compute_checked(self):
        rules = self.env['credit.rule'].search(
            [('kind', '=', 'team_limit'), ('policy_id.active', '=', True), ('company_id', 'in', self.company_id.ids)]
        )
        for limit in self:
            limit.checked = limit.company_id in rules.company_id

    @api.constrains('date_from', 'date_to')
    def _check_dates(self):
        for limit in self:
            if limit.date_to and limit.date_to < limit.date_from:
                raise ValidationError(
                    self.env._("The limit of %(owner)s ends before it starts.", owner=limit.display_name)
                )

    @api.constrains('team_id', 'company_id')
    def _check_team_company(self):
        for limit in self:
            owner = limit.team_id.company_id
            if owner and owner.root_id != limit.company_id:
                raise ValidationError(
                    self.env._(
                        "The sales team %(team)s belongs to %(company)s.", team=limit.team_id.name, company=owner.name
                    )
                )

    def write(self, vals):
        result = super().write(vals)
        if CONTENT_FIELDS & vals.keys():
            # Confirmations that counted on it are run again.
            self.env['credit.counter'].sudo()._bump_team_limits(self)
            self._mark_members()
        return result

    def _mark_members(self):
        """Have the held orders of the customers under these limits looked at."""
        for company, limits in self.grouped('company_id').items():
            members = self.env['res.partner'].browse({id_ for ids in limits._members(company).values() for id_ in ids})
            # Of customers that whoever sets the limit need not be allowed to read.
            self.env['credit.recheck'].sudo()._mark_partners(members.sudo(), company)

    # -------------------------------------------------------------------------
    # Sums
    # -------------------------------------------------------------------------

    def _members(self, company):
        """Return {id: ids of the customers} of some limits of a root company, in one statement."""
        self.flush_model(['team_id', 'user_id'])
        self.env['res.partner'].flush_model(['commercial_partner_id', 'user_id'])
        self.env['crm.team.member'].flush_model(['active', 'crm_team_id', 'user_id'])
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT team_limit_id, array_agg(partner_id) FROM (%s) AS member GROUP BY team_limit_id",
                    self._members_sql(SQL("owner.id = ANY(%s)", self.ids)),
                )
            )
        )

    @api.model
    def _members_sql(self, condition):
        """Return the SELECT of (team_limit_id, partner_id): which limits a customer counts for.

        :param condition: SQL on the limit `owner` and the customer `partner`
        """
        return SQL(
            """
            SELECT owner.id AS team_limit_id, partner.id AS partner_id
              FROM credit_team_limit owner
              JOIN res_partner partner ON partner.user_id = owner.user_id
             WHERE partner.commercial_partner_id = partner.id AND %(condition)s
             UNION
            SELECT owner.id, partner.id
              FROM credit_team_limit owner
              JOIN crm_team_member member ON member.crm_team_id = owner.team_id AND member.active
              JOIN res_partner partner ON partner.user_id = member.user_id
             WHERE partner.commercial_partner_id = partner.id AND %(condition)s
            """,
            condition=condition,
        )

    @api.model
    def _sums(self, company, members, exclude_order_ids=()):
        """Return {id: (exposure, number of customers)}, in one statement.

        :param members: see `_members`
        :param exclude_order_ids: orders that don't count, as those being checked
        """
        if not members:
            return {}
        partner_ids = sorted({partner_id for ids in members.values() for partner_id in ids})
        Exposure = self.env['credit.exposure']
        Exposure._flush_sources(partner_ids)
        rows = Exposure._rows_sql(
            company,
            company._credit_today(),
            # Looking up each of so many takes longer than reading all.
            partner_ids if len(partner_ids) <= MANY else None,
            exclude_order_ids,
            detail=False,
        )
        sums = dict(
            self.env.execute_query(
                SQL(
                    "SELECT partner_id, SUM(amount) FROM (%s) AS line WHERE partner_id = ANY(%s) GROUP BY partner_id",
                    rows,
                    partner_ids,
                )
            )
        )
        return {
            limit_id: (company.currency_id.round(float(sum(sums.get(partner_id, 0) for partner_id in ids))), len(ids))
            for limit_id, ids in members.items()
        }

    # -------------------------------------------------------------------------
    # The check
    # -------------------------------------------------------------------------

    @api.model
    def _apply(self, profiles, company, record):
        """Note on the profiles of a check which limits their rules have to look at; nothing is read for others.

        :param profiles: see `credit.check._profiles`
        :param record: lock them: of two orders of two customers under one limit, the second has to see the first
        """
        concerned = [profile for group in profiles.values() for profile in group if needs_team_limits(profile['rules'])]
        if not concerned:
            return
        self.flush_model([*CONTENT_FIELDS, 'company_id'])
        self.env['res.partner'].flush_model(['commercial_partner_id', 'user_id'])
        self.env['crm.team.member'].flush_model(['active', 'crm_team_id', 'user_id'])
        today = company._credit_today()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT member.partner_id, member.team_limit_id, owner.amount
                  FROM (%s) AS member
                  JOIN credit_team_limit owner ON owner.id = member.team_limit_id
                """,
                self._members_sql(
                    SQL(
                        "partner.id = ANY(%s) AND owner.company_id = %s AND owner.active"
                        " AND owner.date_from <= %s AND (owner.date_to IS NULL OR owner.date_to >= %s)",
                        [profile['partner_id'] for profile in concerned],
                        company.id,
                        today,
                        today,
                    )
                ),
            )
        )
        locked = set()
        for profile in concerned:
            profile['team_limits'] = [
                TeamLimit(limit_id, float(amount), 0.0)
                for partner_id, limit_id, amount in rows
                if partner_id == profile['partner_id']
            ]
            if record and profile['enforcing'] and can_oversubscribe_team(profile['rules']):
                locked.update(limit.id for limit in profile['team_limits'])
        self.env['credit.counter'].sudo()._bump_team_limits(self.browse(locked))

    @api.model
    def _weigh(self, profiles, company, exclude_order_ids):
        """Put the exposures beside the limits that `_apply` has found."""
        limits = self.browse({limit.id for profile in profiles for limit in profile['team_limits']})
        if not limits:
            return
        sums = self._sums(company, limits._members(company), [order_id for order_id in exclude_order_ids if order_id])
        for profile in profiles:
            profile['team_limits'] = tuple(
                TeamLimit(limit.id, limit.amount, sums[limit.id][0]) for limit in profile['team_limits']
            )

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_view_customers(self):
        """Open the credit accounts of the customers under this limit."""
        self.ensure_one()
        owner = (
            Domain('partner_id.user_id', '=', self.user_id.id)
            if self.user_id
            else Domain('partner_id.user_id.crm_team_member_ids.crm_team_id', '=', self.team_id.id)
        )
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_account_action')
        return action | {
            'name': self.env._("Customers of %(owner)s", owner=self.display_name),
            'domain': list(owner & Domain('company_id', '=', self.company_id.id)),
            'context': {'create': False},
        }
