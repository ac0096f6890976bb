from odoo import fields, models


class CreditCheckpoint(models.Model):
    """A step of a document at which policies can check credit.

    Add-ons that check at a further step bring a record and call
    `credit.check._check_documents` with its code.
    """

    _name = 'credit.checkpoint'
    _description = "Credit Checkpoint"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(default=10)

    _code_unique = models.UniqueIndex('(code)', "There is already a checkpoint with this code.")
