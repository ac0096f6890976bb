from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class CreditAccount(models.Model):
    """The grade of a customer and who may change it.

    Apart from `credit_account.py`: what a grade proposes is in `credit.grade.change`.
    """

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    grade_id = fields.Many2one(
        'credit.grade',
        tracking=True,
        index='btree_not_null',
        ondelete='restrict',
        check_company=True,
        group_expand='_group_expand_grade_id',
        help="How good the customer's credit is. Policies and rules may depend on it; changing it proposes the limit, "
        "payment term and price list of the new grade.",
    )
    grade_color = fields.Integer(related='grade_id.color', string="Grade Color")

    @api.model
    def _group_expand_grade_id(self, grades, domain):
        return grades.search([('company_id', 'in', [False, *self.env.companies.root_id.ids])])

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS credit_management: a grade given at the start is on file too
        accounts = super().create(vals_list)
        accounts._note_grades(dict.fromkeys(accounts, self.env['credit.grade']))
        return accounts

    def write(self, vals):
        # EXTENDS credit_management: the file notes each change, and confirmations under way must see it
        if 'grade_id' not in vals:
            return super().write(vals)
        before = {account: account.grade_id for account in self}
        changed = self.filtered(lambda account: account.grade_id.id != (vals['grade_id'] or False))
        changed._check_may_regrade(self.env['credit.grade'].browse(vals['grade_id'] or ()))
        result = super().write(vals)
        self._note_grades(before)
        self.env['credit.counter'].sudo()._bump(changed)
        return result

    def _note_grades(self, before):
        """Note in the credit files by which grades these accounts differ from before."""
        self.env['credit.event']._record(
            [
                (
                    account,
                    'grade',
                    {'grade_before_id': before[account].id or None, 'grade_id': account.grade_id.id or None},
                )
                for account in self
                if account.grade_id != before[account]
            ]
        )

    def _check_may_regrade(self, grade):
        """Refuse to analysts a better grade, or none, where grades decide about orders: that loosens a rule."""
        if self.env.su or self.env.user.has_group('credit_management.group_credit_manager'):
            return
        better = self.filtered(
            lambda account: account.grade_id and (not grade or grade.sequence < account.grade_id.sequence)
        )
        # Which rules there are need not be known to find out.
        graded = self.env['credit.policy'].sudo()._graded().company_id if better else better.company_id
        if bound := better.filtered(lambda account: account.company_id in graded):
            raise AccessError(
                self.env._(
                    "Grades decide about orders in %(company)s: only credit managers give %(customer)s a better one.",
                    company=bound[0].company_id.name,
                    customer=bound[0].display_name,
                )
            )

    def _write_terms_of_grade(self, payment_term=True, pricelist=True):
        """Give these customers payment term and price list of their grade, and note it in their credit files.

        In the company of the account and its branches; where a grade has none, the
        customer's own stays. The caller checks the rights.

        :returns: the events, of those whose terms have changed
        """
        # What the event calls it (as the field of the grade but for `_id`), and the field of the customer.
        wanted = {'payment_term': 'property_payment_term_id'} if payment_term else {}
        if pricelist:
            wanted['pricelist'] = 'property_product_pricelist'
        entries = []
        for company, accounts in self.grouped('company_id').items():
            branches = self.env['res.company'].browse(company._credit_branch_ids())
            for grade, graded in accounts.grouped('grade_id').items():
                terms = {name: grade[f'{name}_id'].id for name in wanted if grade[f'{name}_id']}
                changed = graded.browse()
                for account in graded:
                    # The root company is the first.
                    customers = [account.partner_id.with_company(branch) for branch in branches]
                    payload = {}
                    for name, term_id in terms.items():
                        if any(customer[wanted[name]].id != term_id for customer in customers):
                            payload |= {
                                f'{name}_before_id': customers[0][wanted[name]].id or None,
                                f'{name}_id': term_id,
                            }
                    if payload:
                        changed |= account
                        entries.append((account, 'terms', payload))
                for branch in branches if changed else ():
                    vals = {wanted[name]: term_id for name, term_id in terms.items()}
                    changed.partner_id.with_company(branch).write(vals)
        return self.env['credit.event']._record(entries)

    def _base_limit(self):
        """Return the base limit in force, whatever temporary one stands before it."""
        self.ensure_one()
        return self.limit_ids.filtered(lambda limit: limit.kind == 'base' and limit.in_force)[:1]

    def action_change_grade(self):
        """Ask for the new grade and show what it implies; for analysts and credit managers.

        :raise AccessError: if the user may not write the account
        """
        self.ensure_one()
        self.check_access('write')
        if not self.active:
            raise UserError(self.env._("This account is in the archive; nothing is decided on it any more."))
        return self.env['credit.grade.change']._open(self)
