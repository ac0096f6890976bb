import json
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine.schedule import Item, Progress, Step, due_step, next_step, propose, refused_steps, still_due
from ..engine.signature import sign_parameters
from ..engine.text import fill_form, fill_html, fill_json, fill_text, unknown_variables

DUE = date(2026, 3, 10)
PLAN = [Step(1, -3, 0), Step(2, 7, 5), Step(3, 21, 5), Step(4, 40, 10)]


def day(number):
    return DUE + timedelta(days=number)


@st.composite
def plans(draw):
    days = sorted(draw(st.sets(st.integers(-20, 90), min_size=1, max_size=6)))
    return [Step(index, number, draw(st.integers(0, 15))) for index, number in enumerate(days, start=1)]


def simulate(item, steps, days, start, passed=frozenset()):
    """Run each of these days, in order; return [(day, step)] of what was sent."""
    sent = []
    for today in days:
        if step := due_step(item, steps, today, start, passed):
            sent.append((today, step))
            item = Item(item.id, item.due, Progress(step.id, step.days, today), item.excluded)
    return sent


def simulate_customer(items, steps, days, start, passed=frozenset(), excluded=()):
    """Run a customer on each of these days; return [(day, Proposal)].

    :param excluded: (item id, first day, day after the last) when an item is not chased
    """
    items, sent = {item.id: item for item in items}, []
    for today in days:
        out = {id_ for id_, begin, end in excluded if begin <= today < end}
        chased = [replace(item, excluded=item.id in out) for item in items.values()]
        if proposal := propose(chased, steps, today, start, passed):
            sent.append((today, proposal))
            for id_, step in proposal.steps.items():
                items[id_] = replace(items[id_], progress=Progress(step.id, step.days, today))
    return sent


@st.composite
def customers(draw):
    """Items of one customer, a plan, steps that it refuses, and days on which some items are not chased."""
    steps = draw(plans())
    items = [Item(number, day(draw(st.integers(-40, 60)))) for number in range(draw(st.integers(1, 4)))]
    passed = frozenset(draw(st.sets(st.sampled_from([step.id for step in steps]))))
    begins = st.tuples(st.sampled_from([item.id for item in items]), st.integers(-30, 200), st.integers(1, 60))
    excluded = [
        (id_, day(begin), day(begin + length)) for id_, begin, length in draw(st.lists(begins, max_size=4))
    ]
    return items, steps, passed, excluded


RUNS = st.lists(st.integers(-30, 300), max_size=40).map(sorted).map(lambda numbers: list(map(day, numbers)))


