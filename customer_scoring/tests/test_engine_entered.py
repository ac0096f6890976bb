import io
import zipfile
from datetime import date

from odoo.tests import TransactionCase, tagged

from ..engine.scale import normalise, questionnaire_score, weighted_mean
from ..engine.statement import CAP, Statement, altman_z, differences, growth, ratios, zone
from ..engine.table import TableError, parse_date, parse_number, read_table


@tagged('post_install', '-at_install')
class TestStatementEngine(TransactionCase):
    def _statement(self, **values):
        return Statement(
            **{
                'current_assets': 500,
                'current_liabilities': 300,
                'retained_earnings': 200,
                'ebit': 100,
                'equity': 400,
                'total_assets': 1000,
                'total_liabilities': 600,
                **values,
            }
        )

    def test_altman_by_hand(self):
        # 6.56 × 0.2 + 3.26 × 0.2 + 6.72 × 0.1 + 1.05 × 400 ÷ 600
        self.assertAlmostEqual(altman_z(self._statement()), 1.312 + 0.652 + 0.672 + 0.7)
        self.assertAlmostEqual(altman_z(self._statement(), emerging=True), 3.336 + 3.25)

    def test_altman_of_a_firm_in_distress(self):
        # 6.56 × −0.2 + 3.26 × −0.1 + 6.72 × −0.05 + 1.05 × 100 ÷ 900
        z = altman_z(
            self._statement(
                current_assets=300, current_liabilities=500, retained_earnings=-100, ebit=-50, equity=100,
                total_liabilities=900,
            )
        )  # fmt: skip
        self.assertAlmostEqual(z, -1.312 - 0.326 - 0.336 + 105 / 900)
        self.assertEqual(zone(z), 'distress')

    def test_zones_at_their_cut_offs(self):
        self.assertEqual([zone(z) for z in (1.09, 1.10, 2.60, 2.61, None)], ['distress', 'grey', 'grey', 'safe', None])
        self.assertEqual(
            [zone(z, emerging=True) for z in (4.34, 4.36, 5.84, 5.86)], ['distress', 'grey', 'grey', 'safe']
        )

    def test_half_a_year_is_taken_as_a_year(self):
        self.assertAlmostEqual(altman_z(self._statement(months=6, ebit=50)), altman_z(self._statement()))
        half = ratios(Statement(months=6, cash_flow_operating=75, current_liabilities=300))
        self.assertAlmostEqual(half['cash_flow_ratio'], 0.5)

    def test_what_is_not_known_is_not_0(self):
        for name in ('retained_earnings', 'ebit', 'equity', 'total_assets'):
            self.assertIsNone(altman_z(self._statement(**{name: None})), name)
        self.assertIsNotNone(altman_z(self._statement(ebit=0)))
        self.assertEqual(set(ratios(Statement()).values()), {None})

    def test_ratios(self):
        values = ratios(self._statement(cash_flow_operating=150, interest_expense=20, revenue=2000, net_profit=-50))
        self.assertAlmostEqual(values['equity_ratio'], 40)
        self.assertAlmostEqual(values['current_ratio'], 5 / 3)
        self.assertAlmostEqual(values['cash_flow_ratio'], 0.5)
        self.assertAlmostEqual(values['interest_cover'], 5)
        self.assertAlmostEqual(values['return_on_sales'], -2.5)

    def test_divided_by_nothing(self):
        self.assertEqual(ratios(self._statement(interest_expense=0))['interest_cover'], CAP)
        self.assertEqual(ratios(self._statement(interest_expense=0, ebit=-1))['interest_cover'], -CAP)
        self.assertIsNone(ratios(Statement(net_profit=1, revenue=0))['return_on_sales'])

    def test_growth(self):
        self.assertAlmostEqual(growth(120, 100), 20)
        self.assertIsNone(growth(120, 0))
        self.assertIsNone(growth(None, 100))

    def test_totals_that_do_not_add_up(self):
        [found] = differences(self._statement(non_current_assets=400))
        self.assertEqual((found.check.total, found.amount), ('total_assets', -100))
        self.assertEqual(differences(self._statement(non_current_assets=500)), [])

    def test_rounding_is_no_difference(self):
        thousands = {'non_current_assets': 499_000, 'current_assets': 500_000, 'total_assets': 1_000_000}
        self.assertEqual(len(differences(Statement(**thousands))), 1)
        self.assertEqual(differences(Statement(**thousands), unit=1000), [])

    def test_parts_may_be_missing_but_not_exceed(self):
        self.assertEqual(differences(Statement(inventory=10, current_assets=100)), [])
        [found] = differences(Statement(inventory=80, cash=40, current_assets=100))
        self.assertEqual((found.check.at_most, found.amount), (True, 20))
        # Nothing to compare with.
        self.assertEqual(differences(Statement(equity=10, total_assets=100)), [])


