from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

LEGAL_BASIS_LABELS = [
    ('interest', "Legitimate interest"),
    ('contract', "Contract, or steps towards one"),
    ('consent', "Consent"),
    ('obligation', "Legal obligation"),
    ('public', "Published by the customer or a public register"),
]


class ScoringFact(models.AbstractModel):
    """Something known about a customer from outside the ledger, with its place in the credit file."""

    _name = 'scoring.fact'
    _inherit = ['scoring.dated']
    _description = "Outside Fact"
    # The kinds of events for what is entered, changed and withdrawn; the payload's key for the record.
    _event_kinds = {}
    _event_key = ''

    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        required=True,
        index=True,
        ondelete='restrict',
        domain="['|', ('is_company', '=', True), ('parent_id', '=', False)]",
        help="The commercial entity that owes.",
    )
    customer = fields.Char(
        string="Customer Reference or Name",
        compute='_compute_customer',
        inverse='_inverse_customer',
        help="For imports: reference, tax ID, company ID or name of the customer.",
    )
    salesperson_id = fields.Many2one(related='partner_id.user_id', string="Salesperson")
    attachment_ids = fields.Many2many('ir.attachment', string="Files", copy=True)
    purpose = fields.Char(required=True, default=lambda self: self._default_purpose(), help="Why it is kept.")
    legal_basis = fields.Selection(
        LEGAL_BASIS_LABELS,
        required=True,
        default='interest',
        help="What allows to keep it, by the law on data protection.",
    )

    @api.model
    def _default_purpose(self):
        return self.env._("Decision about credit")

    # -------------------------------------------------------------------------
    # Customer
    # -------------------------------------------------------------------------

    @api.depends('partner_id')
    def _compute_customer(self):
        for fact in self:
            fact.customer = fact.partner_id.ref or fact.partner_id.name

    def _inverse_customer(self):
        """Take the customer of an imported row, which `create` has done already."""

    @api.model
    def _take_customers(self, vals_list):
        """Return the values with `partner_id` in place of what an imported row calls its customer."""
        texts = [vals['customer'] for vals in vals_list if vals.get('customer')]
        if not texts:
            return vals_list
        # Copies: the import tries the same rows once more, after undoing what was made for them.
        vals_list = [dict(vals) for vals in vals_list]
        accounts = self.env['credit.limit']._accounts_of_customers(texts)
        for vals in vals_list:
            if text := vals.pop('customer', None):
                vals['partner_id'] = accounts[text].partner_id.id
        return vals_list

    @api.constrains('partner_id', 'company_id')
    def _check_partner(self):
        for fact in self:
            partner = fact.partner_id
            if partner.company_id and partner.sudo().company_id.root_id != fact.company_id:
                raise ValidationError(
                    self.env._(
                        "%(customer)s is a customer of %(owner)s only, not of %(company)s.",
                        customer=partner.display_name,
                        owner=partner.sudo().company_id.name,
                        company=fact.company_id.name,
                    )
                )

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access('create')
        vals_list = [dict(vals) for vals in self._take_customers(vals_list)]
        default = self.env.context.get('default_partner_id')
        ids = [vals.get('partner_id') or default or False for vals in vals_list]
        # All at once: a file may have thousands of rows.
        partners = self.env['res.partner'].browse(dict.fromkeys(filter(None, ids)))
        partners.check_access('read')
        commercial = {partner.id: partner.commercial_partner_id.id for partner in partners}
        for vals, partner_id in zip(vals_list, ids, strict=True):
            vals['partner_id'] = commercial.get(partner_id, False)
        facts = super().create(vals_list)
        facts._own_attachments()
        facts._record_events('entered')
        return facts

    def write(self, vals):
        if 'partner_id' in vals and any(fact.partner_id.id != vals['partner_id'] for fact in self):
            raise UserError(self.env._("What was entered stays with its customer. Withdraw it and enter it anew."))
        vals = {name: value for name, value in vals.items() if name != 'customer'}
        result = super().write(vals)
        if 'attachment_ids' in vals:
            self._own_attachments()
        return result

    def _after_change(self):
        # EXTENDS customer_scoring
        super()._after_change()
        self._record_events('changed')

    def _after_withdrawal(self):
        # EXTENDS customer_scoring
        super()._after_withdrawal()
        self._record_events('withdrawn')

    def _own_attachments(self):
        """Let whoever reads the fact read its files, and nobody who may not.

        :raise AccessError: for files that the user may not read
        """
        for fact in self.filtered('attachment_ids'):
            fact.attachment_ids.check_access('read')
            own = {'res_model': fact._name, 'res_id': fact.id}
            # Uploaded for a record that had no id yet; only its user could read them.
            fresh = fact.attachment_ids.sudo().filtered(
                lambda attachment: not attachment.res_id and attachment.create_uid == self.env.user
            )
            fresh.write(own)
            foreign = fact.attachment_ids.sudo().filtered(
                lambda attachment, own=own: (
                    attachment.res_model != own['res_model'] or attachment.res_id != own['res_id']
                )
            )
            if foreign:
                # Copies, so that the files stay where they are.
                copies = foreign.copy(own)
                fact._write_flow(
                    {
                        'attachment_ids': [
                            *(Command.unlink(attachment.id) for attachment in foreign),
                            *(Command.link(attachment.id) for attachment in copies),
                        ]
                    }
                )

    # -------------------------------------------------------------------------
    # Credit file
    # -------------------------------------------------------------------------

    def _record_events(self, occasion):
        """Note in the customers' credit files that these were entered, changed or withdrawn."""
        facts = self.filtered(lambda fact: fact._is_on_file())
        kind = self._event_kinds.get(occasion)
        if not kind or not facts:
            return
        Account = self.env['credit.account']
        entries = []
        for company, of_company in facts.grouped('company_id').items():
            accounts = Account._for_partners(of_company.partner_id, company.sudo()).grouped('partner_id')
            entries += [
                (accounts[fact.partner_id], kind, {self._event_key: fact.id, **fact._event_payload()})
                for fact in of_company
            ]
        self.env['credit.event']._record(entries)

    def _is_on_file(self):
        """Tell whether this is more than a draft."""
        self.ensure_one()
        return True

    def _event_payload(self):
        """Return the ids and figures that the credit file keeps."""
        self.ensure_one()
        return {}
