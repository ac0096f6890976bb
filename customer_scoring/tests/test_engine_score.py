import random
from dataclasses import replace

from odoo.tests import BaseCase, tagged

from ..engine.history import CODES, History
from ..engine.metric import METRICS
from ..engine.payment_index import payment_index
from ..engine.score import Band, Bin, Card, Characteristic, Customer, evaluate

GRADES = (Band(80, 1, 10), Band(60, 2, 20), Band(40, 3, 30), Band(0, 4, 40))


def characteristic(code, *rows, weight=1.0, **values):
    return Characteristic(METRICS[code], weight, tuple(Bin(low, points) for low, points in rows), **values)


def history(*days, amounts=None, **values):
    """Return the history of invoices of 100 each, all due today."""
    amounts = amounts or [100.0] * len(days)
    return History(
        days=tuple(sorted(days)),
        amount=sum(amounts),
        amount_days=sum(day * amount for day, amount in zip(days, amounts, strict=True)),
        weight=float(len(days)),
        weight_days=float(sum(days)),
        due_amount=sum(amounts),
        **{'billed_year': sum(amounts), **values},
    )


ON_TIME = characteristic('on_time_ratio', (0, 0), (50, 50), (90, 100))
LATE = characteristic('days_late_average', (-999, 100), (10, 60), (30, 0))
OVERDUE = characteristic('overdue_share', (0, 100), (1, 50), (10, 0))


@tagged('post_install', '-at_install')
class TestPaymentIndex(BaseCase):
    def test_points_of_the_scale(self):
        for days, index in ((-40, 100), (-30, 100), (-20, 90), (0, 80), (15, 70), (22, 60), (30, 50), (60, 40)):
            self.assertEqual(payment_index(days), index, days)
        self.assertEqual([payment_index(days) for days in (90, 120, 180, 999)], [30, 20, 0, 0])

    def test_between_the_points_it_is_a_straight_line(self):
        self.assertEqual(payment_index(-10), 85)
        self.assertEqual(payment_index(45), 45)

    def test_paying_later_never_raises_it(self):
        indexes = [payment_index(tenth / 10) for tenth in range(-500, 2500)]
        self.assertEqual(indexes, sorted(indexes, reverse=True))

    def test_it_is_weighted_by_amount(self):
        # 100 paid on the day, 300 paid 40 days late: 30 days on average.
        self.assertEqual(history(0, 40, amounts=[100, 300]).value('payment_index'), 50)


@tagged('post_install', '-at_install')
class TestHistory(BaseCase):
    def test_golden_values(self):
        values = history(-5, 0, 0, 10, 45).values()
        self.assertEqual(values['on_time_ratio'], 60)
        self.assertEqual(values['days_late_average'], 10)
        self.assertEqual(values['days_late_median'], 0)
        self.assertEqual(values['days_late_recent'], 10)
        self.assertEqual(values['days_late_worst'], 45)
        self.assertEqual(history(0, 10).value('days_late_median'), 5)

    def test_days_of_tolerance_are_on_time(self):
        self.assertEqual(history(0, 3, 4, tolerance=3).value('on_time_ratio'), 200 / 3)

    def test_nothing_known_is_none_not_zero(self):
        self.assertEqual(set(History().values().values()), {None})

    def test_overdue_share_is_of_what_was_invoiced_and_at_most_all(self):
        self.assertEqual(history(5, overdue=((5, 20.0),), billed_year=200.0).value('overdue_share'), 10)
        self.assertEqual(history(900, overdue=((900, 20.0),), billed_year=0.0).value('overdue_share'), 100)
        self.assertEqual(history(0).value('overdue_share'), 0)

    def test_payment_goes_to_the_oldest_items(self):
        before = history(90, 5, overdue=((90, 50.0), (5, 30.0)))
        self.assertEqual(before.with_payment(60.0).overdue, ((5, 20.0),))

    def test_trend_after_further_invoices_is_of_the_recent_ones_alone(self):
        # 4 of 20 are recent and 10 days late on average: after 4 on time it is 5, whatever the old ones were.
        before = history(*[0] * 16, *[10] * 4, days_now=10.0, days_before=0.0, count_now=4)
        self.assertEqual(before.with_prompt(4).value('days_late_trend'), 5)
        self.assertEqual(before.with_prompt(1).with_prompt(3).value('days_late_trend'), 5)

    def test_weekday_ratio_is_drawn_towards_the_own_average(self):
        # Half of all late; on the weekday 1 of 1: (1 + 3 × 0.5) / (1 + 3).
        values = history(0, 5, weekday_count=1, weekday_late=1)
        self.assertEqual(values.value('weekday_late_ratio'), 62.5)

    def test_each_metric_of_the_history_is_a_metric(self):
        self.assertLessEqual(set(CODES), set(METRICS))


