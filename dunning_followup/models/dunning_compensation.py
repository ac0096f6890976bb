from odoo import fields, models


class DunningCompensation(models.Model):
    """A flat sum per late claim, by the claim's size."""

    _name = 'dunning.compensation'
    _description = "Flat Compensation"
    _order = 'date_from desc, currency_id, amount_from'
    _rec_name = 'amount'

    table_id = fields.Many2one('dunning.rate.table', required=True, index=True, ondelete='cascade')
    date_from = fields.Date(
        string="From", required=True, help="Holds for what is late from this day on, until the day of newer sums."
    )
    currency_id = fields.Many2one('res.currency', required=True, default=lambda self: self.env.company.currency_id)
    amount_from = fields.Monetary(
        string="Claims From", help="The compensation is owed for claims of this size on, up to the next larger one."
    )
    amount = fields.Monetary(string="Compensation", required=True)

    _band_unique = models.Constraint(
        'UNIQUE (table_id, date_from, currency_id, amount_from)', "There is a compensation for this size already."
    )
    _amounts_positive = models.Constraint('CHECK (amount >= 0 AND amount_from >= 0)', "These sums can't be negative.")
