from datetime import date, datetime, timedelta
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..engine.contact_window import Cap, Past, Window, next_moment
from ..engine.interest import Change, Rate, cover, flat_sum, segments, total
from ..engine.limitation import Restart, Rule, last_day, level

EU = (Rate(date(2026, 1, 1), Decimal('10.15')), Rate(date(2026, 7, 1), Decimal('10.4')))
DUE = date(2026, 5, 31)


def rounded(parts):
    """Return the interest in cents."""
    return round(float(total(parts)), 2)


@tagged('post_install', '-at_install')
class TestInterest(BaseCase):
    """Simple interest over days that can be counted by hand."""

    def test_golden_euro_over_a_change_of_rate(self):
        parts = segments(Decimal(10000), DUE, date(2026, 8, 31), EU)
        self.assertEqual([(part.days, float(part.percent)) for part in parts], [(30, 10.15), (62, 10.4)])
        self.assertEqual([round(float(part.interest), 2) for part in parts], [83.42, 176.66])
        self.assertEqual(rounded(parts), 260.08)

    def test_the_rate_of_the_first_day_of_delay_may_stay(self):
        until = date(2026, 8, 31)
        for due, expected in (
            (DUE, [(92, 10.15)]),
            (date(2026, 6, 29), [(63, 10.15)]),
            # Late from 1 July on.
            (date(2026, 6, 30), [(62, 10.4)]),
        ):
            with self.subTest(due):
                parts = segments(Decimal(10000), due, until, EU, rate_stays=True)
                self.assertEqual([(part.days, float(part.percent)) for part in parts], expected)

    def test_where_the_first_rate_stays_payments_and_earlier_claims_still_split(self):
        paid = Change(date(2026, 7, 10), Decimal(4000))
        parts = segments(Decimal(10000), DUE, date(2026, 8, 31), EU, [paid], since=date(2026, 7, 1), rate_stays=True)
        self.assertEqual(
            [(part.days, int(part.principal), float(part.percent)) for part in parts],
            [(10, 10000, 10.15), (52, 6000, 10.15)],
        )

    def test_where_the_first_rate_stays_and_is_not_known_the_whole_delay_costs_nothing(self):
        parts = segments(Decimal(1000), date(2025, 12, 21), date(2026, 1, 10), EU, rate_stays=True)
        self.assertEqual([(part.days, part.percent) for part in parts], [(20, None)])

    def test_golden_pound_rounds_once_at_the_end(self):
        rates = [Rate(date(2024, 1, 1), Decimal('12.25'))]
        parts = segments(Decimal(5000), date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=101), rates)
        self.assertEqual(parts[0].days, 101)
        self.assertEqual(rounded(parts), 169.49)

    def test_golden_yuan_by_the_day(self):
        rates = [Rate(date(2025, 6, 1), Decimal('0.05'))]
        parts = segments(Decimal(100000), DUE, DUE + timedelta(days=45), rates, basis='day')
        self.assertEqual(rounded(parts), 2250.0)

    def test_year_of_360_days(self):
        rates = [Rate(date(2025, 1, 1), Decimal(12))]
        self.assertEqual(rounded(segments(Decimal(36000), DUE, DUE + timedelta(days=10), rates, basis='360')), 120.0)

    def test_day_of_payment_still_counts_with_the_whole_sum(self):
        rates = [Rate(date(2025, 1, 1), Decimal('36.5'))]
        paid = DUE + timedelta(days=10)
        parts = segments(Decimal(1000), DUE, DUE + timedelta(days=20), rates, [Change(paid, Decimal(600))])
        self.assertEqual([(part.days, int(part.principal)) for part in parts], [(10, 1000), (10, 400)])
        self.assertEqual(rounded(parts), 14.0)

    def test_nothing_counts_until_the_day_after_the_due_date(self):
        self.assertEqual(segments(Decimal(1000), DUE, DUE, EU), ())
        self.assertEqual(segments(Decimal(1000), DUE, DUE + timedelta(days=1), EU)[0].days, 1)

    def test_paid_in_full_stops_the_clock(self):
        parts = segments(Decimal(1000), DUE, date(2026, 12, 31), EU, [Change(date(2026, 6, 10), Decimal(1000))])
        self.assertEqual((parts[0].date_from, parts[-1].date_to), (date(2026, 6, 1), date(2026, 6, 10)))

    def test_paid_too_much_gives_nothing_back(self):
        self.assertEqual(segments(Decimal(1000), DUE, date(2026, 7, 1), EU, [Change(DUE, Decimal(1500))]), ())

    def test_disputed_part_rests_until_it_is_solved(self):
        rates = [Rate(date(2025, 1, 1), Decimal('36.5'))]
        changes = [
            Change(DUE + timedelta(days=10), Decimal(1000)),
            Change(DUE + timedelta(days=20), Decimal(-1000)),
        ]
        self.assertEqual(rounded(segments(Decimal(1000), DUE, DUE + timedelta(days=30), rates, changes)), 20.0)

    def test_days_before_the_first_rate_are_shown_and_cost_nothing(self):
        parts = segments(Decimal(1000), date(2025, 12, 21), date(2026, 1, 10), EU)
        self.assertEqual([(part.days, part.percent) for part in parts], [(10, None), (10, Decimal('10.15'))])
        self.assertEqual(parts[0].interest, 0)

    def test_unmatched_credits_pay_the_oldest_items(self):
        credits = [(date(2026, 6, 5), Decimal(150)), (date(2026, 6, 9), Decimal(100))]
        changes = cover([('old', Decimal(100)), ('new', Decimal(100)), ('last', Decimal(100))], credits)
        self.assertEqual(changes['old'], [Change(date(2026, 6, 5), Decimal(100))])
        self.assertEqual(changes['new'], [Change(date(2026, 6, 5), Decimal(50)), Change(date(2026, 6, 9), Decimal(50))])
        self.assertEqual(changes['last'], [Change(date(2026, 6, 9), Decimal(50))])

    def test_compensation_by_size(self):
        bands = [(Decimal(0), 40), (Decimal(1000), 70), (Decimal(10000), 100)]
        sizes = (Decimal('999.99'), Decimal(1000), Decimal('9999.99'), Decimal(10000))
        self.assertEqual([flat_sum(size, bands) for size in sizes], [40, 70, 70, 100])
        self.assertEqual(flat_sum(Decimal(0), bands), 0)


