from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..engine.grade import implied_limit
from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestGrade(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.good, cls.middle, cls.bad = cls.env['credit.grade'].create(
            [
                {'code': "T1", 'name': "Good", 'sequence': 10, 'limit_factor': 1.5},
                {'code': "T2", 'name': "Middle", 'sequence': 20, 'limit_factor': 1.0},
                {'code': "T3", 'name': "Bad", 'sequence': 30, 'limit_factor': 0.5},
            ]
        )
        cls.account = cls._account()

    def _change(self, grade, user=None, **values):
        """Answer the dialog as the user would."""
        account = self.account.with_user(user or self.analyst)
        wizard = self.env['credit.grade.change'].with_user(user or self.analyst)
        with Form(wizard.browse(account.action_change_grade()['res_id'])) as form:
            form.grade_id = grade
            for name, value in values.items():
                form[name] = value
        return form.record

    def _events(self, kind):
        return self.env['credit.event'].sudo().search([('account_id', '=', self.account.id), ('kind', '=', kind)])

    # -------------------------------------------------------------------------
    # Change
    # -------------------------------------------------------------------------

    def test_limit_follows_the_factors_and_is_rounded_to_three_digits(self):
        self.assertEqual(implied_limit(1000.0, 1.0, 0.6, 0.01), 600.0)
        self.assertEqual(implied_limit(52300.0, 1.0, 0.75, 0.01), 39200.0)
        self.assertEqual(implied_limit(52345.67, 1.5, 1.5, 0.01), 52345.67)
        self.assertEqual(implied_limit(1000.0, 1.0, 0.0, 0.01), 0.0)
        self.assertIsNone(implied_limit(1000.0, 0.0, 1.0, 0.01))
        self.assertEqual(implied_limit(7.0, 1.0, 0.333, 1.0), 2.0)

    def test_analyst_changes_the_grade_and_the_limit_waits_for_approval(self):
        self._limit(self.account, 1000)
        self.account.grade_id = self.middle
        wizard = self._change(self.bad, reason="late twice")
        self.assertEqual((wizard.limit_before, wizard.limit_after, wizard.change_limit), (1000, 500, True))
        wizard.action_apply()
        proposal = self.account.limit_ids.filtered(lambda limit: limit.state == 'submitted')
        self.assertEqual((proposal.amount, proposal.origin, proposal.kind), (500, 'grade', 'base'))
        self.assertEqual(proposal.requested_by_id, self.analyst)
        self.assertIn("late twice", proposal.reason)
        self.assertEqual(self.account.grade_id, self.bad)
        self.assertEqual(self.figures()['effective_limit'], 1000)
        self.assertEqual(self._events('grade')[0].description, "T2 · Middle → T3 · Bad")

    def test_limit_stays_in_its_currency(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self._limit(self.account, 1000, currency_id=euro.id)
        wizard = self._change(self.bad)
        self.assertEqual((wizard.currency_id, wizard.limit_after), (euro, 500))
        wizard.action_apply()
        proposal = self.account.limit_ids.filtered(lambda limit: limit.state == 'submitted')
        self.assertEqual((proposal.amount, proposal.currency_id), (500, euro))

    def test_without_an_amount_no_limit_is_proposed(self):
        for values in ({}, {'limit_kind': 'unlimited'}):
            if values:
                self._limit(self.account, 0, **values)
            wizard = self._change(self.bad if values else self.good)
            self.assertFalse(wizard.has_limit or wizard.change_limit)
            self.assertTrue(wizard.limit_text)
            wizard.action_apply()
        self.assertFalse(self.account.limit_ids.filtered(lambda limit: limit.state == 'submitted'))

    def test_temporary_limit_is_not_what_the_grade_changes(self):
        today = self.company._credit_today()
        self._limit(self.account, 1000)
        self._limit(self.account, 9000, kind='temporary', date_from=today, date_to=today)
        self.assertEqual(self._change(self.bad).limit_before, 1000)

    def test_unticked_limit_is_not_proposed(self):
        self._limit(self.account, 1000)
        self._change(self.bad, change_limit=False).action_apply()
        self.assertEqual((self.account.grade_id, len(self.account.limit_ids)), (self.bad, 1))

    def test_manager_writes_terms_for_the_company_only(self):
        self.env.ref('base.group_user').implied_ids += self.env.ref('product.group_product_pricelist')
        term = self.env['account.payment.term'].create({'name': "Ten Days"})
        pricelist = self.env['product.pricelist'].create({'name': "Hard", 'company_id': False})
        self.bad.write({'payment_term_id': term.id, 'pricelist_id': pricelist.id})
        other = self.setup_other_company(name="Elsewhere")['company']
        before = self.customer.with_company(other).property_payment_term_id
        self._change(self.bad, user=self.manager).action_apply()
        self.env.invalidate_all()
        self.assertEqual(self.customer.property_payment_term_id, term)
        self.assertEqual(self.customer.property_product_pricelist, pricelist)
        self.assertEqual(self.customer.with_company(other).property_payment_term_id, before)
        self.assertIn("Ten Days", self._events('terms').description)

    def test_analyst_does_not_write_terms(self):
        term = self.env['account.payment.term'].create({'name': "Ten Days"})
        self.bad.payment_term_id = term
        before = self.customer.property_payment_term_id
        wizard = self._change(self.bad)
        self.assertFalse(wizard.change_payment_term)
        wizard.change_payment_term = True
        with self.assertRaisesRegex(AccessError, "Only credit managers change"):
            wizard.action_apply()
        wizard.change_payment_term = False
        wizard.action_apply()
        self.assertEqual(self.customer.property_payment_term_id, before)

    def test_sales_reads_the_grade_and_does_not_change_it(self):
        self.account.grade_id = self.good
        account = self.account.with_user(self.sales_user)
        self.assertEqual(account.grade_id.code, "T1")
        with self.assertRaises(AccessError):
            account.grade_id = self.bad
        with self.assertRaises(AccessError):
            account.action_change_grade()
        with self.assertRaises(AccessError):
            self.env['credit.grade.change'].with_user(self.sales_user).create({'account_id': self.account.id})

    def test_only_managers_configure_grades(self):
        for user in (self.sales_user, self.analyst):
            with self.assertRaises(AccessError):
                self.good.with_user(user).limit_factor = 9.0
        self.good.with_user(self.manager).limit_factor = 2.0
        self.assertEqual(self.good.limit_factor, 2.0)

    def test_grade_of_another_company_is_refused_and_unseen(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        foreign = self.env['credit.grade'].create({'code': "T9", 'name': "Theirs", 'company_id': other.id})
        with self.assertRaises(UserError):
            self.account.grade_id = foreign
        self.assertFalse(self.env['credit.grade'].with_user(self.analyst).search([('code', '=', "T9")]))
        self.account.grade_id = self.good
        with self.assertRaisesRegex(UserError, "used by other companies"):
            self.good.company_id = other

    def test_used_grade_is_archived_not_deleted(self):
        self.account.grade_id = self.good
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            self.good.unlink()
        self.middle.unlink()
        self.assertFalse(self.middle.exists())

    def test_code_is_used_once(self):
        with self.assertRaises(IntegrityError), mute_logger('odoo.sql_db'), self.cr.savepoint():
            self.env['credit.grade'].create({'code': "T1", 'name': "Again"})

    # -------------------------------------------------------------------------
    # Rule and segment
    # -------------------------------------------------------------------------

    def _graded_policy(self, outcome='hold', **values):
        return self._policy(('grade_below', outcome, {'grade_id': self.middle.id}), **values)

    def test_worse_grade_is_held_and_the_reason_names_both(self):
        self._graded_policy()
        self.account.grade_id = self.bad
        order = self._order(confirm=True)
        self.assertEqual(order.credit_state, 'on_hold')
        self.assertEqual(order.credit_reason, "The grade is T3 · Bad, worse than T2 · Middle.")
        self.assertEqual(order.credit_check_id.grade_id, self.bad)

    def test_same_better_and_no_grade_pass(self):
        self._graded_policy()
        for grade in (self.middle, self.good, self.env['credit.grade']):
            self.account.grade_id = grade
            self.assertEqual(self._order(confirm=True).credit_state, 'passed', grade.code)

    def test_reordered_grades_count_at_once(self):
        self._graded_policy()
        self.account.grade_id = self.bad
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')
        self.bad.sequence = 15
        self.assertEqual(self._order(confirm=True).credit_state, 'passed')
        self.middle.sequence = 5
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')

    def test_rule_without_a_grade_or_with_a_foreign_one_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "worst grade"):
            self._policy(('grade_below', 'hold', {}))
        other = self.setup_other_company(name="Elsewhere")['company']
        foreign = self.env['credit.grade'].create({'code': "T9", 'name': "Theirs", 'company_id': other.id})
        with self.assertRaisesRegex(ValidationError, "Elsewhere"):
            self._policy(('grade_below', 'hold', {'grade_id': foreign.id}))

    def test_analyst_gives_no_better_grade_where_grades_decide(self):
        self.account.grade_id = self.bad
        self._graded_policy()
        account = self.account.with_user(self.analyst)
        for grade in (self.good, self.env['credit.grade']):
            with self.assertRaisesRegex(AccessError, "only credit managers"):
                account.grade_id = grade
        self.account.with_user(self.manager).grade_id = self.good
        account.grade_id = self.bad
        self.assertEqual(self.account.grade_id, self.bad)

    def test_grade_change_is_seen_by_confirmations_under_way(self):
        counter = self.env['credit.counter'].sudo()
        self.account.grade_id = self.good
        before = counter.search([('account_id', '=', self.account.id)]).n
        self.account.grade_id = self.bad
        self.assertGreater(counter.search([('account_id', '=', self.account.id)]).n, before)

    def test_policy_of_a_grade_applies_to_its_customers(self):
        default = self._limit_policy()
        strict = self._policy(
            ('order_amount', 'hold', {'threshold': 10.0}), default=False, grade_ids=[Command.set(self.bad.ids)]
        )
        self.assertTrue(strict.segmented)
        self.assertEqual(self.account.applied_policy_id, default)
        self.assertEqual(self._order(confirm=True).credit_state, 'passed')

        self.account.grade_id = self.bad
        self.assertEqual(self.account.applied_policy_id, strict)
        self.assertEqual(self.customer.credit_policy_id, strict)
        self.assertEqual(strict.customer_count, 1)
        self.assertEqual(self.env['res.partner'].search([('credit_policy_id', '=', strict.id)]), self.customer)
        self.assertEqual(self.Account.search([('applied_policy_id', '=', strict.id)]), self.account)
        self.assertEqual(self.figures()['policy_id'], strict.id)
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')

    def test_own_policy_comes_before_that_of_the_grade(self):
        own = self._limit_policy(default=False)
        self._policy(('order_amount', 'hold', {'threshold': 10.0}), grade_ids=[Command.set(self.bad.ids)])
        self.account.write({'grade_id': self.bad.id, 'policy_id': own.id})
        self.assertEqual(self.account.applied_policy_id, own)

    def test_grade_in_another_company_chooses_no_policy_here(self):
        default = self._limit_policy()
        self._policy(
            ('order_amount', 'hold', {'threshold': 10.0}), default=False, grade_ids=[Command.set(self.bad.ids)]
        )
        other = self.setup_other_company(name="Elsewhere")['company']
        theirs = self._account(company=other)
        theirs.sudo().grade_id = self.bad
        self.assertEqual(self.account.applied_policy_id, default)
        self.assertEqual(self.figures()['policy_id'], default.id)

    def test_policy_keeps_an_archived_grade(self):
        strict = self._policy(
            ('order_amount', 'hold', {'threshold': 10.0}), default=False, grade_ids=[Command.set(self.bad.ids)]
        )
        self.account.grade_id = self.bad
        self.bad.active = False
        self.env['credit.policy']._forget()
        self.account.invalidate_recordset()
        self.assertEqual(self.account.applied_policy_id, strict)
