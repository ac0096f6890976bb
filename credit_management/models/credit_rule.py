from odoo import api, fields, models
from odoo.exceptions import ValidationError

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
    ('no_limit', "No limit decided"),
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
}

# What a verdict depends on; the sequence is for the eye.
CONTENT_FIELDS = {'policy_id', 'kind', 'threshold', 'grace_days', 'account_status', 'outcome', 'checkpoint_ids'}


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
        "No limit decided: the customer has the policy's default limit only.",
    )
    threshold = fields.Float(
        digits=(16, 2),
        help="Percent for utilisation, days for days overdue, company currency for amounts. "
        "The rule is broken above it.",
    )
    unit = fields.Char(compute='_compute_unit')
    grace_days = fields.Integer(
        string="Days of Grace",
        help="Items overdue by no more than these days don't count for this rule.",
    )
    account_status = fields.Selection(
        [item for item in STATUS_LABELS if item[0] != 'normal'], help="The status to which this rule reacts."
    )
    outcome = fields.Selection(
        [item for item in OUTCOME_LABELS if item[0] != 'pass'],
        required=True,
        default='hold',
        help="Warn: the order goes on, the reason is shown and recorded.\n"
        "Hold: the order waits until the facts change or a credit manager releases it.\n"
        "Block: like hold, but it can't be released.",
    )
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

    @api.constrains('kind', 'threshold', 'grace_days', 'account_status', 'checkpoint_ids')
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
            if not rule.checkpoint_ids:
                raise ValidationError(
                    self.env._("The rule “%(rule)s” needs a checkpoint, else it would never be checked.", rule=label)
                )

    @api.onchange('kind')
    def _onchange_kind(self):
        # A threshold of another unit would be nonsense.
        if self.kind != self._origin.kind:
            self.threshold = 100.0 if self.kind == 'utilisation' else 0.0

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules.policy_id._tighten()
        return rules

    def write(self, vals):
        policies = self.policy_id
        result = super().write(vals)
        if CONTENT_FIELDS & vals.keys():
            (policies | self.policy_id)._tighten()
        return result

    def unlink(self):
        policies = self.policy_id
        result = super().unlink()
        policies = policies.exists()
        policies._check_has_rules()
        policies._tighten()
        return result

    def _to_engine(self):
        """Return this rule as the engine's frozen value."""
        self.ensure_one()
        return verdict.Rule(
            id=self.id,
            kind=self.kind,
            outcome=self.outcome,
            threshold=self.threshold if self.kind in THRESHOLD_UNITS else 0.0,
            grace_days=self.grace_days,
            account_status=self.account_status or '',
        )
