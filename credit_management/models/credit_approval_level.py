from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import formatLang

# What a change of is noted with the policy.
NOTED_FIELDS = (
    'name', 'active', 'kind', 'sequence', 'amount_from', 'excess_from', 'excess_percent_from', 'grade_ids', 'group_id',
    'user_ids', 'deadline_number', 'deadline_unit',
)  # fmt: skip


class CreditApprovalLevel(models.Model):
    """Who has to approve what; the levels that match are asked one after another."""

    _name = 'credit.approval.level'
    _description = "Approval Level"
    _order = 'policy_id, sequence, id'
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    policy_id = fields.Many2one('credit.policy', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='policy_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [('all', "Limits and releases"), ('limit', "Limits"), ('release', "Releases")],
        string="For",
        required=True,
        default='all',
    )
    amount_from = fields.Monetary(
        string="From Amount", help="From this amount of a limit or order, in company currency. 0: whatever the amount."
    )
    excess_from = fields.Monetary(
        string="From Excess",
        help="Only from this amount beyond what the customer may owe now, in company currency. 0: no condition.",
    )
    excess_percent_from = fields.Float(
        string="From Excess (%)",
        help="Only from this percentage beyond what the customer may owe now. 0: no condition.",
    )
    grade_ids = fields.Many2many(
        'credit.grade',
        'credit_approval_level_grade_rel',
        'level_id',
        'grade_id',
        string="Grades",
        ondelete='restrict',
        check_company=True,
        help="Only customers of these grades. Empty: all customers, also those without a grade.",
    )
    group_id = fields.Many2one(
        'res.groups', ondelete='restrict', help="Everybody of this group who works in the company and with credit."
    )
    user_ids = fields.Many2many(
        'res.users',
        'credit_approval_level_user_rel',
        'level_id',
        'user_id',
        string="Users",
        domain="[('share', '=', False)]",
        help="Asked before the others of the group. The customer's controller is asked first if he is one of them.",
    )
    deadline_number = fields.Float(
        string="Within", digits=(8, 1), help="How long one person is waited for. 0: no deadline."
    )
    deadline_unit = fields.Selection(
        [('hours', "working hours"), ('days', "working days")],
        required=True,
        default='days',
        help="Of the company's working hours, with its public holidays and make-up days. Days end with their work; the "
        "day of the question does not count.",
    )
    member_ids = fields.Many2many(
        'res.users', string="Who Decides", compute='_compute_member_ids', help="Those who can be asked at present."
    )

    _not_negative = models.Constraint(
        'CHECK (amount_from >= 0 AND excess_from >= 0 AND excess_percent_from >= 0 AND deadline_number >= 0)',
        "Amounts, percentages and deadlines of an approval level can't be negative. 0 means no condition.",
    )

    @api.depends('group_id', 'user_ids', 'policy_id')
    def _compute_member_ids(self):
        for level in self:
            level.member_ids = level._members(level.company_id)

    @api.constrains('group_id', 'user_ids')
    def _check_members(self):
        for level in self:
            if not level.group_id and not level.user_ids:
                raise ValidationError(
                    self.env._("Say who decides at the level “%(level)s”: a group, or users.", level=level.name)
                )

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        levels = super().create(vals_list)
        for level in levels:
            level._note(self.env._("Approval level “%(level)s” added", level=level.name), {}, level._in_words())
        return levels

    def write(self, vals):
        noted = self if vals.keys() & set(NOTED_FIELDS) else self.browse()
        before = {level: (level.name, level._in_words()) for level in noted}
        result = super().write(vals)
        for level, (name, words) in before.items():
            level._note(self.env._("Approval level “%(level)s” changed", level=name), words, level._in_words())
        return result

    def unlink(self):
        for level in self:
            level._note(self.env._("Approval level “%(level)s” deleted", level=level.name), level._in_words(), {})
        return super().unlink()

    def _in_words(self):
        """Return {label: value in words} of what this level says."""
        self.ensure_one()
        level = self.with_context(active_test=False)
        labels = self.fields_get(NOTED_FIELDS, ['string', 'selection'])
        words = {}
        for name in NOTED_FIELDS:
            field, value = self._fields[name], level[name]
            if field.type == 'selection':
                value = dict(labels[name]['selection']).get(value, '')
            elif field.type == 'monetary':
                value = formatLang(self.env, value, currency_obj=self.currency_id) if value else ''
            elif field.type == 'boolean':
                value = self.env._("Yes") if value else self.env._("No")
            elif field.relational:
                # Names of groups and colleagues are no secret to who may set them.
                value = ', '.join(value.sudo().mapped('display_name'))
            elif field.type == 'float':
                value = f'{value:g}' if value else ''
            words[labels[name]['string']] = str(value or '')
        return words

    def _note(self, title, before, after):
        """Note in the policy's chatter what of this level differs."""
        self.ensure_one()
        rows = [
            Markup("<li>%s: %s → %s</li>") % (label, before[label] or '–', after[label] or '–')
            if before and after
            else Markup("<li>%s: %s</li>") % (label, (before or after)[label])
            for label in before or after
            if before.get(label, '') != after.get(label, '')
        ]
        if rows:
            self.policy_id.message_post(body=Markup("<p>%s</p><ul>%s</ul>") % (title, Markup().join(rows)))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_asked(self):
        steps = (
            self.env['credit.approval']
            .sudo()
            .search([('level_id', 'in', self.ids), ('state', 'in', ('waiting', 'pending'))], limit=1)
        )
        if steps:
            raise UserError(
                self.env._(
                    "“%(level)s” is being asked about %(document)s. Archive the level instead.",
                    level=steps.level_id.name,
                    document=steps.document_name,
                )
            )

    def _matches(self, kind, request, account):
        """Tell whether this level is asked; add-ons with further conditions extend it.

        :param kind: what is asked for: 'limit', 'release', or that of another add-on
        :param request: the engine's Request
        :param account: credit.account of the customer
        """
        self.ensure_one()
        # Also archived ones: without them the level would be for everybody. Not everybody who asks reads grades.
        grades = self.with_context(active_test=False).sudo().grade_ids
        return (
            self.kind in ('all', kind)
            and (not grades or account.sudo().grade_id in grades)
            and request.reaches(self.amount_from)
            and (not self.excess_from or request.exceeds_by(self.excess_from))
            and (not self.excess_percent_from or request.exceeds_by_percent(self.excess_percent_from))
        )

    def _members(self, company):
        """Return who decides at this level about documents of a company: first those named, then those of the group."""
        users = self.user_ids | self.group_id.sudo().all_user_ids.sorted('id', reverse=True)
        return users & self._able(company)

    @api.model
    def _able(self, company):
        """Return who can open what is to be decided: active, at work in the company and with credit."""
        # Which groups others are in is known to the system only.
        users = self.env.ref('credit_management.group_credit_analyst').sudo().all_user_ids
        return users.filtered(lambda user: user.active and not user.share and company in user.company_ids)

    @api.model
    def _approvers(self, company=None):
        """Return all who may be asked to decide: credit managers, and whoever is named in a level."""
        domain = [('company_id', '=', company.root_id.id)] if company else []
        levels = self.sudo().search(domain)
        managers = self.env.ref('credit_management.group_credit_manager').sudo().all_user_ids
        users = managers | levels.user_ids | levels.group_id.all_user_ids
        return users.filtered(lambda user: user.active and not user.share)
