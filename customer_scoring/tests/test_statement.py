from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import file_open, mute_logger

from .common_entered import FIGURES, EnteredCommon


@tagged('post_install', '-at_install')
class TestStatement(EnteredCommon):
    def test_ratios_and_zone(self):
        statement = self._statement()

        self.assertAlmostEqual(statement.altman_z, 3.34, 2)
        self.assertAlmostEqual(statement.altman_z_emerging, 6.59, 2)
        self.assertEqual(statement.altman_zone, 'safe')
        self.assertEqual((statement.equity_ratio, statement.return_on_sales), (40, 2.5))
        self.assertFalse(statement.warning)

    def test_left_open_is_not_0(self):
        statement = self._statement(ebit=False, cash=0, net_profit=False)
        self.env.invalidate_all()

        self.assertIs(statement.ebit, False)
        self.assertEqual(statement.cash, 0)
        self.assertIsNot(statement.cash, False)
        self.assertIs(statement.altman_z, False)
        self.assertIs(statement.altman_zone, False)
        self.assertIs(statement.return_on_sales, False)
        [row] = statement.read(['ebit', 'cash', 'altman_z'])
        self.assertEqual((row['ebit'], row['altman_z']), (False, False))
        self.assertIsNot(row['cash'], False)
        statement.ebit = 100_000
        self.assertEqual(statement.altman_zone, 'safe')
        statement.ebit = False
        self.env.invalidate_all()
        self.assertIs(statement.ebit, False)
        self.assertIs(statement.altman_z, False)

    def test_form_leaves_open_what_nobody_entered(self):
        with Form(self.Statement.with_context(default_partner_id=self.customer.id)) as form:
            form.period_end = date(2025, 12, 31)
            form.revenue = 100
            form.cash = 0
        statement = form.record
        self.env.invalidate_all()

        self.assertEqual(statement.revenue, 100)
        self.assertIs(statement.equity, False)

    def test_difference_is_named_and_may_be_saved(self):
        statement = self._statement(non_current_assets=400_000)

        self.assertIn("100,000.00", statement.warning)
        self.assertIn("Total Assets", statement.warning)
        statement.non_current_assets = 500_000
        self.assertFalse(statement.warning)

    def test_contact_stands_for_its_company(self):
        self.assertEqual(self._statement(self.contact).partner_id, self.customer)

    def test_same_period_twice(self):
        self._statement()
        with self.assertRaisesRegex(ValidationError, "there already"):
            self._statement()
        self._statement(consolidated=True)

    def test_period_to_come(self):
        with self.assertRaisesRegex(ValidationError, "not ended yet"):
            self._statement(end=date(2999, 12, 31))

    def test_months_out_of_range(self):
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.cr.savepoint():
            self._statement(months=0)

    def test_compared_with_the_year_before(self):
        before = self._statement(end=date(2024, 12, 31), revenue=1_600_000)
        now = self._statement()

        self.assertEqual(now.previous_id, before)
        self.assertAlmostEqual(now.turnover_growth, 25)
        self.assertIn("+25.0 %", now.comparison)
        self.assertFalse(before.previous_id)
        self.assertFalse(before.comparison)

    def test_other_currency_does_not_grow(self):
        other = (
            self.env['res.currency'].with_context(active_test=False).search([('id', '!=', self.currency.id)], limit=1)
        )
        self._statement(end=date(2024, 12, 31), revenue=1_600_000, currency_id=other.id)

        now = self._statement()
        self.assertTrue(now.previous_id)
        self.assertIs(now.turnover_growth, False)
        self.assertNotIn('turnover_growth_statement', self.values(date(2026, 12, 31)))

    def test_out_of_date(self):
        with freeze_time('2026-03-01'):
            old = self._statement(end=date(2023, 12, 31))
            self.assertTrue(old.out_of_date)
            self.assertEqual(self.Statement.search([('out_of_date', '=', True)]), old)
            new = self._statement()
            old.invalidate_recordset(['out_of_date'])
            self.assertFalse((old + new).filtered('out_of_date'))
            self.assertFalse(self.Statement.search([('out_of_date', '=', True)]))
            self.company.scoring_statement_months = 1
            new.invalidate_recordset(['out_of_date'])
            self.assertTrue(new.out_of_date)
        with self.assertRaises(ValidationError):
            self.company.scoring_statement_months = -1

    def test_import_names_its_customer(self):
        self.customer.ref = "H1"
        result = self.Statement.load(
            ['customer', 'period_end', 'revenue', 'equity'],
            [["H1", "2024-12-31", "1000", ""], ["Nobody", "2024-12-31", "1", ""]],
        )
        self.assertIn("Nobody", result['messages'][0]['message'])
        result = self.Statement.load(
            ['customer', 'period_end', 'revenue', 'equity'], [["H1", "2024-12-31", "1000", ""]]
        )
        statement = self.Statement.browse(result['ids'])
        self.assertEqual((statement.partner_id, statement.revenue, statement.equity), (self.customer, 1000, False))
        self.assertEqual(statement.currency_id, self.currency)
        [template] = self.Statement.get_import_templates()
        self.assertIn('.xlsx', template['template'])

    def test_shipped_templates_go_in(self):
        self.customer.name = "Example Trading"
        self.env.ref('base.EUR').active = True
        for model in ('scoring.statement', 'scoring.factor'):
            [template] = self.env[model].get_import_templates()
            with file_open(template['template'].removeprefix('/'), 'rb') as file:
                wizard = (
                    self.env['base_import.import']
                    .with_user(self.analyst)
                    .create({'res_model': model, 'file': file.read(), 'file_name': "template.xlsx"})
                )
            options = {'has_headers': True, 'quoting': '"', 'separator': ','}
            preview = wizard.parse_preview(options)
            self.assertFalse(preview.get('error'))
            matches = [preview['matches'].get(number) for number in range(len(preview['headers']))]
            self.assertNotIn(None, matches)
            result = wizard.execute_import(
                ['/'.join(match) for match in matches], preview['headers'], preview['options']
            )
            self.assertFalse(result['messages'])
            self.assertTrue(result['ids'])
            record = self.env[model].browse(result['ids'])
            self.assertEqual(record.partner_id, self.customer)
            if model == 'scoring.statement':
                self.assertEqual((record.revenue, record.warning, record.audited), (2_000_000, False, True))

    def test_entered_and_changed_are_on_file(self):
        statement = self._statement()
        [event] = self.events('statement_entered')
        self.assertIn("2,000,000", event.description)
        self.assertEqual(event._content()['statement_id'], statement.id)
        self.assertEqual(event.action_open_document()['res_model'], 'scoring.statement')
        statement.note = "nothing new"
        self.assertFalse(self.events('statement_changed'))
        statement.revenue = 3_000_000
        self.assertEqual(len(self.events('statement_changed')), 1)
        statement.action_withdraw()
        self.assertEqual(len(self.events('statement_withdrawn')), 1)

    def test_stays_with_its_customer(self):
        with self.assertRaisesRegex(UserError, "stays with its customer"):
            self._statement().partner_id = self.other_customer

    def test_flow_is_nobodys_to_write(self):
        statement = self._statement()
        for values in ({'known_from': '2020-01-01'}, {'active': False}, {'known_until': '2020-01-01'}):
            with self.assertRaises(AccessError):
                statement.write(values)
        statement = self.Statement.create(
            {'partner_id': self.customer.id, 'period_end': '2023-12-31', 'known_from': '2020-01-01', 'active': False}
        )
        self.assertEqual((statement.known_from, statement.active), (self.company._credit_today(), True))
        with self.assertRaises(UserError):
            statement.action_unarchive()

    def test_attachment_of_somebody_else_is_refused(self):
        secret = (
            self.env['ir.attachment']
            .sudo()
            .create(
                {'name': "s", 'raw': b"s", 'res_model': 'ir.cron', 'res_id': self.env.ref('base.autovacuum_job').id}
            )
        )
        with self.assertRaises(AccessError):
            self._statement(attachment_ids=[(4, secret.id)])

    def test_attachment_goes_with_the_statement(self):
        file = self.env['ir.attachment'].with_user(self.analyst).create({'name': "a.pdf", 'raw': b"x"})
        statement = self._statement(attachment_ids=[(4, file.id)])
        self.assertEqual((file.sudo().res_model, file.sudo().res_id), ('scoring.statement', statement.id))
        self.assertEqual(file.with_user(self.auditor).raw, b"x")


