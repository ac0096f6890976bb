from dataclasses import replace

from odoo.tests import BaseCase

from ..engine.warning import Facts, Payment, Thresholds, warnings

THRESHOLDS = Thresholds()
CASH = Payment(payer='a', method='bank', amount=1234.5)


class TestEarlyWarnings(BaseCase):
    """Each warning, and the nearest case that is none."""

    def found(self, facts, **thresholds):
        return {w.kind: w.figures for w in warnings(facts, replace(THRESHOLDS, **thresholds))}

    def test_nothing_known_warns_of_nothing(self):
        self.assertEqual(warnings(Facts(), THRESHOLDS), ())

    def test_score_drop(self):
        self.assertEqual(self.found(Facts(score=60, score_before=70)), {'score_drop': {'before': 70, 'now': 60}})
        self.assertFalse(self.found(Facts(score=61, score_before=70)))
        self.assertFalse(self.found(Facts(score=80, score_before=60)))
        self.assertFalse(self.found(Facts(score=10)))

    def test_grade_down(self):
        self.assertEqual(self.found(Facts(grade_rank=3, grade_rank_before=2)), {'grade_down': {}})
        self.assertFalse(self.found(Facts(grade_rank=2, grade_rank_before=2)))
        self.assertFalse(self.found(Facts(grade_rank=3)))

    def test_slower_than_own_habit(self):
        habit = (0, 2, -1, 3, 1, 0)
        self.assertEqual(self.found(Facts(days_late=(*habit, 12, 15, 20))), {'slower': {'before': 0.5, 'now': 15}})
        # One late payment is not a habit, and ten days late is no news of who always is.
        self.assertFalse(self.found(Facts(days_late=(*habit, 0, 1, 40))))
        self.assertFalse(self.found(Facts(days_late=(30, 31, 29, 30, 33, 32, 30, 34, 33))))
        self.assertFalse(self.found(Facts(days_late=(*habit[:5], 12, 15, 20))))

    def test_slower_but_within_what_the_customer_did_before(self):
        self.assertFalse(self.found(Facts(days_late=(0, 0, 0, 30, 30, 30, 20, 20, 30))))

    def test_overdue_trend(self):
        self.assertEqual(
            self.found(Facts(overdue=(500, 0, 100, 200, 300))), {'overdue_trend': {'before': 0, 'now': 300}}
        )
        self.assertFalse(self.found(Facts(overdue=(100, 200, 150, 300))))
        self.assertFalse(self.found(Facts(overdue=(200, 300, 400))))
        self.assertFalse(self.found(Facts(overdue=(1000, 1001, 1002, 1003))))

    def test_changed_payer(self):
        recent = [replace(CASH, payer='b')] * 3
        self.assertEqual(self.found(Facts(payments=(*[CASH] * 6, *recent))), {'irregular': {'signs': ['payer']}})
        self.assertFalse(self.found(Facts(payments=(*[CASH] * 6, *recent[:2], CASH))))

    def test_bills_instead_of_cash(self):
        recent = [replace(CASH, method='bill', is_bill=True)] * 3
        self.assertEqual(self.found(Facts(payments=(*[CASH] * 6, *recent))), {'irregular': {'signs': ['bills']}})

    def test_changed_method(self):
        recent = [replace(CASH, method='cash')] * 3
        self.assertEqual(self.found(Facts(payments=(*[CASH] * 6, *recent))), {'irregular': {'signs': ['method']}})

    def test_round_part_payments(self):
        part = replace(CASH, amount=5000.0, is_part=True)
        self.assertEqual(
            self.found(Facts(payments=(*[CASH] * 6, part, CASH, part))), {'irregular': {'signs': ['round']}}
        )
        # Who always pays round sums on account does nothing new.
        self.assertFalse(self.found(Facts(payments=(*[part] * 6, part, part, part))))
        # A round invoice paid in full is none.
        whole = replace(part, is_part=False)
        self.assertFalse(self.found(Facts(payments=(*[CASH] * 6, whole, whole, whole))))

    def test_stopped_buying_while_owing(self):
        facts = Facts(days_since_invoice=90, usual_gap=20.0, owing=5000.0)
        self.assertEqual(self.found(facts), {'stopped_buying': {'days': 90, 'usual': 20.0, 'owing': 5000.0}})
        self.assertFalse(self.found(replace(facts, owing=0.0)))
        self.assertFalse(self.found(replace(facts, days_since_invoice=59)))
        # Who buys each week is not silent after three.
        self.assertFalse(self.found(replace(facts, days_since_invoice=30, usual_gap=7.0)))

    def test_ratios_worse_than_last_year(self):
        facts = Facts(
            ratios={'current_ratio': 1.0, 'equity_ratio': 30.0, 'interest_cover': 9.0},
            ratios_before={'current_ratio': 1.5, 'equity_ratio': 31.0, 'interest_cover': 2.0, 'altman_z': 3.0},
        )
        self.assertEqual(self.found(facts), {'ratios': {'ratios': {'current_ratio': [1.5, 1.0]}}})

    def test_ratio_below_zero_that_falls_further(self):
        facts = Facts(ratios={'equity_ratio': -20.0}, ratios_before={'equity_ratio': -10.0})
        self.assertEqual(self.found(facts), {'ratios': {'ratios': {'equity_ratio': [-10.0, -20.0]}}})

    def test_risk_of_industry_and_country_raised(self):
        self.assertEqual(
            self.found(Facts(industry_risk=4, industry_risk_before=3)), {'industry_risk': {'before': 3, 'now': 4}}
        )
        self.assertEqual(
            self.found(Facts(country_risk=5, country_risk_before=2)), {'country_risk': {'before': 2, 'now': 5}}
        )
        self.assertFalse(self.found(Facts(country_risk=2, country_risk_before=5, industry_risk=4)))

    def test_statement_out_of_date(self):
        self.assertEqual(self.found(Facts(statement_months=18)), {'statement_old': {'months': 18}})
        self.assertFalse(self.found(Facts(statement_months=17)))
        self.assertFalse(self.found(Facts(statement_months=99), statement_months=0))
