from odoo import fields, models


class DunningRunExclusion(models.Model):
    """An item that a run leaves out, and why."""

    _name = 'dunning.run.exclusion'
    _description = "Not Chased in a Run"
    _order = 'run_id, partner_id, date_due, id'
    _log_access = False

    run_id = fields.Many2one('dunning.run', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='run_id.company_id')
    currency_id = fields.Many2one(related='run_id.currency_id')
    partner_id = fields.Many2one('res.partner', string="Customer", index=True, ondelete='cascade')
    move_line_id = fields.Many2one('account.move.line', string="Item", index='btree_not_null', ondelete='cascade')
    move_id = fields.Many2one('account.move', string="Invoice", index='btree_not_null', ondelete='cascade')
    date_due = fields.Date(string="Due Date")
    code = fields.Selection(
        [
            ('covered', "Covered by unallocated credits"),
            ('no_followup', "Marked “No Follow-Up”"),
            ('in_notice', "In another run, not settled yet"),
            ('no_plan', "No reminder plan applies"),
            ('insolvent', "Insolvent"),
            ('represented', "Represented by a lawyer"),
            ('do_not_remind', "Do not remind"),
            ('paused', "Paused"),
            ('disputed', "Disputed"),
            ('promised', "Promised"),
            ('item_floor', "Only a residue"),
            ('customer_floor', "Too little to be chased"),
        ],
        string="Kind of Reason",
        required=True,
    )
    reason = fields.Char(required=True)
    amount = fields.Monetary(string="Not Chased", help="In company currency.")
