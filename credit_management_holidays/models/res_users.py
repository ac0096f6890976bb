from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResUsers(models.Model):
    _inherit = 'res.users'

    credit_substitute_id = fields.Many2one(
        'res.users',
        string="Substitute for Credit Decisions",
        domain="[('share', '=', False), ('id', '!=', id)]",
        help="Who decides about credit while you are on leave. If empty, your manager if he may decide, else the next "
        "who may. An absence entered under Credit names its own substitute.",
    )
    credit_decides = fields.Boolean(
        compute='_compute_credit_decides', compute_sudo=True, help="Whether this person may be asked to decide."
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, 'credit_decides', 'credit_substitute_id']

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, 'credit_substitute_id']

    def _compute_credit_decides(self):
        approvers = self.env['credit.approval.level']._approvers()
        for user in self:
            user.credit_decides = user in approvers

    @api.constrains('credit_substitute_id')
    def _check_credit_substitute(self):
        approvers = self.env['credit.approval.level'].sudo()._approvers()
        for user in self.filtered('credit_substitute_id'):
            if user.credit_substitute_id == user:
                raise ValidationError(self.env._("Choose somebody else as substitute."))
            if user.credit_substitute_id not in approvers:
                raise ValidationError(
                    self.env._(
                        "%(user)s can't decide about credit. Choose a credit manager, or somebody who is named in an "
                        "approval level.",
                        user=user.credit_substitute_id.sudo().name,
                    )
                )

    def write(self, vals):
        # EXTENDS base: who is away already is waited for no longer
        result = super().write(vals)
        if 'credit_substitute_id' in vals:
            # What is asked is asked on by the system.
            self.env['credit.approval'].sudo()._pass_over(self)
        return result
