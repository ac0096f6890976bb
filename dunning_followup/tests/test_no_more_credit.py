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
