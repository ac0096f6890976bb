from odoo import api, fields, models
from odoo.exceptions import ValidationError

MANAGER = 'dunning_followup.group_collections_manager'


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_plan_id = fields.Many2one(
        'dunning.plan',
        string="Default Reminder Plan",
        ondelete='restrict',
        help="Holds for customers whose credit account names no plan and who are in no plan's segment.",
    )
    dunning_mode = fields.Selection(
        [('off', "No"), ('propose', "Make a run to be reviewed"), ('send', "Make a run and send it")],
        string="Reminders by Themselves",
        required=True,
        default='off',
    )
    dunning_hour = fields.Integer(
        string="From Hour", default=7, help="In the company's time zone: when the day's run is made."
    )
    dunning_workdays = fields.Boolean(string="Monday to Friday Only", default=True)
    dunning_user_id = fields.Many2one(
        'res.users',
        string="Default Collector",
        domain="[('share', '=', False)]",
        help="Gets calls, visits and reports.",
    )

    @api.model
    def _get_company_root_delegated_field_names(self):
        # EXTENDS base: a branch has the reminders of its main company
        names = ('dunning_plan_id', 'dunning_mode', 'dunning_hour', 'dunning_workdays', 'dunning_user_id')
        return [*super()._get_company_root_delegated_field_names(), *names]

    @api.constrains('dunning_hour')
    def _check_dunning_hour(self):
        if any(not 0 <= company.dunning_hour <= 23 for company in self):
            raise ValidationError(self.env._("The hour of the reminders is one from 0 to 23."))

    @api.constrains('dunning_plan_id')
    def _check_dunning_plan(self):
        for company in self:
            plan = company.dunning_plan_id
            if plan and (plan.company_id != company.root_id or not plan.active):
                raise ValidationError(
                    self.env._(
                        "The reminder plan %(plan)s belongs to another company or is archived. Choose another.",
                        plan=plan.name,
                    )
                )

    def _collections_managers(self):
        """Return the collections managers who work in this company, the last made first."""
        self.ensure_one()
        managers = self.env.ref(MANAGER).sudo().all_user_ids
        return managers.filtered(lambda user: user.active and not user.share and self in user.company_ids).sorted(
            'id', reverse=True
        )
