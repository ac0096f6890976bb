from odoo import fields, models


class CreditApplicationReference(models.Model):
    """Whom one can ask about an applicant."""

    _name = 'credit.application.reference'
    _inherit = ['credit.application.part']
    _description = "Reference of an Application"
    _order = 'application_id, id'

    kind = fields.Selection(
        [('bank', "Bank"), ('supplier', "Supplier"), ('customer', "Customer"), ('other', "Other")],
        required=True,
        default='supplier',
    )
    name = fields.Char(string="Company or Bank", required=True)
    contact = fields.Char(string="Contact Person")
    phone = fields.Char(string="Phone or Email")
    note = fields.Char(string="What They Say")
