from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..engine import verdict

OUTCOME_LABELS = [
    ('pass', "Pass"),
    ('warn', "Warn"),
    ('hold', "Hold"),
    ('block', "Block"),
]
KIND_LABELS = [
    ('utilisation', "Utilisation of the limit"),
    ('overdue_amount', "Overdue amount"),
    ('days_overdue', "Days overdue"),
    ('order_amount', "Single order amount"),
    ('account_status', "Account status"),
    ('grade_below', "Grade worse than"),
    ('no_limit', "No limit decided"),
    ('limit_expired', "Limit expired"),
    ('review_overdue', "Review overdue"),
    ('team_limit', "Limit of the salesperson or team"),
]
STATUS_LABELS = [
    ('normal', "Normal"),
    ('watch', "Watch"),
    ('hold', "Hold"),
    ('blacklisted', "Blacklisted"),
]
# What a threshold of each kind measures; kinds that are not here have none.
THRESHOLD_UNITS = {
    'utilisation': 'percent',
    'overdue_amount': 'amount',
    'days_overdue': 'days',
    'order_amount': 'amount',
    'team_limit': 'percent',
}
# What a rule of these kinds means unless somebody says otherwise.
WARNING_KINDS = ('limit_expired', 'review_overdue')

# What a verdict depends on; the sequence is for the eye.
CONTENT_FIELDS = {
    'policy_id', 'kind', 'threshold', 'grace_days', 'account_status', 'grade_id', 'outcome', 'checkpoint_ids',
    'mode', 'demoted',
}  # fmt: skip
# Who put a rule back, and when: stamped by the write itself.
STAMP_FIELDS = {'demoted_by_id', 'demoted_date'}


