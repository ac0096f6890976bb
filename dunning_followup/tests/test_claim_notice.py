from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestClaimNotice(DunningCommon):
    """What a reminder that was sent adds: interest, the step's fee, the contact."""

    def setUp(self):
        super().setUp()
        self.company.dunning_rate_table_id = self.env['dunning.rate.table'].create(
            {'name': "Rates", 'rate_ids': [Command.create({'date_from': '2020-01-01', 'percent': 36.5})]}
        )
        self.first.write({'fee_amount': 5, 'with_interest': True})
        self.invoice = self._overdue(1000, 10)
        self.notice = (
            self.env['dunning.notice']
            .sudo()
            .create(
                {
                    'company_id': self.company.id,
                    'partner_id': self.customer.id,
                    'plan_id': self.plan.id,
                    'step_id': self.first.id,
                    'channel': 'email',
                    'state': 'sent',
                    'date': self.today,
                    'key': 'test',
                    'line_ids': [
                        Command.create({'move_line_id': self._item(self.invoice).id, 'step_id': self.first.id})
                    ],
                }
            )
        )

    def test_sent_reminder_books_interest_and_fee_and_notes_the_contact_once(self):
        for _again in range(2):
            self.env['dunning.claim']._book_step(self.notice)
        claims = self.env['dunning.claim'].search([('partner_id', '=', self.customer.id)])
        self.assertEqual(sorted((claim.kind, claim.amount) for claim in claims), [('fee', 5.0), ('interest', 10.0)])
        contact = self.env['dunning.contact'].search([('commercial_partner_id', '=', self.customer.id)])
        self.assertEqual((contact.channel, contact.res_id), ('email', self.notice.id))

    def test_interest_is_booked_up_to_the_day_that_the_letter_says_however_late_it_is_posted(self):
        self.notice.date_stated = self.today - timedelta(days=4)
        self.env['dunning.claim']._book_step(self.notice)
        claims = self.env['dunning.claim'].search([('kind', '=', 'interest'), ('partner_id', '=', self.customer.id)])
        self.assertEqual((claims.amount, claims.date_to), (6, self.today - timedelta(days=4)))

        self.env['dunning.claim']._update(self._item(self.invoice), self.today)
        self.env['dunning.claim']._book_step(self.notice)
        self.assertEqual((claims.amount, claims.date_to), (10, self.today))

    def test_step_without_interest_books_the_fee_only(self):
        self.first.with_interest = False
        self.env['dunning.claim']._book_step(self.notice)
        self.assertEqual(self.env['dunning.claim'].search([('partner_id', '=', self.customer.id)]).kind, 'fee')

    def test_interest_is_stated_only_where_the_step_claims_it_and_the_fee_with_its_step(self):
        kinds = lambda: sorted(claim['kind'] for claim in self.notice._claims())  # noqa: E731
        self.assertEqual(kinds(), ['fee', 'interest'])
        self.first.with_interest = False
        self.assertEqual(kinds(), ['fee'])
        self.first.fee_amount = 0
        self.assertEqual(kinds(), [])
        self.env['dunning.claim']._update(self._item(self.invoice), self.today)
        self.assertEqual(kinds(), ['interest'])

    def test_claims_are_stated_in_the_language_of_the_recipient(self):
        self.env['res.lang']._activate_lang('fr_FR')
        self.customer.lang = 'fr_FR'
        Claim = type(self.env['dunning.claim'])
        langs = []
        with patch.object(Claim, '_for_notice', lambda self, *args: langs.append(self.env.lang) or {}):
            self.notice.with_context(lang='en_US')._all_claims()
        self.assertEqual(langs, ['fr_FR'])

    def test_call_that_is_a_task_is_no_contact_yet(self):
        self.notice.channel = 'call'
        self.env['dunning.claim']._book_step(self.notice)
        self.assertFalse(self.env['dunning.contact'].search([('commercial_partner_id', '=', self.customer.id)]))
