from odoo.tests import TransactionCase, tagged

from ..engine.history import History
from ..engine.score import Customer, evaluate

AVERAGE = 60.0  # of the segment


def history(count, late, **values):
    """Return the history of so many invoices of 100, each paid so many days late."""
    return History(
        days=(late,) * count,
        amount=100.0 * count,
        amount_days=100.0 * count * late,
        weight=float(count),
        weight_days=float(count * late),
        **{'due_amount': 100.0 * count, 'billed_year': 100.0 * count, **values},
    )


NO_EVENT = {'promises_broken': 0, 'payments_returned': 0}
PROMPT = Customer(history(20, 0), {**NO_EVENT, 'customer_months': 30})
FIGURES = {
    'altman_z': 3.0, 'equity_ratio': 35, 'current_ratio': 1.6, 'cash_flow_ratio': 0.3, 'interest_cover': 5,
    'return_on_sales': 6, 'turnover_growth_statement': 3,
}  # fmt: skip
OUTSIDE = {'industry_risk': 2, 'country_risk': 1, 'questionnaire': 85, 'years_in_business': 12}


@tagged('post_install', '-at_install')
class TestShippedCard(TransactionCase):
    """Customers scored with the cards that come with the add-on; the sums in the comments were made by hand."""

    def check(self, card, customer, score, grade):
        card = self.env.ref(f'customer_scoring.card_{card}').sudo()
        result = evaluate(card._to_engine(), customer, AVERAGE)
        found = (result.score, self.env['credit.grade'].browse(result.grade_id).code)
        self.assertEqual(found, (score, grade))

    def test_who_pays_on_the_day(self):
        # The way of paying: 100; 20 of 20 + 5 invoices are his own: 0.8 × 100 + 0.2 × 60 = 92.
        # (8 × 92 + 6.5 × 100 + 0.5 × 85) / 15 = 1428.5 / 15
        self.check('trade', PROMPT, 95.2, 'A')

    def test_who_pays_three_weeks_late(self):
        # Index 62.9: 65; none on time: 0; lately 20 days: 40; at worst 20 days: 70. (195 + 0 + 80 + 70) / 8 = 43.1;
        # drawn 46.5. 5 % of the year overdue: 60; since 20 days: 60.
        # (8 × 46.5 + 2 × 60 + 60 + 250 + 50 + 50 + 42.5) / 15 = 944.5 / 15
        slow = history(20, 20, overdue=((20, 100.0),))
        self.check('trade', Customer(slow, {**NO_EVENT, 'customer_months': 30}), 63.0, 'C')

    def test_who_pays_three_months_late_and_owes(self):
        # Index 30: 10; 0; 0; at worst 90 days: 10. 40 / 8 = 5; drawn 16. 40 % overdue since 100 days: 0 and 0;
        # 3 % written off: 0; one promise broken: 50; one payment returned: 40; 8 months: 50.
        # (8 × 16 + 25 + 20 + 25) / 15 = 198 / 15
        bad = history(20, 90, overdue=((100, 800.0),), lost_amount=60.0)
        others = {'promises_broken': 1, 'payments_returned': 1, 'customer_months': 8}
        self.check('trade', Customer(bad, others), 13.2, 'E')

    def test_full_card_with_everything(self):
        # 4 × 92 + 3.25 × 100 of the ledger; the statement 2 × 85 + 85 + 0.5 × (85 + 60 + 85 + 85 + 80); the rating
        # 2 × 85; 80 + 100 + 100 + 0.5 × 90: 1640.5 / 18.25
        everything = {**NO_EVENT, **FIGURES, **OUTSIDE, 'external_rating': 75}
        self.check('full', Customer(PROMPT.history, everything), 89.9, 'A')

    def test_full_card_leaves_out_what_is_not_known(self):
        # (368 + 325 + 80 + 100 + 100 + 45) / 10.75
        self.check('full', Customer(PROMPT.history, {**NO_EVENT, **OUTSIDE}), 94.7, 'A')

    def test_full_card_of_bad_figures(self):
        # Altman's distress 15, no equity 0, and 30 + 0 + 30 + 0 + 30 halved; the rating 20; both risks 0; 25; 20:
        # (368 + 325 + 30 + 0 + 45 + 40 + 0 + 0 + 25 + 10) / 18.25
        figures = {
            'altman_z': 0.5, 'equity_ratio': -5, 'current_ratio': 0.9, 'cash_flow_ratio': -0.1, 'interest_cover': 1.5,
            'return_on_sales': -3, 'turnover_growth_statement': -10, 'external_rating': 25, 'industry_risk': 5,
            'country_risk': 5, 'questionnaire': 20, 'years_in_business': 1,
        }  # fmt: skip
        self.check('full', Customer(PROMPT.history, {**NO_EVENT, **figures}), 46.2, 'D')
