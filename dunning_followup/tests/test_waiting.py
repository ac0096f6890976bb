from unittest.mock import patch

from odoo.tests import tagged

from .common import DunningCommon

LETTERS = 'dunning_followup.mail_activity_type_letters'
CHANNEL_FAILED = 'dunning_followup.mail_activity_type_channel_failed'
MATCH = 'dunning_followup.mail_activity_type_match'


@tagged('post_install', '-at_install')
class TestWaiting(DunningCommon):
    """Who is told of letters to print, of channels that are down, and of payments to match."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.dunning_user_id = cls.collector
        cls.env['res.company'].search([]).dunning_mode = 'off'

    def _activities(self, record, xmlid):
        return record.sudo().activity_ids.filtered(lambda one: one.activity_type_id == self.env.ref(xmlid))

    def _letters(self, run):
        with patch.object(type(self.env['dunning.notice']), '_pdf', lambda *args, **kwargs: b'%PDF-1.4'):
            self._send(run)

    def _fail(self, notice, text="Connection refused"):
        notice.mail_mail_id.write({'state': 'exception'})
        notice.mail_mail_id._postprocess_sent_message([], [], failure_reason=text, failure_type='mail_smtp')
        self._work()

    def test_letters_to_print_are_one_task_of_who_answers_for_the_run_until_they_are_posted(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 50)
        self._overdue(100, 50, partner=other)
        run = self._run(user=self.collector)

        self._letters(run)
        self._work()
        activity = self._activities(run, LETTERS)
        self.assertEqual((len(activity), activity.user_id), (1, self.collector))
        self.assertEqual(activity.summary, "Letters to print: 2")

        self._notice(run).with_user(self.collector).action_mark_sent()
        self._work()
        self.assertEqual(self._activities(run, LETTERS).summary, "Letters to print: 1")
        self._notice(run, other).with_user(self.collector).action_mark_sent()
        self._work()
        self.assertFalse(self._activities(run, LETTERS))

    def test_a_channel_that_is_down_is_told_after_the_first_round_once_until_it_works_again(self):
        self._overdue(100, 10)
        run = self._send(self._run())
        notice, contact = self._notice(run), self.company.partner_id

        self._fail(notice)
        self._work()
        activity = self._activities(contact, CHANNEL_FAILED)
        self.assertEqual((len(activity), activity.user_id), (1, self.collector))
        self.assertIn("Connection refused", activity.note)
        self.assertIn("E-mail", activity.note)

        # On its way again is not arrived.
        notice.date_next = False
        self._work()
        self.assertEqual(notice.state, 'queued')
        self.assertEqual(self._activities(contact, CHANNEL_FAILED), activity)

        self._mails_go_out(notice)
        self.assertEqual(notice.state, 'sent')
        self.assertFalse(self._activities(contact, CHANNEL_FAILED))

    def test_one_that_fails_beside_others_that_go_out_is_no_news(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        run = self._send(self._run())
        self._mails_go_out(self._notice(run, other))

        self._fail(self._notice(run), "Mailbox full")

        self.assertEqual(self._notice(run).state, 'to_send')
        self.assertFalse(self._activities(self.company.partner_id, CHANNEL_FAILED))

    def test_payments_that_cover_a_part_are_to_be_matched_once(self):
        self._overdue(100, 30)
        self._pay(40)

        run = self._run()
        run.action_send()
        account = self.Account._for_partners(self.customer, self.company)
        self.assertEqual(len(self._activities(account, MATCH)), 1)

        self._work()
        self._mails_go_out(self._notice(run))
        self._overdue(100, 12)
        self._run().action_send()
        self.assertEqual(len(self._activities(account, MATCH)), 1)

    def test_where_everything_is_covered_the_task_comes_without_any_reminder(self):
        self._overdue(100, 30)
        self._pay(100)
        run = self._run()
        self.assertEqual((run.notice_count, run.covered_count), (0, 1))

        run.action_ask_to_match()

        account = self.Account._for_partners(self.customer, self.company)
        self.assertEqual(len(self._activities(account, MATCH)), 1)
        self.assertEqual(run.state, 'done')

    def test_an_unattended_run_asks_for_it_too(self):
        self.company.write({'dunning_mode': 'send', 'dunning_hour': 0, 'dunning_workdays': False})
        self._overdue(100, 30)
        self._pay(100)

        with self.enter_registry_test_mode():
            self.env.ref('dunning_followup.ir_cron_run').method_direct_trigger()

        run = self.env['dunning.run'].search([('company_id', '=', self.company.id), ('automatic', '=', True)])
        self.assertEqual(run.state, 'done')
        account = self.Account._for_partners(self.customer, self.company)
        self.assertEqual(len(self._activities(account, MATCH)), 1)
