from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

from ..engine.grade import implied_limit


class CreditGradeChange(models.TransientModel):
    """Asks for a customer's new grade and shows what it implies, before and after; each is ticked apart."""

    _name = 'credit.grade.change'
    _inherit = ['credit.dialog']
    _description = "Change of Grade"

    account_id = fields.Many2one('credit.account', required=True, readonly=True)
    company_id = fields.Many2one(related='account_id.company_id')
    grade_before_id = fields.Many2one(related='account_id.grade_id', string="Present Grade")
    grade_id = fields.Many2one('credit.grade', string="New Grade", domain="[('company_id', 'in', [company_id, False])]")
    reason = fields.Char(help="Is kept with the account and with the proposal.")
    currency_id = fields.Many2one('res.currency', compute='_compute_before')
    limit_before = fields.Monetary(string="Present Base Limit", compute='_compute_before')
    has_limit = fields.Boolean(compute='_compute_before')
    limit_text = fields.Char(compute='_compute_before')
    payment_term_before = fields.Char(compute='_compute_before')
    pricelist_before = fields.Char(compute='_compute_before')
    may_write_terms = fields.Boolean(compute='_compute_before')
    payment_term_after = fields.Char(compute='_compute_after')
    pricelist_after = fields.Char(compute='_compute_after')
    limit_after = fields.Monetary(
        string="Proposed Limit", compute='_compute_proposals', store=True, readonly=False, help="May be changed."
    )
    change_limit = fields.Boolean(
        string="Propose the Limit",
        compute='_compute_proposals',
        store=True,
        readonly=False,
        help="Hand it in for approval.",
    )
    change_payment_term = fields.Boolean(
        string="Write the Payment Term", compute='_compute_proposals', store=True, readonly=False
    )
    change_pricelist = fields.Boolean(
        string="Write the Price List", compute='_compute_proposals', store=True, readonly=False
    )

    @api.model
    def _open(self, account):
        """Return the action that asks about an account."""
        return self.create({'account_id': account.id})._dialog_action(self.env._("Change the Grade"))

    @api.depends('account_id')
    @api.depends_context('uid')
    def _compute_before(self):
        manager = self.env.user.has_group('credit_management.group_credit_manager')
        for wizard in self:
            account, limit = wizard.account_id, wizard.account_id._base_limit()
            wizard.currency_id = limit.currency_id or account.currency_id
            wizard.limit_before = limit.amount
            wizard.has_limit = limit.limit_kind == 'amount'
            if wizard.has_limit:
                wizard.limit_text = False
            elif limit:
                wizard.limit_text = self.env._("Unlimited: no limit follows from a grade.")
            else:
                wizard.limit_text = self.env._("No base limit decided: no limit follows from a grade.")
            term, pricelist = wizard._present_terms()
            wizard.payment_term_before = term.display_name
            wizard.pricelist_before = pricelist.display_name
            wizard.may_write_terms = manager

    @api.depends('grade_id')
    def _compute_after(self):
        for wizard in self:
            wizard.payment_term_after = wizard.grade_id.payment_term_id.display_name
            wizard.pricelist_after = wizard.grade_id.pricelist_id.display_name

    @api.depends('account_id', 'grade_id')
    def _compute_proposals(self):
        manager = self.env.user.has_group('credit_management.group_credit_manager')
        for wizard in self:
            limit, grade = wizard.account_id._base_limit(), wizard.grade_id
            after = wizard._implied_limit(limit)
            wizard.limit_after = limit.amount if after is None else after
            wizard.change_limit = after is not None and bool(limit.currency_id.compare_amounts(after, limit.amount))
            term, pricelist = wizard._present_terms()
            wizard.change_payment_term = manager and bool(grade.payment_term_id) and grade.payment_term_id != term
            wizard.change_pricelist = (
                manager
                # Where price lists are not in use, nobody would see what was written.
                and self.env.user.has_group('product.group_product_pricelist')
                and bool(grade.pricelist_id)
                and grade.pricelist_id != pricelist
            )

    def _present_terms(self):
        """Return payment term and price list of the customer in the company of the account."""
        customer = self.account_id.partner_id.with_company(self.company_id)
        return customer.property_payment_term_id, customer.property_product_pricelist

    def _implied_limit(self, limit):
        """Return what the present base limit becomes, or None where nothing follows; no grade counts as factor 1."""
        if not self.grade_id or limit.limit_kind != 'amount':
            return None
        before = self.grade_before_id.limit_factor if self.grade_before_id else 1.0
        return implied_limit(limit.amount, before, self.grade_id.limit_factor, limit.currency_id.rounding)

    def action_apply(self):
        """Write the grade, hand in the limit, write payment term and price list, as ticked.

        :raise AccessError: if the user may not do one of them; nothing is done then
        :raise UserError: if no grade is chosen, or it is the present one
        """
        self.ensure_one()
        account, grade = self.account_id, self.grade_id
        account.check_access('write')
        if not grade or grade == account.grade_id:
            raise UserError(self.env._("Choose another grade than the present one."))
        if (self.change_payment_term or self.change_pricelist) and not self.may_write_terms:
            raise AccessError(self.env._("Only credit managers change a customer's payment term or price list."))
        before, limit = account.grade_id, account._base_limit()
        account.write({'grade_id': grade.id})
        if self.reason:
            account.message_post(body=self.env._("Grade changed: %(reason)s", reason=self.reason))
        if self.change_limit and limit.limit_kind == 'amount':
            self._propose_limit(before, limit)
        self._write_terms()
        return {'type': 'ir.actions.act_window_close'}

    def _propose_limit(self, before, limit):
        """Hand in the base limit that follows from the new grade, in the currency of the present one."""
        reason = self.env._(
            "Grade %(before)s → %(after)s, present limit %(limit)s. %(reason)s",
            before=before.code or "–",
            after=self.grade_id.code,
            limit=formatLang(self.env, limit.amount, currency_obj=limit.currency_id),
            reason=self.reason or '',
        )
        today = self.company_id._credit_today()
        proposal = self.env['credit.limit'].create(
            {
                'account_id': self.account_id.id,
                'amount': self.limit_after,
                'currency_id': limit.currency_id.id,
                'date_from': today,
                # What was limited in time stays so.
                'date_to': limit.date_to and limit.date_to >= today and limit.date_to,
                'reason': reason.strip(),
            }
        )
        proposal._write_flow({'origin': 'grade'})
        proposal.action_submit()

    def _write_terms(self):
        """Write payment term and price list as ticked, and tell it in the chatter."""
        # The decision is a credit manager's, who need not be allowed to edit contacts.
        events = self.account_id.sudo()._write_terms_of_grade(
            payment_term=self.change_payment_term, pricelist=self.change_pricelist
        )
        for event in events:
            self.account_id.message_post(body=event.description)
