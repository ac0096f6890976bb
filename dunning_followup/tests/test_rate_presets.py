from datetime import date, timedelta

from odoo import Command
from odoo.tests import tagged

from .common_claims import DUE, ClaimsCommon


@tagged('post_install', '-at_install')
class TestRatePresets(ClaimsCommon):
    """What the shipped tables charge, and what they know nothing of."""

    def interest(self, preset, currency, amount, due, until):
        """Return the interest that a shipped table charges on a sum."""
        money = self.setup_other_currency(currency, rates=[('2020-01-01', 2.0)])
        self.company.dunning_rate_table_id = self.env.ref(f'dunning_followup.{preset}')
        invoice = self._invoice(amount, due=due, currency_id=money.id)
        self.Claim._update(self._items(invoice), until)
        return sum(amount for _kind, amount in self.claims(invoice, kind='interest'))

    def test_rates_as_researched(self):
        half_years = (date(2026, 1, 1), date(2026, 7, 1))
        for preset, rates in (
            ('rate_table_eu', dict(zip(half_years, (10.15, 10.40), strict=True))),
            ('rate_table_fr', dict(zip(half_years, (12.15, 12.40), strict=True))),
            ('rate_table_uk', {half_years[1]: 11.75}),
            ('rate_table_cn', {date(2025, 6, 1): 0.05}),
            ('rate_table_de', {}),
            ('rate_table_de_consumer', {}),
        ):
            with self.subTest(preset):
                table = self.env.ref(f'dunning_followup.{preset}')
                self.assertEqual({rate.date_from: rate.percent for rate in table.rate_ids}, rates)
                self.assertTrue(table.source and table.source_date)
                self.assertEqual(table.rate_stays, preset == 'rate_table_uk')

    def test_france(self):
        # 30 days at 12.15 %, 62 at 12.40 %.
        self.assertEqual(self.interest('rate_table_fr', 'EUR', 10000, DUE, date(2026, 8, 31)), 310.49)

    def test_united_kingdom(self):
        # The source's own figure: 3.22 a day on 10 000.
        self.assertEqual(self.interest('rate_table_uk', 'GBP', 10000, date(2026, 6, 30), date(2026, 7, 10)), 32.19)

    def test_the_united_kingdom_keeps_the_rate_of_the_half_year_and_france_does_not(self):
        for preset in ('rate_table_uk', 'rate_table_fr'):
            table = self.env.ref(f'dunning_followup.{preset}')
            table.rate_ids = [Command.create({'date_from': '2026-08-01', 'percent': 20})]
        due, until = date(2026, 6, 30), date(2026, 8, 31)

        # 62 days at 11.75 %; 31 at 12.40 % and 31 at 20 %.
        self.assertEqual(self.interest('rate_table_uk', 'GBP', 10000, due, until), 199.59)
        self.assertEqual(self.interest('rate_table_fr', 'EUR', 10000, due, until), 275.18)

    def test_golden_pound(self):
        # The rate that comes after the first day of delay changes nothing where the first one stays.
        pound = self.setup_other_currency('GBP', rates=[('2020-01-01', 2.0)])
        self.table.rate_ids.percent = 12.25
        self.table.write({'rate_stays': True, 'rate_ids': [Command.create({'date_from': '2026-07-01', 'percent': 20})]})
        invoice = self._invoice(5000, due=DUE, currency_id=pound.id)

        self.Claim._update(self._items(invoice), DUE + timedelta(days=101))

        self.assertEqual(self.claims(invoice, kind='interest'), [('interest', 169.49)])
        claim = self.Claim.search([('move_id', '=', invoice.id), ('kind', '=', 'interest')])
        self.assertEqual([(part['days'], part['percent']) for part in claim.segments], [(101, 12.25)])
        report = self.env['ir.actions.report']
        html = report._render_qweb_html('dunning_followup.report_dunning_claim_annex', claim.ids)[0].decode()
        self.assertIn('The rate of the first day of delay holds for the whole of it.', html)

    def test_tables_without_a_rate_say_so(self):
        tables = self.env.ref('dunning_followup.rate_table_de') + self.env.ref('dunning_followup.rate_table_eu')
        self.assertEqual(tables._without_rate(date(2026, 11, 22)), tables[0])
        self.assertEqual(tables._without_rate(date(2025, 12, 31)), tables)
