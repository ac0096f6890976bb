from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_round, format_list
from odoo.tools.date_utils import add

# So many customers fit in one dialog: its user is to look at each.
MOST = 1000
# So many names of those left out are spelled out.
NAMED = 20


class CreditLimitChange(models.TransientModel):
    """Asks how the limits of many customers change, shows each before and after, and submits them as one batch."""

    _name = 'credit.limit.change'
    _inherit = ['credit.dialog']
    _description = "Change Limits"

    purpose = fields.Selection([('change', "Change"), ('renew', "Renew")], required=True, readonly=True)
    method = fields.Selection(
        [
            ('same', "Keep the amount"),
            ('percent', "By percent"),
            ('add', "By an amount"),
            ('set', "To an amount"),
        ],
        string="Change",
        required=True,
    )
    percent = fields.Float(digits=(16, 2), help="More than 0 raises, less than 0 lowers the limits.")
    amount = fields.Monetary(
        help="In the currency beside it; converted where a customer's limit is in another. Less than 0 lowers the "
        "limits."
    )
    currency_id = fields.Many2one(
        'res.currency', required=True, default=lambda self: self.env.company.root_id.currency_id
    )
    rounding = fields.Selection(
        [
            ('none', "Don't round"),
            ('nearest', "To the nearest"),
            ('up', "Up to the next"),
            ('down', "Down to the last"),
        ],
        required=True,
        default='none',
    )
    rounding_unit = fields.Integer(string="Round To", default=1000, help="In the currency of each limit.")
    kind = fields.Selection(
        [('base', "Base"), ('temporary', "Temporary")],
        required=True,
        default='base',
        help="Temporary: takes the place of the base limit from its first to its last day, and then ends by itself.",
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._credit_today(), help="First day in force."
    )
    date_to = fields.Date(string="To", help="Last day. Empty: until another decision.")
    reason = fields.Text(help="Is kept with each proposal.")
    line_ids = fields.One2many('credit.limit.change.line', 'change_id', string="Customers")
    included_count = fields.Integer(string="Proposals", compute='_compute_included_count')
    left_out = fields.Text(readonly=True)

    _rounding_positive = models.Constraint('CHECK (rounding_unit > 0)', "State to what the limits are to be rounded.")

    @api.depends('line_ids.included')
    def _compute_included_count(self):
        for change in self:
            change.included_count = len(change.line_ids.filtered('included'))

    @api.constrains('percent')
    def _check_percent(self):
        if any(change.percent < -100 for change in self):
            raise ValidationError(self.env._("A limit can't be lowered by more than 100 %."))

    @api.model
    def _open(self, purpose, accounts):
        """Return the action that asks about some accounts.

        :raise AccessError: if the user may not propose limits
        :raise UserError: if there are none that can be changed, or too many
        """
        self.env['credit.limit'].check_access('create')
        accounts.check_access('read')
        accounts = accounts.filtered('active')
        if len(accounts) > MOST:
            raise UserError(
                self.env._("Choose %(count)s customers at most: each is to be looked at in the preview.", count=MOST)
            )
        lines, left_out = self._prepare_lines(purpose, accounts)
        if not lines:
            raise UserError(
                self.env._("None of the selected customers has a base limit that ends within 60 days.")
                if purpose == 'renew'
                else self.env._("None of the selected customers has a base limit of an amount that could be changed.")
            )
        change = self.create(
            {
                'purpose': purpose,
                'method': 'same' if purpose == 'renew' else 'percent',
                'date_to': add(self.env.company._credit_today(), years=1) if purpose == 'renew' else False,
                'line_ids': [fields.Command.create(vals) for vals in lines],
                'left_out': left_out,
            }
        )
        return change._dialog_action(self.env._("Renew Limits") if purpose == 'renew' else self.env._("Change Limits"))

    @api.model
    def _prepare_lines(self, purpose, accounts):
        """Return the values of the lines, and the sentence that names who was left out and why."""
        limits = {limit.account_id: limit for limit in self._present_limits(purpose, accounts)}
        if purpose == 'renew':
            lines = [account for account in accounts if account in limits]
            reasons = [(self.env._("No limit to renew: %(customers)s."), [a for a in accounts if a not in limits])]
        else:
            lines = [account for account in accounts if account in limits and limits[account].limit_kind == 'amount']
            reasons = [
                (
                    self.env._("Unlimited: %(customers)s."),
                    [a for a in accounts if a in limits and limits[a].limit_kind == 'unlimited'],
                ),
                (self.env._("No limit decided: %(customers)s."), [a for a in accounts if a not in limits]),
            ]
        left_out = ' '.join(text % {'customers': self._names(group)} for text, group in reasons if group)
        return [self._prepare_line(account, limits[account]) for account in lines], left_out

    @api.model
    def _prepare_line(self, account, limit):
        return {'account_id': account.id, 'limit_id': limit.id}

    @api.model
    def _names(self, accounts):
        names = [account.display_name for account in accounts[:NAMED]]
        if len(accounts) > NAMED:
            names.append(self.env._("%(count)s more", count=len(accounts) - NAMED))
        return format_list(self.env, names)

    @api.model
    def _present_limits(self, purpose, accounts):
        """Return the base limits that go on or change; one per account, in one statement."""
        if purpose == 'renew':
            return accounts._renewable_limits().with_env(self.env)
        return self.env['credit.limit'].search(
            [('account_id', 'in', accounts.ids), ('kind', '=', 'base'), ('in_force', '=', True)]
        )

    # -------------------------------------------------------------------------
    # Apply
    # -------------------------------------------------------------------------

    def action_apply(self):
        """Submit a proposal for each customer that is included, as one batch.

        :returns: what was submitted, and who was not and why; then the batch as a list
        :raise UserError: if nobody is included, something is missing, or none of them was possible
        """
        self.ensure_one()
        reason = (self.reason or '').strip()
        if not reason:
            raise UserError(self.env._("State a reason: it is kept with each proposal."))
        if self.kind == 'temporary' and not self.date_to:
            raise UserError(self.env._("State the last day of the temporary limits."))
        lines = self.line_ids.filtered('included')
        if not lines:
            raise UserError(self.env._("Nobody is left: include at least one customer."))
        Limit = self.env['credit.limit']
        vals_list, refused = [], []
        for line in lines:
            try:
                vals_list.append(line._prepare_limit_vals(reason))
            except UserError as error:
                refused.append((line.account_id.display_name, str(error)))
        batch, limits, impossible = Limit._propose_batch(vals_list)
        names = {line.account_id.id: line.account_id.display_name for line in lines}
        refused += [(names[vals['account_id']], why) for vals, why in impossible]
        if not limits:
            raise UserError('\n'.join(f"{name}: {why}" for name, why in refused))
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_limit_action')
        title = self.env._("Batch %(batch)s", batch=batch)
        return Limit._batch_notification(
            self.env._("Submitted as batch %(batch)s: %(count)s limits.", batch=batch, count=len(limits)),
            refused,
            action
            | {
                'name': title,
                'display_name': title,
                'domain': [('batch', '=', batch)],
                'target': 'current',
            },
        )


