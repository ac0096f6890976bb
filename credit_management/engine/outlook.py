"""On which day a stopped document would pass by itself, from facts that have dates: no model and no query."""

from dataclasses import dataclass, replace
from datetime import date

from .facts import Facts
from .verdict import evaluate

# Somebody has stopped such a customer by hand: time alone lets nothing pass.
FORCED = ('hold', 'blacklisted')


@dataclass(frozen=True)
class Side:
    """One of the customers whom a document concerns, as it will be known on a day.

    `promised` is what is promised to be paid until then, in company currency.
    """

    facts: Facts
    rules: tuple
    promised: float = 0.0

    def passes(self, with_promised=False):
        """Tell whether the rules let the document pass on that day, or would if the promised payments had come."""
        facts = after_payment(self.facts, self.promised) if with_promised else self.facts
        return facts.status not in FORCED and not evaluate(facts, self.rules).stops


@dataclass(frozen=True)
class Day:
    """A day on which something that is known today changes, and what holds then."""

    date: date
    sides: tuple


def after_payment(facts, amount):
    """Return the facts after a payment: it lowers the exposure, and settles the oldest items first."""
    if not amount:
        return facts
    settles = max(0.0, amount - facts.overdue_left_out)
    overdue = {grace: max(0.0, owed - settles) for grace, owed in facts.overdue_after.items()}
    categories = facts.exposure_by_category
    return replace(
        facts,
        exposure_by_category={**categories, 'open_item': categories.get('open_item', 0.0) - amount},
        overdue_after=overdue,
        # How old the oldest is that stays, is not known.
        days_overdue=facts.days_overdue if any(overdue.values()) else 0,
        overdue_left_out=max(0.0, facts.overdue_left_out - amount),
        team_limits=tuple(replace(limit, exposure=limit.exposure - amount) for limit in facts.team_limits),
    )


def first_day(days):
    """Return (the first Day on which a document would pass, whether it takes the promised payments).

    (None, False) where it passes on none of these days.
    """
    for day in sorted(days, key=lambda item: item.date):
        if all(side.passes() for side in day.sides):
            return day, False
        if any(side.promised for side in day.sides) and all(side.passes(with_promised=True) for side in day.sides):
            return day, True
    return None, False
