from dataclasses import replace

from odoo.tests import BaseCase

from ..engine.limit import Basis, Course, Standing, next_limit, recommend

BASIS = Basis(
    monthly_billing=100_000.0,
    terms_days=30,
    late_days=15,
    growth_percent=20.0,
    grade_factor=1.0,
    rounding=0.01,
)


def amounts(recommendation):
    return {step.code: step.amount for step in recommendation.steps}


class TestRecommendedLimit(BaseCase):
    """The need, the grade and the caps; figures that can be done in the head."""

    def test_need_is_billing_for_as_long_as_it_stays_open(self):
        # 100 000 a month, open for 45 days = 150 000; and 20 % more.
        self.assertEqual(recommend(BASIS).amount, 180_000.0)

    def test_grade_scales_the_need(self):
        result = recommend(replace(BASIS, grade_factor=0.5))
        self.assertEqual(amounts(result), {'need': 180_000.0, 'grade': 90_000.0})
        self.assertEqual(result.amount, 90_000.0)

    def test_grade_without_credit(self):
        self.assertEqual(recommend(replace(BASIS, grade_factor=0.0)).amount, 0.0)

    def test_net_worth_caps(self):
        result = recommend(replace(BASIS, net_worth=1_000_000.0))
        self.assertEqual(result.amount, 100_000.0)
        self.assertEqual([step.code for step in result.steps if step.binding], ['net_worth'])

    def test_negative_net_worth_leaves_nothing(self):
        self.assertEqual(recommend(replace(BASIS, net_worth=-1.0)).amount, 0.0)

    def test_unknown_net_worth_is_not_zero(self):
        self.assertNotIn('net_worth', amounts(recommend(BASIS)))

    def test_cap_that_does_not_bind_is_shown_but_not_binding(self):
        result = recommend(replace(BASIS, net_worth=10_000_000.0))
        self.assertEqual(amounts(result)['net_worth'], 1_000_000.0)
        self.assertFalse([step for step in result.steps if step.binding])

    def test_no_customer_above_a_share_of_our_own_sales(self):
        result = recommend(replace(BASIS, own_sales=1_200_000.0, net_worth=5_000_000.0))
        self.assertEqual(result.amount, 120_000.0)
        self.assertEqual([step.code for step in result.steps if step.binding], ['concentration'])

    def test_expected_loss_takes_no_more_than_the_margin(self):
        # 1 200 000 a year at 10 % earn 120 000; with 2 of 10 customers lost entirely, 600 000 lose that much.
        basis = replace(BASIS, grade_factor=10.0, default_percent=20.0, margin_percent=10.0)
        result = recommend(basis)
        self.assertEqual((amounts(result)['expected_loss'], result.amount), (600_000.0, 600_000.0))
        self.assertEqual([step.code for step in result.steps if step.binding], ['expected_loss'])
        self.assertEqual(recommend(replace(basis, loss_percent=50.0)).amount, 1_200_000.0)
        self.assertEqual(recommend(replace(basis, tolerated_percent=25.0)).amount, 150_000.0)

    def test_expected_loss_that_is_not_known_caps_nothing(self):
        for values in ({'default_percent': 20.0}, {'margin_percent': 10.0}):
            self.assertNotIn('expected_loss', amounts(recommend(replace(BASIS, **values))))

    def test_early_payers_need_what_they_were_given(self):
        for days in (-15, -30, -90):
            self.assertEqual(recommend(replace(BASIS, late_days=days)).amount, 120_000.0)

    def test_what_is_payable_at_once_is_open_for_a_week(self):
        # 100 000 a month are 23 333 a week; and 20 % more.
        basis = replace(BASIS, terms_days=0, late_days=0)
        self.assertEqual(recommend(basis).amount, 28_000.0)
        self.assertEqual(recommend(replace(basis, late_days=-5)).amount, 28_000.0)
        self.assertEqual(recommend(basis).steps[0].days, 7.0)

    def test_lateness_raises_the_limit_by_30_days_at_most(self):
        self.assertEqual(recommend(replace(BASIS, late_days=30)).amount, 240_000.0)
        for days in (60, 120):
            self.assertEqual(recommend(replace(BASIS, terms_days=60, late_days=days)).steps[0].days, 90.0)
            self.assertEqual(recommend(replace(BASIS, late_days=days)).amount, 240_000.0)

    def test_lateness_counts_no_longer_than_the_credit(self):
        for days in (14, 15, 120):
            self.assertEqual(recommend(replace(BASIS, terms_days=14, late_days=days)).steps[0].days, 28.0)

    def test_credit_notes_beyond_invoices_need_nothing(self):
        self.assertEqual(recommend(replace(BASIS, monthly_billing=-5.0)).amount, 0.0)

    def test_rounded_down_to_three_digits(self):
        self.assertEqual(recommend(replace(BASIS, monthly_billing=21_791.7)).amount, 39_200.0)

    def test_not_finer_than_the_currency(self):
        self.assertEqual(recommend(replace(BASIS, monthly_billing=0.7, rounding=1.0)).amount, 1.0)


class TestNextLimit(BaseCase):
    """When a present limit moves."""

    def next(self, recommended, present, good_periods=3, overdue=0.0, **course):
        return next_limit(recommended, Standing(present, good_periods, overdue), Course(**course), 0.01)

    def test_first_limit(self):
        self.assertEqual(self.next(50_000.0, None, good_periods=0), ('first', 50_000.0))

    def test_no_first_limit_while_overdue(self):
        self.assertEqual(self.next(50_000.0, None, overdue=1.0), ('frozen', None))

    def test_nothing_to_begin_with(self):
        self.assertEqual(self.next(0.0, None), ('same', None))

    def test_raise_only_after_good_periods(self):
        self.assertEqual(self.next(80_000.0, 50_000.0, good_periods=2), ('wait', None))
        self.assertEqual(self.next(80_000.0, 50_000.0, good_periods=3), ('raise', 80_000.0))

    def test_small_changes_are_left(self):
        self.assertEqual(self.next(54_000.0, 50_000.0), ('same', None))
        self.assertEqual(self.next(46_000.0, 50_000.0), ('same', None))
        self.assertEqual(self.next(45_000.0, 50_000.0), ('lower', 45_000.0))

    def test_overdue_freezes(self):
        self.assertEqual(self.next(80_000.0, 50_000.0, overdue=1.0), ('frozen', None))

    def test_overdue_lowers_where_the_policy_says_so(self):
        self.assertEqual(self.next(80_000.0, 50_000.0, overdue=1.0, overdue_lower_percent=20.0), ('lower', 40_000.0))

    def test_lower_of_both(self):
        self.assertEqual(self.next(30_000.0, 50_000.0, overdue=1.0, overdue_lower_percent=20.0), ('lower', 30_000.0))

    def test_not_justified_any_more(self):
        self.assertEqual(self.next(0.0, 50_000.0, good_periods=0), ('lower', 0.0))

    def test_no_credit_stays_no_credit(self):
        self.assertEqual(self.next(0.0, 0.0), ('same', None))
