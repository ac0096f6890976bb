from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class CreditGrade(models.Model):
    """How good a customer's credit is, and what follows from that for limit, payment term and price list."""

    _name = 'credit.grade'
    _inherit = ['credit.root.company']
    _description = "Credit Grade"
    _order = 'sequence, id'
    _rec_names_search = ['code', 'name']

    code = fields.Char(required=True, help="A letter or a few, as shown in lists.")
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, help="From the best grade to the worst.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        required=False, default=None, help="Empty: for all companies. A company's grade is for it and its branches."
    )
    color = fields.Integer()
    description = fields.Text(translate=True, help="Who gets this grade.")
    limit_factor = fields.Float(
        default=1.0,
        digits=(16, 2),
        help="A limit of 1 000 at factor 1 becomes 600 at factor 0.6. What is proposed when the grade of a customer "
        "changes is the present base limit × the new factor ÷ the old one.",
    )
    payment_term_id = fields.Many2one(
        'account.payment.term',
        check_company=True,
        ondelete='restrict',
        help="Proposed for customers who get this grade. Empty: their payment term stays.",
    )
    pricelist_id = fields.Many2one(
        'product.pricelist',
        string="Price List",
        check_company=True,
        ondelete='restrict',
        help="Proposed for customers who get this grade. Empty: their price list stays.",
    )
    account_count = fields.Integer(string="Customers", compute='_compute_account_count')

    _code_unique = models.UniqueIndex(
        '(code, COALESCE(company_id, 0))', "There is a grade with this code already. Codes are used once per company."
    )
    _limit_factor_positive = models.Constraint('CHECK (limit_factor >= 0)', "The limit factor can't be negative.")

    @api.depends('code', 'name')
    def _compute_display_name(self):
        for grade in self:
            grade.display_name = ' · '.join(filter(None, [grade.code, grade.name]))

    def _compute_account_count(self):
        counts = dict(self.env['credit.account']._read_group([('grade_id', 'in', self.ids)], ['grade_id'], ['__count']))
        for grade in self:
            grade.account_count = counts.get(grade, 0)

    def write(self, vals):
        # Which rank a rule asks for is cached with its policy's version.
        ranked = 'sequence' in vals and self.filtered(lambda grade: grade.sequence != vals['sequence'])
        if 'company_id' in vals and (moved := self.filtered(lambda grade: grade.company_id.id != vals['company_id'])):
            moved._check_not_used_elsewhere(vals['company_id'])
        result = super().write(vals)
        if ranked:
            self.env['credit.policy'].sudo()._graded()._tighten()
        return result

    def _check_not_used_elsewhere(self, company_id):
        """Refuse to take a grade from companies that use it."""
        # Whether it is used, also by those whom the user does not see.
        uses = [
            self.env['credit.account'].sudo().with_context(active_test=False).search([('grade_id', 'in', self.ids)]),
            self.env['credit.rule'].sudo().search([('grade_id', 'in', self.ids)]),
            self.env['credit.policy'].sudo().with_context(active_test=False).search([('grade_ids', 'in', self.ids)]),
            self.env['credit.approval.level']
            .sudo()
            .with_context(active_test=False)
            .search([('grade_ids', 'in', self.ids)]),
        ]
        if company_id and any(record.company_id.id != company_id for records in uses for record in records):
            raise UserError(
                self.env._(
                    "%(grade)s is used by other companies. Make another grade for this company.",
                    grade=self[0].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self.env.flush_all()  # whatever refers to a grade
        used = self.env.execute_query(
            SQL(
                """
                SELECT grade.id FROM credit_grade grade
                 WHERE grade.id = ANY(%s)
                   AND (EXISTS (SELECT 1 FROM credit_account WHERE grade_id = grade.id)
                        OR EXISTS (SELECT 1 FROM credit_check WHERE grade_id = grade.id)
                        OR EXISTS (SELECT 1 FROM credit_check_line WHERE grade_id = grade.id)
                        OR EXISTS (SELECT 1 FROM credit_rule WHERE grade_id = grade.id)
                        OR EXISTS (SELECT 1 FROM credit_policy_grade_rel WHERE grade_id = grade.id)
                        OR EXISTS (SELECT 1 FROM credit_approval_level_grade_rel WHERE grade_id = grade.id))
                 LIMIT 1
                """,
                self.ids,
            )
        )
        if used:
            raise UserError(
                self.env._(
                    "%(grade)s is used by customers, checks or policies. Archive it instead.",
                    grade=self.browse(used[0][0]).display_name,
                )
            )

    def action_view_accounts(self):
        """Open the credit accounts that have this grade."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_account_action')
        return action | {'domain': [('grade_id', '=', self.id)], 'name': self.display_name}
