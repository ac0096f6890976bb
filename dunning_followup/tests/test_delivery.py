from odoo.tests import tagged

from .common import DunningCommon

BOUNCE = """Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example>
To: accounts@seller.example
Subject: Undelivered Mail Returned to Sender
Date: Mon, 23 Nov 2026 10:00:00 +0000
Message-Id: <{number}@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

No such mailbox.

--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; pay@hengda.example
Action: failed
Status: 5.1.1

--part
Content-Type: message/rfc822

Message-Id: {message_id}
From: accounts@seller.example
To: pay@hengda.example
Subject: Open

Dear customer

--part--
"""


@tagged('post_install', '-at_install')
class TestDelivery(DunningCommon):
    """What was sent and did not arrive: shown, recorded, and somebody sees to it."""

    def setUp(self):
        super().setUp()
        self.account = self._account(collector_id=self.collector.id)
        self._overdue(100, 10)
        self.run_ = self._send(self._run())
        self.notice = self._notice(self.run_)
        self.notice.mail_mail_id.state = 'sent'
        self._mails_go_out(self.notice)

    def _bounce(self, number=1):
        message = BOUNCE.format(number=number, message_id=self.notice.mail_mail_id.message_id)
        self.env['mail.thread'].sudo().message_process(False, message)
        self.env.invalidate_all()

    def _events(self, kind):
        return self.env['credit.event'].search([('account_id', '=', self.account.id), ('kind', '=', kind)])

    def _activities(self):
        kind = self.env.ref('dunning_followup.mail_activity_type_undelivered')
        return self.account.activity_ids.filtered(lambda activity: activity.activity_type_id == kind)

    def test_a_mail_that_comes_back_is_shown_recorded_and_given_to_the_collector_once(self):
        for number in range(2):
            self._bounce(number)

        self.assertEqual((self.notice.state, self.notice.delivery), ('sent', 'undelivered'))
        self.assertIn('pay@hengda.example', self.notice.reason)
        self.assertEqual(len(self._events('dunning_undelivered')), 1)
        self.assertIn("100", self._events('dunning_undelivered').description)
        self.assertEqual(self._activities().user_id, self.collector)
        self.assertEqual(len(self._activities()), 1)
        self.assertEqual(self.env['dunning.progress'].search([]).step_id, self.first)

    def test_it_is_sent_again_to_the_mended_address_and_the_step_is_not_counted_twice(self):
        before = self.notice.mail_mail_id
        self._bounce()
        self.customer.email = 'new@hengda.example'

        self.notice.with_user(self.collector).action_retry()
        self._work()

        self.assertEqual((self.notice.state, self.notice.delivery), ('queued', False))
        self.assertNotEqual(self.notice.mail_mail_id, before)
        self.assertNotEqual(self.notice.mail_mail_id.message_id, before.message_id)
        self.assertIn('new@hengda.example', self.notice.mail_mail_id.email_to)

        self._mails_go_out(self.notice)
        self.assertEqual((self.notice.state, self.run_.state), ('sent', 'done'))
        progress = self.env['dunning.progress'].search([])
        self.assertEqual((progress.step_id, progress.notice_id), (self.first, self.notice))
        self.assertEqual(
            self.env['dunning.contact'].search_count([('commercial_partner_id', '=', self.customer.id)]), 1
        )
        self.assertEqual(len(self._events('dunning_sent')), 2)
        self.assertFalse(self._run().notice_ids)

    def test_what_is_paid_meanwhile_is_not_sent_again(self):
        self._bounce()
        self._pay(100)

        self.notice.with_user(self.collector).action_retry()
        self._work()

        self.assertEqual(self.notice.state, 'cancelled')

    def test_other_bounces_are_none_of_ours(self):
        self.env['mail.thread'].sudo().message_process(False, BOUNCE.format(number=1, message_id='<x@example.com>'))

        self.assertFalse(self.notice.delivery)
        self.assertFalse(self._activities())