@tagged('post_install', '-at_install')
class TestLimitation(BaseCase):
    """The last day of a claim."""

    CHINA = Rule(3, restarts=frozenset({'confirmation', 'demand', 'payment', 'promise'}))

    def test_three_years_from_the_due_date(self):
        self.assertEqual(last_day(DUE, self.CHINA), (date(2029, 5, 31), None))

    def test_three_years_from_the_end_of_the_year(self):
        self.assertEqual(last_day(DUE, Rule(3, from_year_end=True))[0], date(2029, 12, 31))

    def test_confirmation_restarts_the_period(self):
        stamped = Restart(date(2028, 3, 1), 'confirmation')
        self.assertEqual(last_day(DUE, self.CHINA, [stamped]), (date(2031, 3, 1), stamped))

    def test_each_restart_runs_from_its_own_day(self):
        events = [Restart(date(2031, 2, 1), 'payment'), Restart(date(2028, 3, 1), 'demand')]
        self.assertEqual(last_day(DUE, self.CHINA, events)[0], date(2034, 2, 1))

    def test_what_comes_too_late_brings_nothing_back(self):
        self.assertEqual(last_day(DUE, self.CHINA, [Restart(date(2029, 6, 1), 'promise')])[0], date(2029, 5, 31))

    def test_kind_that_the_country_does_not_know_restarts_nothing(self):
        rule = Rule(3, restarts=frozenset({'payment'}))
        self.assertEqual(last_day(DUE, rule, [Restart(date(2028, 3, 1), 'demand')])[0], date(2029, 5, 31))

    def test_leap_day(self):
        self.assertEqual(last_day(date(2024, 2, 29), Rule(3))[0], date(2027, 2, 28))

    def test_warning_levels(self):
        end = date(2029, 5, 31)
        days = {181: None, 180: 180, 91: 180, 90: 90, 30: 30, 0: 30, -5: 30}
        for left, expected in days.items():
            self.assertEqual(level(end, end - timedelta(days=left)), expected, left)


