from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date


class DunningPause(models.Model):
    """Reminders to a customer, or about one invoice, wait until a day or are not sent at all: why, and by whom."""

    _name = 'dunning.pause'
    _inherit = ['credit.root.company']
    _description = "Reminder Pause"
    _order = 'id desc'
    _rec_name = 'partner_id'

    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        compute='_compute_partner_id',
        store=True,
        readonly=False,
        required=True,
        index=True,
        precompute=True,
    )
    move_id = fields.Many2one(
        'account.move',
        string="Invoice",
        index='btree_not_null',
        ondelete='cascade',
        domain="[('move_type', 'in', ('out_invoice', 'out_receipt')), ('state', '=', 'posted')]",
        help="Empty: everything that the customer owes.",
    )
    kind = fields.Selection(
        [('until', "Pause until a day"), ('never', "Do not remind")], required=True, default='until'
    )
    date_until = fields.Date(string="Until", help="Last day without reminders.")
    reason = fields.Char(required=True)
    date_from = fields.Date(
        string="Since", required=True, readonly=True, default=lambda self: self.env.company._credit_today()
    )
    user_id = fields.Many2one('res.users', string="By", default=lambda self: self.env.user, readonly=True)
    ended_on = fields.Date(readonly=True, copy=False)
    ended_by_id = fields.Many2one('res.users', readonly=True, copy=False)
    in_force = fields.Boolean(compute='_compute_in_force', search='_search_in_force')

    _until_given = models.Constraint(
        "CHECK (kind <> 'until' OR date_until IS NOT NULL)", "State until when reminders are paused."
    )

    @api.depends('move_id')
    def _compute_partner_id(self):
        for pause in self:
            pause.partner_id = pause.move_id.commercial_partner_id or pause.partner_id

    @api.depends('kind', 'date_until', 'ended_on')
    def _compute_in_force(self):
        for pause in self:
            today = pause.company_id._credit_today() if pause.company_id else fields.Date.today()
            open_end = pause.kind == 'never' or (pause.date_until and pause.date_until >= today)
            pause.in_force = bool(open_end) and not pause.ended_on

    @api.model
    def _search_in_force(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return self._in_force_domain(self.env.company.root_id._credit_today())

    @api.model
    def _in_force_domain(self, date):
        return Domain('ended_on', '=', False) & (Domain('kind', '=', 'never') | Domain('date_until', '>=', date))

    @api.constrains('partner_id', 'move_id', 'company_id')
    def _check_customer(self):
        for pause in self:
            if pause.partner_id != pause.partner_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "Reminders go to %(customer)s, not to its contact %(contact)s.",
                        customer=pause.partner_id.commercial_partner_id.display_name,
                        contact=pause.partner_id.display_name,
                    )
                )
            if pause.move_id and pause.move_id.company_id.root_id != pause.company_id:
                raise ValidationError(self.env._("The invoice %(name)s is another company's.", name=pause.move_id.name))

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            # Who pauses, and since when, is not for the client to say.
            flow = {'user_id': self.env.uid, 'date_from': self.env.company._credit_today()}
            vals_list = [{**vals, **flow, 'ended_on': False, 'ended_by_id': False} for vals in vals_list]
        for vals in vals_list:
            if move := self.env['account.move'].browse(vals.get('move_id') or []):
                vals.setdefault('company_id', move.company_id.root_id.id)
        pauses = super().create(vals_list)
        for pause in pauses:
            if pause.kind == 'until' and pause.date_until < pause.company_id._credit_today():
                raise UserError(self.env._("The pause would have ended already: choose a last day from today on."))
        pauses._record_events('dunning_paused')
        return pauses

    def write(self, vals):
        if not self.env.su and vals.keys() - {'date_until', 'reason', 'kind'}:
            raise AccessError(self.env._("Who paused what and since when stays. End this pause and make another."))
        result = super().write(vals)
        if vals.keys() & {'date_until', 'kind'}:
            self._record_events('dunning_paused')
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Pauses are kept. End this one instead."))

    def action_end(self):
        """Send reminders again.

        :raise AccessError: if the user may not
        """
        self.check_access('write')
        pauses = self.filtered('in_force')
        for company, mine in pauses.grouped('company_id').items():
            # Written by the flow only.
            mine.sudo().write({'ended_on': company._credit_today(), 'ended_by_id': self.env.uid})
        pauses._record_events('dunning_resumed')

    @api.model
    def _dialog(self, partner=None, move=None):
        """Return the action that asks for a pause of a customer or an invoice."""
        self.check_access('create')
        context = {'default_partner_id': (partner or move.commercial_partner_id).id}
        if move:
            context |= {'default_move_id': move.id, 'default_company_id': move.company_id.root_id.id}
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Pause Reminders"),
            'res_model': self._name,
            'views': [(self.env.ref('dunning_followup.dunning_pause_view_form_dialog').id, 'form')],
            'target': 'new',
            'context': context,
        }

    def _record_events(self, kind):
        entries = []
        for company, pauses in self.sudo().grouped('company_id').items():
            accounts = self.env['credit.account']._for_partners(pauses.partner_id, company).grouped('partner_id')
            for pause in pauses:
                payload = {'pause_id': pause.id, 'kind': pause.kind}
                if pause.kind == 'until':
                    payload['date_to'] = fields.Date.to_string(pause.date_until)
                if pause.move_id:
                    payload |= {'res_model': 'account.move', 'res_id': pause.move_id.id}
                entries.append((accounts[pause.partner_id], kind, payload))
        self.env['credit.event']._record(entries)

    def _text(self):
        """Return why reminders wait, in words."""
        self.ensure_one()
        values = {'reason': self.reason, 'user': self.user_id.name}
        if self.kind == 'never':
            return self.env._("Do not remind: %(reason)s (%(user)s)", **values)
        return self.env._(
            "Paused until %(date)s: %(reason)s (%(user)s)", date=format_date(self.env, self.date_until), **values
        )