@tagged('post_install', '-at_install')
class TestSchedule(BaseCase):
    """Which step is due when: what holds for all plans, and the examples of the guide."""

    @settings(deadline=None)
    @given(plans(), RUNS, st.sampled_from(('age', 'first')))
    def test_no_step_is_sent_twice_and_none_goes_back(self, steps, days, start):
        positions = [step.days for _day, step in simulate(Item(1, DUE), steps, days, start)]

        self.assertEqual(positions, sorted(set(positions)))

    @settings(deadline=None)
    @given(plans(), RUNS, st.sampled_from(('age', 'first')))
    def test_no_step_comes_before_its_day_or_too_soon_after_another(self, steps, days, start):
        sent = simulate(Item(1, DUE), steps, days, start)

        for today, step in sent:
            self.assertGreaterEqual(today, DUE + timedelta(days=step.days))
            if step.days < 0:
                self.assertLessEqual(today, DUE)
        for (before, _step), (after, step) in zip(sent, sent[1:], strict=False):
            self.assertGreaterEqual((after - before).days, max(1, step.minimum_days))

    @settings(deadline=None)
    @given(plans(), RUNS, st.sampled_from(('age', 'first')))
    def test_nothing_is_sent_inside_an_exclusion(self, steps, days, start):
        self.assertFalse(simulate(Item(1, DUE, excluded=True), steps, days, start))

    @settings(deadline=None)
    @given(plans(), st.sampled_from(('age', 'first')), st.integers(1, 60))
    def test_each_overdue_item_is_reached_and_gets_to_the_last_step(self, steps, start, every):
        steps = [step for step in steps if step.days >= 0] or [Step(1, 5)]
        sent = simulate(Item(1, DUE), steps, [day(number) for number in range(0, 1500, every)], start)

        self.assertEqual(sent[-1][1], steps[-1])

    @settings(deadline=None)
    @given(customers(), RUNS, st.sampled_from(('age', 'first')))
    def test_of_several_items_none_gets_a_step_twice_or_goes_back_or_gets_one_that_is_refused(
        self, customer, days, start
    ):
        items, steps, passed, excluded = customer
        sent = simulate_customer(items, steps, days, start, passed, excluded)

        for item in items:
            mine = [(today, proposal.steps[item.id]) for today, proposal in sent if item.id in proposal.steps]
            positions = [step.days for _today, step in mine]
            self.assertEqual(positions, sorted(set(positions)))
            self.assertFalse(passed & {step.id for _today, step in mine})
            for today, step in mine:
                self.assertGreaterEqual(today, item.due + timedelta(days=step.days))
                self.assertFalse([one for one in excluded if one[0] == item.id and one[1] <= today < one[2]])
            for (before, _step), (after, step) in zip(mine, mine[1:], strict=False):
                self.assertGreaterEqual((after - before).days, max(1, step.minimum_days))
        for _today, proposal in sent:
            self.assertEqual(proposal.lead.days, max(step.days for step in proposal.steps.values()))

    @settings(deadline=None)
    @given(customers(), st.sampled_from(('age', 'first')), st.integers(1, 40))
    def test_each_item_is_reached_in_the_end_by_the_last_step_that_can_be_done(self, customer, start, every):
        items, steps, passed, excluded = customer
        steps = [*(step for step in steps if step.days >= 0), Step(99, 100, 5)]
        passed -= {99}
        days = [day(number) for number in range(-60, 1500, every)]
        sent = simulate_customer(items, steps, days, start, passed, excluded)

        for item in items:
            mine = [proposal.steps[item.id] for _today, proposal in sent if item.id in proposal.steps]
            self.assertEqual(mine[-1].id, 99)

    @settings(deadline=None)
    @given(plans(), RUNS, st.sampled_from(('age', 'first')), st.data())
    def test_a_step_that_is_refused_is_passed_over_as_if_the_plan_did_not_have_it(self, steps, days, start, data):
        passed = data.draw(st.frozensets(st.sampled_from([step.id for step in steps])))
        without = [step for step in steps if step.id not in passed]

        self.assertEqual(
            simulate(Item(1, DUE), steps, days, start, passed), simulate(Item(1, DUE), without, days, start)
        )

    @settings(deadline=None)
    @given(plans(), st.integers(-30, 200), st.sampled_from(('age', 'first')), st.data())
    def test_the_next_step_is_none_that_is_refused(self, steps, number, start, data):
        passed = data.draw(st.frozensets(st.sampled_from([step.id for step in steps])))
        days = [day(number + index) for index in range(400)]
        sent = simulate(Item(1, DUE), steps, days, start, passed)

        self.assertEqual(next_step(Item(1, DUE), steps, day(number), start, passed), sent[0] if sent else None)

    @settings(deadline=None)
    @given(plans(), st.integers(-30, 200), st.sampled_from(('age', 'first')), st.data())
    def test_the_steps_that_are_refused_begin_with_what_would_be_sent(self, steps, number, start, data):
        refused = data.draw(st.frozensets(st.sampled_from([step.id for step in steps])))
        today = day(number)
        due = due_step(Item(1, DUE), steps, today, start)
        found = refused_steps([Item(1, DUE)], steps, today, start, refused)

        self.assertEqual(found[:1], [(1, due)] if due and due.id in refused else [])
        self.assertLessEqual({step.id for _item_id, step in found}, refused)

    @settings(deadline=None)
    @given(plans(), st.integers(-30, 200), st.sampled_from(('age', 'first')))
    def test_the_next_step_is_what_a_daily_run_sends_next(self, steps, number, start):
        today = day(number)
        coming = next_step(Item(1, DUE), steps, today, start)
        sent = simulate(Item(1, DUE), steps, [today + timedelta(days=index) for index in range(400)], start)

        self.assertEqual(coming, sent[0] if sent else None)

    @settings(deadline=None)
    @given(plans(), st.integers(0, 200))
    def test_an_old_debt_begins_with_the_step_that_its_age_deserves(self, steps, age):
        reached = [step for step in steps if 0 <= step.days <= age or (age == 0 and step.days < 0)]

        self.assertEqual(due_step(Item(1, DUE), steps, day(age)), reached[-1] if reached else None)

    @settings(deadline=None)
    @given(plans(), st.integers(-30, 200), st.integers(0, 30), st.sampled_from(('age', 'first')))
    def test_what_was_chosen_is_due_until_it_was_sent(self, steps, number, later, start):
        item, today = Item(1, DUE), day(number)
        if step := due_step(item, steps, today, start):
            sent = Item(1, DUE, Progress(step.id, step.days, today))
            self.assertTrue(still_due(item, step, steps, today))
            self.assertFalse(still_due(sent, step, steps, today + timedelta(days=later)))
            self.assertFalse(still_due(Item(1, today + timedelta(days=31 + later)), step, steps, today))

    def test_who_refuses_a_step_gets_the_one_after_it_on_its_own_day(self):
        refused = frozenset({PLAN[1].id})

        self.assertIsNone(due_step(Item(1, DUE), PLAN, day(20), passed=refused))
        self.assertEqual(due_step(Item(1, DUE), PLAN, day(21), passed=refused), PLAN[2])
        young = propose([Item(1, DUE, Progress(1, -3, day(-3))), Item(2, day(-20))], PLAN, day(10), passed=refused)
        self.assertEqual(young.steps, {2: PLAN[2]})

    def test_an_old_debt_begins_at_the_first_step_if_the_plan_says_so(self):
        self.assertEqual(due_step(Item(1, DUE), PLAN, day(60), 'first'), PLAN[1])

    def test_missed_runs_are_made_up_for_one_step_at_a_time(self):
        item = Item(1, DUE, Progress(2, 7, day(8)))

        self.assertEqual(due_step(item, PLAN, day(70)), PLAN[2])

    def test_a_step_moved_after_it_was_sent_is_not_sent_again(self):
        moved = [Step(2, 12, 5), Step(3, 21, 5)]
        item = Item(1, DUE, Progress(2, 7, day(8)))

        self.assertIsNone(due_step(item, moved, day(15)))

    def test_another_plan_goes_on_where_the_first_was_left(self):
        item = Item(1, DUE, Progress(99, 20, day(20)))

        self.assertIsNone(due_step(item, PLAN, day(20)))
        self.assertEqual(due_step(item, PLAN, day(25)), PLAN[2])

    def test_the_message_is_led_by_the_furthest_step_and_knows_that_of_each_item(self):
        proposal = propose([Item(1, day(-20)), Item(2, day(0)), Item(3, day(20))], PLAN, day(10))

        self.assertEqual(proposal.lead, PLAN[2])
        self.assertEqual(proposal.steps, {1: PLAN[2], 2: PLAN[1]})

    def test_nothing_is_proposed_where_no_item_has_reached_a_step(self):
        self.assertIsNone(propose([Item(1, day(20))], PLAN, day(10)))


