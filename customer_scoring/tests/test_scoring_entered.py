import io
from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, freeze_time, tagged

from .common_entered import EnteredCommon


@tagged('post_install', '-at_install')
class TestEnteredValues(EnteredCommon):
    """`scoring.entered._values`: what was known of customers at the end of a day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Type = cls.env['scoring.factor.type']
        cls.flow = cls.Type.create({'name': "Bank flow", 'code': 'bank_flow', 'unit': "%"})

    def _factor(self, type_, partner=None, as_of=date(2026, 1, 1), **values):
        return self.Factor.create(
            {'partner_id': (partner or self.customer).id, 'type_id': type_.id, 'date': as_of, **values}
        )

    def test_statement_counts_from_its_entry(self):
        with freeze_time('2026-02-01'):
            self._statement(end=date(2024, 12, 31), revenue=1_600_000)
        with freeze_time('2026-03-01'):
            self._statement()
        before, after = self.values(date(2026, 2, 28)), self.values(date(2026, 3, 1))
        self.assertNotIn('turnover_growth_statement', before)
        self.assertAlmostEqual(after['turnover_growth_statement'][self.customer.id], 25)
        self.assertAlmostEqual(after['altman_z'][self.customer.id], 3.34, 2)
        self.assertEqual(self.values(date(2026, 1, 31)), {})

    def test_old_statement_does_not_count(self):
        with freeze_time('2026-02-01'):
            self._statement()
        self.assertIn('altman_z', self.values(date(2027, 6, 30)))
        self.assertNotIn('altman_z', self.values(date(2027, 7, 1)))
        self.company.scoring_statement_months = 0
        self.assertIn('altman_z', self.values(date(2035, 1, 1)))

    def test_own_statement_before_the_groups(self):
        self._statement(consolidated=True, equity=900_000)
        self._statement()
        self.assertEqual(self.values(date(2027, 1, 1))['equity_ratio'][self.customer.id], 40)

    def test_kinds_of_outside_factors(self):
        grade = self.Type.create(
            {
                'name': "Register",
                'code': 'register',
                'kind': 'grade',
                'option_ids': [
                    Command.create({'name': "Clean", 'value': 1}),
                    Command.create({'name': "Entry", 'value': -5}),
                ],
            }
        )
        court = self.Type.create({'name': "Court", 'code': 'court', 'kind': 'bool', 'higher_is_better': False})
        founded = self.env.ref('customer_scoring.factor_type_founded')
        with freeze_time('2026-02-01'):
            factors = (
                self._factor(self.flow, number=0)
                + self._factor(grade, option_id=grade.option_ids[1].id)
                + self._factor(court, yes=True)
                + self._factor(founded, day=date(2016, 2, 1))
            )
        values = {code: of[self.customer.id] for code, of in self.values(date(2026, 2, 1)).items()}
        years = values.pop('years_in_business')
        self.assertAlmostEqual(years, 10, 1)
        self.assertEqual(values.pop('factor:founded'), years)
        self.assertEqual(values, {'factor:bank_flow': 0, 'factor:register': -5, 'factor:court': 1})
        self.assertEqual(factors.mapped('value_text'), ["0 %", "Entry", "Yes", "02/01/2016"])

    def test_factor_needs_a_value_of_its_kind(self):
        with self.assertRaisesRegex(ValidationError, "State the value of Bank flow"):
            self._factor(self.flow)
        with self.assertRaises(ValidationError):
            self._factor(self.flow, number=1, as_of=date(2999, 1, 1))
        with self.assertRaisesRegex(ValidationError, "small letters"):
            self.Type.create({'name': "X", 'code': "Bank flow"})
        with self.assertRaisesRegex(ValidationError, "List the grades"):
            self.Type.create({'name': "X", 'code': "x", 'kind': 'grade'})
        self._factor(self.flow, number=1)
        with self.assertRaisesRegex(UserError, "code and the kind stay"):
            self.flow.code = 'other'

    def test_factor_ends_with_its_validity(self):
        with freeze_time('2026-02-01'):
            self._factor(self.flow, number=5)
            self._factor(self.flow, number=7, as_of=date(2026, 1, 15))
        self.assertEqual(self.values(date(2026, 12, 31))['factor:bank_flow'], {self.customer.id: 7})
        self.assertNotIn('factor:bank_flow', self.values(date(2027, 1, 16)))

    def test_forbidden_for_natural_persons(self):
        self.flow.natural_forbidden = True
        with self.assertRaisesRegex(ValidationError, "natural persons"):
            self._factor(self.flow, partner=self.person, number=1)
        self._factor(self.flow, number=1)
        # Forbidden after it was entered: kept for the export, but not counted.
        self.flow.natural_forbidden = False
        self._factor(self.flow, partner=self.person, number=1)
        self.flow.natural_forbidden = True
        today = self.company._credit_today()
        self.assertEqual(self.values(today, self.person, self.customer)['factor:bank_flow'], {self.customer.id: 1})

    def test_risk_tables_are_dated(self):
        industry = self.env['res.partner.industry'].create({'name': "Steel"})
        country = self.env.ref('base.de')
        self.customer.write({'industry_id': industry.id, 'country_id': country.id})
        Industry = self.env['scoring.industry.risk'].with_user(self.analyst)
        with freeze_time('2026-02-01'):
            Industry.create({'industry_id': industry.id, 'risk': '2', 'date': '2026-01-01'})
            self.env['scoring.country.risk'].with_user(self.analyst).create({'country_id': country.id, 'risk': '1'})
        with freeze_time('2026-03-01'):
            # Of an earlier day than the other: doesn't count, though entered later.
            Industry.create({'industry_id': industry.id, 'risk': '5', 'date': '2025-06-01'})
            Industry.create({'industry_id': industry.id, 'risk': '4', 'date': '2026-03-01'})
        for day, risk in ((date(2026, 2, 1), 2), (date(2026, 3, 1), 4)):
            self.assertEqual(self.values(day)['industry_risk'], {self.customer.id: risk})
        self.assertEqual(self.values(date(2026, 2, 1))['country_risk'], {self.customer.id: 1})
        self.assertEqual(self.values(date(2026, 1, 31)), {})
        self.assertEqual(self.values(date(2026, 3, 1), self.other_customer), {})

    def test_other_company_knows_nothing(self):
        other = self.env['res.company'].create({'name': "Other"})
        self._statement()
        self._rating(350)
        today = self.company._credit_today()
        self.assertEqual(self.values(today, company=other), {})
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self.assertEqual(self.values(today, company=branch), self.values(today))

    def test_constant_number_of_statements(self):
        many = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(30)])
        for partner in many:
            self._statement(partner)
            self._rating(350, partner)
        today = self.company._credit_today()
        self.env.flush_all()
        self.values(today, *many)
        with self.assertQueryCount(6):
            values = self.values(today, *many)
        self.assertEqual(len(values['external_rating']), 30)
        self.assertEqual(self.env['scoring.entered']._values([], self.company, today), {})

    def test_merged_customer_keeps_its_facts(self):
        self._statement(self.other_customer)
        wizard = self.env['base.partner.merge.automatic.wizard'].create({})
        wizard.sudo()._merge((self.other_customer + self.customer).ids, self.customer)
        self.assertIn('altman_z', self.values(self.company._credit_today()))

    def test_broken_promises_of_a_merged_customer_count(self):
        accounts = (self._account(self.other_customer), self._account())
        self.env['credit.event']._record([(account, 'promise_broken', {}) for account in accounts])
        wizard = self.env['base.partner.merge.automatic.wizard'].create({})
        wizard.sudo()._merge((self.other_customer + self.customer).ids, self.customer)
        today = self.company._credit_today()
        counts = self.env['scoring.score']._event_counts(self.customer.ids, self.company, today)
        self.assertEqual(counts, {self.customer.id: {'promises_broken': 2}})


@tagged('post_install', '-at_install')
class TestPersonalData(EnteredCommon, HttpCase):
    def test_workbook_for_a_person(self):
        import openpyxl

        self._statement(self.person)
        self._rating(350, self.person, purpose="Limit").action_withdraw()
        account = self._account(self.person, limit=777.0)
        self.env['credit.alert'].sudo().create(
            {'account_id': account.id, 'kind': 'grade_down', 'date': '2026-01-05', 'note': "Asked back"}
        )
        self._limit_policy()
        self._order_of(1000.0, partner=self.person).action_confirm()
        self.authenticate('credit_manager', 'credit_manager')
        manager = account.with_user(self.manager)
        self.assertTrue(manager.natural_person)
        url = manager.action_export_personal_data()['url']
        self.manager.password = 'credit_manager_pw_1'
        self.authenticate('credit_manager', 'credit_manager_pw_1')
        response = self.url_open(url)

        self.assertEqual(response.status_code, 200)
        book = openpyxl.load_workbook(io.BytesIO(response.content))
        text = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
        self.assertLessEqual({"Mr Natural", "Agency", "Limit", "Legitimate interest", "2025-12-31"}, text)
        self.assertLessEqual({"777", "Grade Worse", "Asked back"}, text)
        # The check of his order: what was asked for, what was decided, and why.
        check = self.env['credit.check'].sudo().search([('account_id', '=', account.id)])
        self.assertLessEqual({check.document_name, "1000", "Hold", *check.line_ids.mapped('message')}, text)
        self.assertTrue(self.events('personal_data', self.person))

    def test_for_managers_and_persons_only(self):
        account = self._account(self.person)
        with self.assertRaises(AccessError):
            account.with_user(self.analyst).action_export_personal_data()
        with self.assertRaisesRegex(UserError, "no natural person"):
            self._account().with_user(self.manager).action_export_personal_data()
