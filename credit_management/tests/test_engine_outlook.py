from datetime import date
from math import inf

from odoo.tests import BaseCase, tagged

from ..engine.facts import TeamLimit
from ..engine.outlook import Day, Side, after_payment, first_day
from ..engine.verdict import Rule
from .test_engine import LIMIT, facts

OVERDUE = Rule(kind='days_overdue', outcome='hold', threshold=30.0)


def day(number, *sides):
    return Day(date(2030, 6, number), sides)


def side(promised=0.0, rules=(LIMIT,), **values):
    """A customer with a limit of 100 who would owe 130."""
    return Side(facts(**values), rules, promised)


@tagged('post_install', '-at_install')
class TestEngineOutlook(BaseCase):
    """The first day on which a document would pass by itself."""

    def assertFirst(self, number, on_promise, *days):
        found, promised = first_day(days)
        self.assertEqual((found and found.date.day, promised), (number, on_promise))

    def test_first_of_several_days_on_which_the_limit_is_enough(self):
        days = [day(20, side(effective_limit=500)), day(10, side(effective_limit=130)), day(5, side())]
        self.assertFirst(10, False, *days)

    def test_no_day_if_no_limit_is_enough(self):
        self.assertFirst(None, False, day(5, side()), day(6, side(effective_limit=129.99)))
        self.assertFirst(None, False)

    def test_every_customer_concerned_has_to_pass(self):
        other = side(rules=(OVERDUE,), days_overdue=31)
        self.assertFirst(None, False, day(5, side(effective_limit=500), other))

    def test_promise_counts_where_nothing_is_certain(self):
        self.assertFirst(5, True, day(5, side(promised=30.0)))
        self.assertFirst(None, False, day(5, side(promised=29.99)))
        self.assertFirst(5, False, day(5, side(promised=30.0, effective_limit=130)))

    def test_who_is_stopped_by_hand_never_passes_by_itself(self):
        for status in ('hold', 'blacklisted'):
            self.assertFirst(None, False, day(5, side(effective_limit=inf, status=status)))
        self.assertFirst(5, False, day(5, side(effective_limit=500, status='watch')))

    def test_payment_settles_what_is_oldest_first(self):
        before = facts(overdue_after={0: 50.0, 10: 20.0}, days_overdue=40, overdue_left_out=15.0)
        after = after_payment(before, 40.0)
        self.assertEqual((after.exposure, after.overdue_after, after.overdue_left_out), (30.0, {0: 25.0, 10: 0.0}, 0.0))
        self.assertEqual((after.days_overdue, after_payment(before, 65.0).days_overdue), (40, 0))
        self.assertIs(after_payment(before, 0.0), before)

    def test_payment_lowers_what_the_customers_of_a_salesperson_owe(self):
        after = after_payment(facts(team_limits=(TeamLimit(1, 100.0, 90.0),)), 40.0)
        self.assertEqual(after.team_limits[0].exposure, 50.0)
