from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang

from .credit_rule import KIND_LABELS, OUTCOME_LABELS, STATUS_LABELS


class CreditCheckLine(models.Model):
    """What one rule found in a check: the actual value, the threshold, the verdict."""

    _name = 'credit.check.line'
    _description = "Credit Check Line"
    _order = 'check_id, id'
    _log_access = False

    check_id = fields.Many2one('credit.check', required=True, readonly=True, index=True, ondelete='cascade')
    currency_id = fields.Many2one(related='check_id.currency_id')
    # Not required: a rule may be deleted, its verdict stays.
    rule_id = fields.Many2one('credit.rule', string="Policy Rule", readonly=True, ondelete='set null')
    kind = fields.Selection(
        [
            *KIND_LABELS,
            ('missing_rate', "No exchange rate"),
            ('paid_in_advance', "Paid in advance"),
        ],
        required=True,
        readonly=True,
    )
    actual = fields.Float(readonly=True, digits=(16, 2))
    threshold = fields.Float(readonly=True, digits=(16, 2))
    excess = fields.Monetary(readonly=True, help="What would have to go for this rule to pass, in company currency.")
    account_status = fields.Selection(STATUS_LABELS, readonly=True)
    grade_id = fields.Many2one(
        'credit.grade', string="Worst Grade", readonly=True, ondelete='restrict', help="The worst grade that passes."
    )
    verdict = fields.Selection(OUTCOME_LABELS, required=True, readonly=True)
    shadow = fields.Boolean(
        string="Recorded Only", readonly=True, help="The rule was to be recorded only and decided nothing."
    )
    message = fields.Char(compute='_compute_message')

    # The statistic reads broken rules only, which are few.
    _stopped_index = models.Index("(check_id) WHERE verdict IN ('hold', 'block')")

    @api.depends('kind', 'actual', 'threshold', 'excess', 'account_status', 'grade_id', 'verdict')
    @api.depends_context('lang')
    def _compute_message(self):
        for line in self:
            describe = getattr(line, f'_describe_{line.kind}', None)
            line.message = describe() if describe else line._describe_other()

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Credit checks are kept as they were and can't be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Credit checks are kept as they were and can't be deleted."))

    def _money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _describe_utilisation(self):
        check = self.check_id
        figures = {
            'exposure': self._money(check.exposure),
            'document': self._money(check.document_amount),
            'limit': self._money(check.effective_limit),
            'excess': self._money(self.excess),
            'percent': formatLang(self.env, self.threshold, digits=0),
            'accepted': self._money(check.accepted_exposure),
            'until': check.accepted_until and format_date(self.env, check.accepted_until),
        }
        accepted = not check.unlimited and check.accepted_exposure > check.effective_limit * self.threshold / 100
        if self.verdict == 'pass' and check.unlimited:
            return self.env._(
                "Exposure %(exposure)s + this document %(document)s; the customer's credit is unlimited.", **figures
            )
        if self.verdict == 'pass' and accepted:
            return self.env._(
                "Exposure %(exposure)s + this document %(document)s; %(accepted)s are accepted until %(until)s.",
                **figures,
            )
        if self.verdict == 'pass':
            return self.env._(
                "Exposure %(exposure)s + this document %(document)s against a limit of %(limit)s.", **figures
            )
        if accepted:
            return self.env._(
                "Exposure %(exposure)s + this document %(document)s exceeds the %(accepted)s accepted until %(until)s "
                "by %(excess)s.",
                **figures,
            )
        if not check.effective_limit:
            return self.env._(
                "This customer has no credit: exposure %(exposure)s + this document %(document)s would be "
                "%(excess)s too much.",
                **figures,
            )
        if self.threshold == 100:
            return self.env._(
                "Exposure %(exposure)s + this document %(document)s exceeds the limit of %(limit)s by %(excess)s.",
                **figures,
            )
        return self.env._(
            "Exposure %(exposure)s + this document %(document)s exceeds %(percent)s %% of the limit of %(limit)s "
            "by %(excess)s.",
            **figures,
        )

    def _describe_overdue_amount(self):
        message = self.env._(
            "Overdue %(actual)s; %(threshold)s is allowed.",
            actual=self._money(self.actual),
            threshold=self._money(self.threshold),
        )
        return self._with_left_out(message)

    def _describe_days_overdue(self):
        message = self.env._(
            "The oldest item is %(actual)s days overdue; %(threshold)s are allowed.",
            actual=int(self.actual),
            threshold=int(self.threshold),
        )
        return self._with_left_out(message)

    def _with_left_out(self, message):
        """Return the message with what the rule left out because it is older than what counts."""
        check = self.check_id
        if not check.overdue_left_out:
            return message
        return self.env._(
            "%(message)s Left out: %(amount)s due before %(date)s.",
            message=message,
            amount=self._money(check.overdue_left_out),
            date=format_date(self.env, check.counted_from),
        )

    def _describe_order_amount(self):
        return self.env._(
            "The order amounts to %(actual)s; a single order may amount to %(threshold)s.",
            actual=self._money(self.actual),
            threshold=self._money(self.threshold),
        )

    def _describe_account_status(self):
        labels = dict(self._fields['account_status']._description_selection(self.env))
        status = labels.get(self.account_status, '')
        if self.verdict == 'pass':
            return self.env._("The status of the credit account is not “%(status)s”.", status=status)
        return self.env._("The status of the credit account is “%(status)s”.", status=status)

    def _describe_grade_below(self):
        # Of a check that the reader may read; grades are no secret among colleagues.
        grade, worst = self.sudo().check_id.grade_id, self.sudo().grade_id
        values = {'grade': grade.display_name, 'worst': worst.display_name}
        if not grade:
            return self.env._("The customer has no grade yet.")
        if self.verdict == 'pass':
            return self.env._("The grade is %(grade)s; %(worst)s or better passes.", **values)
        return self.env._("The grade is %(grade)s, worse than %(worst)s.", **values)

    def _describe_no_limit(self):
        if self.verdict == 'pass':
            return self.env._("A credit limit is decided.")
        return self.env._("No credit limit has been decided for this customer.")

    def _describe_limit_expired(self):
        if self.verdict == 'pass':
            return self.env._("The credit limit has not expired.")
        return self.env._("The credit limit expired %(days)s days ago and has not been renewed.", days=int(self.actual))

    def _describe_review_overdue(self):
        if self.verdict == 'pass':
            return self.env._("No review of this customer is overdue.")
        return self.env._("The review of this customer is %(days)s days overdue.", days=int(self.actual))

    def _describe_team_limit(self):
        values = {
            'actual': formatLang(self.env, self.actual, digits=1),
            'threshold': formatLang(self.env, self.threshold, digits=0),
            'excess': self._money(self.excess),
        }
        if self.verdict == 'pass':
            return self.env._(
                "With this document, %(actual)s %% of the limit of the salesperson or team are used.", **values
            )
        return self.env._(
            "The customers of the salesperson or team would owe %(excess)s more than their common limit allows "
            "(%(actual)s %%; %(threshold)s %% are allowed).",
            **values,
        )

    def _describe_missing_rate(self):
        return self.env._(
            "There is no exchange rate of %(currency)s, so the order can't be weighed. Enter one and confirm again.",
            currency=self.check_id.document_currency_id.name,
        )

    def _describe_paid_in_advance(self):
        return self.env._("Paid in advance: %(amount)s.", amount=self._money(self.actual))

    def _describe_other(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        return labels.get(self.kind, self.kind)
