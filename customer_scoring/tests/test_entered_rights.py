from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common_entered import EnteredCommon


@tagged('post_install', '-at_install')
class TestEnteredRights(EnteredCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.industry = cls.env['res.partner.industry'].create({'name': "Steel"})
        cls.flow = cls.env['scoring.factor.type'].create({'name': "Bank flow", 'code': 'bank_flow'})
        cls.vals = {
            'scoring.statement': {'partner_id': cls.customer.id, 'period_end': '2024-12-31', 'revenue': 1},
            'scoring.rating': {'partner_id': cls.customer.id, 'provider_id': cls.agency.id, 'value': 100},
            'scoring.factor': {'partner_id': cls.customer.id, 'type_id': cls.flow.id, 'number': 1},
            'scoring.industry.risk': {'industry_id': cls.industry.id, 'risk': '1'},
            'scoring.country.risk': {'country_id': cls.env.ref('base.de').id, 'risk': '1'},
        }
        cls.change = {
            'scoring.statement': {'revenue': 2},
            'scoring.rating': {'value': 200},
            'scoring.factor': {'number': 2},
            'scoring.industry.risk': {'risk': '2'},
            'scoring.country.risk': {'risk': '2'},
        }

    def test_analysts_write_auditors_read_nobody_else(self):
        accountant = self._new_user('plain_accountant', 'account.group_account_invoice')
        for model, vals in self.vals.items():
            with self.subTest(model):
                record = self.env[model].with_user(self.analyst).create(vals)
                record.write(self.change[model])
                with self.assertRaises(AccessError):
                    record.unlink()
                self.assertTrue(record.with_user(self.auditor).read(['company_id']))
                for name, values in (('write', self.change[model]), ('create', vals), ('action_withdraw', None)):
                    with self.assertRaises(AccessError):
                        method = getattr(record.with_user(self.auditor), name)
                        method() if values is None else method(values)
                for user in (self.sales_user, accountant):
                    with self.assertRaises(AccessError):
                        record.with_user(user).read(['company_id'])
                    with self.assertRaises(AccessError):
                        self.env[model].with_user(user).search([])
                record.with_user(self.manager).unlink()

    def test_what_follows_from_figures_is_not_written(self):
        statement = self._statement()
        rating = self._rating(350)
        for record, vals in ((statement, {'altman_z': 9.0}), (rating, {'score': 100.0}), (rating, {'last_day': False})):
            with self.assertRaisesRegex(AccessError, "follows from"):
                record.write(vals)
        sly = self.Rating.create({**self.vals['scoring.rating'], 'value': 600, 'score': 100.0})
        self.assertEqual(sly.score, 0)

    def test_only_managers_set_up(self):
        for model, vals in (
            ('scoring.rating.provider', {'name': "P"}),
            ('scoring.factor.type', {'name': "T", 'code': 't'}),
            ('scoring.questionnaire', {'name': "Q"}),
        ):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.analyst).create(vals)
            self.env[model].with_user(self.manager).create(vals)
        with self.assertRaises(AccessError):
            self.env['scoring.rating.import'].with_user(self.manager).create(
                {'provider_id': self.agency.id, 'purpose': "x", 'legal_basis': 'interest', 'user_id': self.manager.id}
            )

    def test_other_company_sees_and_writes_nothing(self):
        other = self.env['res.company'].create({'name': "Other"})
        stranger = self._new_user('stranger', 'credit_management.group_credit_manager')
        stranger.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        for model, vals in self.vals.items():
            record = self.env[model].with_user(self.analyst).create(vals)
            self.assertFalse(self.env[model].with_user(stranger).search([('id', '=', record.id)]))
            with self.assertRaises(AccessError):
                record.with_user(stranger).with_company(other).write(self.change[model])
            with self.assertRaises(AccessError):
                self.env[model].with_user(stranger).with_company(other).create({**vals, 'company_id': self.company.id})

    def test_set_up_of_another_company_is_not_used(self):
        other = self.env['res.company'].create({'name': "Other"})
        theirs = self.env['scoring.rating.provider'].sudo().create({'name': "Theirs", 'company_id': other.id})
        self.assertNotIn(theirs, self.env['scoring.rating.provider'].with_user(self.analyst).search([]))
        with self.assertRaisesRegex(ValidationError, "belongs to Other"):
            self.env['scoring.rating'].with_user(self.analyst).create(
                {**self.vals['scoring.rating'], 'provider_id': theirs.id}
            )

    def test_customer_of_another_company_and_branches(self):
        other = self.env['res.company'].create({'name': "Other"})
        self.customer.company_id = other
        with self.assertRaises(AccessError):
            self.Statement.create(self.vals['scoring.statement'])
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        with self.assertRaisesRegex(ValidationError, "is a branch"):
            self.env['scoring.statement'].create(
                {**self.vals['scoring.statement'], 'partner_id': self.other_customer.id, 'company_id': branch.id}
            )

    def test_credit_file_outlives_the_add_on(self):
        ondelete = self.env['credit.event']._fields['kind'].ondelete
        self.assertIn('statement_entered', ondelete)
        self.assertFalse([kind for kind, action in ondelete.items() if not callable(action)])

    def test_counts_on_the_account(self):
        for model, vals in self.vals.items():
            self.env[model].with_user(self.analyst).create(vals)
        account = self._account()
        seen = account.with_user(self.analyst)
        self.assertEqual((seen.statement_count, seen.rating_count, seen.factor_count, seen.answer_count), (1, 1, 1, 0))
        for name, model in (('statements', 'statement'), ('ratings', 'rating'), ('factors', 'factor')):
            action = getattr(seen, f'action_view_{name}')()
            self.assertEqual(self.env[action['res_model']].search_count(action['domain']), 1)
            self.assertEqual(action['res_model'], f'scoring.{model}')
        # A salesperson sees the account, and of these the own questionnaires only.
        sales = account.with_user(self.sales_user)
        self.assertEqual((sales.statement_count, sales.rating_count, sales.factor_count), (0, 0, 0))
        with Form(sales):
            pass
