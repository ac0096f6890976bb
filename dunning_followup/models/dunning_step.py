from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import formatLang

from ..engine.text import unknown_variables

CHANNEL_LABELS = [
    ('email', "E-mail"),
    ('letter', "Letter"),
    ('sms', "SMS"),
    ('sms_gateway', "SMS gateway"),
    ('webhook', "Webhook"),
    ('call', "Call"),
    ('visit', "Visit"),
    ('internal', "Internal note"),
]
GATEWAY_CHANNELS = ('sms_gateway', 'webhook')
# What becomes a letter where there is no address, or it may not be used.
FALLBACK_CHANNELS = ('email', 'sms', 'sms_gateway')
# Channels that have a long text, and those that have a short one.
LONG_CHANNELS = ('email', 'letter')
VARIABLES = (
    'contact', 'customer', 'company', 'date', 'total', 'overdue', 'count', 'numbers', 'oldest_days', 'oldest_due',
    'sender', 'items', 'claims', 'bank',
)  # fmt: skip


class DunningStep(models.Model):
    """One step of a plan: on which day, through which channel, with which text and consequences."""

    _name = 'dunning.step'
    _description = "Reminder Step"
    _order = 'plan_id, days, id'
    _check_company_auto = True

    plan_id = fields.Many2one('dunning.plan', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='plan_id.company_id', store=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    active = fields.Boolean(default=True)
    name = fields.Char(required=True, translate=True)
    days = fields.Integer(
        required=True, default=7, help="Days after the due date of an item. Negative: before, 0: on the day."
    )
    when = fields.Char(compute='_compute_when')
    channel = fields.Selection(
        CHANNEL_LABELS,
        required=True,
        default='email',
        help="E-mail, SMS: sent by Odoo. Letter: a PDF to print. SMS gateway, webhook: through a gateway that is set "
        "up for it. Call, visit: an activity for the collector. Internal note: in the credit account only.",
    )
    gateway_id = fields.Many2one(
        'dunning.gateway',
        check_company=True,
        domain="[('channel', '=', channel)]",
        ondelete='restrict',
        help="Through which gateway messages of this step go.",
    )
    gateway_template = fields.Char(
        string="Template at the Gateway", help="Id of the text that the provider has approved, if it wants one."
    )
    subject = fields.Char(translate=True)
    body = fields.Html(
        string="Text",
        translate=True,
        sanitize_attributes=False,
        help="Of e-mails and letters. Names in double braces are replaced, as {{contact}} or {{items}}.",
    )
    short_text = fields.Text(
        translate=True,
        help="Of text and chat messages, activities and notes. Names in double braces are replaced, as {{total}}.",
    )
    minimum_days = fields.Integer(
        string="Days Since the Step Before",
        default=5,
        required=True,
        help="So many days at least have to lie between the step before and this one, also after missed runs.",
    )
    recipient = fields.Selection(
        [
            ('invoice', "Invoice contact"),
            ('followup', "Follow-up contact"),
            ('both', "Both"),
        ],
        required=True,
        default='followup',
        help="The follow-up contact is chosen on the customer's credit account; where there is none, the contact of "
        "the customer's invoices gets the message.",
    )
    copy_salesperson = fields.Boolean(string="Copy to Salesperson", help="Of e-mails.")
    letter_fallback = fields.Boolean(
        string="Letter If No Address",
        default=True,
        help="Customers without e-mail address or phone number, and those who refuse the channel, get the text as a "
        "letter.",
    )
    attach_invoices = fields.Boolean(help="The invoices of the items that have reached a step.")
    attach_statement = fields.Boolean(help="A PDF of all open items.")
    fee_amount = fields.Monetary(string="Fee", help="In company currency, claimed when the step is sent.")
    with_interest = fields.Boolean(string="Interest", help="Show and claim interest on arrears.")
    no_more_credit = fields.Boolean(
        help="While an item at this step or a later one is open, the rule “Reminded: no more credit” of a credit "
        "policy is broken. Also of customers who refuse the channel of this step, from its day on.",
    )
    escalate = fields.Boolean(
        help="A manager gets an activity, see the plan. Also of customers who refuse the channel of this step."
    )
    preview_partner_id = fields.Many2one(
        'res.partner',
        string="Preview For",
        store=False,
        default=lambda self: self._default_preview_partner(),
        help="A customer for whom the text is shown as it would be sent today.",
    )
    preview_lang = fields.Selection(
        selection=lambda self: self.env['res.lang'].get_installed(),
        string="In Language",
        store=False,
        help="Empty: the language of the recipient, in which it is sent.",
    )
    preview = fields.Html(compute='_compute_preview', sanitize=False)

    _minimum_positive = models.Constraint(
        'CHECK (minimum_days >= 0)', "The days since the step before can't be negative."
    )
    _fee_positive = models.Constraint('CHECK (fee_amount >= 0)', "A fee can't be negative.")
    _days_unique = models.UniqueIndex(
        '(plan_id, days) WHERE active', "A plan has one step on each day. Choose another number of days."
    )

    @api.depends('name', 'plan_id.name')
    @api.depends_context('dunning_short')
    def _compute_display_name(self):
        for step in self:
            step.display_name = (
                step.name or '' if self.env.context.get('dunning_short') else f'{step.plan_id.name}: {step.name}'
            )

    @api.depends('days')
    @api.depends_context('lang')
    def _compute_when(self):
        for step in self:
            step.when = step._when()

    @api.model
    def _default_preview_partner(self):
        return self.env['dunning.item'].search([('days_overdue', '>', 0)], order='remaining desc', limit=1).partner_id

    @api.depends(
        'subject', 'body', 'short_text', 'channel', 'preview_partner_id', 'preview_lang', 'name', 'days', 'recipient',
        'fee_amount', 'with_interest',
    )  # fmt: skip
    def _compute_preview(self):
        for step in self:
            partner = step.preview_partner_id
            if not partner:
                step.preview = Markup("<p class='text-muted'>%s</p>") % self.env._(
                    "Choose a customer to see the text as it would be sent."
                )
                continue
            step.preview = self.env['dunning.notice']._preview(step, partner, step.preview_lang)

    def _text_in(self, name, lang):
        """Return a text of this step in a language; what was changed and is not saved yet, in the user's."""
        self.ensure_one()
        saved = self._origin
        if not saved or lang == (self.env.lang or 'en_US'):
            return self[name]
        text = saved.with_context(lang=lang)[name]
        # Without a translation, the new text will be what is sent.
        return self[name] if text == saved[name] else text

    @api.constrains('channel', 'gateway_id', 'subject', 'body', 'short_text')
    def _check_complete(self):
        for step in self:
            name = step.name
            if step.channel in GATEWAY_CHANNELS and step.gateway_id.channel != step.channel:
                raise ValidationError(
                    self.env._("The step “%(step)s” needs a gateway of its channel. Set one up first.", step=name)
                )
            if step.channel in LONG_CHANNELS and not (step.subject and step.body):
                raise ValidationError(self.env._("The step “%(step)s” needs a subject and a text.", step=name))
            if step.channel not in LONG_CHANNELS and not step.short_text:
                raise ValidationError(self.env._("The step “%(step)s” needs a short text.", step=name))
            unknown = unknown_variables(f"{step.subject or ''} {step.body or ''} {step.short_text or ''}", VARIABLES)
            if unknown:
                raise ValidationError(
                    self.env._(
                        "The step “%(step)s” has names in braces that nothing is known for: %(unknown)s. "
                        "There are: %(known)s.",
                        step=name,
                        unknown=", ".join(unknown),
                        known=", ".join(VARIABLES),
                    )
                )

    def write(self, vals):
        if 'plan_id' in vals and any(step.plan_id.id != vals['plan_id'] for step in self):
            raise UserError(self.env._("A step stays with its plan. Enter another one there instead."))
        before = {step: step._neighbours() for step in self} if 'days' in vals else {}
        result = super().write(vals)
        for step, neighbours in before.items():
            # Behind a step that was sent already, it would be sent a second time.
            if step._neighbours() != neighbours and step._sent():
                raise UserError(
                    self.env._(
                        "The step “%(step)s” was sent already and can't pass over another one. Archive it and enter "
                        "a new step.",
                        step=step.name,
                    )
                )
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_sent(self):
        for step in self:
            if step._sent():
                raise UserError(self.env._("The step “%(step)s” was sent already. Archive it instead.", step=step.name))

    def _sent(self):
        """Tell whether anything was sent at this step, or would have been."""
        self.ensure_one()
        lines, passed = self.env['dunning.notice.line'].sudo(), self.env['dunning.passed.step'].sudo()
        return any(model.search_count([('step_id', '=', self.id)], limit=1) for model in (lines, passed))

    def _neighbours(self):
        """Return the ids of the plan's steps before this one."""
        self.ensure_one()
        steps = self.plan_id.with_context(active_test=False).step_ids
        return frozenset(steps.filtered(lambda step: step.days < self.days).ids)

    def _when(self):
        """Return in words when this step is."""
        if not self.days:
            return self.env._("On the due date")
        if self.days < 0:
            return self.env._("%(days)s days before", days=-self.days)
        return self.env._("%(days)s days after", days=self.days)

    def _recipient_roles(self):
        """Return to whom this step goes, in the words of `dunning.notice._contacts`."""
        self.ensure_one()
        return ('both', 'invoice') if self.recipient == 'both' else (self.recipient,)

    def _may_become_letter(self):
        """Tell whether who can't be reached through the channel of this step gets a letter."""
        self.ensure_one()
        return self.channel in FALLBACK_CHANNELS and self.letter_fallback

    def _flags(self):
        """Return in words what this step brings beside its message."""
        flags = []
        if self.fee_amount:
            flags.append(
                self.env._("Fee %(fee)s", fee=formatLang(self.env, self.fee_amount, currency_obj=self.currency_id))
            )
        if self.with_interest:
            flags.append(self.env._("Interest"))
        if self.no_more_credit:
            flags.append(self.env._("No more credit"))
        if self.escalate:
            flags.append(self.env._("Escalated"))
        return flags
