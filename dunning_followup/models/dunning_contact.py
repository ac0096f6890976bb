from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

CHANNELS = [
    ('email', "E-mail"),
    ('letter', "Letter"),
    ('sms', "Text message"),
    ('sms_gateway', "Text message through a gateway"),
    ('webhook', "Message to another system"),
    ('call', "Call"),
    ('visit', "Visit"),
]
# Sent by the system; the others are tasks for people.
SENT = ('email', 'letter', 'sms', 'sms_gateway', 'webhook')


class DunningContact(models.Model):
    """One contact with a customer about what it owes, through whatever channel: what caps and quiet days count."""

    _name = 'dunning.contact'
    _description = "Collection Contact"
    _order = 'moment desc, id desc'
    _rec_name = 'partner_id'

    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company, readonly=True
    )
    partner_id = fields.Many2one('res.partner', string="Person", required=True, index=True)
    commercial_partner_id = fields.Many2one(
        related='partner_id.commercial_partner_id', string="Customer", store=True, index=True
    )
    channel = fields.Selection(CHANNELS, required=True, default='call')
    moment = fields.Datetime(string="When", required=True, default=fields.Datetime.now, index=True)
    direction = fields.Selection(
        [('out', "By us"), ('in', "By the customer")],
        required=True,
        default='out',
        help="Only contacts by us count for the contact rules.",
    )
    reached = fields.Boolean(string="Spoken With", help="Rules may ask for days of quiet after it.")
    note = fields.Char(help="What was said.")
    user_id = fields.Many2one('res.users', string="By", default=lambda self: self.env.user, readonly=True)
    res_model = fields.Char(string="Document Type", readonly=True)
    res_id = fields.Many2oneReference(string="Document", model_field='res_model', readonly=True)
    rule_warning = fields.Char(compute='_compute_rule_warning')

    _customer_index = models.Index('(commercial_partner_id, moment)')
    _document_unique = models.UniqueIndex(
        '(res_model, res_id, partner_id) WHERE res_id IS NOT NULL', "This contact is noted already."
    )

    @api.depends('channel', 'company_id', 'direction', 'moment', 'partner_id')
    def _compute_rule_warning(self):
        Rule = self.env['dunning.contact.rule']
        for contact in self:
            contact.rule_warning = False
            # What is noted already has happened.
            if contact._origin or not (contact.partner_id and contact.channel and contact.moment):
                continue
            if contact.direction == 'out':
                company = contact.company_id or self.env.company
                contact.rule_warning = Rule._warning(contact.partner_id, contact.channel, contact.moment, company)

    @api.model
    def _log(self, partners, channel, company, moment=None, document=None, **vals):
        """Note that these persons have been contacted; all channels call it when they have sent.

        :param document: what the contact was, as the notice
        :param vals: further fields: `direction`, `reached`, `note`
        """
        # The log is the system's: whoever sends a reminder need not be a collector.
        return self.sudo().create(
            [
                {
                    'partner_id': partner.id,
                    'company_id': company.id,
                    'channel': channel,
                    'moment': moment or fields.Datetime.now(),
                    'res_model': document and document._name,
                    'res_id': document and document.id,
                    'user_id': self.env.uid,
                    **vals,
                }
                for partner in partners
            ]
        )

    @api.model
    def _log_notices(self, notices):
        """Note reminders that have been sent, each once; a call or visit is noted when somebody has made it."""
        # The log is the system's, as in `_log`.
        Contact, notices = self.sudo(), notices.sudo().filtered(lambda notice: notice.channel in SENT)
        noted = Contact.search([('res_model', '=', notices._name), ('res_id', 'in', notices.ids)])
        there = set(noted.mapped('res_id'))
        person = 'contact_id' if 'contact_id' in notices._fields else 'partner_id'
        return Contact.create(
            [
                {
                    'partner_id': (notice[person] or notice.partner_id).id,
                    'company_id': notice.company_id.id,
                    'channel': notice.channel,
                    'moment': notice.date_sent or fields.Datetime.now(),
                    'res_model': notice._name,
                    'res_id': notice.id,
                    'user_id': self.env.uid,
                }
                for notice in notices
                if notice.id not in there
            ]
        )

    @api.model
    def _past(self, partners, company, since):
        """Return {commercial partner id: [contacts by us]} since a moment, in a company tree."""
        contacts = self.sudo().search_fetch(
            [
                ('commercial_partner_id', 'in', partners.commercial_partner_id.ids),
                ('company_id', 'in', company.root_id._credit_branch_ids()),
                ('direction', '=', 'out'),
                ('moment', '>=', since),
            ],
            ['commercial_partner_id', 'moment', 'channel', 'reached'],
        )
        return contacts.grouped(lambda contact: contact.commercial_partner_id.id)

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            # Of others' calls and of what was sent, nobody makes entries by hand.
            flow = {'user_id': self.env.uid, 'res_model': False, 'res_id': False}
            vals_list = [{**vals, **flow} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        # What has happened is not changed; what was said may be added.
        if not self.env.su and vals.keys() - {'note', 'reached'}:
            raise UserError(self.env._("A contact that was noted stays as it is. Only the note can be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_own_calls(self):
        if any(contact.res_model or contact.user_id != self.env.user for contact in self) and not self.env.su:
            raise AccessError(self.env._("Only calls that you have noted yourself can be deleted."))
