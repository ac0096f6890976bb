from odoo.tests import BaseCase, tagged

from ..engine.facts import NO_CREDIT, Facts, utilisation
from ..engine.verdict import Rule, can_oversubscribe, evaluate, worst

LIMIT = Rule(kind='utilisation', outcome='hold', threshold=100.0)


def facts(**values):
    """Facts of a customer with a limit of 100 who owes 70 and orders 60."""
    return Facts(
        **{
            'rounding': 0.01,
            'limit_kind': 'amount',
            'effective_limit': 100.0,
            'exposure_by_category': {'open_item': 50.0, 'ordered': 20.0},
            'document_total': 60.0,
            'document_amount': 60.0,
            **values,
        }
    )


@tagged('post_install', '-at_install')
class TestEngine(BaseCase):
    """Verdicts from facts, without a database."""

    def test_70_plus_60_exceeds_100_by_30(self):
        decision = evaluate(facts(), [LIMIT])
        self.assertEqual((decision.outcome, decision.payment_needed, decision.reduction_needed), ('hold', 30.0, 30.0))
        self.assertEqual(decision.verdicts[0].actual, 130.0)

    def test_reaching_the_limit_to_the_cent_passes_and_one_cent_more_does_not(self):
        self.assertEqual(evaluate(facts(document_amount=30.0), [LIMIT]).outcome, 'pass')
        self.assertEqual(evaluate(facts(document_amount=30.01), [LIMIT]).outcome, 'hold')

    def test_sums_of_cents_do_not_exceed_by_a_rounding_error(self):
        tenths = {'open_item': 0.1 + 0.2, 'ordered': 0.0}
        self.assertEqual(
            evaluate(facts(exposure_by_category=tenths, effective_limit=0.4, document_amount=0.1), [LIMIT]).outcome,
            'pass',
        )

    def test_document_that_adds_nothing_is_not_held_for_the_limit(self):
        self.assertEqual(evaluate(facts(effective_limit=10.0, document_amount=0.0), [LIMIT]).outcome, 'pass')

    def test_unlimited_customer_never_exceeds(self):
        decision = evaluate(facts(unlimited=True, effective_limit=0.0), [LIMIT])
        self.assertEqual((decision.outcome, decision.verdicts[0].actual), ('pass', 0.0))

    def test_no_credit_at_all_holds_the_smallest_document(self):
        nothing = facts(effective_limit=0.0, exposure_by_category={}, document_amount=0.01)
        decision = evaluate(nothing, [LIMIT])
        self.assertEqual((decision.outcome, decision.excess), ('hold', 0.01))
        self.assertEqual(decision.verdicts[0].actual, NO_CREDIT)

    def test_worst_rule_wins(self):
        self.assertEqual(worst(['pass', 'hold', 'warn']), 'hold')
        self.assertEqual(worst([]), 'pass')
        rules = [
            Rule(kind='order_amount', outcome='warn', threshold=50.0),
            Rule(kind='account_status', outcome='block', account_status='blacklisted'),
            LIMIT,
        ]
        self.assertEqual(evaluate(facts(status='blacklisted'), rules).outcome, 'block')
        self.assertEqual(evaluate(facts(), rules).outcome, 'hold')

    def test_order_paid_in_full_passes_whatever_the_rules_say(self):
        paid = facts(document_paid=60.0, document_amount=0.0, status='blacklisted')
        rules = [Rule(kind='account_status', outcome='block', account_status='blacklisted')]
        self.assertEqual(evaluate(paid, rules).outcome, 'pass')
        self.assertEqual(evaluate(facts(document_paid=59.0, status='blacklisted'), rules).outcome, 'block')

    def test_no_way_out_by_payment_where_another_reason_stays(self):
        both = [LIMIT, Rule(kind='order_amount', outcome='hold', threshold=10.0)]
        decision = evaluate(facts(), both)
        self.assertEqual((decision.payment_needed, decision.reduction_needed, decision.excess), (0.0, 50.0, 50.0))

    def test_days_rule_asks_for_what_is_older_than_it_allows(self):
        rule = Rule(kind='days_overdue', outcome='hold', threshold=30.0, grace_days=5)
        self.assertEqual(rule.days_tolerated, 35)
        late = facts(days_overdue=40, overdue_after={0: 50.0, 35: 20.0})
        self.assertEqual(evaluate(late, [rule]).payment_needed, 20.0)
        self.assertEqual(evaluate(facts(days_overdue=35), [rule]).outcome, 'pass')

    def test_document_without_a_rate_is_held(self):
        decision = evaluate(facts(missing_rate='XQX'), [])
        self.assertEqual((decision.outcome, decision.verdicts[0].rule.kind), ('hold', 'missing_rate'))

    def test_only_stopping_sums_need_the_counter(self):
        warning = Rule(kind='utilisation', outcome='warn', threshold=100.0)
        days = Rule(kind='days_overdue', outcome='hold', threshold=1.0)
        self.assertTrue(can_oversubscribe([days, LIMIT], False))
        self.assertFalse(can_oversubscribe([days, LIMIT], True))
        self.assertFalse(can_oversubscribe([days, warning], False))

    def test_utilisation_is_0_below_zero_and_finite_without_credit(self):
        self.assertEqual(utilisation(-5.0, 100.0, False, 0.01), 0.0)
        self.assertEqual(utilisation(50.0, 200.0, False, 0.01), 25.0)
        self.assertEqual(utilisation(1.0, 0.0, False, 0.01), NO_CREDIT)
