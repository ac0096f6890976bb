from datetime import date, datetime, time, timedelta
from math import inf

from odoo.tests import BaseCase, tagged

from ..engine.approval import Lineup, Request
from ..engine.working_time import after_days, after_hours, longest_day, office_days, with_make_up_days

FRIDAY = date(2026, 10, 9)


def at(day, hour):
    """Return a time on a day."""
    return datetime.combine(day, time(hour))


@tagged('post_install', '-at_install')
class TestWorkingTime(BaseCase):
    """Deadlines over spans of Mondays to Fridays, 9 to 17."""

    def setUp(self):
        super().setUp()
        self.spans = office_days(FRIDAY, FRIDAY + timedelta(days=28))
        self.monday = FRIDAY + timedelta(days=3)
        self.saturday = FRIDAY + timedelta(days=1)

    def test_four_hours_from_friday_15_end_on_monday_at_11(self):
        self.assertEqual(after_hours(at(FRIDAY, 15), 4, self.spans), at(self.monday, 11))

    def test_hours_that_fill_the_day_end_with_it(self):
        self.assertEqual(after_hours(at(FRIDAY, 15), 2, self.spans), at(FRIDAY, 17))

    def test_hours_asked_for_at_night_begin_in_the_morning(self):
        self.assertEqual(after_hours(at(self.saturday, 3), 1, self.spans), at(self.monday, 10))

    def test_one_day_from_friday_is_the_end_of_monday(self):
        self.assertEqual(after_days(at(FRIDAY, 10), 1, self.spans), at(self.monday, 17))

    def test_one_day_from_friday_is_the_make_up_saturday(self):
        spans = with_make_up_days(self.spans, {self.saturday}, longest_day(self.spans))
        self.assertEqual(after_days(at(FRIDAY, 10), 1, spans), at(self.saturday, 17))
        self.assertEqual(after_hours(at(FRIDAY, 15), 4, spans), at(self.saturday, 11))

    def test_make_up_day_that_is_worked_anyway_does_not_count_twice(self):
        spans = with_make_up_days(self.spans, {self.monday}, longest_day(self.spans))
        self.assertEqual(after_hours(at(FRIDAY, 17), 12, spans), at(self.monday + timedelta(days=1), 13))

    def test_longest_day_is_the_pattern(self):
        spans = [(at(FRIDAY, 9), at(FRIDAY, 12)), (at(self.monday, 8), at(self.monday, 12))]
        self.assertEqual(longest_day(spans), ((time(8), time(12)),))

    def test_no_working_time_at_all_is_none(self):
        self.assertIsNone(after_hours(at(FRIDAY, 10), 1, []))
        self.assertIsNone(after_days(at(FRIDAY, 10), 1, []))


@tagged('post_install', '-at_install')
class TestLineup(BaseCase):
    """Who is asked, by ids: 1, 2 and 3 may decide, 4 may stand in."""

    def lineup(self, substitutes=None, members=(1, 2, 3), reserve=(), able=(1, 2, 3, 4)):
        return Lineup(members, substitutes or {}, frozenset(able), reserve)

    def test_first_of_the_members(self):
        self.assertEqual(self.lineup().first(), 1)

    def test_who_is_away_is_passed_over_for_the_substitute(self):
        lineup = self.lineup({1: 4})
        self.assertEqual((lineup.first(), lineup.deciders()), (4, {1, 2, 3, 4}))

    def test_chain_of_absences_is_followed(self):
        self.assertEqual(self.lineup({1: 2, 2: 4}).first(), 4)

    def test_chain_that_comes_back_is_left_for_the_next_member(self):
        self.assertEqual(self.lineup({1: 2, 2: 1}).first(), 3)

    def test_substitute_who_may_not_decide_is_not_asked(self):
        lineup = self.lineup({1: 9})
        self.assertEqual((lineup.first(), lineup.deciders()), (2, {1, 2, 3}))

    def test_next_after_those_who_were_asked_then_the_reserve_then_nobody(self):
        lineup = self.lineup(members=(1, 2), reserve=(3,))
        self.assertEqual([lineup.next(asked) for asked in ((1,), (1, 2), (1, 2, 3))], [2, 3, None])

    def test_all_away_one_is_asked_nevertheless(self):
        self.assertEqual(self.lineup({1: None, 2: None}, members=(1, 2)).first(), 1)

    def test_nobody_at_all(self):
        self.assertIsNone(self.lineup(members=()).first())


@tagged('post_install', '-at_install')
class TestRequest(BaseCase):
    """What a level looks at."""

    def test_150_where_100_are_allowed_is_50_and_50_percent_over(self):
        request = Request(0.01, 150.0, 100.0, 50.0)
        self.assertTrue(request.reaches(150) and request.exceeds_by(50) and request.exceeds_by_percent(50))
        self.assertFalse(request.reaches(150.01) or request.exceeds_by(50.01) or request.exceeds_by_percent(50.01))

    def test_unlimited_reaches_everything(self):
        request = Request(0.01, inf, 100.0, inf)
        self.assertTrue(request.reaches(10**12) and request.exceeds_by(10**12) and request.exceeds_by_percent(10**6))

    def test_anything_beyond_no_credit_is_any_percentage(self):
        self.assertTrue(Request(0.01, 1.0, 0.0, 1.0).exceeds_by_percent(1000))
        self.assertFalse(Request(0.01, 1.0, 0.0, 0.0).exceeds_by_percent(1))
