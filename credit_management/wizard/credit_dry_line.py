from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

from ..models.credit_rule import OUTCOME_LABELS, STATUS_LABELS


class CreditDryLine(models.TransientModel):
    """A quotation, or a customer's next order, that one rule would hold."""

    _name = 'credit.dry.line'
    _description = "Would Be Held"
    _order = 'excess desc, id'
    _rec_name = 'partner_id'

    run_id = fields.Many2one('credit.dry.run', required=True, readonly=True, index=True, ondelete='cascade')
    company_id = fields.Many2one('res.company', required=True, readonly=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    partner_id = fields.Many2one('res.partner', string="Customer", required=True, readonly=True)
    account_id = fields.Many2one('credit.account', readonly=True)
    order_id = fields.Many2one('sale.order', string="Quotation", readonly=True)
    what = fields.Selection([('order', "Quotation"), ('customer', "Next order")], readonly=True)
    user_id = fields.Many2one('res.users', string="Salesperson", readonly=True)
    policy_id = fields.Many2one('credit.policy', readonly=True)
    rule_id = fields.Many2one('credit.rule', string="Policy Rule", readonly=True)
    kind = fields.Selection('_kinds', string="Rule", required=True, readonly=True)
    outcome = fields.Selection(OUTCOME_LABELS, required=True, readonly=True)
    actual = fields.Float(readonly=True, digits=(16, 2), aggregator=None)
    threshold = fields.Float(readonly=True, digits=(16, 2), aggregator=None)
    account_status = fields.Selection(STATUS_LABELS, readonly=True)
    # No sums: a customer stands here once per rule and quotation, with the same debt.
    excess = fields.Monetary(
        string="Over By", readonly=True, aggregator=None, help="What would have to go for this rule to pass."
    )
    document_amount = fields.Monetary(string="Quotation Amount", readonly=True, aggregator=None)
    unlimited = fields.Boolean(readonly=True)
    effective_limit = fields.Monetary(string="Limit", readonly=True, aggregator=None)
    exposure = fields.Monetary(readonly=True, aggregator=None)
    overdue_amount = fields.Monetary(string="Overdue", readonly=True, aggregator=None)
    days_overdue = fields.Integer(readonly=True, aggregator='max')
    counted_from = fields.Date(string="Items Counted From", readonly=True)
    overdue_left_out = fields.Monetary(string="Overdue, Left Out", readonly=True, aggregator=None)
    accepted_exposure = fields.Monetary(readonly=True, aggregator=None)
    accepted_until = fields.Date(readonly=True)
    reason = fields.Char(compute='_compute_reason')

    @api.model
    def _kinds(self):
        return self.env['credit.check.line']._fields['kind']._description_selection(self.env)

    @api.depends('kind', 'actual', 'threshold', 'excess')
    @api.depends_context('lang')
    def _compute_reason(self):
        # In the words of the check: for what is on the screen, not for all.
        Check = self.env['credit.check'].sudo()
        names = (
            'company_id', 'currency_id', 'unlimited', 'effective_limit', 'exposure', 'document_amount', 'counted_from',
            'overdue_left_out', 'accepted_exposure', 'accepted_until',
        )  # fmt: skip
        for line in self:
            if line.kind == 'utilisation' and line.what == 'customer':
                line.reason = line._describe_utilisation()
                continue
            verdict = {
                'kind': line.kind,
                'actual': line.actual,
                'threshold': line.threshold,
                'excess': line.excess,
                'account_status': line.account_status,
                'grade_id': line.rule_id.grade_id.id,
                'verdict': line.outcome,
            }
            check = Check.new(
                {
                    **line._convert_to_write({name: line[name] for name in names}),
                    'document_currency_id': line.order_id.currency_id.id,
                    'grade_id': line.account_id.grade_id.id,
                    'line_ids': [fields.Command.create(verdict)],
                }
            )
            line.reason = check.line_ids.message

    def _describe_utilisation(self):
        """Return why the next order would be held, whatever its amount."""
        figures = {
            'exposure': formatLang(self.env, self.exposure, currency_obj=self.currency_id),
            'limit': formatLang(self.env, self.effective_limit, currency_obj=self.currency_id),
            'percent': formatLang(self.env, self.threshold, digits=0),
        }
        if not self.effective_limit:
            return self.env._("This customer has no credit; exposure %(exposure)s.", **figures)
        if self.threshold == 100:
            return self.env._("Exposure %(exposure)s has used up the limit of %(limit)s.", **figures)
        return self.env._("Exposure %(exposure)s has used up %(percent)s %% of the limit of %(limit)s.", **figures)

    def action_accept(self):
        """Accept as is until a day what these customers owe; for credit managers."""
        if not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers accept as is what a customer owes."))
        self.check_access('read')
        if not self:
            raise UserError(self.env._("Select the customers first."))
        accounts = self.env['credit.account']
        for company, lines in self.grouped('company_id').items():
            accounts |= accounts._for_partners(lines.partner_id, company)
        return accounts.with_env(self.env).action_accept()

    def action_open_document(self):
        """Open the quotation, or the customer's contact form."""
        self.ensure_one()
        return (self.order_id or self.partner_id).get_formview_action()