@tagged('post_install', '-at_install')
class TestText(BaseCase):
    def test_names_are_replaced_and_never_evaluated(self):
        self.assertEqual(fill_text("{{ a }} {{b}} {{1+1}}", {'a': 'x'}), "x  {{1+1}}")

    def test_values_can_not_bring_markup_into_html(self):
        self.assertEqual(fill_html("<p>{{a}}</p>", {'a': "<b>"}), "<p>&lt;b&gt;</p>")

    def test_values_can_not_break_out_of_json(self):
        self.assertEqual(fill_json('{"a": "{{a}}"}', {'a': 'x", "b": "\n'}), '{"a": "x\\", \\"b\\": \\"\\n"}')

    def test_values_can_not_break_out_of_json_in_json_or_in_a_form(self):
        values = {'a': 'x", "b": "&c=1', 'b': '+86 138'}
        inner = '{"name": "x\\", \\"b\\": \\"&c=1"}'
        self.assertEqual(json.loads(fill_json(r'{"p": "{\"name\": \"{{a}}\"}", "n": 1}', values)), {'p': inner, 'n': 1})
        self.assertEqual(
            fill_form('to={{b}}&param={"name": "{{a}}"}&sign=%E5%85%AC&text={{a}} {b', values),
            [('to', '+86 138'), ('param', inner), ('sign', '公'), ('text', 'x", "b": "&c=1 {b')],
        )

    def test_signature_of_parameters_is_that_of_the_source(self):
        # The example of Alibaba Cloud's documentation.
        parameters = [
            ('Timestamp', '2016-02-23T12:46:24Z'), ('Format', 'XML'), ('AccessKeyId', 'testid'),
            ('Action', 'DescribeRegions'), ('SignatureMethod', 'HMAC-SHA1'),
            ('SignatureNonce', '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf'), ('Version', '2014-05-26'),
            ('SignatureVersion', '1.0'),
        ]  # fmt: skip
        self.assertEqual(sign_parameters('GET', parameters, 'testsecret'), 'OLeaidS1JvxuMvnyHOwuJ+uX5qY=')

    def test_unknown_names_are_found(self):
        self.assertEqual(unknown_variables("{{a}} {{b}}", ['a']), ['b'])
