import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

# Paper and electronic fapiao have 8 digits, fully digitalised ones 20.
NUMBER = re.compile(r'\d{8}|\d{20}')


class DunningTaxInvoiceNumber(models.Model):
    """A tax invoice (fapiao) that was issued for an invoice; there may be several, and one may be for several."""

    _name = 'dunning.tax.invoice.number'
    _description = "Tax Invoice Number"
    _order = 'move_id, id'
    _rec_name = 'number'

    move_id = fields.Many2one('account.move', string="Invoice", required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='move_id.company_id', store=True, index=True)
    number = fields.Char(required=True, index=True, help="8 digits, or 20 of a fully digitalised one.")
    date = fields.Date(string="Issued On")

    _once = models.Constraint('UNIQUE (move_id, number)', "This invoice has the number already.")

    @api.constrains('number')
    def _check_number(self):
        for record in self:
            if not NUMBER.fullmatch(record.number or ''):
                raise ValidationError(
                    self.env._(
                        "%(number)s is no tax invoice number: it has to have 8 or 20 digits.", number=record.number
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._stripped(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._stripped(vals))

    @api.model
    def _stripped(self, vals):
        """Return the values without blanks in the number, as it is often copied with them."""
        if vals.get('number'):
            return {**vals, 'number': re.sub(r'\s', '', vals['number'])}
        return vals
