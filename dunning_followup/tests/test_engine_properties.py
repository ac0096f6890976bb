"""Random debts, rates, payments and contacts: what must hold whatever they are."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine.contact_window import Cap, Past, Window, next_moment
from ..engine.interest import Change, Rate, cover, segments, total
from ..engine.limitation import Restart, Rule, last_day

PROFILE = settings(
    max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck]
)
DUE = date(2026, 1, 31)
KINDS = ('confirmation', 'demand', 'payment', 'promise')

day = st.integers(-20, 800).map(lambda days: DUE + timedelta(days=days))
money = st.integers(0, 10_000_00).map(lambda cents: Decimal(cents) / 100)
rates = st.lists(st.builds(Rate, day, st.integers(0, 3000).map(lambda number: Decimal(number) / 100)), max_size=5)
payments = st.lists(st.builds(Change, day, money), max_size=5)
basis = st.sampled_from(['365', '360', 'day'])
moment = st.integers(0, 60 * 24 * 60).map(lambda minutes: datetime(2026, 3, 1) + timedelta(minutes=minutes))


@tagged('post_install', '-at_install')
class TestInterestProperties(BaseCase):
    @PROFILE
    @given(money, rates, payments, basis, day, day, st.booleans())
    def test_splitting_a_period_never_changes_the_sum(self, sum_, table, paid, base, until, split, stays):
        assume(split < until)
        whole = segments(sum_, DUE, until, table, paid, base, rate_stays=stays)
        first = segments(sum_, DUE, split, table, paid, base, rate_stays=stays)
        second = segments(sum_, DUE, until, table, paid, base, since=split + timedelta(days=1), rate_stays=stays)
        self.assertEqual(sum(part.weight for part in whole), sum(part.weight for part in first + second))

    @PROFILE
    @given(money, rates, payments, basis, day)
    def test_a_rate_that_stays_is_that_of_the_first_day(self, sum_, table, paid, base, until):
        stays = segments(sum_, DUE, until, table, paid, base, rate_stays=True)
        splits = segments(sum_, DUE, DUE + timedelta(days=1), table, (), base)
        self.assertLessEqual({part.percent for part in stays}, {part.percent for part in splits})

    @PROFILE
    @given(money, rates, payments, basis, day, st.builds(Change, day, money))
    def test_a_payment_never_raises_interest(self, sum_, table, paid, base, until, payment):
        less = total(segments(sum_, DUE, until, table, [*paid, payment], base))
        self.assertLessEqual(less, total(segments(sum_, DUE, until, table, paid, base)))
        self.assertGreaterEqual(less, 0)

    @PROFILE
    @given(money, rates, payments, basis, day, st.integers(1, 100))
    def test_time_never_lowers_interest(self, sum_, table, paid, base, until, days):
        later = total(segments(sum_, DUE, until + timedelta(days=days), table, paid, base))
        self.assertGreaterEqual(later, total(segments(sum_, DUE, until, table, paid, base)))

    @PROFILE
    @given(money, rates, payments, basis, day)
    def test_segments_are_in_order_within_the_period_and_never_overlap(self, sum_, table, paid, base, until):
        before = DUE
        for part in segments(sum_, DUE, until, table, paid, base):
            self.assertLess(before, part.date_from)
            self.assertLessEqual(part.date_from, part.date_to)
            before = part.date_to
        self.assertLessEqual(before, max(until, DUE))

    @PROFILE
    @given(st.lists(money, max_size=6), st.lists(st.tuples(day, money), max_size=6))
    def test_credits_cover_no_more_than_there_is_and_the_oldest_first(self, amounts, credits):
        credits = sorted(credits)
        covered = cover(list(enumerate(amounts)), credits)
        sums = [sum((change.amount for change in covered.get(key, ())), Decimal(0)) for key in range(len(amounts))]
        self.assertEqual(sum(sums), min(sum(amounts), sum((amount for _day, amount in credits), Decimal(0))))
        for number, amount in enumerate(amounts[:-1]):
            if sums[number] < amount:
                self.assertFalse(any(sums[number + 1 :]))


@tagged('post_install', '-at_install')
class TestLimitationProperties(BaseCase):
    @PROFILE
    @given(
        st.integers(1, 10),
        st.booleans(),
        st.sets(st.sampled_from(KINDS)),
        st.lists(st.builds(Restart, day, st.sampled_from(KINDS)), max_size=5),
    )
    def test_an_event_never_brings_the_end_nearer(self, years, year_end, restarts, events):
        rule = Rule(years, year_end, frozenset(restarts))
        end, since = last_day(DUE, rule, events)
        self.assertGreaterEqual(end, last_day(DUE, rule, events[1:])[0])
        self.assertIn(since, [None, *events])


@tagged('post_install', '-at_install')
class TestContactProperties(BaseCase):
    @PROFILE
    @given(
        moment,
        st.lists(st.builds(Past, moment, st.sampled_from(['call', 'email']), st.booleans()), max_size=8),
        st.sampled_from(['UTC', 'Asia/Shanghai', 'Europe/Berlin', 'America/New_York']),
        st.integers(0, 12),
        st.integers(13, 24),
        st.sets(st.integers(0, 6), min_size=1),
        st.integers(1, 4),
        st.integers(0, 10),
    )
    def test_the_moment_given_is_allowed_and_not_before_the_one_asked(
        self, asked, past, zone, start, end, weekdays, count, quiet
    ):
        past = [contact for contact in past if contact.moment <= asked]
        window = Window((zone,), start, end, frozenset(weekdays), caps=(Cap(count, 7),), quiet_days=quiet)
        allowed, reason = next_moment(window, 'call', asked, past)
        self.assertGreaterEqual(allowed, asked)
        self.assertEqual(allowed == asked, reason is None)
        self.assertEqual(next_moment(window, 'call', allowed, past), (allowed, None))
        inside = [contact for contact in past if contact.moment > allowed - timedelta(days=7)]
        self.assertLess(len(inside), count)
