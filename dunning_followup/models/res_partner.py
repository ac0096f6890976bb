from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_notice_ids = fields.One2many(
        'dunning.notice', string="Reminders", compute='_compute_dunning', compute_sudo=False
    )
    dunning_notice_count = fields.Integer(string="Reminders Sent", compute='_compute_dunning')
    dunning_step_id = fields.Many2one('dunning.step', string="Current Reminder Step", compute='_compute_dunning')
    dunning_last_date = fields.Date(string="Last Reminder", compute='_compute_dunning')
    dunning_next_date = fields.Date(string="Next Reminder", compute='_compute_dunning')
    dunning_next_step_id = fields.Many2one('dunning.step', string="Next Reminder Step", compute='_compute_dunning')
    dunning_may_call = fields.Char(
        string="May Be Called", compute='_compute_dunning_may_call', help="By the contact rules."
    )

    def _compute_dunning(self):
        company = self.env.company.root_id
        notices = self.env['dunning.notice']
        customers = self.commercial_partner_id
        # Whose credit one may see, and only theirs: the rule of `credit_management`.
        visible = self.env['credit.account']._visible_partners(customers, self.env.user)
        outlook = self.env['dunning.item']._outlook(company, visible.ids) if visible else {}
        sent = {}
        if visible:
            sent = dict(
                notices.sudo()._read_group(
                    [('partner_id', 'in', visible.ids), ('company_id', '=', company.id), ('state', '=', 'sent')],
                    ['partner_id'],
                    ['id:recordset'],
                )
            )
        for partner in self:
            customer = partner.commercial_partner_id
            row = outlook.get(customer.id, {})
            found = sent.get(customer, notices).with_env(self.env)
            partner.dunning_notice_ids = found.sorted('date_sent', reverse=True)[:50]
            partner.dunning_notice_count = len(found)
            partner.dunning_step_id = row.get('step_id')
            partner.dunning_last_date = row.get('date_step')
            partner.dunning_next_date = row.get('next_date')
            partner.dunning_next_step_id = row.get('next_step_id')

    @api.depends_context('lang', 'tz', 'company')
    def _compute_dunning_may_call(self):
        visible = self.env['credit.account']._visible_partners(self.commercial_partner_id, self.env.user)
        Rule = self.env['dunning.contact.rule'].sudo()
        texts = Rule._may_call(visible, self.env.company.root_id) if visible else {}
        for partner in self:
            partner.dunning_may_call = texts.get(partner.commercial_partner_id.id)

    def action_view_dunning(self):
        """Open the time line of everything sent to this customer by the current company."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_notice_action')
        domain = [
            ('partner_id', '=', self.commercial_partner_id.id),
            ('company_id', '=', self.env.company.root_id.id),
        ]
        return action | {'domain': domain, 'context': {'create': False}}

    def action_dunning_settings(self):
        """Ask how this customer is reminded by the current company; collectors only."""
        self.ensure_one()
        return self.env['dunning.customer']._open(self.commercial_partner_id, self.env.company)