@tagged('post_install', '-at_install')
class TestStatementVersions(EnteredCommon):
    """What was known on a day stays known of that day."""

    def test_change_on_the_day_of_entry_is_a_typing_error(self):
        statement = self._statement()
        statement.ebit = 0
        self.assertFalse(self.Statement.with_context(active_test=False).search([('current_id', '=', statement.id)]))

    def test_later_change_leaves_the_former_version(self):
        with freeze_time('2026-02-01'):
            statement = self._statement()
        with freeze_time('2026-03-01'):
            statement.equity = 300_000
        former = self.Statement.with_context(active_test=False).search([('current_id', '=', statement.id)])

        self.assertRecordValues(
            former + statement,
            [
                {'equity': 400_000, 'active': False, 'known_from': date(2026, 2, 1), 'known_until': date(2026, 3, 1)},
                {'equity': 300_000, 'active': True, 'known_from': date(2026, 3, 1), 'known_until': False},
            ],
        )
        self.assertEqual(former.altman_zone, 'safe')
        for day, ratio in ((date(2026, 2, 1), 40), (date(2026, 2, 28), 40), (date(2026, 3, 1), 30)):
            self.assertEqual(self.values(day)['equity_ratio'][self.customer.id], ratio)
        self.assertNotIn('equity_ratio', self.values(date(2026, 1, 31)))
        with self.assertRaisesRegex(UserError, "kept as it was"):
            former.equity = 1

    def test_same_values_are_no_change(self):
        with freeze_time('2026-02-01'):
            statement = self._statement()
        with freeze_time('2026-03-01'):
            statement.write({'equity': FIGURES['equity']})
        self.assertEqual(statement.known_from, date(2026, 2, 1))

    def test_withdrawn_counts_no_more(self):
        with freeze_time('2026-02-01'):
            statement = self._statement()
        with freeze_time('2026-03-01'):
            statement.action_archive()
        self.assertIn('equity_ratio', self.values(date(2026, 2, 28)))
        self.assertNotIn('equity_ratio', self.values(date(2026, 3, 1)))
        self.assertFalse(self.Statement.search([('id', '=', statement.id)]))
