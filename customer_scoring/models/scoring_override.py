from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

# Entered by whoever overrides; the rest says itself.
ENTERED_FIELDS = {'account_id', 'grade_id', 'reason', 'date_until'}


class ScoringOverride(models.Model):
    """Somebody's decision that a customer has another grade than its score says, with the reason and an end."""

    _name = 'scoring.override'
    _description = "Override of a Grade"
    _order = 'id desc'
    _rec_name = 'account_id'

    account_id = fields.Many2one('credit.account', required=True, index=True, ondelete='cascade')
    partner_id = fields.Many2one(related='account_id.partner_id', string="Customer")
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    grade_id = fields.Many2one(
        'credit.grade',
        string="New Grade",
        required=True,
        ondelete='restrict',
        domain="[('company_id', 'in', [company_id, False])]",
    )
    reason = fields.Char(
        required=True, help="Why the score is not right about this customer, who reads it in the explanation."
    )
    date_until = fields.Date(
        string="Until",
        required=True,
        help="Last day. After it the customer has the grade of its score again; where somebody has to decide about it, "
        "the grade from before.",
    )
    date = fields.Date(string="From", readonly=True)
    user_id = fields.Many2one('res.users', string="By", readonly=True, ondelete='restrict')
    score_id = fields.Many2one('scoring.score', string="Score at the Time", readonly=True, ondelete='set null')
    score_grade_id = fields.Many2one('credit.grade', string="Grade of the Score", readonly=True, ondelete='restrict')
    grade_before_id = fields.Many2one('credit.grade', readonly=True, ondelete='set null', help="Of the credit account.")
    direction = fields.Selection(
        [('better', "Better"), ('worse', "Worse"), ('none', "No score yet")],
        readonly=True,
        help="Compared with the grade of the score at the time.",
    )
    date_ended = fields.Date(string="Ended On", readonly=True)
    state = fields.Selection(
        [('active', "In force"), ('ended', "Ended")], readonly=True, default='active', required=True, index=True
    )

    _in_force_unique = models.UniqueIndex(
        "(account_id) WHERE state = 'active'", "The grade of this customer is overridden already."
    )

    @api.constrains('date_until', 'reason')
    def _check_entered(self):
        for override in self:
            if not (override.reason or '').strip():
                raise ValidationError(self.env._("State why the score is not right about this customer."))
            if override.state == 'active' and override.date_until < override.company_id._credit_today():
                raise ValidationError(self.env._("An override can't have ended before it begins. Choose a later day."))

    @api.model
    def _in_force(self, accounts):
        """Return the overrides in force of some accounts."""
        return self.sudo().search([('account_id', 'in', accounts.ids), ('state', '=', 'active')])

    @api.model_create_multi
    def create(self, vals_list):
        """Override grades: write them on the accounts, in the user's name, and end what was in force.

        :raise AccessError: if the user may not write an account, or not give it a better grade
        """
        accounts = self.env['credit.account'].browse([vals.get('account_id') for vals in vals_list])
        accounts.check_access('write')
        # Whoever overrides need not be who overrode before.
        replaced = self._in_force(accounts)
        for company, of_company in replaced.grouped('company_id').items():
            of_company._write_flow({'state': 'ended', 'date_ended': company._credit_today()})
        self.env.flush_all()
        before = {account: account.sudo().grade_id for account in accounts}
        before |= {override.account_id: override.grade_before_id for override in replaced}
        rows = []
        for vals, account in zip(vals_list, accounts, strict=True):
            score = account.sudo().score_id
            grade = self.env['credit.grade'].browse(vals.get('grade_id'))
            direction = 'none'
            if score.grade_id:
                direction = 'better' if grade.sequence < score.grade_id.sequence else 'worse'
            rows.append(
                {name: value for name, value in vals.items() if name in ENTERED_FIELDS}
                | {
                    'date': account.company_id._credit_today(),
                    'user_id': self.env.uid,
                    'score_id': score.id,
                    'score_grade_id': score.grade_id.id,
                    'grade_before_id': before[account].id,
                    'direction': direction,
                    'state': 'active',
                }
            )
        overrides = super().create(rows)
        for override in overrides:
            if override.grade_id == override.score_grade_id:
                raise UserError(
                    self.env._(
                        "The score says %(grade)s already. An override needs another grade.",
                        grade=override.grade_id.display_name,
                    )
                )
            if override.account_id.grade_id != override.grade_id:
                override.account_id.write({'grade_id': override.grade_id.id})
        self.env['credit.event']._record(
            [
                (
                    override.account_id,
                    'grade_overridden',
                    {
                        'override_id': override.id,
                        'grade_before_id': override.score_grade_id.id or None,
                        'grade_id': override.grade_id.id,
                        'date_to': fields.Date.to_string(override.date_until),
                    },
                )
                for override in overrides
            ]
        )
        return overrides

    def write(self, vals):  # pylint: disable=method-required-super
        raise AccessError(self.env._("An override is kept as it was. End it and enter another one."))

    def _write_flow(self, vals):
        return super().write(vals)  # pylint: disable=super-method-mismatch

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Overrides are kept for the report. End this one instead."))

    def action_end(self):
        """End these overrides now; the customers have the grades of their scores again, or those from before.

        :raise AccessError: if the user may not write an account, or not give it a better grade
        """
        self.account_id.check_access('write')
        self.check_access('read')
        self.filtered(lambda override: override.state == 'active')._end()
        return True

    def _end(self):
        """End overrides: the grades of the scores follow, or where a card doesn't write them, those from before."""
        for override in self:
            account = override.account_id
            override.sudo()._write_flow({'state': 'ended', 'date_ended': override.company_id._credit_today()})
            # Who ends it may not read the card; the grade is written with the user's own rights.
            score = account.sudo().score_id
            grade = account.grade_id
            if score.grade_id and not score.advisory and score.card_id.grade_mode == 'write':
                grade = score.grade_id
            elif account.grade_id == override.grade_id:
                # Somebody decided about the grade from before, and nobody since.
                grade = override.sudo().grade_before_id
            if account.active and account.grade_id != grade:
                account.write({'grade_id': grade.id})
        self.env['credit.event']._record(
            [(override.account_id, 'override_ended', {'override_id': override.id}) for override in self]
        )

    @api.model
    def _expire(self, company):
        """End the overrides of a company whose last day has passed."""
        today = company._credit_today()
        self.search([('company_id', '=', company.id), ('state', '=', 'active'), ('date_until', '<', today)])._end()
