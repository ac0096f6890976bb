from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestMailHandover(DunningCommon):
    """What becomes of a reminder's e-mail when servers die or refuse; the end-to-end test kills real ones."""

    def setUp(self):
        super().setUp()
        self._overdue(100, 10)
        self.run_ = self._send(self._run())
        self.notice = self._notice(self.run_)
        self.mail = self.notice.mail_mail_id

    def _hand_over(self, mails=None, auto_commit=True):
        """Send mails as the queue does; return those that core got to send."""
        sent = []

        def send(mails, **_options):
            sent.extend(mails.ids)
            for mail in mails:
                mail.state = 'sent'
                mail._postprocess_sent_message([], ['x@example.com'])

        self.env.flush_all()
        with (
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
            patch('odoo.addons.mail.models.mail_mail.MailMail._send', send),
        ):
            (mails or self.mail).with_env(self.env(cr=cr, su=True))._send(auto_commit=auto_commit)
        self.env.invalidate_all()
        return sent

    def _abandon(self):
        self.notice.write({'state': 'sending', 'date_claimed': fields.Datetime.now() - timedelta(hours=1)})

    def test_a_mail_goes_out_once_and_the_notice_is_sent(self):
        self.assertEqual(self._hand_over(), self.mail.ids)
        self.assertEqual((self.notice.state, self.mail.state), ('sent', 'sent'))

        self.mail.state = 'outgoing'
        self.assertEqual(self._hand_over(), [])

    def test_other_mails_go_out_beside_it(self):
        other = self.env['mail.mail'].create({'email_to': 'y@example.com', 'subject': "Hello"})

        self.assertEqual(set(self._hand_over(self.mail | other)), set((self.mail | other).ids))

    def test_a_mail_that_another_is_handing_over_is_left_alone(self):
        self.notice.write({'state': 'sending', 'date_claimed': fields.Datetime.now()})

        self.assertEqual(self._hand_over(), [])

    def test_by_hand_a_reminder_is_left_to_the_queue_and_other_mails_go_out(self):
        other = self.env['mail.mail'].create({'email_to': 'y@example.com', 'subject': "Hello"})

        self.assertEqual(self._hand_over(self.mail | other, auto_commit=False), other.ids)
        self.assertEqual((self.notice.state, self.mail.state), ('queued', 'outgoing'))

    def test_who_died_while_handing_over_leaves_a_failed_notice_that_a_person_decides_on(self):
        self._abandon()
        self._work()

        self.assertEqual((self.notice.state, self.mail.state), ('failed', 'exception'))
        self.assertIn("not known whether it went out", self.notice.reason)
        self.assertEqual((self.run_.state, self.run_.failed_count), ('done', 1))
        self.assertEqual(self._hand_over(), [])

        self.notice.with_user(self.collector).action_retry()
        self._work()
        self.assertEqual((self.notice.state, self.mail.state), ('queued', 'outgoing'))
        self.assertEqual(self._hand_over(), self.mail.ids)

    def test_an_interrupted_reminder_that_did_go_out_is_marked_as_sent(self):
        self._abandon()
        self._work()
        self.notice.with_user(self.collector).action_mark_sent()
        self._work()

        self.assertEqual((self.notice.state, self.run_.sent_count, self.run_.failed_count), ('sent', 1, 0))
        self.assertEqual(self.env['dunning.progress'].search([]).step_id, self.first)
        self.assertEqual(self._hand_over(), [])

    def test_a_mail_server_that_can_not_be_reached_is_told_in_words(self):
        self.mail.write({'state': 'exception', 'failure_reason': "Connection refused"})
        self.mail._postprocess_sent_message([], [], failure_type='mail_smtp')

        self.assertEqual(self.notice.state, 'to_send')
        self.assertIn("Connection failed", self.notice.reason)
        self.assertIn("Connection refused", self.notice.reason)

    def test_what_the_mail_server_answered_is_told_in_words(self):
        error = "Mail delivery failed.\nSMTPRecipientsRefused: {'a@b.example': (451, b'try later')}"
        self.mail.write({'state': 'exception', 'failure_reason': error})
        self.mail._postprocess_sent_message([], [], failure_type='mail_smtp')

        self.assertEqual(self.notice.reason, "The mail server refused it: 451 try later")
        self.assertIn("451 try later", self.run_.summary)
        self.notice.with_user(self.collector).action_retry()
        self.assertFalse(self.notice.reason)

    def test_a_mail_that_failed_unnoticed_is_sent_again(self):
        self.mail.write({'state': 'exception', 'failure_reason': "Hung up"})
        self._work()

        self.assertEqual((self.notice.state, self.notice.reason, self.notice.attempts), ('to_send', "Hung up", 1))

    # What lay in the queue for long

    def _lie(self):
        self.notice.date_queued = fields.Datetime.now() - timedelta(days=3)

    def test_a_mail_that_lay_for_days_is_looked_at_and_goes_out_once(self):
        self._lie()
        before = self.mail.message_id

        self.assertEqual(self._hand_over(), [])
        self.assertEqual((self.notice.state, self.mail.state), ('to_send', 'cancel'))
        self.assertIn("looked at again", self.notice.reason)
        self.assertEqual((self._hand_over(), self.run_.state), ([], 'sending'))

        self._work()
        self.assertEqual((self.notice.state, self.notice.reason), ('queued', False))
        self.assertEqual(
            (self.notice.mail_mail_id, self.mail.state, self.mail.message_id), (self.mail, 'outgoing', before)
        )
        self.assertEqual(self._hand_over(), self.mail.ids)
        self.assertEqual(self._hand_over(), [])

    def test_what_was_paid_while_it_lay_is_cancelled_with_its_mail(self):
        self._lie()
        self._pay(100)

        self.assertEqual(self._hand_over(), [])
        self._work()

        self.assertEqual((self.notice.state, self.mail.state), ('cancelled', 'cancel'))
        self.assertIn("Paid", self.notice.reason)
        self.assertEqual((self._hand_over(), self.run_.state), ([], 'done'))

    def test_who_was_paused_while_it_lay_gets_no_mail(self):
        self._lie()
        self.env['dunning.pause'].create({'partner_id': self.customer.id, 'kind': 'never', 'reason': "Talks"})

        self._hand_over()
        self._work()

        self.assertEqual((self.notice.state, self.mail.state), ('cancelled', 'cancel'))

    def test_what_was_paid_in_part_while_it_lay_is_written_anew(self):
        self._match(self.notice.line_ids.move_id, self._pay(40))
        self._lie()

        self._hand_over()
        self._work()

        self.assertEqual((self.notice.state, self.notice.amount_total), ('queued', 60))
        self.assertIn("60", self.mail.body_html)
        self.assertEqual(self._hand_over(), self.mail.ids)

    def test_a_queue_that_comes_back_at_night_waits_for_the_morning(self):
        self._lie()
        self.env['dunning.contact.rule'].search([]).action_archive()
        morning = self.env.cr.now() + timedelta(hours=9)
        answer = (False, morning, "Outside the hours for contacts.")
        gate = lambda _self, partners, *_args: dict.fromkeys(partners.ids, answer)  # noqa: E731

        self._hand_over()
        with patch.object(type(self.env['dunning.contact.rule']), '_gate', gate):
            self._work()
        self.assertEqual((self.notice.state, self.notice.date_next, self.mail.state), ('to_send', morning, 'cancel'))
        self.assertIn("hours", self.notice.reason)

        self.notice.date_next = False
        self._work()
        self.assertEqual(self._hand_over(), self.mail.ids)

    def test_a_mail_that_lay_is_no_contact_that_stands_in_its_own_way(self):
        self.env['dunning.contact.rule'].search([]).action_archive()
        self.env['dunning.contact.rule'].create(
            {'name': "Quiet", 'hour_from': 0, 'hour_to': 24, 'email_timed': False, 'quiet_days': 5}
        )
        self._lie()

        self._hand_over()
        self._work()

        self.assertEqual(self.notice.state, 'queued')

    def test_many_that_lay_are_taken_back_in_the_same_number_of_statements(self):
        customers = [self.customer.copy({'name': f"C{number}"}) for number in range(12)]
        for customer in customers:
            self._overdue(100, 10, partner=customer)
        notices = self._send(self._run()).sudo().notice_ids
        notices.date_queued = False

        def statements(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some._take_back()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        with patch.object(type(self.env['ir.cron']), '_commit_progress', lambda *_args, **_kwargs: 0):
            few = statements(notices[:2])
            self.assertLessEqual(statements(notices[2:]), few)
        self.assertEqual(set(notices.mapped('state')), {'to_send'})

    def test_the_mail_queue_is_told_of_reminders(self):
        queue = self.env.ref('mail.ir_cron_mail_scheduler_action')
        triggers = self.env['ir.cron.trigger'].search([('cron_id', '=', queue.id)])

        self.assertTrue(triggers)
