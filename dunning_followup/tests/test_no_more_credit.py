from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import DunningCommon


@tagged('post_install', '-at_install')
class TestNoMoreCredit(DunningCommon):
    """The rule that holds orders of customers who have reached a certain reminder."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._policy(('dunning_no_more_credit', 'hold', {}))
        cls.plan.step_ids.channel = 'internal'
        cls.second.no_more_credit = True

    def _remind(self, days):
        invoice = self._overdue(100, days)
        self._send(self._run())
        return invoice

    def test_an_order_is_held_once_the_step_is_reached(self):
        self._remind(25)

        order = self._order(confirm=True)

        self.assertEqual(order.credit_state, 'on_hold')
        line = order.credit_check_ids.line_ids
        self.assertEqual((line.kind, line.actual), ('dunning_no_more_credit', 1))
        self.assertIn("no more credit", line.message)

    def test_a_later_step_counts_as_well(self):
        self._remind(50)

        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')

    def test_an_earlier_step_does_not(self):
        self._remind(10)

        self.assertEqual(self._order(confirm=True).credit_state, 'passed')

    def test_payment_lifts_it_matched_or_not(self):
        self._remind(25)
        self._pay(100)

        self.assertEqual(self._order(confirm=True).credit_state, 'passed')

    def test_without_the_rule_nothing_is_looked_up(self):
        self._remind(25)
        self._limit_policy()

        self.assertEqual(self._order(confirm=True).credit_state, 'passed')


@tagged('post_install', '-at_install')
class TestRefusedConsequences(DunningCommon):
    """What a step brings in the house holds although the customer refuses its channel."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._policy(('dunning_no_more_credit', 'hold', {}))
        cls.env['dunning.contact.rule'].search([]).action_archive()
        cls.third.write({'channel': 'email', 'letter_fallback': False, 'no_more_credit': True, 'escalate': True})
        (cls.first + cls.second).letter_fallback = False
        cls.plan.manager_id = cls.collections_manager
        cls.customer.dunning_no_email = True
        cls.env['res.company'].search([]).dunning_mode = 'off'

    def _events(self):
        account = self.Account._for_partners(self.customer, self.company)
        return self.env['credit.event'].search([('account_id', '=', account.id), ('kind', '=', 'dunning_passed_over')])

    def _escalations(self):
        account = self.Account._for_partners(self.customer, self.company)
        kind = self.env.ref('dunning_followup.mail_activity_type_escalated')
        return account.activity_ids.filtered(lambda activity: activity.activity_type_id == kind)

    def _passed(self):
        return self.env['dunning.passed.step'].search([])

    def test_a_step_whose_channel_is_refused_stops_the_credit_once_its_run_is_released(self):
        self._overdue(100, 45)
        run = self._run()
        self.assertEqual(self._notice(run).state, 'excluded')
        self.assertFalse(self._passed() or self._events())
        self.assertEqual(self._order(confirm=True).credit_state, 'passed')

        self._send(run)

        self.assertEqual((run.state, self._notice(run).state), ('done', 'excluded'))
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')
        [event] = self._events()
        for text in ("Step 40", "100", "refuses", "no more credit", "escalated"):
            self.assertIn(text, event.description)
        self.assertEqual(self._escalations().user_id, self.collections_manager)
        self.assertIn("refuses", self._escalations().note)

    def test_it_takes_effect_once(self):
        self._overdue(100, 45)
        for _time in range(2):
            self._send(self._run())

        self.assertEqual((len(self._passed()), len(self._events()), len(self._escalations())), (1, 1, 1))

        self._overdue(50, 41)
        self._send(self._run())
        self.assertEqual((len(self._passed()), len(self._events()), len(self._escalations())), (2, 2, 2))

    def test_before_its_day_nothing_happens(self):
        self._overdue(100, 25)
        self._send(self._run())

        self.assertFalse(self._passed() or self._events() or self._escalations())
        self.assertEqual(self._order(confirm=True).credit_state, 'passed')

    def test_it_holds_although_the_refusal_is_taken_back_until_the_items_are_paid(self):
        self._overdue(100, 45)
        self._send(self._run())
        self.customer.dunning_no_email = False

        run = self._run()
        self.assertEqual((self._notice(run).state, self._notice(run).step_id), ('draft', self.third))
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')
        self._send(run)
        self.assertEqual(self._notice(run).state, 'queued')
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')

        self._pay(100)
        self.assertEqual(self._order(confirm=True).credit_state, 'passed')

    def test_an_earlier_step_that_can_be_done_is_sent_beside_it(self):
        self.first.channel = 'internal'
        invoice = self._overdue(100, 45)

        run = self._send(self._run())

        self.assertEqual((self._notice(run).state, self._notice(run).step_id), ('sent', self.first))
        self.assertEqual(self._item(invoice).dunning_step_id, self.first)
        self.assertEqual((len(self._events()), len(self._escalations())), (1, 1))
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')

    def test_whom_a_person_has_taken_out_and_what_is_not_chased_is_left_alone(self):
        self._overdue(100, 45)
        run = self._run()
        self._notice(run)._decide('excluded', "Talks")
        self._send(run)
        self.assertFalse(self._passed())

        run = self._run()
        self.env['dunning.pause'].create({'partner_id': self.customer.id, 'kind': 'never', 'reason': "Talks"})
        self._send(run)
        self.assertFalse(self._passed())

    def test_who_allows_the_channel_until_the_run_is_released_is_left_alone(self):
        self._overdue(100, 45)
        run = self._run()
        self.customer.dunning_no_email = False

        self._send(run)

        self.assertFalse(self._passed())

    def test_an_unattended_run_without_anything_to_send_lets_it_hold_too(self):
        self.company.write({'dunning_mode': 'send', 'dunning_hour': 0, 'dunning_workdays': False})
        self._overdue(100, 45)

        with self.enter_registry_test_mode():
            self.env.ref('dunning_followup.ir_cron_run').method_direct_trigger()

        self.assertEqual(len(self._events()), 1)
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')

    def test_it_goes_on_with_the_invoice_in_the_place_of_a_reversed_one(self):
        invoice = self._overdue(100, 45)
        self._send(self._run())

        again = self._reverse(invoice, modify=True)
        again.action_post()

        self.assertEqual(self._passed().move_line_id, self._item(invoice) + self._item(again))
        self.assertEqual(self._order(confirm=True).credit_state, 'on_hold')
        self._send(self._run())
        self.assertEqual(len(self._events()), 1)

    def test_a_step_that_was_passed_over_is_not_deleted(self):
        self._overdue(100, 45)
        self._send(self._run())

        with self.assertRaises(UserError):
            self.third.unlink()
