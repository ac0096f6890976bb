from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..models.dunning_notice import COLLECTOR


class DunningCustomer(models.TransientModel):
    """How one customer is reminded: plan, contact, collector."""

    _name = 'dunning.customer'
    _description = "Reminder Settings of a Customer"
    _check_company_auto = True

    partner_id = fields.Many2one('res.partner', string="Customer", required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True)
    plan_id = fields.Many2one(
        'dunning.plan',
        string="Own Reminder Plan",
        check_company=True,
        help="Empty: the plan for the customer's segment applies, else the company's default.",
    )
    contact_id = fields.Many2one(
        'res.partner',
        string="Follow-Up Contact",
        domain="['|', ('id', '=', partner_id), ('commercial_partner_id', '=', partner_id)]",
        help="Gets the reminders. Empty: the contact of the invoices.",
    )
    collector_id = fields.Many2one(
        'res.users',
        domain="[('share', '=', False)]",
        help="Makes the calls and visits. Empty: the company's collector.",
    )
    represented = fields.Boolean(
        string="Represented by a Lawyer",
        help="The customer is not contacted himself: messages go to the lawyer. Without one, nothing is sent.",
    )
    lawyer_id = fields.Many2one('res.partner', help="Whose addresses messages go to.")

    @api.model
    def _check_collector(self):
        if not self.env.user.has_group(COLLECTOR):
            raise AccessError(self.env._("Only collectors decide how customers are reminded. Ask one of them."))

    @api.model
    def _open(self, partner, company):
        """Return the action that asks for the settings of a customer; collectors only."""
        self._check_collector()
        root = company.root_id
        account = self.env['credit.account'].search(
            [('partner_id', '=', partner.id), ('company_id', '=', root.id)], limit=1
        )
        wizard = self.create(
            {
                'partner_id': partner.id,
                'company_id': root.id,
                'plan_id': account.dunning_plan_id.id,
                'contact_id': account.dunning_contact_id.id,
                'collector_id': account.collector_id.id,
                'represented': account.dunning_represented,
                'lawyer_id': account.dunning_lawyer_id.id,
            }
        )
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Reminder Settings"),
            'res_model': self._name,
            'res_id': wizard.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    def action_save(self):
        """Write the settings to the customer's credit account, making it if there is none; collectors only."""
        self.ensure_one()
        self._check_collector()
        self.company_id.check_access('read')
        account = self.env['credit.account']._for_partners(self.partner_id, self.company_id)
        # Collectors don't keep credit accounts; these fields are theirs.
        account.sudo().write(
            {
                'dunning_plan_id': self.plan_id.id,
                'dunning_contact_id': self.contact_id.id,
                'collector_id': self.collector_id.id,
                'dunning_represented': self.represented,
                'dunning_lawyer_id': self.represented and self.lawyer_id.id,
            }
        )
        return {'type': 'ir.actions.act_window_close'}
