from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError


class CreditAbsence(models.Model):
    """When somebody who decides about credit is away, and who decides instead."""

    _name = 'credit.absence'
    _description = "Absence of an Approver"
    _order = 'date_from desc, id desc'
    _rec_name = 'user_id'

    user_id = fields.Many2one(
        'res.users',
        string="Absent Person",
        required=True,
        index=True,
        ondelete='cascade',
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
    )
    date_from = fields.Date(
        string="First Day", required=True, default=fields.Date.context_today, help="First day away."
    )
    date_to = fields.Date(string="Last Day", required=True, default=fields.Date.context_today, help="Last day away.")
    substitute_id = fields.Many2one(
        'res.users',
        ondelete='restrict',
        domain="[('id', 'in', offered_substitute_ids), ('id', '!=', user_id)]",
        help="Who decides meanwhile: a credit manager, or somebody named in an approval level. If empty, or away as "
        "well without a substitute, the next who may decide is asked.",
    )
    offered_substitute_ids = fields.Many2many('res.users', compute='_compute_offered_substitute_ids')
    reason = fields.Char(help="e.g. holiday, business trip")

    _right_way_round = models.Constraint(
        'CHECK (date_to >= date_from)', "An absence can't end before it starts: correct the dates."
    )
    _not_oneself = models.Constraint('CHECK (substitute_id != user_id)', "Choose somebody else as substitute.")

    @api.depends('user_id')
    def _compute_offered_substitute_ids(self):
        self.offered_substitute_ids = self._able_substitutes()

    def _able_substitutes(self):
        """Return who can decide on anything: approvers who work with credit."""
        able = self.env.ref('credit_management.group_credit_analyst').sudo().all_user_ids
        return self.env['credit.approval.level'].sudo()._approvers() & able

    @api.constrains('substitute_id')
    def _check_substitute(self):
        for absence in self:
            substitute = absence.substitute_id
            if substitute and substitute not in self._able_substitutes():
                raise ValidationError(
                    self.env._(
                        "%(user)s can't decide about credit. Choose a credit manager, or somebody who is named in an "
                        "approval level.",
                        user=substitute.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        absences = super().create(vals_list)
        absences._check_own()
        absences._pass_over()
        return absences

    def write(self, vals):
        self._check_own()
        result = super().write(vals)
        self._check_own()
        self._pass_over()
        return result

    def unlink(self):
        self._check_own()
        return super().unlink()

    def _check_own(self):
        """Refuse to send others away: who is absent is passed over."""
        if self.env.su or self.env.user.has_group('credit_management.group_credit_manager'):
            return
        if any(absence.user_id != self.env.user for absence in self):
            raise AccessError(
                self.env._("You enter your own absences; those of others are entered by credit managers.")
            )

    def _pass_over(self):
        """Ask the substitutes at once where somebody who is away now is being asked."""
        # The requests of others are asked on by the system.
        self.env['credit.approval'].sudo()._pass_over(self.user_id)

    @api.model
    def _substitutes(self, date):
        """Return {id of each user who is away on a date: id of the substitute, or None}.

        Other sources of absences extend it; what is entered here goes before.
        """
        found = {}
        # Of several, the one entered last; who is away is known to the system only.
        for absence in self.sudo().search([('date_from', '<=', date), ('date_to', '>=', date)], order='id'):
            found[absence.user_id.id] = absence.substitute_id.id or found.get(absence.user_id.id)
        return found
