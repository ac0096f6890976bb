"""From facts and rules to a decision: pass, warn, hold or block.

Each rule kind is one evaluator, registered under its name. An add-on that
brings a kind of its own adds it to `credit.rule.kind` and registers it::

    @evaluator('dispute_open')
    def _dispute_open(facts, rule):
        return facts.disputes > rule.threshold, facts.disputes, 0.0
"""

from dataclasses import dataclass

from odoo.tools.float_utils import float_compare, float_round

from .facts import utilisation

# From harmless to final: the worst verdict of a check is its outcome.
OUTCOMES = ('pass', 'warn', 'hold', 'block')
STOPPING = ('hold', 'block')
# Kinds whose verdict depends on the sum of the exposure. Only they can be
# oversubscribed by two orders at once, so only they need the credit counter.
SUMMING_KINDS = {'utilisation'}
# The same for sums over the customers of a salesperson or team, which have counters of their own.
TEAM_KINDS = {'team_limit'}

# Kinds that a payment satisfies, and kinds that a smaller document satisfies.
PAYABLE_KINDS = {'utilisation', 'overdue_amount', 'days_overdue', 'team_limit'}
REDUCIBLE_KINDS = {'utilisation', 'order_amount', 'team_limit'}
# Kinds about what is overdue: a payment goes to the oldest items first, also to
# those that the rule leaves out.
AGED_KINDS = {'overdue_amount', 'days_overdue'}

_EVALUATORS = {}


@dataclass(frozen=True)
class Rule:
    """One line of a policy; thresholds of amounts are in company currency.

    A rule that is only to `watch` gets its verdict, but decides nothing.
    """

    kind: str
    outcome: str
    id: int = 0
    threshold: float = 0.0
    grace_days: int = 0
    account_status: str = ''
    grade_id: int = 0
    grade_rank: int = 0
    watch: bool = False

    @property
    def days_tolerated(self):
        """Age in days up to which this rule accepts an overdue item."""
        return self.grace_days + (int(self.threshold) if self.kind == 'days_overdue' else 0)


@dataclass(frozen=True)
class Verdict:
    """What one rule found.

    `actual` and `threshold` have the rule's unit (percent, days or company
    currency); `excess` is the company amount that would have to go, by payment
    or by a smaller document, for this rule to pass; 0 where no amount helps.
    `payment` is the payment that it takes.
    """

    rule: Rule
    outcome: str
    actual: float = 0.0
    threshold: float = 0.0
    excess: float = 0.0
    payment: float = 0.0


@dataclass(frozen=True)
class Decision:
    """All verdicts of a check and the worst of those that count."""

    outcome: str
    verdicts: tuple

    @property
    def stops(self):
        return self.outcome in STOPPING

    @property
    def reasons(self):
        return tuple(verdict for verdict in self.verdicts if verdict.outcome != 'pass' and not verdict.rule.watch)

    @property
    def stopping(self):
        return tuple(verdict for verdict in self.reasons if verdict.outcome in STOPPING)

    @property
    def main_kind(self):
        """The kind of the first of the gravest rules that are broken; '' of none."""
        gravest = [verdict.rule.kind for verdict in self.reasons if verdict.outcome == self.outcome]
        return gravest[0] if gravest else ''

    @property
    def excess(self):
        """The largest amount by which a stopping rule is broken."""
        # Not of an age: what is over a number of days is no amount.
        return max((verdict.excess for verdict in self.stopping if verdict.rule.kind != 'days_overdue'), default=0.0)

    @property
    def payment_needed(self):
        """The payment after which the document would pass; 0 where no payment helps.

        Payments go to the oldest items and lower the exposure by the same sum,
        so the largest excess covers the others.
        """
        return self._way_out(PAYABLE_KINDS, 'payment')

    @property
    def reduction_needed(self):
        """How much smaller the document would have to be to pass; 0 where that doesn't help."""
        return self._way_out(REDUCIBLE_KINDS, 'excess')

    def _way_out(self, kinds, amount):
        if not self.stopping or any(verdict.rule.kind not in kinds for verdict in self.stopping):
            return 0.0
        return max(getattr(verdict, amount) for verdict in self.stopping)


def evaluator(kind):
    """Register the decorated function as the evaluator of a rule kind.

    It gets the facts and the rule, and returns whether the rule is broken, the
    actual value, and the excess in company currency.
    """

    def register(function):
        _EVALUATORS[kind] = function
        return function

    return register


def worst(outcomes):
    """Return the gravest of some outcomes, `pass` of none."""
    return max(outcomes, key=OUTCOMES.index, default='pass')


