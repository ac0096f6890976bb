from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError


class DunningLimitationEvent(models.Model):
    """What restarts the limitation period of some invoices, with its proof."""

    _name = 'dunning.limitation.event'
    _description = "Restart of Limitation"
    _order = 'date desc, id desc'
    _rec_name = 'kind'

    kind = fields.Selection(
        [
            ('confirmation', "Stamped or signed confirmation"),
            ('demand', "Written demand, proved"),
            ('payment', "Part payment"),
            ('promise', "Promise to pay"),
        ],
        required=True,
        default='confirmation',
        help="Whether it restarts the period is said by the rule of the customer's country. Payments in the ledger "
        "count by themselves.",
    )
    date = fields.Date(required=True, default=lambda self: self.env.company._credit_today())
    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        required=True,
        index=True,
        domain="[('parent_id', '=', False)]",
    )
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company.root_id
    )
    move_ids = fields.Many2many(
        'account.move',
        'dunning_limitation_event_move_rel',
        string="Invoices",
        required=True,
        domain="[('commercial_partner_id', '=', partner_id), ('move_type', 'in', ('out_invoice', 'out_receipt')),"
        " ('state', '=', 'posted')]",
        help="The invoices that were confirmed, demanded or promised.",
    )
    attachment_ids = fields.Many2many(
        'ir.attachment', string="Proof", help="The stamped confirmation, or the receipt that the demand has arrived."
    )
    note = fields.Char()
    user_id = fields.Many2one('res.users', string="By", default=lambda self: self.env.user, readonly=True)

    @api.constrains('kind', 'attachment_ids')
    def _check_proof(self):
        for event in self:
            if event.kind in ('confirmation', 'demand') and not event.attachment_ids:
                raise ValidationError(
                    self.env._("Attach the proof: without it, a court will not believe that the period has restarted.")
                )

    @api.constrains('move_ids', 'partner_id', 'company_id', 'date')
    def _check_moves(self):
        for event in self:
            if not event.move_ids:
                raise ValidationError(self.env._("Choose the invoices that it is about."))
            if event.move_ids.commercial_partner_id - event.partner_id:
                raise ValidationError(self.env._("All the invoices have to be this customer's."))
            if event.move_ids.company_id.root_id - event.company_id.root_id:
                raise ValidationError(self.env._("All the invoices have to be this company's."))
            if event.date > event.company_id._credit_today():
                raise ValidationError(self.env._("What is to come restarts nothing yet: choose a day up to today."))

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        # The proof is read by whoever may read the entry.
        for event in events:
            event.attachment_ids.sudo().filtered(lambda attachment: not attachment.res_id).write(
                {'res_model': self._name, 'res_id': event.id}
            )
        events._record_events()
        return events

    def write(self, vals):
        if not self.env.su and vals.keys() - {'note', 'attachment_ids'}:
            raise AccessError(
                self.env._("What restarted a period stays as it was entered. Only proofs and notes are added.")
            )
        return super().write(vals)

    def _record_events(self):
        entries = []
        for company, events in self.sudo().grouped('company_id').items():
            accounts = self.env['credit.account']._for_partners(events.partner_id, company).grouped('partner_id')
            entries += [
                (
                    accounts[event.partner_id],
                    'limitation_restarted',
                    {
                        'res_model': 'account.move',
                        'res_id': move.id,
                        'restart_id': event.id,
                        'kind': event.kind,
                        'date_from': fields.Date.to_string(event.date),
                    },
                )
                for event in events
                for move in event.move_ids
            ]
        self.env['credit.event']._record(entries)
