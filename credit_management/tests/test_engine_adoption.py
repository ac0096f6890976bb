from odoo.tests import BaseCase, tagged

from ..engine.verdict import Rule, can_oversubscribe, evaluate
from .test_engine import LIMIT, facts

WATCHED = Rule(kind='utilisation', outcome='hold', threshold=100.0, watch=True)


@tagged('post_install', '-at_install')
class TestEngineAdoption(BaseCase):
    """Rules that are only recorded, debts that don't count, exposure that is accepted."""

    def test_watched_rule_gets_its_verdict_and_decides_nothing(self):
        decision = evaluate(facts(), [WATCHED])
        self.assertEqual((decision.outcome, decision.stops), ('pass', False))
        self.assertEqual((decision.excess, decision.payment_needed, decision.reasons), (0.0, 0.0, ()))
        self.assertEqual((decision.verdicts[0].outcome, decision.verdicts[0].excess), ('hold', 30.0))

    def test_watched_rule_does_not_spoil_the_way_out_of_another(self):
        size = Rule(kind='order_amount', outcome='hold', threshold=10.0, watch=True)
        self.assertEqual(evaluate(facts(), [LIMIT, size]).payment_needed, 30.0)

    def test_watched_rule_needs_no_counter(self):
        self.assertFalse(can_oversubscribe([WATCHED], False))
        self.assertTrue(can_oversubscribe([WATCHED, LIMIT], False))

    def test_utilisation_holds_only_above_what_was_accepted(self):
        self.assertEqual(evaluate(facts(accepted_exposure=130.0), [LIMIT]).outcome, 'pass')
        decision = evaluate(facts(accepted_exposure=120.0), [LIMIT])
        self.assertEqual((decision.outcome, decision.excess), ('hold', 10.0))

    def test_acceptance_below_the_limit_takes_nothing_away(self):
        self.assertEqual(evaluate(facts(accepted_exposure=50.0, document_amount=30.0), [LIMIT]).outcome, 'pass')

    def test_payment_goes_to_what_is_left_out_first(self):
        rule = Rule(kind='overdue_amount', outcome='hold', threshold=10.0)
        decision = evaluate(facts(overdue_after={0: 40.0}, overdue_left_out=500.0), [rule])
        self.assertEqual((decision.excess, decision.payment_needed), (30.0, 530.0))
        self.assertEqual(evaluate(facts(overdue_after={0: 5.0}, overdue_left_out=500.0), [rule]).outcome, 'pass')