def evaluate(facts, rules):
    """Return the Decision of these rules over these facts.

    A document that is paid for in full asks for no credit and passes whatever
    the rules say. One whose currency has no rate can't be weighed and is held.
    """
    if facts.missing_rate:
        rule = Rule(kind='missing_rate', outcome='hold')
        return Decision('hold', (Verdict(rule, 'hold'),))
    if facts.paid_in_advance:
        return Decision('pass', (Verdict(Rule(kind='paid_in_advance', outcome='pass'), 'pass', facts.document_paid),))
    verdicts = []
    for rule in rules:
        broken, actual, excess = _EVALUATORS[rule.kind](facts, rule)
        payment = excess + facts.overdue_left_out if excess and rule.kind in AGED_KINDS else excess
        verdicts.append(Verdict(rule, rule.outcome if broken else 'pass', actual, rule.threshold, excess, payment))
    return Decision(worst(verdict.outcome for verdict in verdicts if not verdict.rule.watch), tuple(verdicts))


def needs_team_limits(rules):
    """Tell whether one of these rules looks at the limits of salespeople and teams."""
    return any(rule.kind in TEAM_KINDS for rule in rules)


def can_oversubscribe_team(rules):
    """Tell whether documents of two customers could pass these rules alone but not together."""
    return any(rule.kind in TEAM_KINDS and rule.outcome in STOPPING and not rule.watch for rule in rules)


def can_oversubscribe(rules, unlimited):
    """Tell whether two documents could pass these rules alone but not together."""
    return not unlimited and any(
        rule.kind in SUMMING_KINDS and rule.outcome in STOPPING and not rule.watch for rule in rules
    )


def _above(facts, value, limit):
    return float_compare(value, limit, precision_rounding=facts.rounding) > 0


@evaluator('utilisation')
def _utilisation(facts, rule):
    # What was accepted as is, is no reason to hold what stays within it.
    allowed = max(facts.effective_limit * rule.threshold / 100.0, facts.accepted_exposure)
    # A document that adds nothing can't be the reason why the limit is exceeded.
    broken = (
        not facts.unlimited
        and _above(facts, facts.document_amount, 0.0)
        and _above(facts, facts.exposure_after, allowed)
    )
    excess = float_round(facts.exposure_after - allowed, precision_rounding=facts.rounding) if broken else 0.0
    return broken, facts.utilisation_after, excess


@evaluator('overdue_amount')
def _overdue_amount(facts, rule):
    overdue = facts.overdue_after.get(rule.days_tolerated, 0.0)
    broken = _above(facts, overdue, rule.threshold)
    excess = float_round(overdue - rule.threshold, precision_rounding=facts.rounding) if broken else 0.0
    return broken, overdue, excess


@evaluator('days_overdue')
def _days_overdue(facts, rule):
    # Days of grace are not counted as overdue at all (bank transfer, weekends).
    days = max(0, facts.days_overdue - rule.grace_days)
    broken = days > rule.threshold
    return broken, days, facts.overdue_after.get(rule.days_tolerated, 0.0) if broken else 0.0


@evaluator('order_amount')
def _order_amount(facts, rule):
    broken = _above(facts, facts.document_total, rule.threshold)
    excess = float_round(facts.document_total - rule.threshold, precision_rounding=facts.rounding) if broken else 0.0
    return broken, facts.document_total, excess


@evaluator('account_status')
def _account_status(facts, rule):
    return facts.status == rule.account_status, 0.0, 0.0


@evaluator('grade_below')
def _grade_below(facts, rule):
    # Who has no grade yet is not judged by it.
    return facts.grade_rank is not None and facts.grade_rank > rule.grade_rank, 0.0, 0.0


@evaluator('no_limit')
def _no_limit(facts, rule):
    return facts.limit_kind == 'none', 0.0, 0.0


@evaluator('limit_expired')
def _limit_expired(facts, rule):
    return facts.limit_expired_days > 0, facts.limit_expired_days, 0.0


@evaluator('review_overdue')
def _review_overdue(facts, rule):
    return facts.review_overdue_days > 0, facts.review_overdue_days, 0.0


@evaluator('team_limit')
def _team_limit(facts, rule):
    worst_excess, highest = 0.0, 0.0
    for limit in facts.team_limits:
        after = float_round(limit.exposure + facts.document_amount, precision_rounding=facts.rounding)
        allowed = limit.amount * rule.threshold / 100.0
        highest = max(highest, utilisation(after, limit.amount, False, facts.rounding))
        # As with the customer's own limit: what adds nothing is no reason.
        if _above(facts, facts.document_amount, 0.0) and _above(facts, after, allowed):
            worst_excess = max(worst_excess, float_round(after - allowed, precision_rounding=facts.rounding))
    return worst_excess > 0, highest, worst_excess
