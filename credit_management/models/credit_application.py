from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_list

from .credit_rule import STATUS_LABELS

ANALYST = 'credit_management.group_credit_analyst'
READERS = 'credit_management.group_credit_auditor,credit_management.group_credit_analyst,account.group_account_invoice'
STATE_LABELS = [
    ('draft', "Draft"),
    ('submitted', "Submitted"),
    ('proposed', "Limit Proposed"),
    ('approved', "Approved"),
    ('rejected', "Rejected"),
    ('withdrawn', "Withdrawn"),
]
OPEN_STATES = ('draft', 'submitted', 'proposed')
ORIGIN_LABELS = [
    ('manual', "By hand"),
    ('order', "Held order"),
    ('portal', "Customer portal"),
    ('import', "Import"),
    ('scoring', "Scoring"),
]
# What only the flow itself writes.
FLOW_FIELDS = {
    'name', 'state', 'origin', 'account_id', 'limit_id', 'requested_by_id', 'submitted_date', 'decided_by_id',
    'decided_date', 'decided_amount', 'decision_note', 'author_ids',
}  # fmt: skip
# What becomes the limit: who writes it does not approve that.
LIMIT_FIELDS = {'amount', 'currency_id', 'kind', 'date_to'}
# Messages and activities, which may be written whatever the state.
SOCIAL = ('message_', 'activity_', 'my_activity_', 'website_message_')


