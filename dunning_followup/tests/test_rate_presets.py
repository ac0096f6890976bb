from datetime import date, timedelta

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

    def test_france(self):
        # 30 days at 12.15 %, 62 at 12.40 %.
        self.assertEqual(self.interest('rate_table_fr', 'EUR', 10000, DUE, date(2026, 8, 31)), 310.49)

    def test_united_kingdom(self):
        # The source's own figure: 3.22 a day on 10 000.
        self.assertEqual(self.interest('rate_table_uk', 'GBP', 10000, date(2026, 6, 30), date(2026, 7, 10)), 32.19)

    def test_golden_pound(self):
        self.table.rate_ids.percent = 12.25
        pound = self.setup_other_currency('GBP', rates=[('2020-01-01', 2.0)])
        invoice = self._invoice(5000, due=DUE, currency_id=pound.id)
        self.Claim._update(self._items(invoice), DUE + timedelta(days=101))
        self.assertEqual(self.claims(invoice, kind='interest'), [('interest', 169.49)])

    def test_tables_without_a_rate_say_so(self):
        tables = self.env.ref('dunning_followup.rate_table_de') + self.env.ref('dunning_followup.rate_table_eu')
        self.assertEqual(tables._without_rate(date(2026, 11, 22)), tables[0])
        self.assertEqual(tables._without_rate(date(2025, 12, 31)), tables)
