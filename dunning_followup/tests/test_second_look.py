from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestSecondLook(DunningCommon):
    """PDFs take their time, letters lie until somebody prints them: whether all still holds is looked at then."""

    def setUp(self):
        super().setUp()
        Notice = type(self.env['dunning.notice'])
        self.startPatcher(patch.object(Notice, '_pdf', lambda *args, **kwargs: b'%PDF-1.4'))

    def _released(self, *customers):
        """Return the notices of a run whose PDFs are made."""
        run = self._send(self._run())
        return [self._notice(run, customer) for customer in customers or [self.customer]]

    def _gate(self, allowed, moment, reason):
        gate = lambda _self, partners, *_args: dict.fromkeys(partners.ids, (allowed, moment, reason))  # noqa: E731
        return patch.object(type(self.env['dunning.contact.rule']), '_gate', gate)

    # E-mails with files

    def test_a_mail_whose_files_are_made_goes_out_with_them(self):
        self.first.attach_statement = True
        self._overdue(100, 10)
        [notice] = self._released()
        self.assertEqual((notice.state, notice.rendered, len(notice.file_ids)), ('to_send', True, 1))

        self._work()

        self.assertEqual(notice.state, 'queued')
        self.assertEqual(notice.mail_mail_id.attachment_ids, notice.file_ids)
        self.assertEqual(notice.date_stated, self.today)

    def test_a_mail_without_any_file_to_attach_goes_out(self):
        self.first.attach_invoices = True
        self._overdue(100, 10)
        with patch.object(type(self.env['dunning.notice']), '_invoice_files', lambda one: one.env['ir.attachment']):
            [notice] = self._released()
            self._work()

        self.assertEqual(notice.state, 'queued')

    def test_what_is_paid_while_the_files_are_made_is_not_asked_for(self):
        self.first.attach_statement = True
        self._overdue(100, 10)
        [notice] = self._released()
        self._pay(100)

        self._work()

        self.assertEqual((notice.state, notice.mail_mail_id.id), ('cancelled', False))

    def test_who_is_paused_while_the_files_are_made_gets_no_mail(self):
        self.first.attach_statement = True
        self._overdue(100, 10)
        [notice] = self._released()
        self.env['dunning.pause'].create({'partner_id': self.customer.id, 'kind': 'never', 'reason': "Talks"})

        self._work()

        self.assertEqual((notice.state, notice.mail_mail_id.id), ('cancelled', False))

    def test_files_are_made_anew_when_a_part_is_paid(self):
        self.first.attach_statement = True
        paid = self._overdue(100, 12)
        self._overdue(200, 10)
        [notice] = self._released()
        before = notice.file_ids
        self._match(paid, self._pay(100))

        self._work()
        self._work()

        self.assertEqual((notice.state, notice.amount_total), ('queued', 200))
        self.assertFalse(notice.file_ids & before)

    def test_a_mail_whose_files_took_until_the_night_waits_for_the_morning(self):
        self.first.attach_statement = True
        self._overdue(100, 10)
        [notice] = self._released()
        morning = self.env.cr.now() + timedelta(hours=9)

        with self._gate(False, morning, "Outside the hours for contacts."):
            self._work()
        self.assertEqual((notice.state, notice.mail_mail_id.id), ('to_send', False))
        self.assertIn("hours", notice.reason)

        notice.date_next = False
        self._work()
        self.assertEqual(notice.state, 'queued')

    # Letters

    def test_a_letter_of_what_was_paid_is_not_printed_and_the_others_are(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 50)
        self._overdue(100, 50, partner=other)
        paid, open_ = self._released(self.customer, other)
        self._pay(100)

        action = paid.run_id.with_user(self.collector).action_print_letters()

        self.assertEqual((paid.state, open_.state, open_.printed), ('cancelled', 'to_print', True))
        self.assertIn("Hengda Trading", action['params']['message'])
        self.assertNotIn("Other", action['params']['message'])
        self.assertIn(f'/web/content/{open_.attachment_id.id}', action['params']['next']['url'])

    def test_who_has_paid_all_leaves_nothing_to_print(self):
        self._overdue(100, 50)
        [notice] = self._released()
        self._pay(100)

        action = notice.with_user(self.collector).action_print()

        self.assertEqual(action['params']['next'], {'type': 'ir.actions.act_window_close'})
        with self.assertRaises(UserError):
            notice.with_user(self.collector).action_print()

    def test_a_letter_is_made_anew_when_a_part_is_paid(self):
        paid = self._overdue(100, 52)
        self._overdue(200, 50)
        [notice] = self._released()
        before = notice.attachment_id
        self._match(paid, self._pay(100))

        action = notice.with_user(self.collector).action_print()
        self.assertIn("Made anew", action['params']['message'])
        self._work()

        self.assertEqual((notice.state, notice.amount_total, notice.reason), ('to_print', 200, False))
        self.assertNotEqual(notice.attachment_id, before)

    def test_a_letter_that_is_a_day_older_is_printed_as_it_is(self):
        self._overdue(100, 50)
        [notice] = self._released()
        notice.line_ids.days_overdue = 49

        action = notice.with_user(self.collector).action_print()

        self.assertEqual((action['type'], notice.state), ('ir.actions.act_url', 'to_print'))

    def test_a_letter_in_quiet_days_waits_and_one_to_who_may_not_be_contacted_is_left_out(self):
        self._overdue(100, 50)
        [notice] = self._released()

        with self._gate(False, self.env.cr.now() + timedelta(days=2), "Quiet days after the last contact."):
            action = notice.with_user(self.collector).action_print()
        self.assertIn("Quiet days", action['params']['message'])
        self.assertEqual((notice.state, notice.printed), ('to_print', False))

        notice.with_user(self.collector).action_print()
        self.assertEqual((notice.state, notice.printed, notice.reason), ('to_print', True, False))

        with self._gate(False, None, "Insolvent"):
            notice.with_user(self.collector).action_print()
        self.assertEqual((notice.state, notice.reason), ('excluded', "Insolvent"))

    def test_a_letter_goes_to_the_contact_chosen_since(self):
        self._account()
        self._overdue(100, 50)
        [notice] = self._released()
        self._account(dunning_contact_id=self.contact.id)

        notice.with_user(self.collector).action_print()
        self._work()

        self.assertEqual((notice.state, notice.contact_id), ('to_print', self.contact))

    def test_printing_looks_at_many_letters_in_the_same_number_of_statements(self):
        customers = [self.customer.copy({'name': f"C{number}"}) for number in range(12)]
        for customer in customers:
            self._overdue(100, 50, partner=customer)
        notices = self.env['dunning.notice'].union(*self._released(*customers))

        def statements(some):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some._look_again()
            return self.cr.sql_log_count - before

        statements(notices[:1])
        self.assertLessEqual(statements(notices), statements(notices[:2]))

    # The PDF

    def test_who_may_read_the_reminder_opens_the_very_pdf(self):
        self._overdue(100, 50)
        [notice] = self._released()
        accountant = self._new_user('invoicing', 'account.group_account_invoice')
        auditor = self._new_user('audit', 'credit_management.group_credit_auditor')

        for user in accountant + auditor + self.sales_user:
            with self.subTest(user.login):
                action = notice.with_user(user).action_open_pdf()
                self.assertEqual(action['url'], f'/web/content/{notice.attachment_id.id}')
                self.env.invalidate_all()
                self.assertEqual(notice.attachment_id.with_user(user).raw, b'%PDF-1.4')
        self.assertFalse(notice.printed)
