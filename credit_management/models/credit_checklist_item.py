from odoo import api, fields, models
from odoo.exceptions import ValidationError

# What of an application can be asked for: name of the field, label.
FIELD_LABELS = [
    ('registration_code', "Registration code"),
    ('licence_number', "Licence number"),
    ('legal_representative', "Legal representative"),
    ('guarantor', "Guarantor"),
    ('payment_term_id', "Payment term"),
    ('monthly_sales', "Expected monthly sales"),
    ('visit_date', "Date of the visit"),
    ('visit_note', "Visit note"),
    ('reference_ids', "Reference"),
]


class CreditChecklistItem(models.Model):
    """What an application for credit needs, by policy."""

    _name = 'credit.checklist.item'
    _description = "Checklist Item"
    _order = 'sequence, id'

    # Which policy a customer is under is not for salespeople.
    policy_id = fields.Many2one(
        'credit.policy',
        required=True,
        index=True,
        ondelete='cascade',
        groups='credit_management.group_credit_auditor,credit_management.group_credit_analyst,'
        'account.group_account_invoice',
    )
    company_id = fields.Many2one('res.company', compute='_compute_company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    sequence = fields.Integer(default=10)
    name = fields.Char(string="What Is Needed", required=True, translate=True)
    kind = fields.Selection(
        [('document', "Document"), ('field', "Entry")],
        required=True,
        default='document',
        help="Document: a file has to be attached. Entry: something has to be filled in on the application.",
    )
    field_name = fields.Selection(FIELD_LABELS, string="Entry", help="What has to be filled in.")
    required = fields.Boolean(default=True, help="Without it the application can't be submitted.")
    amount_from = fields.Monetary(
        string="From Amount", help="Needed for requests of this amount or more, in company currency. 0: for all."
    )

    @api.depends('policy_id.company_id')
    def _compute_company_id(self):
        # Sales may read the item, not the policy.
        for item in self.sudo():
            item.company_id = item.policy_id.company_id

    @api.constrains('kind', 'field_name')
    def _check_field_name(self):
        for item in self:
            if item.kind == 'field' and not item.field_name:
                raise ValidationError(
                    self.env._("Choose which entry “%(item)s” asks for, or make it a document.", item=item.name)
                )

    @api.onchange('field_name')
    def _onchange_field_name(self):
        if self.field_name and not self.name:
            self.name = dict(self._fields['field_name']._description_selection(self.env))[self.field_name]

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        items._reach_drafts()
        return items

    def write(self, vals):
        result = super().write(vals)
        if {'kind', 'amount_from'} & vals.keys():
            self._reach_drafts()
        return result

    def _reach_drafts(self):
        """Give the applications that are still drafts a line for what is asked for now."""
        # All drafts, whoever may read them.
        drafts = (
            self.env['credit.application']
            .sudo()
            .search([('company_id', 'in', self.company_id.ids), ('state', '=', 'draft')])
        )
        drafts._fill_checklist()
