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

    def test_step_without_interest_books_the_fee_only(self):
        self.first.with_interest = False
        self.env['dunning.claim']._book_step(self.notice)
        self.assertEqual(self.env['dunning.claim'].search([('partner_id', '=', self.customer.id)]).kind, 'fee')

    def test_call_that_is_a_task_is_no_contact_yet(self):
        self.notice.channel = 'call'
        self.env['dunning.claim']._book_step(self.notice)
        self.assertFalse(self.env['dunning.contact'].search([('commercial_partner_id', '=', self.customer.id)]))
