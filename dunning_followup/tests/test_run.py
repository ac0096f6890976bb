from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import formatLang, mute_logger

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestSimulate(DunningCommon):
    """Who would get what, and who is left out and why."""

    def test_a_customer_gets_one_notice_that_lists_all_and_is_led_by_the_furthest_step(self):
        young, old, recent = self._overdue(100, 8), self._overdue(200, 25), self._overdue(300, 2)
        self._invoice(400, due=self.today + timedelta(days=10))

        run = self._run()

        notice = self._notice(run)
        self.assertEqual(len(notice), 1)
        self.assertEqual(notice.step_id, self.second)
        self.assertEqual(notice.amount_total, 600)
        self.assertEqual(notice.days_overdue, 25)
        self.assertEqual(
            {line.move_id: line.step_id for line in notice.line_ids},
            {young: self.first, old: self.second, recent: self.env['dunning.step']},
        )
        self.assertEqual(notice.line_ids.sorted('date_due').move_id, old + young + recent)

    def test_simulating_changes_nothing_outside_the_run(self):
        self._overdue(100, 8)
        self._pay(50)

        self._run()

        self.assertFalse(self.env['dunning.progress'].search([]))
        self.assertFalse(self.env['mail.mail'].sudo().search([('model', '=', 'credit.account')]))
        self.assertFalse(self.env['credit.account'].search([('partner_id', '=', self.customer.id)]).activity_ids)

    def test_unallocated_credits_pay_the_oldest_items_first(self):
        old, young = self._overdue(100, 30), self._overdue(100, 10)
        self._pay(130)

        run = self._run()

        self.assertEqual(
            self._notice(run).line_ids.mapped(lambda line: (line.move_id, line.amount_residual)), [(young, 70)]
        )
        self.assertEqual(
            run.exclusion_ids.mapped(lambda line: (line.move_id, line.code, line.amount)),
            [(old, 'covered', 100), (young, 'covered', 30)],
        )

    def test_a_customer_whose_credits_cover_all_is_not_chased_but_matched(self):
        self._overdue(100, 30)
        self._pay(100)
        self._overdue(80, 10, partner=(other := self.customer.copy({'name': "Other"})))

        run = self._run()
        run.action_send()

        self.assertEqual(run.notice_ids.partner_id, other)
        account = self.Account._for_partners(self.customer, self.company)
        self.assertEqual(
            account.activity_ids.activity_type_id, self.env.ref('dunning_followup.mail_activity_type_match')
        )

    def test_an_item_marked_as_not_to_be_followed_up_is_left_out_with_the_reason(self):
        invoice = self._overdue(100, 30)
        invoice.no_followup = True

        run = self._run()

        self.assertFalse(run.notice_ids)
        self.assertEqual(run.exclusion_ids.code, 'no_followup')

    def test_what_others_exclude_is_left_out_in_part_or_whole(self):
        disputed, promised = self._overdue(100, 30), self._overdue(200, 30)
        reasons = {
            self._item(disputed).id: ('disputed', "Disputed: 40", 40.0),
            self._item(promised).id: ('promised', "Promised", None),
        }

        with patch.object(type(self.env['dunning.exclusion']), '_excluded', lambda *args: reasons):
            run = self._run()

        self.assertEqual(
            self._notice(run).line_ids.mapped(lambda line: (line.move_id, line.amount_residual)), [(disputed, 60)]
        )
        self.assertEqual({line.code: line.amount for line in run.exclusion_ids}, {'disputed': 40, 'promised': 200})

    def test_the_plan_is_the_own_one_then_that_of_the_segment_then_the_default(self):
        tag = self.env['res.partner.category'].create({'name': "Key"})
        segment = self._plan((1, 'email'), tag_ids=tag.ids)
        own = self._plan((2, 'email'))
        plain, tagged_, chosen = (self.customer.copy({'name': name}) for name in "abc")
        (tagged_ + chosen).category_id = tag
        self._account(chosen, dunning_plan_id=own.id)
        for partner in plain + tagged_ + chosen:
            self._overdue(100, 10, partner=partner)

        run = self._run()

        self.assertEqual(
            {notice.partner_id: notice.plan_id for notice in run.notice_ids},
            {plain: self.plan, tagged_: segment, chosen: own},
        )

    def test_persons_come_under_the_plan_for_consumers(self):
        consumers = self._plan((1, 'email'), customer_kind='consumer')
        person = self.env['res.partner'].create({'name': "Jane", 'email': 'jane@example.com'})
        self._overdue(100, 10, partner=person)
        self._overdue(100, 10)

        run = self._run()

        self.assertEqual(self._notice(run, person).plan_id, consumers)
        self.assertEqual(self._notice(run).plan_id, self.plan)

    def test_who_is_a_consumer_is_the_same_for_plans_as_for_rates(self):
        consumers = self._plan((1, 'email'), customer_kind='consumer')
        vals = {'email': 'jane@example.com'}
        trader, none, other = self.env['res.partner'].create(
            [{'name': "Trader", 'vat': 'X1', **vals}, {'name': "None", 'vat': '/', **vals}, {'name': "Shop", **vals}]
        )
        other.write({'is_company': True, 'dunning_customer_kind': 'consumer'})
        people = trader + none + other
        for partner in people:
            self._overdue(100, 10, partner=partner)

        run = self._run()

        kinds = people._dunning_kinds()
        self.assertEqual([kinds[partner.id] for partner in people], ['business', 'consumer', 'consumer'])
        plans = [self._notice(run, partner).plan_id for partner in people]
        self.assertEqual(plans, [self.plan, consumers, consumers])

    def test_a_reminder_before_the_due_date_lists_what_is_not_due_yet(self):
        self.plan.step_ids = [(0, 0, self._step_vals(-5, 'email'))]
        invoice = self._invoice(100, due=self.today + timedelta(days=3))

        run = self._run()

        self.assertEqual(self._notice(run).line_ids.move_id, invoice)
        self.assertEqual(self._notice(run).step_id.days, -5)

    def test_a_run_of_one_plan_or_customer_leaves_the_others_alone(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)

        self.assertEqual(self._run(partner_ids=other.ids).notice_ids.partner_id, other)
        self.assertFalse(self._run(plan_ids=self._plan((1, 'email')).ids).notice_ids)

    def test_amounts_in_another_currency_are_listed_in_both(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self._overdue(200, 10, currency_id=euro.id)

        line = self._notice(self._run()).line_ids

        self.assertEqual((line.amount_currency, line.document_currency_id), (200, euro))
        self.assertEqual(line.amount_residual, 100)

    def test_the_text_asks_for_what_is_owed_in_the_currency_of_the_invoices(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self.first.subject = "{{total}}"
        self._overdue(200, 10, currency_id=euro.id)
        notice = self._notice(self._run())
        self.assertEqual(notice._long_text(notice._facts())[0], formatLang(self.env, 200, currency_obj=euro))

        self._overdue(50, 9)
        notice = self._notice(self._run())
        subject, body = notice._long_text(notice._facts())
        amounts = [formatLang(self.env, 200, currency_obj=euro), formatLang(self.env, 50, currency_obj=self.currency)]
        self.assertEqual(subject, " + ".join(amounts))
        for amount in amounts:
            self.assertIn(amount, body)

    def test_an_invoice_on_a_contact_is_reminded_at_the_customer(self):
        self._overdue(100, 10, partner=self.contact)

        self.assertEqual(self._run().notice_ids.partner_id, self.customer)

    def test_another_company_is_not_touched(self):
        other = self.setup_other_company()['company']
        self._overdue(100, 10)
        run = self.env['dunning.run'].create({'company_id': other.id})

        run.action_simulate()

        self.assertFalse(run.notice_ids)

    def test_a_decision_holds_when_the_run_is_simulated_again(self):
        self._overdue(100, 10)
        run = self._run()
        self._notice(run)._decide('excluded', "Is being talked to")

        run.action_simulate()

        self.assertEqual((run.notice_ids.state, run.notice_ids.reason), ('excluded', "Is being talked to"))


@tagged('post_install', '-at_install')
class TestSend(DunningCommon):
    """What goes out, once, and what is remembered of it."""

    def test_a_mail_is_made_with_the_state_and_the_step_is_done_when_it_is_out(self):
        invoice = self._overdue(100, 10)
        run = self._send(self._run())
        notice = self._notice(run)

        self.assertEqual(notice.state, 'queued')
        self.assertEqual(notice.mail_mail_id.subject, f"Open: {invoice.name}")
        self.assertIn('pay@hengda.example', notice.mail_mail_id.email_to)
        self.assertIn(invoice.name, notice.content)
        self.assertFalse(self.env['dunning.progress'].search([]))

        self._mails_go_out(notice)

        self.assertEqual(notice.state, 'sent')
        self.assertEqual(self._item(invoice).dunning_step_id, self.first)
        self.assertEqual(invoice.dunning_step_id, self.first)
        self.assertEqual(invoice.dunning_next_step_id, self.second)
        self.assertEqual(invoice.dunning_next_date, invoice.invoice_date_due + timedelta(days=21))
        self.assertEqual(run.state, 'done')
        account = self.Account._for_partners(self.customer, self.company)
        self.assertEqual(account.dunning_step_id, self.first)
        self.assertEqual(account.dunning_notice_count, 1)
        events = self.env['credit.event'].search([('account_id', '=', account.id), ('kind', '=', 'dunning_sent')])
        self.assertEqual(len(events), 1)
        self.assertIn("100", events.description)

    def test_invoices_are_found_by_their_step_and_by_having_none(self):
        invoice, young = self._overdue(100, 10), self._overdue(100, 1)
        self._mails_go_out(self._notice(self._send(self._run())))
        Move = self.env['account.move']
        mine = [('id', 'in', (invoice + young).ids)]

        self.assertEqual(Move.search([*mine, ('dunning_step_id', '=', self.first.id)]), invoice)
        self.assertEqual(Move.search([*mine, ('dunning_step_id', '!=', False)]), invoice)
        self.assertEqual(Move.search([*mine, ('dunning_step_id', '=', False)]), young)

    def test_a_step_is_never_sent_twice(self):
        self._overdue(100, 10)
        first = self._send(self._run())

        while_queued = self._run()
        self._mails_go_out(self._notice(first))
        afterwards = self._run()

        self.assertEqual(while_queued.exclusion_ids.mapped('code'), ['in_notice'])
        self.assertFalse(while_queued.notice_ids + afterwards.notice_ids)

    def test_two_runs_at_once_do_not_pass_the_contact_rules_together(self):
        self.env['dunning.contact.rule'].search([]).action_archive()
        self.env['dunning.contact.rule'].create({'name': "Quiet", 'hour_from': 0, 'hour_to': 24, 'quiet_days': 3})
        self._overdue(100, 10)
        first = self._run()
        self._overdue(50, 30)
        second = self._run()
        first.action_send()
        self._send(second)

        notices = first.notice_ids + second.notice_ids
        self.assertEqual(notices.mapped('state'), ['queued', 'to_send'])
        self.assertIn("Quiet days", notices[1].reason)
        self.assertGreater(notices[1].date_next, notices[0].create_date)

    def test_the_jobs_find_nothing_to_do_a_second_time(self):
        self._overdue(100, 10)
        run = self._send(self._run())
        mail = self._notice(run).mail_mail_id

        self._work()

        self.assertEqual(self._notice(run).mail_mail_id, mail)
        self.assertEqual(self.env['mail.mail'].sudo().search_count([('model', '=', 'credit.account')]), 1)

    def test_a_mail_that_fails_is_tried_again_with_the_same_mail_and_told_on_the_notice(self):
        self._overdue(100, 10)
        run = self._send(self._run())
        notice = self._notice(run)
        mail = notice.mail_mail_id
        mail.write({'state': 'exception'})
        mail._postprocess_sent_message([], [], failure_reason="Server is down", failure_type='mail_smtp')

        self.assertEqual((notice.state, notice.reason, notice.attempts), ('to_send', "Server is down", 1))
        self.assertTrue(notice.date_next)
        self.assertEqual(run.waiting_count, 1)

        notice.date_next = False
        self._work()

        self.assertEqual((notice.state, notice.mail_mail_id, mail.state), ('queued', mail, 'outgoing'))

    def test_a_mail_that_failed_goes_to_the_mended_address_and_asks_for_what_is_open_then(self):
        paid = self._overdue(100, 12)
        self._overdue(200, 10)
        notice = self._notice(self._send(self._run()))
        mail = notice.mail_mail_id
        mail.write({'state': 'exception'})
        mail._postprocess_sent_message([], [], failure_reason="No such user", failure_type='mail_email_invalid')
        self.assertEqual(notice.state, 'failed')
        self.customer.email = 'new@hengda.example'
        self._match(paid, self._pay(100))

        notice.with_user(self.collector).action_retry()
        self._work()

        self.assertEqual((notice.state, notice.mail_mail_id, mail.state), ('queued', mail, 'outgoing'))
        self.assertIn('new@hengda.example', mail.email_to)
        self.assertNotIn(paid.name, mail.body_html)
        self.assertEqual(notice.amount_total, 200)

    def test_two_runs_released_at_once_send_a_step_once(self):
        self._overdue(100, 10)
        first, second = self._run(), self._run()
        first.action_send()
        second.action_send()

        self._work()

        self.assertEqual((self._notice(first).state, self._notice(second).state), ('queued', 'cancelled'))
        self.assertEqual(self.env['mail.mail'].sudo().search_count([('model', '=', 'credit.account')]), 1)

    def test_a_run_released_late_or_a_failure_tried_again_does_not_repeat_a_step(self):
        self._overdue(100, 10)
        late, failed = self._run(), self._run()
        self._notice(failed)._set_error("No address", final=True)
        failed.sudo().state = 'done'
        self._mails_go_out(self._notice(self._send(self._run())))

        self._send(late)
        self._notice(failed).with_user(self.collector).action_retry()
        self._work()

        self.assertEqual(self._notice(late).state, 'cancelled')
        self.assertIn("another notice", self._notice(late).reason)
        self.assertEqual(self._notice(failed).state, 'cancelled')

    def test_what_is_not_due_any_more_is_not_reminded_of_and_ages_are_those_of_the_day(self):
        moved, old = self._overdue(100, 10), self._overdue(200, 10)
        run = self._run(date=self.today - timedelta(days=2))
        self.assertEqual(self._notice(run).days_overdue, 8)
        self._item(moved).sudo().date_maturity = self.today + timedelta(days=20)

        self._send(run)

        self.assertEqual(self._notice(run).line_ids.move_id, old)
        self.assertEqual(self._notice(run).days_overdue, 10)

    def test_a_run_of_a_day_to_come_or_with_other_customers_is_not_sent_unseen(self):
        self._overdue(100, 10)
        run = self._run(date=self.today + timedelta(days=5))
        with self.assertRaisesRegex(UserError, "Only on that day"):
            run.action_send()

        run.date = self.today
        self.assertEqual(run.state, 'draft')
        with self.assertRaisesRegex(UserError, "Simulate the run first"):
            run.action_send()
        run.action_simulate()
        run.action_send()

    def test_who_refuses_the_channel_gets_a_letter_or_is_left_out(self):
        self.customer.dunning_no_email = True
        self._overdue(100, 10)
        with patch.object(type(self.env['dunning.notice']), '_pdf', lambda *args, **kwargs: b'%PDF'):
            run = self._send(self._run())
        self.assertEqual((self._notice(run).channel, self._notice(run).state), ('letter', 'to_print'))

        run.action_stop()
        self.customer.dunning_no_letter = True
        again = self._send(self._run())

        self.assertEqual((self._notice(again).channel, self._notice(again).state), ('email', 'excluded'))
        self.assertIn("Does not want", self._notice(again).reason)

    def test_a_contact_that_refuses_the_channel_is_asked_himself(self):
        accounts = self.env['res.partner'].create(
            {'name': "Accounts", 'parent_id': self.customer.id, 'email': 'a@b.example', 'dunning_no_email': True}
        )
        self._account(dunning_contact_id=accounts.id)
        self.first.letter_fallback = False
        self._overdue(100, 10)

        run = self._send(self._run())

        self.assertEqual(self._notice(run).state, 'excluded')

    def test_a_step_for_the_invoice_contact_goes_there_although_there_is_a_follow_up_contact(self):
        vals = {'parent_id': self.customer.id, 'type': 'invoice'}
        invoices = self.env['res.partner'].create({'name': "Invoices", 'email': 'invoices@hengda.example', **vals})
        accounts = self.contact
        accounts.email = 'lin@hengda.example'
        self._account(dunning_contact_id=accounts.id)
        self.first.recipient = 'invoice'
        self._overdue(100, 10)

        run = self._send(self._run())
        self.assertEqual(self._notice(run).contact_id, invoices)
        self.assertEqual(self._notice(run).mail_mail_id.email_to, invoices.email_formatted)

        accounts.active = False
        self.first.recipient = 'followup'
        run.action_stop()
        self._notice(run).mail_mail_id.cancel()
        self._work()
        self.assertEqual(self._notice(self._run()).contact_id, invoices)

    def test_a_customer_with_a_lawyer_is_not_contacted_himself(self):
        lawyer = self.env['res.partner'].create(
            {'name': "Wang & Partners", 'email': 'office@wang.example', 'is_company': True}
        )
        self.contact.write({'type': 'invoice', 'email': 'lin@hengda.example'})
        self.first.recipient = 'both'
        self._overdue(100, 10)
        action = self.customer.with_user(self.collector).action_dunning_settings()
        wizard = self.env['dunning.customer'].with_user(self.collector).browse(action['res_id'])
        wizard.represented = True
        wizard.action_save()

        unknown = self._run()
        self.assertFalse(unknown.notice_ids)
        self.assertEqual(unknown.exclusion_ids.code, 'represented')

        wizard.lawyer_id = lawyer
        wizard.action_save()
        run = self._send(self._run())
        self.assertEqual(self._notice(run).contact_id, lawyer)
        self.assertEqual(self._notice(run).mail_mail_id.email_to, lawyer.email_formatted)
        gate = self.env['dunning.contact.rule']._gate(self.contact + lawyer, 'call', self.env.cr.now(), self.company)
        self.assertEqual([gate[partner.id][0] for partner in self.contact + lawyer][0], False)
        account = self.Account._for_partners(self.customer, self.company)
        self.assertTrue(
            self.env['credit.event'].search([('account_id', '=', account.id), ('kind', '=', 'represented')])
        )

        run.action_stop()
        self._notice(run).mail_mail_id.cancel()
        self._work()
        self.first.channel = 'call'
        self._send(self._run())
        self.assertIn("contact Wang &amp; Partners only", account.activity_ids.note)

    def test_a_notice_without_any_address_becomes_a_letter_or_fails(self):
        self.customer.email = False
        self._overdue(100, 10)
        run = self._run()
        with patch.object(type(self.env['dunning.notice']), '_pdf', lambda *args, **kwargs: b'%PDF'):
            self._send(run)
        self.assertEqual((self._notice(run).channel, self._notice(run).state), ('letter', 'to_print'))

        run.action_stop()
        self.first.letter_fallback = False
        again = self._send(self._run())

        self.assertEqual(self._notice(again).state, 'failed')
        self.assertEqual(again.state, 'done')
        account = self.Account._for_partners(self.customer, self.company)
        self.assertTrue(
            self.env['credit.event'].search([('account_id', '=', account.id), ('kind', '=', 'dunning_failed')])
        )

    def test_a_letter_is_sent_once_somebody_says_that_it_was_posted(self):
        self._overdue(100, 50)
        run = self._run()
        with patch.object(type(self.env['dunning.notice']), '_pdf', lambda *args, **kwargs: b'%PDF-1.4'):
            self._send(run)
        notice = self._notice(run)
        self.assertEqual((notice.state, notice.attachment_id.raw), ('to_print', b'%PDF-1.4'))
        self.assertEqual(notice.subject, f"Open: {notice.line_ids.move_id.name}")

        with self.assertRaisesRegex(UserError, "Print the letters first"):
            run.action_letters_posted()
        run.action_print_letters()
        run.action_letters_posted()
        self._work()

        self.assertEqual((notice.state, run.state), ('sent', 'done'))
        self.assertEqual(self.env['dunning.progress'].search([]).step_id, self.third)

    def test_letters_that_came_after_the_printing_do_not_count_as_posted(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 50)
        self._overdue(100, 50, partner=other)
        run = self._run()
        with patch.object(type(self.env['dunning.notice']), '_pdf', lambda *args, **kwargs: b'%PDF-1.4'):
            self._send(run)
        self._notice(run).with_user(self.collector).action_print()

        run.action_letters_posted()

        self.assertEqual((self._notice(run).state, self._notice(run, other).state), ('sent', 'to_print'))

    def test_what_was_paid_since_the_simulation_is_not_asked_for(self):
        paid, open_ = self._overdue(100, 25), self._overdue(200, 10)
        run = self._run()
        self._match(paid, self._pay(100))

        self._send(run)

        notice = self._notice(run)
        self.assertEqual(notice.line_ids.move_id, open_)
        self.assertEqual((notice.step_id, notice.amount_total, notice.state), (self.first, 200, 'queued'))

    def test_a_notice_of_which_nothing_is_left_is_cancelled(self):
        self._overdue(100, 25)
        run = self._run()
        self._pay(100)

        self._send(run)

        self.assertEqual((self._notice(run).state, run.state), ('cancelled', 'done'))

    def test_a_contact_that_is_not_allowed_now_waits_until_it_is(self):
        self._overdue(100, 25)
        later = self.env.cr.now() + timedelta(hours=9)
        gate = {self.customer.id: (False, later, "Outside contact hours")}
        run = self._run()

        with patch.object(type(self.env['dunning.contact.rule']), '_gate', lambda *args: gate):
            self._send(run)

        notice = self._notice(run)
        self.assertEqual((notice.state, notice.reason), ('to_send', "Outside contact hours"))
        self._work()
        self.assertEqual(notice.state, 'to_send')

    def test_who_opted_out_for_good_is_left_out_with_the_reason(self):
        self._overdue(100, 25)
        run = self._run()

        with patch.object(
            type(self.env['dunning.contact.rule']),
            '_gate',
            lambda *args: {self.customer.id: (False, None, "Opted out")},
        ):
            self._send(run)

        self.assertEqual((self._notice(run).state, run.state), ('excluded', 'done'))

    def test_one_that_fails_does_not_stop_the_others(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        run = self._run()
        Notice = type(self.env['dunning.notice'])
        facts = Notice._facts

        def broken(notice):
            if notice.partner_id == other:
                raise ValueError("nonsense")
            return facts(notice)

        with patch.object(Notice, '_facts', broken):
            self._send(run)

        self.assertEqual(self._notice(run).state, 'queued')
        self.assertEqual(self._notice(run, other).state, 'to_send')
        self.assertIn("ValueError", self._notice(run, other).reason)

    def test_a_job_that_fails_at_one_notice_does_the_others_and_tells_it(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        run = self._run()
        Notice = type(self.env['dunning.notice'])
        ready = Notice._ready

        def broken(notices):
            if other in notices.partner_id:
                raise ValueError("nonsense")
            return ready(notices)

        with patch.object(Notice, '_ready', broken), mute_logger('odoo.addons.dunning_followup.models.dunning_notice'):
            self._send(run)

        self.assertEqual((self._notice(run).state, self._notice(run, other).state), ('queued', 'to_send'))
        self.assertIn("Unexpected error", self._notice(run, other).reason)
        self.assertTrue(self.company.partner_id.activity_search(['dunning_followup.mail_activity_type_job_failed']))

    def test_two_notices_of_one_item_move_it_once_and_further(self):
        item = self._item(self._overdue(100, 30))
        notice = self._notice(self._run())
        rows = [
            (item.id, self.company.id, self.plan.id, step.id, step.days, self.today, None, notice.id)
            for step in (self.second, self.first)
        ]

        self.env['dunning.progress'].sudo()._advance(rows)

        self.assertEqual(item.dunning_step_id, self.second)

    def test_a_text_message_that_was_deleted_is_made_again(self):
        self.first.channel = 'sms'
        self.customer.phone = '+8613800000000'
        self._overdue(100, 10)
        notice = self._notice(self._send(self._run()))
        before = notice.sms_uuid
        self.env['sms.sms'].sudo().search([('uuid', '=', before)]).unlink()

        self._work()

        self.assertEqual(notice.state, 'queued')
        self.assertNotEqual(notice.sms_uuid, before)

    def test_a_mail_that_failed_or_went_out_behind_our_back_is_noticed(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        run = self._send(self._run())
        self._notice(run).mail_mail_id.write({'state': 'exception', 'failure_reason': "Refused"})
        self._notice(run, other).mail_mail_id.write({'state': 'sent'})

        self._work()

        self.assertEqual((self._notice(run).state, self._notice(run).reason), ('to_send', "Refused"))
        self.assertEqual(self._notice(run, other).state, 'sent')

    def test_a_mail_of_a_cancelled_notice_can_not_go_out_any_more(self):
        self._overdue(100, 10)
        notice = self._notice(self._send(self._run()))
        mail = notice.mail_mail_id
        mail.write({'state': 'exception'})
        mail._postprocess_sent_message([], [], failure_reason="Down", failure_type='mail_smtp')

        notice.with_user(self.collector).action_cancel()

        self.assertEqual(mail.state, 'cancel')

    def test_without_any_collector_calls_are_for_who_released_the_run(self):
        self.first.write({'channel': 'call', 'short_text': "<b>{{customer}}</b>\nowes {{total}}"})
        self._overdue(100, 10)

        self._send(self._run())

        activity = self.Account._for_partners(self.customer, self.company).activity_ids
        self.assertEqual(activity.user_id, self.collector)
        self.assertIn("&lt;b&gt;Hengda Trading", activity.note)
        self.assertIn("<br", activity.note)

    def test_calls_and_visits_are_activities_of_the_collector(self):
        self.first.channel = 'call'
        self._account(collector_id=self.collector.id)
        self._overdue(100, 10)

        run = self._send(self._run())

        activity = self.Account._for_partners(self.customer, self.company).activity_ids
        self.assertEqual(activity.user_id, self.collector)
        self.assertIn("Hengda Trading owes", activity.note)
        self.assertEqual(run.state, 'done')

    def test_an_internal_note_stays_in_the_house(self):
        self.first.channel = 'internal'
        self._overdue(100, 10)

        self._send(self._run())

        account = self.Account._for_partners(self.customer, self.company)
        self.assertIn("Hengda Trading owes", account.message_ids[0].body)
        self.assertFalse(self.env['mail.mail'].sudo().search([('model', '=', 'credit.account')]))

    def test_a_text_message_follows_its_fate_in_the_sms_queue(self):
        self.first.channel = 'sms'
        self.customer.phone = '+8613800000000'
        self._overdue(100, 10)
        run = self._send(self._run())
        notice = self._notice(run)
        sms = self.env['sms.sms'].sudo().search([('uuid', '=', notice.sms_uuid)])
        self.assertEqual((notice.state, sms.body[:13]), ('queued', "Hengda Tradin"))

        sms.write({'state': 'error', 'failure_type': 'sms_server'})
        self.assertEqual(notice.state, 'to_send')

        notice.date_next = False
        self._work()
        # The same one: of two, the first could be sent again from its queue.
        self.assertEqual((notice.sms_uuid, sms.state), (sms.uuid, 'outgoing'))
        self.env['sms.sms'].sudo().search([('uuid', '=', notice.sms_uuid)]).write({'state': 'pending'})
        self.assertEqual(notice.state, 'sent')

    def test_a_step_that_escalates_tells_the_manager(self):
        self.first.write({'channel': 'internal', 'escalate': True})
        self.plan.manager_id = self.collections_manager
        self._overdue(100, 10)

        self._send(self._run())

        account = self.Account._for_partners(self.customer, self.company)
        self.assertEqual(account.activity_ids.user_id, self.collections_manager)

    def test_the_follow_up_contact_gets_the_reminder(self):
        lawyer = self.env['res.partner'].create(
            {'name': "Accounts", 'parent_id': self.customer.id, 'email': 'accounts@hengda.example'}
        )
        self._account(dunning_contact_id=lawyer.id)
        self.first.recipient = 'both'
        self._overdue(100, 10)

        run = self._send(self._run())

        to = self._notice(run).mail_mail_id.email_to
        self.assertIn('accounts@hengda.example', to)
        self.assertIn('pay@hengda.example', to)

    def test_the_text_is_in_the_language_of_the_recipient(self):
        self.env['res.lang']._activate_lang('fr_FR')
        self.first.with_context(lang='fr_FR').subject = "Ouvert: {{numbers}}"
        self.customer.lang = 'fr_FR'
        invoice = self._overdue(100, 10)

        run = self._send(self._run())

        self.assertEqual(self._notice(run).mail_mail_id.subject, f"Ouvert: {invoice.name}")

    def test_who_paid_all_of_the_last_reminder_is_thanked_once(self):
        self.plan.thank_you = True
        invoice = self._overdue(100, 10)
        run = self._send(self._run())
        self._mails_go_out(self._notice(run))
        self._match(invoice, self._pay(100))

        self._work()
        self._work()

        thanks = self.env['dunning.notice'].sudo().search([('kind', '=', 'thank_you')])
        self.assertEqual(len(thanks), 1)
        self.assertIn("Thank you", thanks.mail_mail_id.subject)

        self._mails_go_out(thanks)
        noted = self.env['dunning.contact'].search([('res_model', '=', thanks._name), ('res_id', '=', thanks.id)])
        self.assertEqual((noted.channel, noted.commercial_partner_id), ('email', self.customer))

    def test_who_got_a_credit_note_is_not_thanked_for_a_payment(self):
        self.plan.thank_you = True
        invoice = self._overdue(100, 10)
        self._mails_go_out(self._notice(self._send(self._run())))
        self._reverse(invoice)
        self.assertTrue(self._item(invoice).reconciled)

        self._work()

        self.assertFalse(self.env['dunning.notice'].sudo().search([('kind', '=', 'thank_you')]))


@tagged('post_install', '-at_install')
class TestReview(DunningCommon):
    """Who decides on what, and who may not."""

    def test_excluding_and_holding_need_a_reason(self):
        self._overdue(100, 10)
        notice = self._notice(self._run())

        with self.assertRaises(UserError):
            notice._decide('excluded', " ")

    def test_what_is_excluded_or_held_is_not_sent_and_what_is_released_is(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        self._overdue(100, 10, partner=(third := self.customer.copy({'name': "Third"})))
        run = self._run()
        self._notice(run)._decide('excluded', "No")
        self._notice(run, other)._decide('held', "Wait")

        self._send(run)
        self.assertEqual(
            {notice.partner_id: notice.state for notice in run.notice_ids},
            {self.customer: 'excluded', other: 'held', third: 'queued'},
        )

        self._notice(run, other).with_user(self.collector).action_include()
        self._work()
        self.assertEqual(self._notice(run, other).state, 'queued')

    def test_what_is_on_hold_keeps_the_run_open_and_is_in_no_other_until_it_is_decided_on(self):
        other = self.customer.copy({'name': "Other"})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        run = self._run()
        self._notice(run, other)._decide('held', "Wait")
        self._mails_go_out(self._notice(self._send(run)))

        self.assertEqual((run.state, run.progress, run.held_count, run.waiting_count), ('sending', 100, 1, 0))
        with self.assertRaisesRegex(UserError, "on hold"):
            run.action_close()
        self.assertEqual(self._run(partner_ids=other.ids).exclusion_ids.code, 'in_notice')

        self._notice(run, other).with_user(self.collector)._decide('excluded', "Paid by cheque")
        self._work()
        self.assertEqual((run.state, self._notice(run, other).state), ('done', 'excluded'))

    def test_what_is_on_hold_is_given_up_when_it_is_paid_or_the_run_is_stopped(self):
        other = self.customer.copy({'name': "Other"})
        invoice = self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        run = self._run()
        for notice in run.sudo().notice_ids:
            notice._decide('held', "Wait")
        self._send(run)
        self.assertEqual(run.state, 'sending')

        self._match(invoice, self._pay(100))
        self._work()
        self.assertEqual((self._notice(run).state, self._notice(run, other).state), ('cancelled', 'held'))

        run.action_stop()
        self.assertEqual((self._notice(run, other).state, run.state), ('cancelled', 'done'))

    def test_a_run_with_something_under_way_is_not_closed_and_can_be_stopped(self):
        self._overdue(100, 50)
        run = self._run()
        run.action_send()

        with self.assertRaises(UserError):
            run.action_close()
        run.action_stop()

        self.assertEqual((run.state, self._notice(run).state), ('done', 'cancelled'))
        self.assertTrue(self._run().notice_ids)

    def test_an_accountant_reads_but_does_not_send(self):
        accountant = self._new_user('invoicing', 'account.group_account_invoice')
        self._overdue(100, 10)
        run = self._run()

        self.assertEqual(run.with_user(accountant).notice_count, 1)
        for method in ('action_simulate', 'action_send', 'action_cancel', 'action_stop', 'action_close'):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(run.with_user(accountant), method)()
        for method in (
            'action_exclude',
            'action_hold',
            'action_include',
            'action_retry',
            'action_cancel',
            'action_print',
            'action_mark_sent',
        ):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(self._notice(run).with_user(accountant), method)()

    def test_nobody_writes_the_state_of_runs_and_notices(self):
        self._overdue(100, 10)
        run = self._run()

        with self.assertRaises(AccessError):
            run.write({'state': 'done'})
        with self.assertRaises(AccessError):
            self._notice(run).with_user(self.collections_manager).write({'state': 'sent'})
        made = (
            self.env['dunning.run'].with_user(self.collector).create({'state': 'done', 'company_id': self.company.id})
        )
        self.assertEqual(made.state, 'draft')

    def test_salespeople_see_no_preview_of_others_customers(self):
        other = self.customer.copy({'name': "Other", 'user_id': False})
        for partner in self.customer + other:
            self._overdue(1234, 10, partner=partner)
        notices = self.env['dunning.notice'].with_user(self.sales_user)

        self.assertIn("1,234", notices._preview(self.first.with_user(self.sales_user), self.customer))
        self.assertNotIn("1,234", notices._preview(self.first.with_user(self.sales_user), other))

    def test_the_debtor_does_not_read_how_his_invoice_is_collected(self):
        invoice = self._overdue(100, 10)
        portal = new_test_user(self.env, 'debtor', groups='base.group_portal')
        portal.partner_id.parent_id = self.customer
        invoice.message_subscribe(portal.partner_id.ids)
        self.assertTrue(invoice.with_user(portal).name)
        for name in ('dunning_step_id', 'dunning_next_date', 'dunning_notice_count'):
            with self.subTest(name), self.assertRaises(AccessError):
                invoice.with_user(portal).read([name])

    def test_customers_of_one_run_can_be_merged_and_keep_their_notices(self):
        twin = self.customer.copy({'name': "Hengda (twin)"})
        self._account(partner=twin, dunning_contact_id=self.contact.id)
        self._account()
        self._overdue(100, 10)
        self._overdue(100, 10, partner=twin)
        run = self._run()

        self.env['base.partner.merge.automatic.wizard'].create({})._merge(
            (self.customer + twin).ids, self.customer, extra_checks=False
        )

        self.env.invalidate_all()
        self.assertEqual(run.notice_ids.mapped('partner_id'), self.customer)
        self.assertEqual(len(run.notice_ids), 2)
        self.assertEqual(self._account().dunning_contact_id, self.contact)

    def test_the_reasons_of_a_run_have_names(self):
        self._overdue(100, 10)
        self.env['dunning.pause'].create({'partner_id': self.customer.id, 'kind': 'never', 'reason': "Talks"})

        other = self.customer.copy({'name': "Other"})
        self._overdue(20, 10, partner=other)

        run = self._run()

        self.assertIn("Do not remind", run.summary)
        self.assertIn("Too little to be chased", run.summary)

    def test_salespeople_see_the_reminders_of_their_own_customers_only(self):
        other = self.customer.copy({'name': "Other", 'user_id': False})
        self._overdue(100, 10)
        self._overdue(100, 10, partner=other)
        self._run()

        seen = self.env['dunning.notice'].with_user(self.sales_user).search([])

        self.assertEqual(seen.partner_id, self.customer)

    def test_a_collector_of_another_company_sees_nothing(self):
        self._overdue(100, 10)
        self._run()
        other = self.setup_other_company()['company']
        self.collector.write({'company_ids': [(6, 0, other.ids)], 'company_id': other.id})

        for model in ('dunning.notice', 'dunning.run', 'dunning.item', 'dunning.plan', 'dunning.notice.line'):
            with self.subTest(model):
                self.assertFalse(
                    self.env[model]
                    .with_user(self.collector)
                    .search([('company_id', '=', self.company.id)] if model != 'dunning.notice.line' else [])
                )

    def test_a_collector_sets_how_a_customer_is_reminded(self):
        action = self.customer.with_user(self.collector).action_dunning_settings()
        wizard = self.env['dunning.customer'].with_user(self.collector).browse(action['res_id'])
        wizard.write({'collector_id': self.collector.id, 'plan_id': self.plan.id})
        wizard.action_save()

        account = self.Account._for_partners(self.customer, self.company)
        self.assertEqual((account.collector_id, account.dunning_plan_id), (self.collector, self.plan))
        with self.assertRaises(AccessError):
            self.customer.with_user(self.sales_user).action_dunning_settings()

    def test_a_sent_step_can_not_pass_another_or_be_deleted(self):
        self._overdue(100, 10)
        run = self._send(self._run())
        self._mails_go_out(self._notice(run))

        self.first.days = 9
        with self.assertRaises(UserError):
            self.first.days = 30
        with self.assertRaises(UserError):
            self.first.unlink()
