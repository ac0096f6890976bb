import base64
import io
from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common_entered import EnteredCommon


@freeze_time('2026-03-01')
@tagged('post_install', '-at_install')
class TestRatingUpload(EnteredCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({'ref': "H1", 'company_registry': "HRB 4711"})
        cls.Upload = cls.env['scoring.rating.upload'].with_user(cls.analyst)

    def _upload(self, text, read=True, **values):
        content = text if isinstance(text, bytes) else text.encode()
        upload = self.Upload.create(
            {
                'provider_id': self.agency.id,
                'file': base64.b64encode(content),
                'file_name': "ratings.csv",
                'purpose': "Limits of 2026",
                'legal_basis': 'interest',
                **values,
            }
        )
        if read:
            upload.action_read()
        return upload

    def _targets(self, upload):
        return {column.name: column.target for column in upload.column_ids}

    def _rows(self, upload):
        upload.action_check()
        return {row.line: row for row in upload.row_ids}

    def test_columns_are_guessed(self):
        upload = self._upload(
            "Customer No.;Company name;Registration;VAT;Score;As of;Valid until;Odd\n;;;;;;;\nH1;a;b;c;1;;;x\n"
        )
        self.assertEqual(
            self._targets(upload),
            {
                'Customer No.': 'ref', 'Company name': 'name', 'Registration': 'code', 'VAT': 'vat', 'Score': 'rating',
                'As of': 'date', 'Valid until': 'date_until', 'Odd': False,
            },
        )  # fmt: skip
        chinese = self._upload("客户名称,统一社会信用代码,评级,日期\nx,y,1,2026-01-01\n".encode('gb18030'))
        self.assertEqual(list(self._targets(chinese).values()), ['name', 'code', 'rating', 'date'])

    def test_right_rows_are_imported(self):
        upload = self._upload("Reference,Score,Date\nH1,350,2026-02-01\nF1,100,\n")
        rows = self._rows(upload)
        self.assertEqual([(row.state, row.matched_by) for row in rows.values()], [('ok', 'ref'), ('ok', 'ref')])
        self.assertFalse(self.Rating.search([('partner_id', '=', self.customer.id)]))

        action = upload.action_import()
        log = self.env['scoring.rating.import'].browse(action['res_id'])
        self.assertRecordValues(
            log,
            [
                {
                    'imported_count': 2, 'error_count': 0, 'same_count': 0, 'user_id': self.analyst.id,
                    'purpose': "Limits of 2026", 'legal_basis': 'interest', 'file_name': "ratings.csv",
                }
            ],
        )  # fmt: skip
        self.assertEqual(len(log.fingerprint), 64)
        self.assertRecordValues(
            log.rating_ids.sorted('score'),
            [
                {'partner_id': self.customer.id, 'score': 50, 'date': date(2026, 2, 1)},
                {'partner_id': self.other_customer.id, 'score': 100, 'date': date(2026, 3, 1)},
            ],
        )
        self.assertEqual(len(self.events('rating_entered')), 1)

    def test_customer_is_found_by_code_tax_id_reference_and_name(self):
        self.other_customer.vat = "DE 123 456 789"
        third = self.env['res.partner'].create({'name': "Third", 'is_company': True})
        upload = self._upload("Reg,VAT,Ref,Name,Rating\nhrb4711,,,,200\n,DE123456789,,,200\n,,H1,,200\n,,,Third,200\n")
        for column, target in zip(upload.column_ids, ('code', 'vat', 'ref', 'name', 'rating'), strict=True):
            column.target = target
        rows = self._rows(upload)
        self.assertEqual([row.matched_by for row in rows.values() if row.state == 'ok'], ['code', 'vat', 'name'])
        self.assertEqual(
            [row.partner_id for row in rows.values() if row.state == 'ok'], [self.customer, self.other_customer, third]
        )
        self.assertEqual((rows[4].state, rows[4].matched_by), ('same', 'ref'))

    def test_errors_say_the_row_and_the_reason(self):
        twin = self.env['res.partner'].create([{'name': "Twin", 'is_company': True}] * 2)
        upload = self._upload(
            "Reference,Name,Score,Date\n"
            "H1,,350,2026-02-01\n"
            "\n"
            "X9,,350,\n"  # 4
            ",Twin,350,\n"
            "F1,,99,\n"
            "F1,,AA,\n"
            'F1,,"1,234",\n'
            "F1,,,\n"
            "F1,,200,tomorrow\n"  # 10
            "F1,,200,2026-03-02\n"
            "H1,Foreign Trade,200,\n"
            ",,200,\n"
            "H1,,200,2026-02-01\n"
            "H1,,350,2026-02-01\n"  # 15
        )
        rows = self._rows(upload)
        for line, text in {
            4: "No customer is known as “X9”",
            5: "are 2 customers",
            6: "goes from 600 to 100",
            7: "is no number",
            8: "in two ways",
            9: "no rating",
            10: "is no date",
            11: "yet to come",
            12: "but “Foreign Trade” is Foreign Trade",
            13: "names no customer",
            14: "Row 2 gives this customer another rating",
        }.items():
            self.assertEqual(rows[line].state, 'error', line)
            self.assertIn(text, rows[line].message)
        self.assertEqual((rows[2].state, rows[15].state), ('ok', 'same'))
        self.assertEqual((upload.ok_count, upload.same_count, upload.error_count), (1, 1, 11))
        self.assertTrue(twin)

        upload.all_or_nothing = True
        with self.assertRaisesRegex(UserError, "11 rows are wrong"):
            upload.action_import()
        self.assertFalse(self.Rating.search_count([]))
        upload.all_or_nothing = False
        upload.action_import()
        self.assertEqual(self.Rating.search([]).mapped('score'), [50])

    def test_name_of_several_is_told_apart_by_another_column(self):
        one, _other = self.env['res.partner'].create([{'name': "Twin", 'is_company': True}] * 2)
        one.ref = "T1"
        self.other_customer.ref = "T1"
        upload = self._upload("Reference,Name,Score\nT1,Twin,200\n")
        self.assertEqual(self._rows(upload)[2].partner_id, one)

    def test_once_more_is_known_already(self):
        text = "Reference,Score,Date\nH1,350,2026-02-01\n"
        self._upload(text).action_import()
        again = self._upload(text)
        self.assertEqual(self._rows(again)[2].state, 'same')
        with self.assertRaisesRegex(UserError, "nothing to import"):
            again.action_import()

    def test_workbook(self):
        import openpyxl

        book = openpyxl.Workbook()
        book.active.append(['Reference', 'Score', 'Date'])
        book.active.append(['H1', 225, date(2026, 2, 1)])
        target = io.BytesIO()
        book.save(target)
        upload = self._upload(target.getvalue())
        upload.action_import()
        self.assertEqual(self.Rating.search([]).mapped('score'), [75])

    def test_mapping_is_complete_and_unambiguous(self):
        upload = self._upload("Reference,Score\nH1,200\n")
        upload.column_ids[1].target = False
        with self.assertRaisesRegex(UserError, "which column is the rating"):
            upload.action_check()
        upload.column_ids[1].target = 'ref'
        with self.assertRaisesRegex(UserError, "Two columns"):
            upload.action_check()
        upload.column_ids[0].target = False
        upload.column_ids[1].target = 'rating'
        with self.assertRaisesRegex(UserError, "names the customer"):
            upload.action_check()

    def test_no_table(self):
        with self.assertRaisesRegex(UserError, "no rows"):
            self._upload("Reference,Score\n")
        with self.assertRaisesRegex(UserError, "no table"):
            self._upload(b"PK\x03\x04broken")

    def test_salesperson_may_not(self):
        with self.assertRaises(AccessError):
            self.Upload.with_user(self.sales_user).create(
                {'provider_id': self.agency.id, 'file': base64.b64encode(b"a")}
            )

    def test_dialog_of_somebody_else(self):
        upload = self._upload("Reference,Score\nH1,200\n")
        with self.assertRaises(AccessError):
            upload.with_user(self.manager).action_import()

    def test_customer_of_another_company_is_not_found(self):
        other = self.env['res.company'].create({'name': "Other"})
        self.customer.company_id = other
        rows = self._rows(self._upload("Reference,Score\nH1,200\n"))
        self.assertIn("No customer", rows[2].message)
