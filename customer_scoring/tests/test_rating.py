from datetime import date
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import freeze_time, tagged

from .common_entered import EnteredCommon


@tagged('post_install', '-at_install')
class TestRating(EnteredCommon):
    def test_index_that_runs_downwards(self):
        self.assertEqual(self._rating(350).score, 50)
        self.assertEqual(self._rating(100, day=date(2026, 1, 11)).score, 100)

    def test_grades(self):
        provider = self.env['scoring.rating.provider'].create(
            {
                'name': "Bank",
                'scale': 'grade',
                'grade_ids': [Command.create({'name': "AA", 'score': 90}), Command.create({'name': "C", 'score': 20})],
            }
        )
        rating = self._rating(False, provider_id=provider.id, grade=" aa ")
        self.assertEqual(rating.score, 90)
        with self.assertRaisesRegex(UserError, "no grade “B”"):
            self._rating(False, provider_id=provider.id, grade="B")
        with self.assertRaises(ValidationError):
            self.env['scoring.rating.provider'].create({'name': "None", 'scale': 'grade'})

    def test_off_the_scale(self):
        with self.assertRaisesRegex(UserError, "goes from 600 to 100"):
            self._rating(99)
        with self.assertRaisesRegex(ValidationError, "State the value"):
            self._rating(False)
        with self.assertRaises(ValidationError):
            self._rating(200, day=date(2999, 1, 1))

    def test_scale_changed_later_rewrites_no_rating(self):
        with freeze_time('2026-02-01'):
            rating = self._rating(350)
        self.agency.worst = 1100
        with freeze_time('2026-03-01'):
            rating.note = "seen"
            self.assertEqual(rating.score, 50)
            rating.value = 340
        self.assertEqual(self.values(date(2026, 2, 15))['external_rating'][self.customer.id], 50)
        self.assertEqual(self.values(date(2026, 3, 1))['external_rating'][self.customer.id], 76)

    def test_latest_of_each_provider_by_weight(self):
        bank = self.env['scoring.rating.provider'].create({'name': "Bank", 'weight': 3})
        shown = self.env['scoring.rating.provider'].create({'name': "Shown only", 'weight': 0})
        with freeze_time('2026-02-01'):
            self._rating(600, day=date(2025, 12, 1))
            self._rating(100, day=date(2026, 1, 1))
            self._rating(60, provider_id=bank.id)
            self._rating(0, provider_id=shown.id)
        self.assertEqual(self.values(date(2026, 2, 1))['external_rating'][self.customer.id], 70)

    def test_not_valid_any_more(self):
        with freeze_time('2026-02-01'):
            rating = self._rating(100, date_until=date(2026, 2, 28))
            other = self._rating(100, partner=self.other_customer)
        self.assertEqual(other.last_day, date(2027, 1, 10))
        both = (self.customer, self.other_customer)
        self.assertEqual(set(self.values(date(2026, 2, 28), *both)['external_rating']), {p.id for p in both})
        self.assertEqual(set(self.values(date(2026, 3, 1), *both)['external_rating']), {self.other_customer.id})
        self.assertEqual(rating.last_day, date(2026, 2, 28))

    def test_on_file(self):
        rating = self._rating(350)
        [event] = self.events('rating_entered')
        self.assertIn("Agency", event.description)
        self.assertIn("50 of 100", event.description)
        self.assertEqual(event._content()['rating_id'], rating.id)

    def test_provider_of_another_add_on(self):
        Provider = self.env.registry['scoring.rating.provider']
        fetched = [{'partner_id': self.customer.id, 'date': '2026-01-01', 'value': 350}]
        with self.assertRaisesRegex(UserError, "come as a file"):
            self.agency._fetch(self.customer, self.company)
        with patch.object(Provider, '_fetch_file', lambda self, partners, company: fetched, create=True):
            log = (
                self.env['scoring.rating.import']
                .with_user(self.analyst)
                ._fetch_and_store(self.agency, self.customer, self.company, "Credit", 'contract')
            )
        self.assertRecordValues(
            log.rating_ids,
            [{'score': 50, 'purpose': "Credit", 'legal_basis': 'contract', 'partner_id': self.customer.id}],
        )
        self.assertEqual((log.user_id, log.imported_count), (self.analyst, 1))

    def test_statements_do_not_grow_with_the_rows_of_a_file(self):
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(42)])
        self.Account._for_partners(partners, self.company)

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.Rating.create(
                [{'partner_id': partner_id, 'provider_id': self.agency.id, 'value': 200} for partner_id in some]
            )
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        ids = partners.ids
        count(ids[:1])
        self.assertLessEqual(count(ids[2:]), count(ids[1:2]) + 2)
