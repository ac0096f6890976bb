"""Which reminder is due for which item: pure functions over frozen values, dates passed in.

A plan is a time line: its steps are ordered by their days relative to the due
date, and an item's progress is a position on it. A step is sent to an item at
most once, and nothing before its position is ever sent again. Steps that can't
be done with a customer, who refuses their channel for good, are passed over: as
if the plan did not have them.
"""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """A point of the time line; `minimum_days` since the step before has to have passed."""

    id: int
    days: int
    minimum_days: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """The last step that an item got: where it was on the time line, and when it was sent."""

    step_id: int
    days: int
    date: date


@dataclass(frozen=True, slots=True)
class Item:
    """An open item; an `excluded` one is not chased, whatever its age."""

    id: int
    due: date
    progress: Progress | None = None
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one customer gets: the leading step, and the step of each item that has one."""

    lead: Step
    steps: dict


def position(steps, progress):
    """Return the days up to which the time line is done; None where it is not begun.

    A step that was moved since it was sent counts where it stands now, if that is later.
    """
    if progress is None:
        return None
    return max([progress.days, *(step.days for step in steps if step.id == progress.step_id)])


def open_steps(item, steps, passed=frozenset()):
    """Return the steps that the item has not got yet, in the order of the time line.

    :param passed: ids of the steps that can't be done with this customer
    """
    done = position(steps, item.progress)
    coming = (step for step in steps if step.id not in passed and (done is None or step.days > done))
    return sorted(coming, key=lambda step: step.days)


def earliest(item, step):
    """Return the first day on which this open step may be sent; None if that day never comes.

    What is to be sent before the due date makes no sense after it.
    """
    day = item.due + timedelta(days=step.days)
    if item.progress:
        day = max(day, item.progress.date + timedelta(days=max(step.minimum_days, 1)))
    return None if step.days < 0 and day > item.due else day


def _may_be_sent(item, step, today):
    """Tell whether the day of an open step has come, and is not over."""
    day = earliest(item, step)
    return bool(day) and day <= today and not (step.days < 0 and today > item.due)


def due_step(item, steps, today, start='age', passed=frozenset()):
    """Return the step that is due for an item on a day, or None.

    :param start: 'age': an item without progress gets the last step that its age
        deserves; 'first': the first one. Later steps follow one by one.
    :param passed: see `open_steps`
    """
    if item.excluded:
        return None
    reached = [step for step in open_steps(item, steps, passed) if _may_be_sent(item, step, today)]
    if not reached:
        return None
    return reached[-1] if item.progress is None and start == 'age' else reached[0]


def still_due(item, step, steps, today):
    """Tell whether a step that was chosen some time ago may be sent now.

    Not if the item has got it meanwhile, or a later one, or if its due date was changed.
    """
    if item.excluded or step.id not in {open_.id for open_ in open_steps(item, steps)}:
        return False
    return _may_be_sent(item, step, today)


def next_step(item, steps, today, start='age', passed=frozenset()):
    """Return (day, step) of what comes next for an item, today at the earliest; None at the end of the time line."""
    if step := due_step(item, steps, today, start, passed):
        return today, step
    coming = [(day, step) for step in open_steps(item, steps, passed) if (day := earliest(item, step)) and day > today]
    return min(coming, key=lambda pair: (pair[0], pair[1].days), default=None)


def propose(items, steps, today, start='age', passed=frozenset()):
    """Return the Proposal for one customer, or None if nothing is due.

    One message for all items, led by the step that is furthest on the time line.
    """
    chosen = {item.id: step for item in items if (step := due_step(item, steps, today, start, passed))}
    if not chosen:
        return None
    return Proposal(max(chosen.values(), key=lambda step: step.days), chosen)


def refused_steps(items, steps, today, start='age', refused=frozenset()):
    """Return [(item id, step)] of what one customer would get if he did not refuse these steps, the furthest first.

    :param refused: ids of steps
    """
    found, passed = [], frozenset()
    while (proposal := propose(items, steps, today, start, passed)) and proposal.lead.id in refused:
        found += [(id_, step) for id_, step in proposal.steps.items() if step == proposal.lead]
        passed |= {proposal.lead.id}
    return found
