from odoo import fields, models
from odoo.fields import Domain

# How a debt is collected is not for the debtor to read.
STAFF = 'base.group_user'


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_step_id = fields.Many2one(
        'dunning.step',
        string="Reminder Step",
        compute='_compute_dunning',
        compute_sudo=True,
        groups=STAFF,
        search='_search_dunning_step_id',
    )
    dunning_last_date = fields.Date(string="Last Reminder", compute='_compute_dunning', compute_sudo=True, groups=STAFF)
    dunning_next_date = fields.Date(
        string="Next Reminder",
        compute='_compute_dunning',
        compute_sudo=True,
        groups=STAFF,
        help="If it is not paid until then.",
    )
    dunning_next_step_id = fields.Many2one(
        'dunning.step', string="Next Reminder Step", compute='_compute_dunning', compute_sudo=True, groups=STAFF
    )
    dunning_notice_count = fields.Integer(
        string="Reminders", compute='_compute_dunning', compute_sudo=True, groups=STAFF
    )

    def _compute_dunning(self):
        invoices = self.filtered(
            lambda move: move.move_type in ('out_invoice', 'out_receipt') and move.state == 'posted'
        )
        lines = invoices.line_ids.filtered(lambda line: line.account_type == 'asset_receivable')
        chains = invoices._origin._dunning_origins()
        replaced = self.browse().union(*chains.values())
        counts = dict(
            self.env['dunning.notice.line']._read_group(
                [('move_id', 'in', (invoices + replaced).ids), ('notice_id.state', '=', 'sent')],
                ['move_id'],
                ['notice_id:count_distinct'],
            )
        )
        for move in self:
            own = lines.filtered(lambda line, move=move: line.move_id == move)
            furthest = own.filtered('dunning_step_id').sorted('dunning_days')[-1:]
            coming = own.filtered('dunning_next_date').sorted('dunning_next_date')[:1]
            move.dunning_step_id = furthest.dunning_step_id
            move.dunning_last_date = max(own.filtered('dunning_last_date').mapped('dunning_last_date'), default=False)
            move.dunning_next_date = coming.dunning_next_date
            move.dunning_next_step_id = coming.dunning_next_step_id
            # With those of the invoices in whose place this one is.
            history = move._origin + chains.get(move._origin.id, self.browse())
            move.dunning_notice_count = sum(counts.get(one, 0) for one in history)

    def _search_dunning_step_id(self, operator, value):
        # Progress belongs to the items, which the user may read as he may read the invoice.
        progress = self.env['dunning.progress'].sudo()
        none = operator == 'in' and False in value
        if operator not in ('in', 'any') or (none and set(value) != {False}):
            return NotImplemented
        found = progress._search([] if none else [('step_id', operator, value)])
        domain = Domain('line_ids', 'in', found.subselect('move_line_id'))
        return ~domain if none else domain

    def action_view_dunning(self):
        """Open the reminders that listed this invoice, or those in whose place it is."""
        self.ensure_one()
        self.check_access('read')
        history = self + self._dunning_origins()[self.id]
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_notice_action')
        return action | {'domain': [('line_ids.move_id', 'in', history.ids)], 'context': {'create': False}}
