from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

REASON_LABELS = [
    ('paid', "Paid already"),
    ('wrong_customer', "Wrong customer"),
    ('limit', "Limit too low, agreed otherwise"),
    ('disputed', "Disputed invoice"),
    ('data', "Data wrong"),
    ('other', "Other"),
]
STATE_LABELS = [
    ('reported', "Reported"),
    ('justified', "Hold was wrong"),
    ('declined', "Hold was right"),
]
# What an order shows of it, computed.
ORDER_FIELDS = [
    'credit_false_hold_id',
    'credit_false_hold_state',
    'credit_false_hold_reason',
    'credit_false_hold_note',
    'credit_can_report',
    'credit_can_judge',
]


class CreditFalseHold(models.Model):
    """A salesperson says that a hold is wrong, and a credit manager's word on it.

    Written by its two steps only; nobody has the right to write it. It decides
    nothing about the order: releasing it is a decision of its own.
    """

    _name = 'credit.false.hold'
    _description = "Hold Reported as Wrong"
    _order = 'id desc'
    _rec_name = 'document_name'

    check_id = fields.Many2one(
        'credit.check', required=True, readonly=True, ondelete='restrict', help="The check that stopped the document."
    )
    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one(related='account_id.partner_id', store=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, help="Company or branch of the document.")
    res_model = fields.Char(string="Document Type", required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', required=True, readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    reason = fields.Selection(REASON_LABELS, required=True, readonly=True)
    note = fields.Text(readonly=True)
    reported_by_id = fields.Many2one('res.users', required=True, readonly=True)
    reported_date = fields.Datetime(string="Reported On", required=True, readonly=True)
    state = fields.Selection(STATE_LABELS, required=True, readonly=True, default='reported', index=True)
    decided_by_id = fields.Many2one('res.users', readonly=True)
    decided_date = fields.Datetime(string="Decided On", readonly=True)
    decision_note = fields.Text(string="Reason of the Decision", readonly=True)
    check_reason = fields.Text(string="Why It Was Held", related='check_id.reason')
    can_judge = fields.Boolean(compute='_compute_can_judge')

    _document_index = models.Index('(res_model, res_id)')
    _check_unique = models.UniqueIndex('(check_id)', "This hold has been reported as wrong already.")

    @api.depends('state', 'reported_by_id')
    @api.depends_context('uid')
    def _compute_can_judge(self):
        manager = self.env.user.has_group('credit_management.group_credit_manager')
        for report in self:
            report.can_judge = manager and report.state == 'reported' and report.reported_by_id != self.env.user

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What was reported and decided about a hold is kept and can't be changed."))

    def _write_flow(self, vals):
        """Write what `write` keeps everybody from writing."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What was reported and decided about a hold is kept and can't be deleted."))

    @api.model
    def _report(self, order, reason, note):
        """Record that the hold of an order is wrong, and tell its credit controller.

        :raise AccessError: if the user may not read the order or is no salesperson
        :raise UserError: if the order is not on hold, its hold is reported already,
            or another reason is not explained
        """
        order.ensure_one()
        order.check_access('read')
        if not self.env.user.has_group('credit_management.group_credit_sales'):
            raise AccessError(self.env._("Only salespeople report that a hold is wrong."))
        order._credit_require_held()
        note = (note or '').strip()
        if reason == 'other' and not note:
            raise UserError(self.env._("Explain what is wrong with this hold."))
        # The check is not for salespeople; what is kept of it are its ids.
        held = order.sudo()
        if held.credit_false_hold_id:
            raise UserError(self.env._("The hold of %(order)s has been reported as wrong already.", order=order.name))
        check = held.credit_check_id
        report = self.sudo().create(
            {
                'check_id': check.id,
                'account_id': check.account_id.id,
                'company_id': order.company_id.id,
                'res_model': order._name,
                'res_id': order.id,
                'document_name': order.name,
                'reason': reason,
                'note': note,
                'reported_by_id': self.env.uid,
                'reported_date': fields.Datetime.now(),
            }
        )
        held.invalidate_recordset(ORDER_FIELDS)
        payload = {**report._prepare_event_payload(), 'reason': reason}
        self.env['credit.event']._record([(check.account_id, 'false_hold', payload)])
        author = order._credit_as_author()
        labels = dict(self._fields['reason']._description_selection(author.env))
        author._credit_post(
            author.env._("%(user)s says that this hold is wrong", user=self.env.user.name),
            [labels[reason], *filter(None, [note])],
            partners=held.credit_controller_id.partner_id,
        )
        return report

    def _judge(self, justified, note):
        """Say whether the hold was wrong, as reported; its reporter is told.

        :raise AccessError: if the user is no credit manager, or reported it
        :raise UserError: if it is decided already
        """
        self.ensure_one()
        if not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers decide whether a hold is wrong."))
        self.check_access('read')
        if self.reported_by_id == self.env.user:
            raise AccessError(self.env._("You reported this hold yourself. Another credit manager has to decide."))
        if self.state != 'reported':
            raise UserError(self.env._("It is decided already whether this hold was wrong."))
        state = 'justified' if justified else 'declined'
        vals = {
            'state': state,
            'decided_by_id': self.env.uid,
            'decided_date': fields.Datetime.now(),
            'decision_note': (note or '').strip(),
        }
        # Nobody has the right to write it; this is the one step that does.
        self.sudo()._write_flow(vals)
        payload = {**self._prepare_event_payload(), 'decision': state}
        self.env['credit.event']._record([(self.account_id, 'false_hold_decided', payload)])
        order = self.env[self.res_model].sudo().browse(self.res_id).exists()
        if order:
            order.invalidate_recordset(ORDER_FIELDS)
            author = order._credit_as_author()
            title = (
                author.env._("%(user)s: this hold was wrong", user=self.env.user.name)
                if justified
                else author.env._("%(user)s: this hold was right", user=self.env.user.name)
            )
            author._credit_post(
                title, list(filter(None, [vals['decision_note']])), partners=self.reported_by_id.partner_id
            )

    def _prepare_event_payload(self):
        """Return what the report is about, as the credit file keeps it."""
        self.ensure_one()
        return {
            'report_id': self.id,
            'check_id': self.check_id.id,
            'res_model': self.res_model,
            'res_id': self.res_id,
        }

    def action_judge(self):
        """Ask a credit manager whether the hold was wrong."""
        self.ensure_one()
        return self.env['sale.order'].browse(self.res_id).action_credit_judge_false_hold()

    def action_open_document(self):
        """Open the document that was held."""
        self.ensure_one()
        return self.check_id.action_open_document()
