from odoo import fields, models

from .account_move import STAFF


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    dunning_progress_ids = fields.One2many('dunning.progress', 'move_line_id', string="Reminder Progress")
    dunning_step_id = fields.Many2one(
        'dunning.step', string="Reminder Step", compute='_compute_dunning', compute_sudo=True, groups=STAFF
    )
    dunning_days = fields.Integer(
        string="Reminder Position", compute='_compute_dunning', compute_sudo=True, groups=STAFF
    )
    dunning_last_date = fields.Date(string="Last Reminder", compute='_compute_dunning', compute_sudo=True, groups=STAFF)
    dunning_next_date = fields.Date(string="Next Reminder", compute='_compute_dunning', compute_sudo=True, groups=STAFF)
    dunning_next_step_id = fields.Many2one(
        'dunning.step', string="Next Reminder Step", compute='_compute_dunning', compute_sudo=True, groups=STAFF
    )

    def _compute_dunning(self):
        progress = {
            row.move_line_id.id: row for row in self.env['dunning.progress'].search([('move_line_id', 'in', self.ids)])
        }
        nexts = {}
        owed = self.filtered(
            lambda line: line.parent_state == 'posted' and line.account_type == 'asset_receivable' and line.partner_id
        ).filtered(lambda line: not line.reconciled)
        for company, lines in owed.grouped(lambda line: line.company_id.root_id).items():
            today = company._credit_today()
            Item = self.env['dunning.item']
            rows = Item._rows(company, today, lines.partner_id.commercial_partner_id.ids)
            # All of the customers: floors and promises are not about single items.
            nexts |= Item._nexts(rows, company, today)
        for line in self:
            row = progress.get(line.id)
            coming = nexts.get(line.id)
            line.dunning_step_id = row.step_id if row else False
            line.dunning_days = row.days if row else 0
            line.dunning_last_date = row.date_step if row else False
            line.dunning_next_date = coming[0] if coming else False
            line.dunning_next_step_id = coming[1].id if coming else False
