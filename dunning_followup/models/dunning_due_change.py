from odoo import api, fields, models


class DunningDueChange(models.Model):
    """A changed due date of an invoice that was posted: what it was, what it is, why and by whom. Never edited."""

    _name = 'dunning.due.change'
    _description = "Changed Due Date"
    _order = 'id desc'
    _rec_name = 'move_id'

    move_id = fields.Many2one(
        'account.move', string="Invoice", required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(related='move_id.company_id', store=True, index=True)
    partner_id = fields.Many2one(related='move_id.commercial_partner_id', string="Customer", store=True, index=True)
    date_before = fields.Date(string="Was Due", readonly=True)
    date_after = fields.Date(string="Is Due", required=True, readonly=True)
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one('res.users', string="By", readonly=True, default=lambda self: self.env.user)

    @api.model_create_multi
    def create(self, vals_list):
        changes = super().create(vals_list)
        if not changes:
            return changes
        entries = []
        for company, mine in changes.sudo().grouped('company_id').items():
            accounts = self.env['credit.account']._for_partners(mine.partner_id, company).grouped('partner_id')
            entries += [
                (
                    accounts[change.partner_id],
                    'due_date_changed',
                    {
                        'res_model': 'account.move',
                        'res_id': change.move_id.id,
                        'change_id': change.id,
                        'date_from': fields.Date.to_string(change.date_before) if change.date_before else False,
                        'date_to': fields.Date.to_string(change.date_after),
                    },
                )
                for change in mine
            ]
        self.env['credit.event']._record(entries)
        return changes

    @api.model
    def _unstated(self, moves, date):
        """Return those of these invoices for whose change to a day nobody has stated a reason.

        :param date: empty: to the day of the entry
        :raise UserError: if a user makes such a change past the dialog
        """
        moves = self.env['account.move'].union(*moves)
        unstated = moves - self._stated(moves, date) if moves and date else moves
        unstated._refuse_unstated_due()
        return unstated

    @api.model
    def _keep(self, moves, before, date):
        """Keep changes for which no reason was stated, as those that other add-ons make.

        :param before: {invoice: when it was due}
        :param date: when it is due now; empty: on the day of the entry
        """
        # Nobody makes them by hand.
        self.sudo().create(
            [
                {
                    'move_id': move.id,
                    'date_before': before[move],
                    'date_after': date or move.date,
                    'reason': self.env._("Changed in the journal items; no reason was stated."),
                    'user_id': self.env.uid,
                }
                for move in moves
            ]
        )

    @api.model
    def _stated(self, moves, date):
        """Return those of these invoices for which a change to a day was given a reason in this transaction."""
        # Nobody but the dialog makes them, and only of the same transaction: an old reason is none for today.
        now = self.env.cr.now().replace(microsecond=0)
        return (
            self.sudo()
            .search([('move_id', 'in', moves.ids), ('date_after', '=', date), ('create_date', '>=', now)])
            .move_id
        )
