from math import inf

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang


class CreditRelease(models.Model):
    """A request to let a held document go on, and the decision about it, in one record.

    Written by the flow of the document only; nobody has the right to write it.
    """

    _name = 'credit.release'
    _inherit = ['credit.approval.mixin']
    _description = "Credit Release"
    _order = 'id desc'
    _rec_name = 'document_name'
    _approval_kind = 'release'
    _approval_state = 'requested'
    _approval_activity = 'credit_management.mail_activity_type_release'

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one(related='account_id.partner_id', store=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, help="Company or branch of the document.")
    check_id = fields.Many2one(
        'credit.check', required=True, readonly=True, help="The check that stopped the document."
    )
    debtor_id = fields.Many2one('res.partner', readonly=True, help="The customer who will owe the document.")
    res_model = fields.Char(string="Document Type", required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', required=True, readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    amount = fields.Monetary(readonly=True, help="Taxed total up to which the document may go on, in its currency.")
    state = fields.Selection(
        [
            ('requested', "Requested"),
            ('released', "Released"),
            ('rejected', "Rejected"),
            ('cancelled', "Cancelled"),
        ],
        required=True,
        readonly=True,
        default='requested',
    )
    requested_by_id = fields.Many2one('res.users', readonly=True)
    requested_date = fields.Datetime(string="Requested On", readonly=True)
    request_note = fields.Text(string="Reason of the Request", readonly=True)
    decided_by_id = fields.Many2one('res.users', readonly=True)
    decided_date = fields.Datetime(string="Decided On", readonly=True)
    decision_note = fields.Text(string="Reason of the Decision", readonly=True)
    emergency_state = fields.Selection(
        [
            ('open', "To be confirmed"),
            ('confirmed', "Confirmed"),
            ('refused', "Refused"),
            ('overdue', "Not confirmed in time"),
        ],
        string="Emergency Release",
        readonly=True,
        help="Released by one alone because it could not wait. Whoever would have had to decide confirms it until the "
        "end of the next working day, else the goods are stopped.",
    )

    salesperson_id = fields.Many2one('res.users', compute='_compute_salesperson_id', compute_sudo=True)

    _document_index = models.Index('(res_model, res_id)')

    @api.depends('res_model', 'res_id')
    def _compute_salesperson_id(self):
        # All at once: who may decide is asked about many releases.
        orders = self.filtered(lambda release: release.res_model == 'sale.order')
        salespeople = {
            order.id: order.user_id for order in self.env['sale.order'].browse(orders.mapped('res_id')).exists()
        }
        for release in self:
            release.salesperson_id = release in orders and salespeople.get(release.res_id)

    def _record_event(self, kind):
        """Note the request or the decision in the customer's credit file."""
        self.env['credit.event']._record(
            [
                (
                    release.account_id,
                    kind,
                    {
                        'release_id': release.id,
                        'check_id': release.check_id.id,
                        'res_model': release.res_model,
                        'res_id': release.res_id,
                        'amount': release.amount,
                        'currency_id': release.currency_id.id,
                    },
                )
                for release in self
            ]
        )

    def _covers(self, total, currency, debtor):
        """Tell whether this release lets a document of this total, currency and debtor go on."""
        self.ensure_one()
        return (
            self.state == 'released'
            and self.debtor_id == debtor
            and self.currency_id == currency
            and currency.compare_amounts(total, self._allowed_amount()) <= 0
            and self._lets_go()
        )

    # -------------------------------------------------------------------------
    # Approval
    # -------------------------------------------------------------------------

    def _approval_request(self, margin=None):
        # EXTENDS credit.approval.mixin: as the check saw it, or as the document is by now, and as it may grow
        check = self.check_id
        total = self._company_total()
        growth = total - check.document_total + total * (self.margin if margin is None else margin) / 100
        present = inf if check.unlimited else check.effective_limit
        excess = 0.0 if check.unlimited else max(0.0, check.exposure + check.document_amount + growth - present)
        return self._prepare_approval_request(check.document_total + growth, present, excess)

    def _company_total(self):
        """Return what is to be released in company currency, at the rate of the check if its total is still that."""
        check = self.check_id
        if self.currency_id == check.document_currency_id and not self.currency_id.compare_amounts(
            self.amount, check.document_total_currency
        ):
            return check.document_total
        company = self._approval_company()
        return self.currency_id._convert(self.amount, company.currency_id, company, company._credit_today())

    def _approval_requester(self):
        # EXTENDS credit.approval.mixin: who asked, else who wanted the document to go on
        return self.requested_by_id or self.check_id.user_id

    def _approval_barred(self):
        # EXTENDS credit.approval.mixin: nor who sells it or wanted it to go on, whoever asked for the release (that a
        # release confirmed it was no wish); who released alone does not confirm that himself
        barred = self._approval_requester() | self.salesperson_id
        if not self.check_id.release_id:
            barred |= self.check_id.user_id
        return barred | self.decided_by_id if self.emergency_state else barred

    def _approval_policy(self):
        # EXTENDS credit.approval.mixin
        return self.check_id.policy_id or super()._approval_policy()

    def _approval_outside(self, margin=None):
        # EXTENDS credit.approval.mixin
        bound, request = self._approval_policy().max_release_excess_percent, self._approval_request(margin)
        if self.emergency_state or not bound or not request.excess or not request.exceeds_by_percent(bound + 0.01):
            return False
        return self.env._(
            "The policy allows releases of up to %(percent)s %% beyond the limit.",
            percent=formatLang(self.env, bound, digits=2),
        )

    def _approval_target(self):
        # EXTENDS credit.approval.mixin: the order
        return self._document()

    def _approval_summary(self):
        # EXTENDS credit.approval.mixin
        return self.env._(
            "%(order)s, %(customer)s", order=self.display_name, customer=self.account_id.partner_id.display_name
        )

    def _approval_button(self, decision, step):
        # EXTENDS credit.approval.mixin
        return self._document()._credit_approval_button(decision, step)

    def _document(self):
        """Return the document that is to be released, none if it is gone."""
        return self.env[self.res_model].browse(self.res_id).exists()

    def _follow(self, vals):
        """Take over the document's new check while the release is asked for.

        Another amount is another question, and so is what another level has to be asked about.
        """
        for release in self.filtered(lambda item: item.state == 'requested'):
            before = (release.amount, release.currency_id, release.debtor_id)
            release.write(vals)
            if before != (release.amount, release.currency_id, release.debtor_id) or release._further_levels():
                release._approval_start()
                release._approval_notify()
            else:
                release._approval_update_steps()

    def _further_levels(self):
        """Return the levels that would have to be asked by now, and are not."""
        self.ensure_one()
        attempt = self.approval_id.attempt
        asked = self.approval_ids.filtered(lambda step: step.attempt == attempt).level_id
        return self._approval_levels(self._approval_request()) - asked

    # -------------------------------------------------------------------------
    # Emergency
    # -------------------------------------------------------------------------

    def _emergency_levels(self):
        """Return the levels whose people may release this document alone: those of its policy, if any has to decide."""
        policy = self._approval_policy().sudo()
        asked = policy._approval_levels('release', self._approval_request(), self.account_id)
        return policy.approval_level_ids.filtered(lambda level: level.kind in ('all', 'release')) if asked else asked

    def _may_release_in_emergency(self, user):
        """Tell whether a user may release this document alone, to be confirmed afterwards."""
        self.ensure_one()
        bound = self._approval_policy().sudo().emergency_amount
        company = self._approval_company()
        if not bound or company.currency_id.compare_amounts(self._approval_request(margin=0.0).amount, bound) > 0:
            return False
        return user in self._emergency_users() and not self._refused_before()

    def _refused_before(self):
        """Tell whether somebody has released this document alone before, and was not confirmed."""
        self.ensure_one()
        document = [('res_model', '=', self.res_model), ('res_id', '=', self.res_id)]
        return bool(self.search_count([*document, ('emergency_state', '=', 'refused')], limit=1))

    def _emergency_users(self):
        """Return who may release this document alone, up to the policy's amount."""
        company = self._approval_company()
        members = [level._members(company) for level in self._emergency_levels()]
        return self.env['res.users'].union(*members) - self._approval_barred()

    def _check_emergency(self, note, reason):
        """Refuse an emergency release by the wrong person, of too much, or without its reason.

        :raise AccessError: if the user may not release it alone
        :raise UserError: if the reason is missing
        """
        if self._refused_before():
            raise UserError(
                self.env._(
                    "An emergency release of %(document)s was refused: now those decide who would have had to.",
                    document=self.document_name,
                )
            )
        if not self._may_release_in_emergency(self.env.user):
            bound = self._approval_policy().sudo().emergency_amount
            currency = self._approval_company().currency_id
            raise AccessError(
                self.env._(
                    "You can't release %(document)s alone: up to %(amount)s, somebody of an approval level may who "
                    "neither asked for it nor sells it (%(users)s).",
                    document=self.document_name,
                    amount=formatLang(self.env, bound, currency_obj=currency),
                    users=', '.join(self._emergency_users().mapped('name')) or self.env._("nobody"),
                )
            )
        if not (reason and reason.for_emergency and note):
            raise UserError(self.env._("Choose why it can't wait, and add a note: the release has to be confirmed."))

    def _ask_confirmation(self, reason):
        """Ask the level that would have had to decide to confirm a release that one made alone."""
        self.ensure_one()
        request = self._approval_request()
        attempt = max(self.approval_ids.mapped('attempt'), default=0) + 1
        self._approval_write({'outside_policy': bool(self._approval_outside()), 'reason_id': reason.id})
        self.write({'emergency_state': 'open'})
        step = self.env['credit.approval'].create(
            self._prepare_step_vals(request, self._approval_levels(request)[-1:])
            | {'kind': 'confirmation', 'sequence': 0, 'attempt': attempt, 'requested_by_id': self.decided_by_id.id}
        )
        step._ask(notify=False)
        self._approval_write({'approval_id': step.id})
        self._approval_notify()
        self._record_event('emergency_released')

    def _settle_emergency(self, confirmed, note, reason=None, step=None):
        """Confirm or refuse a release that one made alone.

        :raise AccessError: if it is not for the user to decide
        """
        self.ensure_one()
        release = self.sudo()
        if release.emergency_state not in ('open', 'overdue'):
            raise UserError(self.env._("%(document)s has no release to be confirmed.", document=release.document_name))
        self._approval_decide('approved' if confirmed else 'rejected', note, reason, step)
        # Written by the flow only.
        release.write({'emergency_state': 'confirmed' if confirmed else 'refused'})
        release._record_event('emergency_confirmed' if confirmed else 'emergency_refused')
        if not confirmed:
            release._report_emergency(
                self.env._(
                    "%(user)s refused the emergency release of %(document)s: %(reason)s",
                    user=self.env.user.name,
                    document=release.document_name,
                    reason=note,
                )
            )

    def _approval_unconfirmed(self):
        # EXTENDS credit.approval.mixin
        for release in self.filtered(lambda item: item.emergency_state == 'open'):
            release.write({'emergency_state': 'overdue'})
            release._record_event('emergency_overdue')
            release._report_emergency(
                self.env._(
                    "The emergency release of %(document)s by %(user)s was not confirmed in time.",
                    document=release.document_name,
                    user=release.decided_by_id.name,
                )
            )

    def _report_emergency(self, text):
        """Tell the credit managers; the goods stay as long as it is so, see `sale.order._credit_goods_stopped`."""
        order = self._document()
        if not order:
            return
        company = self._approval_company()
        for user in company._credit_managers():
            reader = order.with_context(lang=user.lang or self.env.lang)
            order.activity_schedule(
                'mail.mail_activity_data_todo',
                date_deadline=company._credit_today(),
                summary=reader.env._("Emergency release not confirmed"),
                note=text,
                user_id=user.id,
            )
        self._approval_note(text, self.decided_by_id | order.user_id)
