"""The rule on a customer's score, beside those of credit management."""

from odoo.addons.credit_management.engine.verdict import evaluator


@evaluator('score_below')
def _score_below(facts, rule):
    # Who has not been scored is not judged by it; nor a natural person, whose score is advice to people.
    score = None if facts.extra.get('score_advisory') else facts.extra.get('score')
    return score is not None and score < rule.threshold, score or 0.0, 0.0
