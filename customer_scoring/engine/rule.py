"""The rule on a customer's score, beside those of credit management."""

from odoo.addons.credit_management.engine.verdict import evaluator


@evaluator('score_below')
def _score_below(facts, rule):
    # Who has not been scored is not judged by it; nor a natural person, whose score is advice to people.
    score = None if facts.extra.get('score_advisory') else facts.extra.get('score')
    # Checks are read by more people than scores: the verdict says that it is lower, not how low.
    return score is not None and score < rule.threshold, 0.0, 0.0
