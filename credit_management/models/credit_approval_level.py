from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class CreditApprovalLevel(models.Model):
    """Who has to approve what; the levels that match are asked one after another."""

    _name = 'credit.approval.level'
    _description = "Approval Level"
    _order = 'policy_id, sequence, id'

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
        return (
            self.kind in ('all', kind)
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
