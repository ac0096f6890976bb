from odoo import api, fields, models


class ScoringBin(models.Model):
    """The points for a range of values, or for one value."""

    _name = 'scoring.bin'
    _description = "Points of a Characteristic"
    _order = 'characteristic_id, low'
    _rec_name = 'range_text'

    characteristic_id = fields.Many2one('scoring.characteristic', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='characteristic_id.company_id', store=True)
    low = fields.Float(
        string="From",
        required=True,
        digits=(16, 4),
        help="The row holds from this number up to that of the next row; the row with the lowest number also for all "
        "below. By values: exactly this number.",
    )
    points = fields.Float(required=True, digits=(16, 1), help="From 0 on; the most of a characteristic is its best.")
    label = fields.Char(translate=True, help="Shown in place of the numbers.")
    range_text = fields.Char(string="Values", compute='_compute_range_text')

    _points_positive = models.Constraint('CHECK (points >= 0)', "Points can't be negative.")

    @api.depends('low', 'label', 'characteristic_id.bin_ids.low', 'characteristic_id.kind')
    @api.depends_context('lang')
    def _compute_range_text(self):
        for row in self:
            rows = row.characteristic_id.bin_ids.sorted('low')
            above = next((other.low for other in rows if other.low > row.low), None)
            first = not any(other.low < row.low for other in rows)
            if row.label:
                row.range_text = row.label
            elif row.characteristic_id.kind == 'value':
                row.range_text = f'{row.low:g}'
            elif first and above is not None:
                row.range_text = self.env._("below %(number)s", number=f'{above:g}')
            elif above is not None:
                row.range_text = self.env._("%(low)s to %(high)s", low=f'{row.low:g}', high=f'{above:g}')
            else:
                row.range_text = self.env._("from %(number)s", number=f'{row.low:g}')

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows.characteristic_id.card_id._check_draft()
        rows.characteristic_id._check_points()
        return rows

    def write(self, vals):
        self.characteristic_id.card_id._check_draft()
        result = super().write(vals)
        self.characteristic_id.card_id._check_draft()
        self.characteristic_id._check_points()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self.characteristic_id.card_id._check_draft()