@tagged('post_install', '-at_install')
class TestScore(BaseCase):
    def card(self, *characteristics, **values):
        return Card(characteristics or (ON_TIME, LATE), GRADES, **{'pull': 0.0, 'little': 3, **values})

    def score(self, card, customer, prior=60.0):
        customer = customer if isinstance(customer, Customer) else Customer(customer)
        return evaluate(card, customer, prior)

    def test_golden_customer(self):
        # On time 75 % → 50 of 100, average 5 days → 100 of 100.
        result = self.score(self.card(), history(0, 0, 0, 20))
        self.assertEqual((result.score, result.grade_id, result.count), (75.0, 2, 4))
        self.assertEqual([line.points for line in result.lines], [50, 100])
        self.assertEqual([line.most for line in result.lines], [50, 50])

    def test_weight_counts(self):
        heavy = characteristic('on_time_ratio', (0, 0), (50, 50), (90, 100), weight=3.0)
        self.assertEqual(self.score(self.card(heavy, LATE), history(0, 0, 0, 20)).score, 62.5)

    def test_thin_file_is_drawn_towards_the_segment(self):
        card = self.card(pull=5.0)
        result = self.score(card, history(0), prior=60.0)
        # 1 invoice at 100, 5 of the segment at 60.
        self.assertEqual(result.score, 66.7)
        self.assertTrue(result.little)
        self.assertEqual(self.score(card, history(*[0] * 45), prior=60.0).score, 96.0)

    def test_shares_and_what_is_drawn_add_up_to_the_score(self):
        card = self.card(ON_TIME, LATE, OVERDUE, pull=5.0)
        result = self.score(card, history(0, 12, 50, overdue=((50, 30.0),)))
        self.assertAlmostEqual(sum(line.share for line in result.lines) + result.drawn, result.score, 1)

    def test_without_invoices_only_the_segment_speaks_for_the_way_of_paying(self):
        altman = characteristic('altman_z', (-99, 0), (1.1, 50), (2.6, 100))
        result = self.score(self.card(ON_TIME, altman), Customer(others={'altman_z': 3.0}), prior=40.0)
        self.assertEqual((result.score, result.behaviour, result.count), (70.0, None, 0))

    def test_nobody_of_whom_nothing_is_known_gets_a_score(self):
        self.assertIsNone(self.score(self.card(), History()))
        events = characteristic('promises_broken', (0, 100), (1, 0))
        self.assertIsNone(self.score(self.card(ON_TIME, events), Customer(others={'promises_broken': 0})))
        # Where somebody is and what he does is true of many others.
        country = characteristic('country_risk', (1, 100), (5, 0))
        self.assertIsNone(self.score(self.card(ON_TIME, country), Customer(others={'country_risk': 1})))

    def test_missing_value_is_left_out_or_gets_its_points(self):
        altman = characteristic('altman_z', (-99, 0), (2.6, 100))
        self.assertEqual(self.score(self.card(ON_TIME, altman), history(0)).score, 100)
        careful = replace(altman, missing=20.0)
        self.assertEqual(self.score(self.card(ON_TIME, careful), history(0)).score, 60)

    def test_amount_at_stake_is_scored_apart(self):
        stake = characteristic('utilisation', (0, 100), (80, 30), (100, 0))
        card = self.card(ON_TIME, stake)
        low, high = (self.score(card, Customer(history(0), {'utilisation': used})) for used in (10, 150))
        self.assertEqual((low.score, high.score), (100, 100))
        self.assertEqual((low.stake, high.stake), (100, 0))

    def test_values_in_place_of_ranges(self):
        risk = characteristic('industry_risk', (1, 100), (3, 50), (5, 0), exact=True)
        results = [self.score(self.card(risk), Customer(history(0), {'industry_risk': n})) for n in (1, 3, 5)]
        self.assertEqual([result.score for result in results], [100, 50, 0])
        unknown = self.score(self.card(risk, LATE), Customer(history(0), {'industry_risk': 2}))
        self.assertEqual(unknown.score, 100)

    def test_last_grade_holds_below_its_minimum(self):
        card = replace(self.card(), bands=(Band(80, 1, 10), Band(50, 2, 20)))
        self.assertEqual(self.score(card, history(90, 90)).grade_id, 2)

    # -------------------------------------------------------------------------
    # What it takes
    # -------------------------------------------------------------------------

    def test_next_bin_says_how_many_invoices_on_time_it_takes(self):
        # 3 of 4 on time; 90 % takes (3 + x) / (4 + x) ≥ 0.9: 6 more.
        result = self.score(self.card(ON_TIME), history(0, 0, 0, 20))
        step = result.lines[0].step
        self.assertEqual((step.kind, step.number, step.score, step.gain), ('on_time', 6, 100.0, 50.0))
        self.assertEqual(step.grade_id, 1)
        self.assertEqual(self.score(self.card(ON_TIME), history(*[0] * 9, 20)).score, 100.0)

    def test_it_takes_is_true_of_the_whole_card(self):
        card = self.card(ON_TIME, LATE, pull=5.0)
        before = history(0, 0, 40, 60)
        for line in self.score(card, before, prior=20.0).lines:
            after = self.score(card, before.with_prompt(int(line.step.number)), prior=20.0)
            self.assertEqual(after.score, line.step.score)
            less = self.score(card, before.with_prompt(int(line.step.number) - 1), prior=20.0)
            self.assertLess(
                [item.points for item in less.lines if item.characteristic is line.characteristic],
                [line.step.bin.points],
            )

    def test_overdue_says_how_much_is_to_be_paid(self):
        # 100 of 1000 overdue; below 10 % takes a little more than nothing, below 1 % takes 90.
        before = history(20, overdue=((20, 60.0), (5, 40.0)), billed_year=1000.0)
        step = self.score(self.card(OVERDUE), before).lines[0].step
        self.assertEqual((step.kind, step.bin.points), ('pay', 50))
        self.assertAlmostEqual(step.number, 0.01, 2)
        after = before.with_payment(step.number)
        self.assertEqual(self.score(self.card(OVERDUE), after).score, step.score)

    def test_oldest_overdue_item_says_which_items_to_pay(self):
        days = characteristic('overdue_days', (0, 100), (1, 50), (30, 0))
        before = history(90, 40, 5, overdue=((90, 60.0), (40, 30.0), (5, 40.0)))
        step = self.score(self.card(days), before).lines[0].step
        self.assertEqual((step.kind, step.number, step.score), ('pay', 90.0, 50.0))

    def test_best_bin_takes_nothing(self):
        self.assertIsNone(self.score(self.card(ON_TIME), history(0)).lines[0].step)

    def test_what_needs_too_many_invoices_says_the_value_instead(self):
        step = self.score(self.card(ON_TIME), history(*[0] * 60, *[50] * 60)).lines[0].step
        self.assertEqual((step.kind, step.bound), ('reach', 90))

    # -------------------------------------------------------------------------
    # Properties
    # -------------------------------------------------------------------------

    def behaviour_card(self):
        return self.card(
            characteristic('payment_index', (0, 0), (30, 20), (50, 50), (70, 80), (80, 100)),
            ON_TIME,
            LATE,
            characteristic('days_late_median', (-999, 100), (1, 70), (30, 0)),
            characteristic('days_late_recent', (-999, 100), (1, 80), (15, 40), (60, 0)),
            characteristic('days_late_worst', (-999, 100), (30, 50), (90, 0)),
            pull=5.0,
        )

    def test_more_lateness_never_scores_better(self):
        chance, card = random.Random(7), self.behaviour_card()
        for _round in range(300):
            days = [chance.randint(-30, 120) for _item in range(chance.randint(1, 12))]
            amounts = [chance.randint(1, 1000) for _item in days]
            late = list(days)
            late[chance.randrange(len(days))] += chance.randint(1, 90)
            before, after = (evaluate(card, Customer(history(*each, amounts=amounts)), 60.0) for each in (days, late))
            self.assertLessEqual(after.score, before.score, (days, late, amounts))

    def test_order_of_invoices_does_not_matter(self):
        chance, card = random.Random(11), self.behaviour_card()
        days = [chance.randint(-30, 120) for _item in range(12)]
        pairs = [(day, chance.randint(1, 1000)) for day in days]
        results = set()
        for _round in range(20):
            chance.shuffle(pairs)
            each, amounts = zip(*pairs, strict=True)
            result = evaluate(card, Customer(history(*each, amounts=amounts)), 60.0)
            results.add((result.score, *(line.step for line in result.lines)))
        self.assertEqual(len(results), 1)

    def test_score_stays_between_0_and_100(self):
        chance, card = random.Random(13), self.behaviour_card()
        for _round in range(200):
            days = [chance.randint(-60, 400) for _item in range(chance.randint(1, 8))]
            result = evaluate(card, Customer(history(*days)), chance.uniform(0, 100))
            self.assertTrue(0 <= result.score <= 100)
            for line in result.lines:
                if line.step and line.step.kind == 'on_time':
                    self.assertGreaterEqual(line.step.score, result.score)
