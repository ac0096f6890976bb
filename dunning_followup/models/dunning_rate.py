from odoo import fields, models


class DunningRate(models.Model):
    """A rate that holds from a day on, until that of a later day."""

    _name = 'dunning.rate'
    _description = "Late Payment Rate"
    _order = 'date_from desc'
    _rec_name = 'date_from'

    table_id = fields.Many2one('dunning.rate.table', required=True, index=True, ondelete='cascade')
    date_from = fields.Date(string="From", required=True, help="First day. It holds until the day before the next.")
    percent = fields.Float(required=True, digits=(16, 4), help="Of a year or a day, see the table.")
    note = fields.Char(string="Made Up Of", help="For instance the reference rate and the points on top.")

    _date_unique = models.Constraint('UNIQUE (table_id, date_from)', "There is a rate from this day on already.")
    _percent_positive = models.Constraint('CHECK (percent >= 0)', "A rate can't be negative.")