class CreditRule(models.Model):
    """One rule of a policy: what is measured, where the line is, what crossing it means."""

    _name = 'credit.rule'
    _description = "Credit Rule"
    _order = 'policy_id, sequence, id'

    policy_id = fields.Many2one('credit.policy', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='policy_id.company_id', store=True)
    currency_id = fields.Many2one(related='policy_id.currency_id')
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        KIND_LABELS,
        required=True,
        default='utilisation',
        help="Utilisation: exposure with this order, in percent of the effective limit.\n"
        "Overdue amount, days overdue: after credits not yet matched have paid the oldest items.\n"
        "Single order amount: taxed total of the order.\n"
        "Account status: the status set by hand on the credit account.\n"
        "Grade worse than: the grade of the credit account. A customer without a grade passes.\n"
        "No limit decided: the customer has the policy's default limit only.\n"
        "Limit expired: the base limit has ended and is in its days of grace.\n"
        "Review overdue: the date of the next review has passed.\n"
        "Limit of the salesperson or team: exposure of all their customers with this order, in percent of it.",
    )
    threshold = fields.Float(
        digits=(16, 2),
        help="Percent for limits, days for days overdue, company currency for amounts. The rule is broken above it.",
    )
    unit = fields.Char(compute='_compute_unit')
    grace_days = fields.Integer(
        string="Days of Grace",
        help="Items overdue by no more than these days don't count for this rule.",
    )
    account_status = fields.Selection(
        [item for item in STATUS_LABELS if item[0] != 'normal'], help="The status to which this rule reacts."
    )
    grade_id = fields.Many2one(
        'credit.grade',
        ondelete='restrict',
        domain="[('company_id', 'in', [company_id, False])]",
        help="The worst grade that passes.",
    )
    outcome = fields.Selection(
        [item for item in OUTCOME_LABELS if item[0] != 'pass'],
        required=True,
        default='hold',
        help="Warn: the order goes on, the reason is shown and recorded.\n"
        "Hold: the order waits until the facts change or a credit manager releases it.\n"
        "Block: like hold, but it can't be released.",
    )
    mode = fields.Selection(
        [('enforce', "Enforced"), ('watch', "Record only")],
        required=True,
        default='enforce',
        help="Enforce: a broken rule has the stated outcome.\n"
        "Record only: its verdict is recorded for credit managers and auditors, like shadow mode for a single rule; "
        "it holds nothing, and nobody else sees it. To enforce a rule at one checkpoint and to record it at another, "
        "enter it twice.",
    )
    demoted = fields.Boolean(
        string="Only Warn for Now",
        copy=False,
        help="The rule warns instead of holding until it is switched back. Orders on hold stay where they are.",
    )
    demoted_by_id = fields.Many2one('res.users', string="Put Back By", readonly=True, copy=False)
    demoted_date = fields.Datetime(string="Put Back On", readonly=True, copy=False)
    demoted_reason = fields.Char(string="Put Back Because", copy=False)
    checkpoint_ids = fields.Many2many(
        'credit.checkpoint',
        string="Checkpoints",
        required=True,
        default=lambda self: self.env.ref('credit_management.checkpoint_order', raise_if_not_found=False),
    )

    @api.depends('kind', 'currency_id')
    def _compute_unit(self):
        for rule in self:
            unit = THRESHOLD_UNITS.get(rule.kind)
            if unit == 'amount':
                rule.unit = rule.currency_id.name
            elif unit == 'days':
                rule.unit = self.env._("days")
            else:
                rule.unit = '%' if unit == 'percent' else ''

    def _compute_display_name(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for rule in self:
            rule.display_name = labels.get(rule.kind, '')

    @api.constrains('kind', 'threshold', 'grace_days', 'account_status', 'grade_id', 'checkpoint_ids')
    def _check_complete(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for rule in self:
            label = labels[rule.kind]
            if rule.kind in THRESHOLD_UNITS and rule.threshold <= 0:
                raise ValidationError(
                    self.env._(
                        "The rule “%(rule)s” needs a threshold above 0: state from how much on it applies.", rule=label
                    )
                )
            if rule.grace_days < 0:
                raise ValidationError(
                    self.env._("The days of grace of the rule “%(rule)s” can't be negative.", rule=label)
                )
            if rule.kind == 'account_status' and not rule.account_status:
                raise ValidationError(
                    self.env._("The rule “%(rule)s” needs the account status to which it reacts.", rule=label)
                )
            if rule.kind == 'grade_below' and not rule.grade_id:
                raise ValidationError(self.env._("The rule “%(rule)s” needs the worst grade that passes.", rule=label))
            if rule.grade_id.company_id and rule.grade_id.company_id != rule.company_id:
                raise ValidationError(
                    self.env._(
                        "The grade %(grade)s is one of %(company)s. Choose another for this policy.",
                        grade=rule.grade_id.display_name,
                        company=rule.grade_id.company_id.name,
                    )
                )
            if not rule.checkpoint_ids:
                raise ValidationError(
                    self.env._("The rule “%(rule)s” needs a checkpoint, else it would never be checked.", rule=label)
                )

    @api.onchange('kind')
    def _onchange_kind(self):
        # A threshold of another unit would be nonsense.
        if self.kind != self._origin.kind:
            self.threshold = 100.0 if THRESHOLD_UNITS.get(self.kind) == 'percent' else 0.0
            if self.kind in WARNING_KINDS:
                self.outcome = 'warn'

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create([self._stamp(vals) for vals in vals_list])
        rules.policy_id._tighten()
        return rules

    def write(self, vals):
        for name in ('policy_id', 'company_id'):
            if name in vals and any(rule[name].id != vals[name] for rule in self):
                raise UserError(self.env._("A rule stays with its policy. Enter another one there instead."))
        policies = self.policy_id
        before = {rule: (rule.mode, rule.demoted) for rule in self}
        vals = self._stamp(vals)
        result = super().write(vals)
        if CONTENT_FIELDS & vals.keys() == {'demoted'} and vals['demoted']:
            # Nobody is allowed less: no confirmation under way has to see it.
            policies._renew()
        elif CONTENT_FIELDS & vals.keys():
            policies._tighten()
        for rule in self:
            rule._post_mode(*before[rule])
        return result

    def unlink(self):
        policies = self.policy_id
        result = super().unlink()
        policies = policies.exists()
        policies._check_has_rules()
        policies._tighten()
        return result

    # -------------------------------------------------------------------------
    # Enforcing
    # -------------------------------------------------------------------------

    @api.model
    def _stamp(self, vals):
        """Return the values with who put the rule back to warn, and when; neither is a client's to say."""
        vals = {name: value for name, value in vals.items() if name not in STAMP_FIELDS}
        if 'demoted' not in vals:
            return vals
        if not vals['demoted']:
            return {**vals, 'demoted_by_id': False, 'demoted_date': False, 'demoted_reason': False}
        if not (vals.get('demoted_reason') or '').strip():
            raise UserError(self.env._("State why the rule is only to warn for now: it is kept with the policy."))
        return {**vals, 'demoted_by_id': self.env.uid, 'demoted_date': fields.Datetime.now()}

    def _post_mode(self, mode_before, demoted_before):
        """Tell the policy's chatter that this rule is enforced in another way than before."""
        self.ensure_one()
        values = {'rule': self._summary()}
        if self.demoted and not demoted_before:
            body = self.env._("“%(rule)s” only warns for now: %(reason)s", reason=self.demoted_reason, **values)
        elif demoted_before and not self.demoted:
            body = self.env._("“%(rule)s” has its outcome again.", **values)
        elif self.mode == mode_before:
            return
        elif self.mode == 'watch':
            body = self.env._("“%(rule)s” is recorded only.", **values)
        else:
            body = self.env._("“%(rule)s” is enforced.", **values)
        self.policy_id.message_post(body=Markup("<p>%s</p>") % body)

    def _summary(self):
        """Return the rule in a few words: kind, threshold, outcome."""
        self.ensure_one()
        labels = dict(self._fields['outcome']._description_selection(self.env))
        statuses = dict(self._fields['account_status']._description_selection(self.env))
        what = statuses.get(self.account_status) or (
            f'> {self.threshold:g} {self.unit}' if self.kind in THRESHOLD_UNITS else ''
        )
        if self.kind == 'grade_below':
            what = self.grade_id.code
        return ' '.join(filter(None, [self.display_name, what, f'→ {labels[self.outcome]}']))

    def action_demote(self):
        """Ask why this rule is only to warn for now; only credit managers may write rules."""
        self.ensure_one()
        self.check_access('write')
        return self.env['credit.rule.demotion']._dialog_action(
            self.env._("Only Warn for Now"), {'default_rule_id': self.id}
        )

    def action_promote(self):
        """Give this rule its outcome again; only credit managers may write rules."""
        self.write({'demoted': False})
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'message': ' '.join(
                    self.env._("“%(rule)s” has its outcome again.", rule=rule._summary()) for rule in self
                ),
                'type': 'info',
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }

    def _to_engine(self, full=False):
        """Return this rule as the engine's frozen value.

        :param full: as if it were enforced, whatever its mode and whether it only warns for now
        """
        self.ensure_one()
        demoted = self.demoted and not full and self.outcome in verdict.STOPPING
        return verdict.Rule(
            id=self.id,
            kind=self.kind,
            outcome='warn' if demoted else self.outcome,
            threshold=self.threshold if self.kind in THRESHOLD_UNITS else 0.0,
            grace_days=self.grace_days,
            account_status=self.account_status or '',
            grade_id=self.grade_id.id or 0,
            grade_rank=self.grade_id.sequence,
            watch=self.mode == 'watch' and not full,
        )
