from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL


class CreditSegmented(models.AbstractModel):
    """What a main company has decided for a segment of its customers; of several, the first in the list applies.

    The model that inherits says in `_default_field` where a company names the
    one for everybody else, and in `_own_field` where a credit account names its
    own. For each of its own segments it adds a field and a condition.
    """

    _name = 'credit.segmented'
    _inherit = ['credit.root.company', 'mail.thread']
    _description = "Credit Data of a Segment"
    _order = 'sequence, id'
    _default_field = None
    _own_field = None

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(
        default=10, help="Where a customer is in several of the segments, the first in the list applies."
    )
    # What a segment relies on can't be deleted under it: without it, the segment would be everybody.
    tag_ids = fields.Many2many(
        'res.partner.category', string="Tags", ondelete='restrict', help="Customers that have one of these tags."
    )
    country_group_ids = fields.Many2many(
        'res.country.group',
        ondelete='restrict',
        help="Customers in a country of one of these groups, or in one of the countries beside.",
    )
    country_ids = fields.Many2many('res.country', string="Countries", ondelete='restrict')
    industry_ids = fields.Many2many('res.partner.industry', string="Industries", ondelete='restrict')
    team_ids = fields.Many2many(
        'crm.team',
        string="Sales Teams",
        ondelete='restrict',
        help="Customers whose salesperson is in one of these teams.",
    )
    grade_ids = fields.Many2many(
        'credit.grade',
        string="Grades",
        ondelete='restrict',
        check_company=True,
        help="Customers whose credit account has one of these grades.",
    )
    segmented = fields.Boolean(string="For a Segment", compute='_compute_segmented')
    is_default = fields.Boolean(compute='_compute_is_default', string="Company Default")

    @api.depends(lambda self: tuple(self._segment_fields()))
    def _compute_segmented(self):
        for record in self.with_context(active_test=False):
            record.segmented = bool(record._criteria())

    def _compute_is_default(self):
        for record in self:
            record.is_default = record.company_id.sudo()[self._default_field] == record

    @api.constrains('active')
    def _check_not_used(self):
        """Refuse to archive what a company or a customer relies on."""
        archived = self.filtered(lambda record: not record.active)
        company = self.env['res.company'].sudo().search([(self._default_field, 'in', archived.ids)], limit=1)
        if company:
            raise ValidationError(
                self.env._(
                    "%(record)s is the default of %(company)s. Choose another in the settings first.",
                    record=company[self._default_field].name,
                    company=company.name,
                )
            )
        account = self.env['credit.account'].sudo().search([(self._own_field, 'in', archived.ids)], limit=1)
        if account:
            raise ValidationError(
                self.env._(
                    "%(record)s is chosen on the credit account of %(customer)s. Choose another there first.",
                    record=account[self._own_field].name,
                    customer=account.display_name,
                )
            )

    def write(self, vals):
        if 'company_id' in vals and any(record.company_id.id != vals['company_id'] for record in self):
            raise UserError(
                self.env._(
                    "%(record)s stays with its company. Make another one for the other company.", record=self[0].name
                )
            )
        return super().write(vals)

    # -------------------------------------------------------------------------
    # For whom
    # -------------------------------------------------------------------------

    @api.model
    def _segment_fields(self):
        """Return the names of the fields that say for whom it is; a customer has to meet each that is filled in."""
        return {field for names, _condition in self._segment_conditions().values() for field in names}

    @api.model
    def _segment_conditions(self):
        """Return {name: (fields, SQL condition on the customer `debtor`, a placeholder for the ids of each field)}.

        Extend with the criteria of your add-on; what of a customer moves it from
        one segment to another belongs in `SEGMENT_PARTNER_FIELDS`.
        """
        return {
            'country': (
                ('country_ids', 'country_group_ids'),
                """(debtor.country_id = ANY(%s::int[]) OR debtor.country_id IN (
                       SELECT res_country_id FROM res_country_res_country_group_rel
                        WHERE res_country_group_id = ANY(%s::int[])))""",
            ),
            'industry': (('industry_ids',), "debtor.industry_id = ANY(%s)"),
            'tag': (
                ('tag_ids',),
                """EXISTS (SELECT 1 FROM res_partner_res_partner_category_rel tagged
                             WHERE tagged.partner_id = debtor.id AND tagged.category_id = ANY(%s))""",
            ),
            'team': (
                ('team_ids',),
                """EXISTS (SELECT 1 FROM crm_team_member member
                             WHERE member.user_id = debtor.user_id AND member.active
                               AND member.crm_team_id = ANY(%s))""",
            ),
            # Of the account that stands beside the customer, see `_most_specific_sql`.
            'grade': (('grade_ids',), "account.grade_id = ANY(%s)"),
        }

    def _criteria(self):
        """Return ((name in `_segment_conditions`, ids per field), …) of what is filled in."""
        self.ensure_one()
        return tuple(
            (name, tuple(tuple(self[field].ids) for field in names))
            for name, (names, _condition) in self._segment_conditions().items()
            if any(self[field] for field in names)
        )

    @api.model
    def _of_company(self, company_id):
        """Return the active ones of a root company in their sequence, also with archived tags and teams."""
        return (
            self.sudo()
            .with_context(active_test=False)
            .search([('company_id', '=', company_id), ('active', '=', True)], order='sequence, id')
        )

    @api.model
    def _most_specific_sql(self, entries, partner, own, default):
        """Return the SQL of the id of the own one, else of the first segment that fits, else of the default.

        :param entries: with `id` and `criteria`, in their sequence
        :param partner: SQL of the commercial partner's id; beside it, the SQL
            reads `account`, the customer's credit account or NULLs
        :param own: SQL of the id that the credit account names, or NULL
        :param default: id, or None
        """
        conditions = self._segment_conditions()
        whens = SQL(" ").join(
            SQL(
                "WHEN %s THEN %s",
                SQL(" AND ").join(SQL(conditions[name][1], *map(list, ids)) for name, ids in entry.criteria),
                entry.id,
            )
            for entry in entries
            if entry.criteria
        )
        if not whens:
            return SQL("COALESCE(%s, %s)", own, default)
        return SQL(
            "COALESCE(%s, (SELECT CASE %s END FROM res_partner debtor WHERE debtor.id = %s), %s)",
            own,
            whens,
            partner,
            default,
        )