class CreditLimitChangeLine(models.TransientModel):
    """One customer in the dialog: what the limit is, and what it would be."""

    _name = 'credit.limit.change.line'
    _inherit = ['credit.dialog']
    _description = "Changed Limit"
    _order = 'id'

    change_id = fields.Many2one('credit.limit.change', required=True, readonly=True, index=True, ondelete='cascade')
    account_id = fields.Many2one('credit.account', string="Customer", required=True, readonly=True)
    limit_id = fields.Many2one('credit.limit', string="Present Limit", required=True, readonly=True)
    currency_id = fields.Many2one(related='limit_id.currency_id')
    limit_kind = fields.Selection(related='limit_id.limit_kind')
    amount_before = fields.Monetary(string="Before", related='limit_id.amount')
    date_end = fields.Date(string="Ends On", related='limit_id.date_to')
    amount_after = fields.Monetary(
        string="After", compute='_compute_amount_after', help="In the customer's limit currency."
    )
    difference = fields.Monetary(compute='_compute_amount_after')
    included = fields.Boolean(default=True, help="Without it, nothing is proposed for this customer.")

    @api.depends(
        'limit_id',
        'change_id.method',
        'change_id.percent',
        'change_id.amount',
        'change_id.currency_id',
        'change_id.rounding',
        'change_id.rounding_unit',
    )
    def _compute_amount_after(self):
        for line in self:
            line.amount_after = line._amount_after()
            line.difference = line.amount_after - line.amount_before

    def _amount_after(self):
        """Return the new amount in the currency of the limit, never below 0."""
        change, currency = self.change_id, self.currency_id
        if self.limit_kind == 'unlimited' or change.method == 'same':
            return self.amount_before
        company = self.account_id.company_id
        amount = change.currency_id._convert(change.amount, currency, company, company._credit_today())
        after = {
            'percent': self.amount_before * (1 + change.percent / 100),
            'add': self.amount_before + amount,
            'set': amount,
        }[change.method]
        unit = change.rounding_unit if change.rounding != 'none' and change.rounding_unit > 0 else 0
        if unit:
            method = {'nearest': 'HALF-UP', 'up': 'UP', 'down': 'DOWN'}[change.rounding]
            after = float_round(after, precision_rounding=unit, rounding_method=method)
        return currency.round(max(0.0, after))

    def _prepare_limit_vals(self, reason):
        """Return the values of the proposal."""
        self.ensure_one()
        change, company = self.change_id, self.account_id.company_id
        if change.method in ('add', 'set'):
            self.env['credit.check']._require_rate(change.currency_id, company)
        start = change.date_from
        if change.purpose == 'renew':
            start = max(company._credit_today(), add(self.date_end, days=1))
        return {
            'account_id': self.account_id.id,
            'kind': change.kind,
            'limit_kind': self.limit_kind,
            'amount': self.amount_after if self.limit_kind == 'amount' else 0.0,
            'currency_id': self.currency_id.id,
            'date_from': start,
            'date_to': change.date_to,
            'reason': reason,
        }
