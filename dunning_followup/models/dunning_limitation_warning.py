from odoo import fields, models


class DunningLimitationWarning(models.Model):
    """The memory of a warning: each item is warned of once per level and end of its period."""

    _name = 'dunning.limitation.warning'
    _description = "Limitation Warning"
    _order = 'date_warned desc, id desc'
    _rec_name = 'move_line_id'

    move_line_id = fields.Many2one('account.move.line', string="Item", required=True, index=True, ondelete='cascade')
    move_id = fields.Many2one(related='move_line_id.move_id', string="Invoice")
    partner_id = fields.Many2one(related='move_line_id.partner_id', string="Customer")
    company_id = fields.Many2one(related='move_line_id.company_id', store=True, index=True)
    level = fields.Integer(string="Days Before", required=True)
    date_end = fields.Date(string="Barred After", required=True)
    date_warned = fields.Date(string="Warned On", required=True)

    _once = models.Constraint('UNIQUE (move_line_id, level, date_end)', "This has been warned of.")
