from odoo import api, fields, models

from ..engine import schedule


class DunningNoticeLine(models.Model):
    """An open item as a notice lists it; with a step if the item has reached one in this run."""

    _name = 'dunning.notice.line'
    _description = "Item of a Notice"
    _order = 'notice_id, date_due, id'
    _log_access = False

    notice_id = fields.Many2one('dunning.notice', required=True, index=True, ondelete='cascade')
    move_line_id = fields.Many2one('account.move.line', string="Item", required=True, index=True, ondelete='cascade')
    move_id = fields.Many2one('account.move', string="Invoice", index='btree_not_null', ondelete='cascade')
    step_id = fields.Many2one('dunning.step', ondelete='restrict', index='btree_not_null')
    step_days = fields.Integer(help="Days of the step when it was chosen.")
    date_due = fields.Date(string="Due Date")
    days_overdue = fields.Integer(aggregator=None, help="On the day of the run.")
    amount_residual = fields.Monetary(
        string="Open Amount", help="What was left after unallocated credits, in company currency."
    )
    currency_id = fields.Many2one(related='notice_id.currency_id')
    amount_currency = fields.Monetary(string="In Currency", currency_field='document_currency_id')
    document_currency_id = fields.Many2one('res.currency')

    @api.depends('move_id', 'move_line_id')
    def _compute_display_name(self):
        for line in self:
            # Who reads the notice may know the number of what it is about.
            line.display_name = line.sudo()._document_text()

    def _still_due(self, row, steps, date):
        """Tell whether the item may get its step now.

        :param row: the item's row of `dunning.item`
        :param steps: the plan's steps as the engine takes them
        """
        self.ensure_one()
        step = next((step for step in steps if step.id == self.step_id.id), None)
        progress = row['step_id'] and schedule.Progress(row['step_id'], row['step_days'], row['date_step'])
        item = schedule.Item(row['id'], row['date_due'] or date, progress or None)
        return step is not None and schedule.still_due(item, step, steps, date)

    def _document_text(self):
        """Return the number by which the customer knows this item; extend with further numbers."""
        self.ensure_one()
        return self.move_id._dunning_name() or self.move_line_id.name or ''
