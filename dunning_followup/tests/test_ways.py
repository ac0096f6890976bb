from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestWays(DunningCommon):
    """What a simulation foresees of channels, refusals and waiting; steps that can't be done are passed over."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['dunning.contact.rule'].search([]).action_archive()

    def _rule(self, **values):
        return self.env['dunning.contact.rule'].create({'name': "Test", 'hour_from': 0, 'hour_to': 24, **values})

    def _calls(self):
        """Make the first step a call, which the customer refuses."""
        self.first.channel = 'call'
        self.customer.dunning_no_call = True

    def _posted(self, run):
        """Send a run of letters, print and post them."""
        with patch.object(type(self.env['dunning.notice']), '_pdf', lambda *args, **kwargs: b'%PDF'):
            self._send(run)
        self._notice(run).with_user(self.collector).action_mark_sent()
        self._work()

    def test_a_step_that_is_refused_is_left_out_until_the_next_one_that_can_be_done_has_come(self):
        self._calls()
        invoice = self._overdue(100, 10)

        early = self._run()
        self.assertEqual((self._notice(early).state, self._notice(early).step_id), ('excluded', self.first))
        self.assertIn("Does not want", self._notice(early).reason)

        self._item(invoice).sudo().date_maturity = self.today - timedelta(days=25)
        run = self._run()
        notice = self._notice(run)
        self.assertEqual((notice.state, notice.step_id, notice.channel), ('draft', self.second, 'email'))

    def test_who_refuses_a_step_for_good_gets_the_later_ones_and_no_more_credit(self):
        self.second.channel = 'call'
        self.customer.dunning_no_call = True
        self.third.no_more_credit = True
        old = self._overdue(100, 8)
        self._mails_go_out(self._notice(self._send(self._run())))
        self.assertEqual(self._item(old).dunning_next_step_id, self.third)

        progress = self.env['dunning.progress'].search([])
        progress.sudo().date_step = self.today - timedelta(days=42)
        self._item(old).sudo().date_maturity = self.today - timedelta(days=50)
        run = self._run()
        notice = self._notice(run)
        self.assertEqual((notice.step_id, notice.channel, notice.state), (self.third, 'letter', 'draft'))
        self.assertEqual(notice.passed_over, "Step 21 (Call): Does not want to be contacted this way.")
        self._posted(run)

        self.assertEqual((notice.state, self._item(old).dunning_step_id), ('sent', self.third))
        self.assertIn("Step 21", notice.passed_over)
        contacts = self.env['dunning.contact'].search([('commercial_partner_id', '=', self.customer.id)])
        self.assertEqual(set(contacts.mapped('channel')), {'email', 'letter'})
        self.assertTrue(self.env['dunning.item'].sudo()._stopped(self.company, self.customer.ids))

    def test_younger_items_are_written_of_although_the_step_of_the_oldest_is_refused(self):
        self.third.channel = 'visit'
        self.customer.dunning_no_visit = True
        old, young = self._overdue(100, 30), self._overdue(100, 8)
        self._mails_go_out(self._notice(self._send(self._run(partner_ids=self.customer.ids))))
        self.env['dunning.progress'].search([('move_line_id', '=', self._item(young).id)]).sudo().unlink()
        self.env['dunning.progress'].search([]).sudo().date_step = self.today - timedelta(days=20)
        self._item(old).sudo().date_maturity = self.today - timedelta(days=50)

        notice = self._notice(self._run())

        self.assertEqual((notice.step_id, notice.state), (self.first, 'draft'))
        self.assertEqual(notice.line_ids.filtered('step_id').move_id, young)
        self.assertEqual(notice.line_ids.move_id, old + young)

    def test_a_refusal_that_is_taken_back_holds_no_longer(self):
        self._calls()
        self._overdue(100, 10)
        run = self._run()
        self.assertEqual(self._notice(run).state, 'excluded')

        self.customer.dunning_no_call = False
        run.action_simulate()

        self.assertEqual((self._notice(run).state, self._notice(run).reason), ('draft', False))

    def test_the_channel_shown_is_that_which_would_be_used(self):
        blank = self.customer.copy({'name': "Blank", 'email': False})
        refusing = self.customer.copy({'name': "Refusing", 'dunning_no_email': True})
        for partner in self.customer + blank + refusing:
            self._overdue(100, 10, partner=partner)

        run = self._run()

        self.assertEqual(
            {notice.partner_id: (notice.channel, notice.state) for notice in run.notice_ids},
            {self.customer: ('email', 'draft'), blank: ('letter', 'draft'), refusing: ('letter', 'draft')},
        )
        # An address that is entered before the run is sent is used.
        blank.email = 'blank@example.com'
        with patch.object(type(self.env['dunning.notice']), '_pdf', lambda *args, **kwargs: b'%PDF'):
            self._send(run)
        self.assertEqual((self._notice(run, blank).channel, self._notice(run, blank).state), ('email', 'queued'))
        self.assertEqual(self._notice(run, refusing).state, 'to_print')

    def test_who_has_no_address_and_refuses_letters_gets_none(self):
        self.customer.write({'email': False, 'dunning_no_letter': True})
        self._overdue(100, 10)

        run = self._run()
        self.assertEqual(self._notice(run).state, 'excluded')
        self._notice(run).with_user(self.collector).action_include()
        self._send(run)

        self.assertEqual(self._notice(run).state, 'excluded')

    def test_a_missing_address_is_told_before_and_the_reminder_fails_loudly(self):
        self.plan.step_ids.letter_fallback = False
        self.customer.email = False
        self._overdue(100, 10)

        run = self._run()
        self.assertEqual(self._notice(run).state, 'draft')
        self.assertIn("No address", self._notice(run).reason)
        self.assertIn("No address", run.summary)

        self.assertEqual(self._notice(self._send(run)).state, 'failed')

    def test_who_waits_is_shown_with_the_moment(self):
        self._rule(quiet_days=3)
        self._overdue(100, 10)
        now = fields.Datetime.now()
        self.env['dunning.contact']._log(self.customer, 'call', self.company, now - timedelta(days=1))

        run = self._run()
        notice = self._notice(run)

        self.assertEqual((notice.state, notice.date_next), ('draft', now + timedelta(days=2)))
        self.assertIn("Quiet days", notice.reason)
        self.assertIn("Quiet days", run.summary)
        self._send(run)
        self.assertEqual(notice.state, 'to_send')
        self.assertIn("Quiet days", notice.reason)

    def test_a_cap_of_none_is_a_refusal_too(self):
        self._rule(cap_ids=[Command.create({'channel': 'call', 'number': 0, 'days': 7})])
        self.second.channel = 'call'
        self._overdue(100, 25)

        notice = self._notice(self._run())

        self.assertEqual((notice.step_id, notice.state), (self.first, 'draft'))
        self.assertIn("Step 21 (Call)", notice.passed_over)

    def test_many_customers_cost_no_more_statements(self):
        self._rule(quiet_days=3)
        self.second.channel = 'call'
        customers = self.env['res.partner']
        for number in range(12):
            refused = {'dunning_no_email': bool(number % 2), 'dunning_no_call': True}
            customers += self.customer.copy({'name': f"C{number}", **refused})
            self._overdue(100, 10 + number * 2, partner=customers[-1])
        # One of each kind: gets the mail, a letter, and the same in place of the call.
        few = customers[0] + customers[1] + customers[10] + customers[11]

        def statements(some):
            run = self.env['dunning.run'].create({'company_id': self.company.id, 'partner_ids': some.ids})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            run.action_simulate()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        statements(customers)
        self.assertEqual(statements(customers), statements(few))