@tagged('post_install', '-at_install')
class TestScaleEngine(TransactionCase):
    def test_scales_of_either_direction(self):
        self.assertEqual(normalise(75, 0, 100), 75)
        self.assertEqual(normalise(100, 600, 100), 100)
        self.assertEqual(normalise(350, 600, 100), 50)
        for value, worst, best in ((101, 0, 100), (99, 600, 100), (1, 1, 1)):
            with self.assertRaises(ValueError):
                normalise(value, worst, best)

    def test_means(self):
        self.assertEqual(weighted_mean([(80, 3), (40, 1)]), 70)
        self.assertIsNone(weighted_mean([(80, 0)]))
        self.assertIsNone(weighted_mean([]))

    def test_questionnaire(self):
        # (3 of 3) × 2 and (1 of 4) × 1
        self.assertAlmostEqual(questionnaire_score([(3, 3, 2), (1, 4, 1)]), 75)


@tagged('post_install', '-at_install')
class TestTableEngine(TransactionCase):
    def test_lines_are_counted_as_people_do(self):
        headers, rows = read_table(b'name;rating\nA;1\n\n"B\nGmbH";2\nC;3\n')
        self.assertEqual(headers, ['name', 'rating'])
        self.assertEqual(rows, [(2, ['A', '1']), (4, ['B\nGmbH', '2']), (6, ['C', '3'])])

    def test_encodings(self):
        for encoding in ('utf-8', 'utf-8-sig', 'utf-16', 'gb18030'):
            headers, _rows = read_table("客户名称,评级\n恒达贸易,AA\n".encode(encoding))
            self.assertEqual(headers, ["客户名称", "评级"], encoding)
        headers, rows = read_table("Name;Bonität\nMüller;1\n".encode('cp1252'))
        self.assertEqual((headers[1], rows[0][1][0]), ("Bonität", "Müller"))

    def test_workbook(self):
        import openpyxl

        book = openpyxl.Workbook()
        book.active.append(['Ref', 'Rating', 'Date'])
        book.active.append([])
        book.active.append(['C1', 250.5, date(2026, 3, 31)])
        target = io.BytesIO()
        book.save(target)
        headers, [(line, values)] = read_table(target.getvalue())
        self.assertEqual((headers, line, values[:2]), (['Ref', 'Rating', 'Date'], 3, ['C1', 250.5]))
        self.assertEqual(parse_date(values[2]), date(2026, 3, 31))

    def test_no_table(self):
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('xl/sheet1.xml', b'0' * (151 * 1024 * 1024))
        for content, code in (
            (b'', 'empty'),
            (b'only a header\n', 'empty'),
            (b'PK\x03\x04 no workbook', 'format'),
            (b'a,b\n1,\x00\n', 'format'),
            (b'x' * (10 * 1024 * 1024 + 1), 'large'),
            (bomb.getvalue(), 'large'),
            (b'a\n' + b'1\n' * 20_001, 'rows'),
        ):
            with self.assertRaises(TableError) as caught:
                read_table(content)
            self.assertEqual(caught.exception.code, code)

    def test_numbers(self):
        for text, number in (
            ("1.5", 1.5), ("1,5", 1.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1,234,567", 1234567),
            ("-3", -3), ("45 %", 45), ("0,123", 0.123), (7, 7),
        ):  # fmt: skip
            self.assertEqual(parse_number(text), number, text)
        for text, problem in (("1,234", 'ambiguous'), ("AA", 'number'), ("", 'number'), (True, 'number')):
            with self.assertRaisesRegex(ValueError, problem):
                parse_number(text)

    def test_dates(self):
        self.assertEqual(parse_date("2026-03-01"), date(2026, 3, 1))
        self.assertEqual(parse_date("2026年3月1日"), date(2026, 3, 1))
        self.assertEqual(parse_date("20260301"), date(2026, 3, 1))
        self.assertEqual(parse_date("1.3.2026", day_first=False), date(2026, 3, 1))
        self.assertEqual(parse_date("1/3/2026"), date(2026, 3, 1))
        self.assertEqual(parse_date("1/3/2026", day_first=False), date(2026, 1, 3))
        self.assertEqual(parse_date("2026-03-01 10:00:00"), date(2026, 3, 1))
        for text in ("31.2.2026", "soon", "1/3/26"):
            with self.assertRaises(ValueError):
                parse_date(text)