@tagged('post_install', '-at_install')
class TestContactWindow(BaseCase):
    """Whether and when: from Friday 27 November 2026, 10:00 in Shanghai, 02:00 UTC."""

    NOW = datetime(2026, 11, 27, 2)
    OFFICE = Window(('Asia/Shanghai',), hour_from=8, hour_to=21, weekdays=frozenset(range(5)))

    def test_within_the_hours_at_once(self):
        self.assertEqual(next_moment(self.OFFICE, 'call', self.NOW), (self.NOW, None))

    def test_too_late_on_friday_waits_for_monday_morning(self):
        late = datetime(2026, 11, 27, 13)  # 21:00 there
        self.assertEqual(next_moment(self.OFFICE, 'call', late), (datetime(2026, 11, 30, 0), 'hours'))

    def test_too_early_waits_for_the_same_morning(self):
        self.assertEqual(
            next_moment(self.OFFICE, 'call', datetime(2026, 11, 26, 23)), (datetime(2026, 11, 27, 0), 'hours')
        )

    def test_holiday_is_skipped(self):
        window = Window(('Asia/Shanghai',), 8, 21, holidays=frozenset({date(2026, 11, 27), date(2026, 11, 28)}))
        self.assertEqual(next_moment(window, 'call', self.NOW), (datetime(2026, 11, 29, 0), 'holiday'))

    def test_hours_do_not_bind_a_letter(self):
        window = Window(('Asia/Shanghai',), 8, 21, timed=False)
        night = datetime(2026, 11, 27, 18)
        self.assertEqual(next_moment(window, 'letter', night), (night, None))

    def test_of_several_time_zones_all_have_to_be_within_the_hours(self):
        window = Window(('America/New_York', 'America/Los_Angeles'), 8, 21)
        morning = datetime(2026, 11, 27, 14)  # 9:00 in New York, 6:00 in Los Angeles
        self.assertEqual(next_moment(window, 'call', morning), (datetime(2026, 11, 27, 16), 'hours'))

    def test_hours_follow_summer_time(self):
        window = Window(('Europe/Berlin',), 8, 21)
        self.assertEqual(next_moment(window, 'call', datetime(2026, 7, 1, 5, 30))[0], datetime(2026, 7, 1, 6))
        self.assertEqual(next_moment(window, 'call', datetime(2026, 12, 1, 5, 30))[0], datetime(2026, 12, 1, 7))

    def test_eighth_call_in_seven_days_waits_for_the_first_to_be_a_week_ago(self):
        window = Window(caps=(Cap(7, 7, frozenset({'call'})),))
        calls = [Past(self.NOW - timedelta(days=6, hours=-number), 'call') for number in range(7)]
        self.assertEqual(next_moment(window, 'call', self.NOW, calls), (calls[0].moment + timedelta(days=7), 'cap'))
        self.assertEqual(next_moment(window, 'email', self.NOW, calls), (self.NOW, None))
        self.assertEqual(next_moment(window, 'call', self.NOW, calls[1:]), (self.NOW, None))

    def test_cap_over_all_channels(self):
        window = Window(caps=(Cap(1, 1),))
        mail = Past(self.NOW - timedelta(hours=1), 'email')
        self.assertEqual(next_moment(window, 'call', self.NOW, [mail]), (mail.moment + timedelta(days=1), 'cap'))

    def test_week_of_quiet_after_a_conversation(self):
        window = Window(quiet_days_reached=7)
        talk = Past(self.NOW - timedelta(days=1), 'call', True)
        missed = Past(self.NOW - timedelta(days=1), 'call')
        self.assertEqual(next_moment(window, 'call', self.NOW, [talk]), (talk.moment + timedelta(days=7), 'reached'))
        self.assertEqual(next_moment(window, 'call', self.NOW, [missed]), (self.NOW, None))

    def test_quiet_until_a_moment(self):
        until = self.NOW + timedelta(days=3)
        self.assertEqual(next_moment(Window(quiet_until=until), 'sms', self.NOW), (until, 'dispute'))

    def test_what_never_opens_is_said_so(self):
        self.assertEqual(next_moment(Window(weekdays=frozenset()), 'call', self.NOW), (None, 'day'))
        self.assertEqual(next_moment(Window(caps=(Cap(0, 7),)), 'call', self.NOW), (None, 'cap'))