class CreditApplication(models.Model):
    """A customer's request for a first or higher limit, with all that a decision needs."""

    _name = 'credit.application'
    _inherit = ['credit.root.company', 'mail.thread', 'mail.activity.mixin']
    _description = "Credit Application"
    _order = 'id desc'
    # On a phone the menu of activities opens no cards unless told so.
    _systray_view = 'kanban'
    _rec_names_search = ['name', 'partner_id.complete_name', 'registration_code']

    name = fields.Char(string="Number", readonly=True, copy=False)
    account_id = fields.Many2one('credit.account', readonly=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one(
        'res.partner',
        string="Customer",
        required=True,
        index=True,
        ondelete='restrict',
        domain="['|', ('is_company', '=', True), ('parent_id', '=', False)]",
        help="The commercial entity that will owe.",
    )
    state = fields.Selection(
        STATE_LABELS, required=True, readonly=True, default='draft', copy=False, tracking=True, index=True
    )
    origin = fields.Selection(ORIGIN_LABELS, required=True, readonly=True, default='manual', copy=False)
    order_id = fields.Many2one(
        'sale.order', string="Held Order", readonly=True, copy=False, index='btree_not_null', ondelete='set null'
    )
    requested_by_id = fields.Many2one(
        'res.users', string="Applied For By", readonly=True, copy=False, default=lambda self: self.env.user
    )
    author_ids = fields.Many2many(
        'res.users',
        'credit_application_author_rel',
        'application_id',
        'user_id',
        string="Changed By",
        readonly=True,
        copy=False,
        help="Who changed what is asked for. None of them approves the limit.",
    )
    submitted_date = fields.Datetime(string="Submitted On", readonly=True, copy=False)
    kind = fields.Selection(
        [('base', "Base"), ('temporary', "Temporary")],
        required=True,
        default='base',
        help="Base: until another decision. Temporary: until the stated last day.",
    )
    amount = fields.Monetary(string="Requested Limit", tracking=True, help="In the currency beside it, taxes included.")
    # The applicant's, not the company's.
    currency_id = fields.Many2one(
        'res.currency', related=None, required=True, default=lambda self: self.env.company.root_id.currency_id
    )
    date_to = fields.Date(string="Until", help="Last day of a temporary limit.")
    payment_term_id = fields.Many2one(
        'account.payment.term', string="Requested Payment Term", check_company=True, ondelete='restrict'
    )
    monthly_sales = fields.Monetary(string="Expected Monthly Sales", help="In the currency of the request.")
    registration_code = fields.Char(help="As in the trade register, or the tax number.")
    licence_number = fields.Char(help="Of the business licence.")
    legal_representative = fields.Char()
    guarantor = fields.Char(help="Who stands in for the customer, and for how much.")
    reason = fields.Text(help="What the credit is for, and why the customer deserves it.")
    visit_date = fields.Date(string="Visited On")
    visit_note = fields.Text(help="What was seen at the customer's: premises, stock, machines, people.")
    reference_ids = fields.One2many('credit.application.reference', 'application_id', string="References", copy=True)
    document_ids = fields.One2many('credit.application.document', 'application_id', string="Checklist")
    missing = fields.Text(compute='_compute_missing', help="What the checklist asks for and is not there.")
    limit_id = fields.Many2one(
        'credit.limit', readonly=True, copy=False, index='btree_not_null', ondelete='set null', groups=READERS
    )
    decided_by_id = fields.Many2one('res.users', readonly=True, copy=False)
    decided_date = fields.Datetime(string="Decided On", readonly=True, copy=False)
    decided_amount = fields.Monetary(string="Decided Limit", readonly=True, copy=False)
    decision_note = fields.Text(string="Reason of the Decision", readonly=True, copy=False)
    meter = fields.Json(compute='_compute_account_figures')
    account_status = fields.Selection(STATUS_LABELS, compute='_compute_account_figures')
    grade_id = fields.Many2one('credit.grade', compute='_compute_account_figures')
    similar_partner_ids = fields.Many2many(
        'res.partner',
        string="Similar Names",
        compute='_compute_similar_partner_ids',
        context={'active_test': False},
        help="Other customers whose names are nearly the same.",
    )
    duplicate_partner_ids = fields.Many2many(
        'res.partner',
        string="Same Registration Code",
        compute='_compute_similar_partner_ids',
        context={'active_test': False},
        help="Other customers with the same tax or company number.",
    )
    can_edit = fields.Boolean(compute='_compute_can_edit')
    is_analyst = fields.Boolean(compute='_compute_can_edit')

    _amount_positive = models.Constraint(
        'CHECK (amount >= 0 AND monthly_sales >= 0)', "Neither the requested limit nor the sales can be negative."
    )

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    @api.depends('name', 'partner_id')
    def _compute_display_name(self):
        for application in self:
            application.display_name = ' · '.join(
                filter(None, [application.name, application.partner_id.display_name])
            ) or self.env._("New Application")

    @api.depends('document_ids.done', 'document_ids.required', 'document_ids.name')
    def _compute_missing(self):
        for application in self:
            names = application.document_ids.filtered(lambda line: line.required and not line.done).mapped('name')
            application.missing = format_list(self.env, names) if names else False

    @api.depends('account_id', 'partner_id', 'company_id')
    @api.depends_context('uid')
    def _compute_account_figures(self):
        # Whoever reads the application may read the account: the rules are the same.
        Account = self.env['credit.account'].sudo()
        visible = Account._visible_partners(self.partner_id.commercial_partner_id, self.env.user)
        for company, applications in self.grouped('company_id').items():
            partners = applications.partner_id.commercial_partner_id & visible
            partners = partners._origin
            figures = Account._figures(company.sudo(), partners.ids) if company and partners else {}
            for application in applications:
                row = figures.get(application.partner_id.commercial_partner_id._origin.id)
                application.meter = row and Account._prepare_meter(row, company.sudo().currency_id)
                application.account_status = row and (row['status'] or 'normal')
                application.grade_id = row and row['grade_id']

    @api.depends('partner_id', 'partner_id.name', 'registration_code')
    @api.depends_context('uid', 'allowed_company_ids')
    def _compute_similar_partner_ids(self):
        partners = self.partner_id.commercial_partner_id
        similar, duplicates = partners._credit_similar(), partners._credit_duplicates()
        coded = self.env['res.partner']._credit_with_codes(self.mapped('registration_code'))
        none = self.env['res.partner']
        for application in self:
            partner = application.partner_id.commercial_partner_id._origin
            same = duplicates.get(partner.id, none) | coded.get(application.registration_code, none)
            application.duplicate_partner_ids = same - partner
            application.similar_partner_ids = similar.get(partner.id, none) - same

    @api.depends('state')
    @api.depends_context('uid')
    def _compute_can_edit(self):
        analyst = self.env.user.has_group(ANALYST)
        for application in self:
            application.is_analyst = analyst
            application.can_edit = application._editable()

    # -------------------------------------------------------------------------
    # Constraints
    # -------------------------------------------------------------------------

    @api.constrains('kind', 'date_to')
    def _check_date_to(self):
        for application in self:
            if application.kind == 'temporary' and not application.date_to:
                raise ValidationError(self.env._("State the last day of the temporary limit."))

    @api.onchange('partner_id')
    def _onchange_partner_id(self):
        if self.partner_id:
            self.update(self._defaults_of(self.partner_id.commercial_partner_id, self.company_id))

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self.check_access('create')
        sequence = self.env['ir.sequence'].sudo()
        flow = {name for name in FLOW_FIELDS - {'origin'} if self._has_field_access(self._fields[name], 'write')}
        for vals in vals_list:
            given = {name for name in FLOW_FIELDS & vals.keys() if vals[name]}
            if given - {'origin'} or vals.get('origin', 'manual') != 'manual' and not self.env.su:
                raise AccessError(self.env._("An application starts as a draft; its state follows from its buttons."))
            # Explicit, so that no default from a client's context gets in.
            vals.update(dict.fromkeys(flow, False))
            partner = self.env['res.partner'].browse(
                vals.get('partner_id') or self.env.context.get('default_partner_id') or ()
            )
            partner.check_access('read')
            partner = partner.commercial_partner_id
            company = self._root_of(vals.get('company_id') or self.env.context.get('default_company_id'))
            vals.update(
                partner_id=partner.id,
                company_id=company.id,
                account_id=partner and self.env['credit.account']._for_partners(partner, company).id,
                name=sequence.with_company(company).next_by_code('credit.application'),
                state='draft',
                origin=vals.get('origin') or 'manual',
                requested_by_id=self.env.uid,
                order_id=vals.get('order_id') if self.env.su else False,
            )
        applications = super().create(vals_list)
        applications._fill_checklist()
        return applications

    def write(self, vals):
        if FLOW_FIELDS & vals.keys():
            raise AccessError(self.env._("An application's state follows from its buttons."))
        for name in ('partner_id', 'company_id', 'order_id'):
            if name in vals and any(application[name].id != vals[name] for application in self):
                raise UserError(
                    self.env._("An application stays with its customer, company and order. Make another one instead.")
                )
        if any(not name.startswith(SOCIAL) for name in vals):
            self._check_editable()
        result = super().write(vals)
        if LIMIT_FIELDS & vals.keys():
            # Written by the flow only.
            self.sudo()._write_flow({'author_ids': [fields.Command.link(self.env.uid)]})
        if not self.env.su:
            self.filtered(lambda application: application.state == 'draft')._fill_checklist()
        return result

    def copy_data(self, default=None):
        # EXTENDS base: the checklist of the copy is that of its day
        return [{**vals, 'document_ids': []} for vals in super().copy_data(default)]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        if any(application.state != 'draft' for application in self):
            raise UserError(self.env._("Only drafts can be deleted. Withdraw the application instead."))

    @api.model
    def _root_of(self, company_id):
        company = self.env['res.company'].browse(company_id) if company_id else self.env.company
        # The main company of a branch in which somebody works; the rule says whether he may.
        return company.sudo().root_id

    def _editable(self):
        """Tell whether the user may change the content: salespeople a draft, analysts until the limit is proposed."""
        self.ensure_one()
        states = ('draft', 'submitted') if self.env.user.has_group(ANALYST) else ('draft',)
        return self.env.su or self.state in states

    def _check_editable(self):
        """Refuse changes of what has been handed in.

        :raise AccessError: if the user may not write these applications at all
        """
        self.check_access('write')
        for application in self:
            if not application._editable():
                raise UserError(
                    self.env._(
                        "%(application)s has been handed in and can't be changed any more. Withdraw it and make "
                        "another one, or tell the credit analyst in a message.",
                        application=application.display_name,
                    )
                )

    def _write_flow(self, vals):
        """Write what `write` keeps clients from writing."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    # -------------------------------------------------------------------------
    # The one way in
    # -------------------------------------------------------------------------

    @api.model
    def _open_for(self, partner, company, origin='manual', order=None, **vals):
        """Return the draft application of a customer, making it if this user has none.

        What is open already is not asked for twice: the draft that is there
        gets only what it does not say yet.

        :param partner: a customer or one of its contacts
        :param company: any company; the application is its root's
        :param origin: where it comes from, see ORIGIN_LABELS
        :param order: the held sale.order that is the reason
        :param vals: further values, as `amount`, `currency_id`, `reason`
        :raise AccessError: if the user may not apply for this customer
        """
        customer = partner.commercial_partner_id
        self.check_access('create')
        self._check_may_apply(customer)
        draft = self.search(
            [
                ('partner_id', '=', customer.id),
                ('company_id', '=', company.root_id.id),
                ('state', '=', 'draft'),
                ('requested_by_id', '=', self.env.uid),
            ],
            limit=1,
        )
        if draft:
            draft.write({name: value for name, value in vals.items() if not draft[name]})
        else:
            defaults = self._defaults_of(customer, company.root_id)
            draft = self.create({'partner_id': customer.id, 'company_id': company.root_id.id, **defaults, **vals})
        if origin != 'manual' and (draft.origin == 'manual' or order):
            draft._write_flow({'origin': origin, 'order_id': order.id if order else draft.order_id.id})
        return draft

    @api.model
    def _defaults_of(self, customer, company):
        """Return what is known of a customer that an application asks for."""
        customer = customer.with_company(company)
        return {
            'registration_code': customer.company_registry or customer.vat,
            'payment_term_id': customer.property_payment_term_id.id,
        }

    @api.model
    def _check_may_apply(self, customer):
        """Refuse applications for customers whose credit the user may not see."""
        if not self.env['credit.account'].sudo()._visible_partners(customer, self.env.user):
            raise AccessError(
                self.env._(
                    "%(customer)s is not your customer. Its salesperson or a credit analyst can apply for credit.",
                    customer=customer.display_name,
                )
            )

    # -------------------------------------------------------------------------
    # Checklist
    # -------------------------------------------------------------------------

    def _fill_checklist(self):
        """Bring the checklist up to date with the policy; lines that are not asked for any more go unless in use."""
        # Of the policy only the checklist is read, which salespeople may see.
        policies = {}
        for company, applications in self.sudo().grouped('company_id').items():
            customers = applications.partner_id
            applied = self.env['credit.account'].sudo()._applied_policies(customers, company)
            policies |= {(company, partner_id): policy for partner_id, policy in applied.items()}
        for application in self.sudo():
            policy = policies.get((application.company_id, application.partner_id.id), self.env['credit.policy'])
            items = policy.sudo().checklist_ids.filtered(application._concerned_by)
            lines = application.document_ids
            lines.filtered(lambda line, items=items: line.item_id not in items and not line.attachment_ids).unlink()
            lines = lines.exists()
            for item in items:
                vals = {'name': item.name, 'kind': item.kind, 'required': item.required, 'sequence': item.sequence}
                line = lines.filtered(lambda line, item=item: line.item_id == item)
                if line and any(line[name] != value for name, value in vals.items()):
                    line.write(vals)
                elif not line:
                    application.env['credit.application.document'].create(
                        {'application_id': application.id, 'item_id': item.id, **vals}
                    )

    def _concerned_by(self, item):
        """Tell whether an item is needed for a request of this amount."""
        company = self.company_id
        if company.currency_id.is_zero(item.amount_from):
            return True
        amount = self.currency_id._convert(self.amount, company.currency_id, company, company._credit_today())
        return company.currency_id.compare_amounts(amount, item.amount_from) >= 0

    def _attach(self, item_id, attachment_ids):
        """Put files on the line of a checklist item; for the portal, imports and scoring."""
        self.ensure_one()
        line = self.document_ids.filtered(lambda line: line.item_id.id == item_id)
        line.write({'attachment_ids': [fields.Command.link(id_) for id_ in attachment_ids]})

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def action_submit(self):
        """Hand these drafts in: a salesperson's goes to the analyst, an analyst's becomes a proposed limit.

        :raise UserError: if something that the checklist asks for is missing
        """
        self.check_access('write')
        for application in self:
            application._check_editable()
            if application.state != 'draft':
                raise UserError(self.env._("Only a draft can be submitted."))
            application._check_may_apply(application.partner_id)
            application._check_complete()
            application._write_flow({'state': 'submitted', 'submitted_date': fields.Datetime.now()})
            application._record_event('application_submitted', application.amount)
            if self.env.user.has_group(ANALYST):
                application.action_propose()
            else:
                application._ask_analyst()
        return True

    def _check_complete(self):
        """Refuse what can't be decided on yet, naming what is missing."""
        self.ensure_one()
        self._fill_checklist()
        if not self.currency_id.compare_amounts(self.amount, 0.0) > 0:
            raise UserError(self.env._("State the limit that %(customer)s asks for.", customer=self.partner_id.name))
        self.env['credit.check']._require_rate(self.currency_id, self.company_id)
        self.invalidate_recordset(['missing'])
        if self.missing:
            raise UserError(
                self.env._(
                    "%(application)s is not complete. Still missing: %(missing)s.",
                    application=self.display_name,
                    missing=self.missing,
                )
            )

    def _ask_analyst(self):
        """Give the account's controller the activity to look at this application."""
        # The applicant need not be allowed to plan activities for others.
        application = self.sudo()
        controller = application.account_id._controller()
        reader = application.with_context(lang=controller.lang or self.env.lang)
        application.activity_schedule(
            'credit_management.mail_activity_type_application',
            date_deadline=application.company_id._credit_today(),
            summary=reader.env._("Look at the application and propose a limit"),
            user_id=controller.id or self.env.uid,
        )

    def action_propose(self):
        """Make the limit that is asked for and hand it in for approval; for analysts.

        :raise AccessError: if the user is no credit analyst
        """
        self._check_analyst()
        for application in self:
            if application.state != 'submitted':
                raise UserError(self.env._("Only a submitted application can become a proposed limit."))
            application._check_complete()
            limit = application._draft_limit()
            limit.action_submit()
            application._close_activity()
        return True

    def _draft_limit(self):
        """Return the draft of the limit that this application asks for: the one taken back, or a new one."""
        self.ensure_one()
        vals = self._prepare_limit_vals()
        if self.limit_id.state == 'draft':
            self.limit_id.write({name: value for name, value in vals.items() if name != 'account_id'})
            return self.limit_id
        limit = self.env['credit.limit'].create(vals)
        limit._write_flow({'origin': 'application', 'application_id': self.id})
        self._write_flow({'limit_id': limit.id})
        return limit

    def _prepare_limit_vals(self):
        """Return the limit that is asked for."""
        return {
            'account_id': self.account_id.id,
            'kind': self.kind,
            'limit_kind': 'amount',
            'amount': self.amount,
            'currency_id': self.currency_id.id,
            'date_from': self.company_id._credit_today(),
            'date_to': self.date_to if self.kind == 'temporary' else False,
            'reason': '\n'.join(filter(None, [self.env._("Application %(number)s", number=self.name), self.reason])),
        }

    def action_decline(self):
        """Ask why the application is rejected before a limit is proposed; for analysts."""
        self._check_analyst()
        self.ensure_one()
        if self.state != 'submitted':
            raise UserError(self.env._("Only a submitted application can be rejected here."))
        return self.env['credit.application.refusal']._dialog_action(
            self.env._("Reject"), {'default_application_id': self.id}
        )

    def _decline(self, note):
        """Reject a submitted application.

        :raise AccessError: if the user is no credit analyst
        """
        self._check_analyst()
        self.ensure_one()
        if self.state != 'submitted':
            raise UserError(self.env._("Only a submitted application can be rejected here."))
        self._decide('rejected', self.env.user, note, 0.0)

    def action_withdraw(self):
        """Take open applications back; a limit that is not decided yet goes with it.

        :raise AccessError: if the user is neither the applicant nor a credit analyst
        """
        self.check_access('write')
        analyst = self.env.user.has_group(ANALYST)
        for application in self:
            if application.state not in OPEN_STATES:
                raise UserError(self.env._("%(application)s is decided.", application=application.display_name))
            if not self.env.su and not analyst and application.requested_by_id != self.env.user:
                raise AccessError(self.env._("Only the applicant or a credit analyst takes an application back."))
            # The applicant need not be allowed to see the limit that is being proposed.
            limit = application.sudo().limit_id
            application.sudo()._write_flow({'state': 'withdrawn', 'limit_id': False})
            if limit.state == 'submitted':
                limit.action_draft()
            if any(step.state == 'approved' for step in limit.approval_ids):
                # What a level has decided stays in the history.
                note = application.env._("The application was withdrawn.")
                limit._write_flow({'state': 'rejected', **limit._decision_vals(), 'decision_note': note})
            elif limit.state == 'draft':
                limit.unlink()
            application._close_activity()
        return True

    def _check_analyst(self):
        if not self.env.su and not self.env.user.has_group(ANALYST):
            raise AccessError(self.env._("Only credit analysts and managers work on submitted applications."))
        self.check_access('write')

    def _follow_limit(self):
        """Take over what became of the limits that these applications made."""
        for application in self.sudo():
            limit = application.limit_id
            if application.state not in ('submitted', 'proposed'):
                continue
            if limit.state == 'submitted':
                application._write_flow({'state': 'proposed'})
            elif limit.state == 'draft':
                application._write_flow({'state': 'submitted'})
            elif limit.state in ('approved', 'rejected'):
                application._decide(
                    limit.state, limit.decided_by_id, limit.decision_note, application._amount_of(limit)
                )

    def _amount_of(self, limit):
        """Return what was approved, in the currency of this application: whoever decides may choose another."""
        self.ensure_one()
        if limit.state != 'approved' or limit.limit_kind == 'unlimited':
            return 0.0
        company = self.company_id
        return limit.currency_id._convert(limit.amount, self.currency_id, company, company._credit_today())

    def _decide(self, state, user, note, amount):
        """Note the decision and tell the applicant."""
        self.ensure_one()
        self._write_flow(
            {
                'state': state,
                'decided_by_id': user.id,
                'decided_date': fields.Datetime.now(),
                'decided_amount': amount,
                'decision_note': note,
            }
        )
        self._record_event('application_decided', amount)
        self._close_activity()
        applicant = self.requested_by_id
        reader = self.with_context(lang=applicant.lang or self.env.lang)
        # The applicant reads what became of it, not the limit.
        limit = reader.sudo().limit_id
        body = (
            reader.env._("Unlimited credit is approved for %(customer)s.", customer=self.partner_id.display_name)
            if state == 'approved' and limit.limit_kind == 'unlimited'
            else reader.env._("A credit limit of %(amount)s is approved for %(customer)s.", amount=limit._amount_text(),
                              customer=self.partner_id.display_name)
            if state == 'approved'
            else reader.env._("The application for %(customer)s is rejected: %(reason)s", reason=note or "–",
                              customer=self.partner_id.display_name)
        )  # fmt: skip
        self.message_post(body=body, partner_ids=applicant.partner_id.ids)

    def _record_event(self, kind, amount):
        """Note an application in the customer's credit file."""
        self.env['credit.event']._record(
            [
                (
                    application.account_id,
                    kind,
                    {
                        'application_id': application.id,
                        'amount': amount,
                        'currency_id': application.currency_id.id,
                        'state': application.state,
                    },
                )
                for application in self
            ]
        )

    def _close_activity(self):
        # Whoever's activity it is.
        self.sudo().activity_feedback(['credit_management.mail_activity_type_application'])

    def _open_action(self):
        """Return the action that opens this application."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Application"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
        }

    def action_view_limit(self):
        """Open the limit that this application made."""
        self.ensure_one()
        return self.limit_id.get_formview_action()

    def action_view_account(self):
        """Open the credit account of the applicant."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_account_action')
        return action | {'res_id': self.account_id.id, 'views': [(False, 'form')]}

    @api.model
    def _open_of(self, accounts):
        """Return the domain of the open applications of some accounts."""
        return Domain('account_id', 'in', accounts.ids) & Domain('state', 'in', OPEN_STATES)
