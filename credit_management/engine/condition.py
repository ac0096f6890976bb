"""Which payments keep which conditions of releases."""

from dataclasses import dataclass
from datetime import datetime

from odoo.tools.float_utils import float_compare


@dataclass(frozen=True)
class Expected:
    """Money that a release waits for: an amount, and the same in company currency at the day of the decision.

    `kept`: when it had come, None if it has not; what is booked later is not what has kept it.
    """

    id: int
    since: datetime
    currency: int
    amount: float
    company_amount: float
    kept: datetime | None = None


@dataclass(frozen=True)
class Payment:
    """Money that has come, or if negative has gone back, and the same in company currency as it was booked.

    `paid_for`: ids of what the customer paid it for, none if he did not say.
    """

    date: datetime
    currency: int
    amount: float
    company_amount: float
    paid_for: frozenset = frozenset()


def allocate(expected, payments):
    """Return {id: share of the amount that has come, from 0 to 1}.

    Each payment counts once: for what it was paid for, then for the oldest
    condition that it came after, those that were kept before first; what is
    left of it for the next one. In the condition's own currency it counts at
    its face value, else at its value in company currency. What has gone back
    is taken off the latest payments before.
    """
    shares = {item.id: 0.0 for item in expected}
    for payment, left in _kept(payments):  # how much of the payment is left
        for item in sorted(
            expected,
            key=lambda item, payment=payment: (item.id not in payment.paid_for, not item.kept, item.since, item.id),
        ):
            late = item.kept and payment.date > item.kept and item.id not in payment.paid_for
            if late or payment.date < item.since or shares[item.id] >= 1.0:
                continue
            same = payment.currency == item.currency
            paid, wanted = (payment.amount, item.amount) if same else (payment.company_amount, item.company_amount)
            if float_compare(paid, 0.0, precision_digits=6) <= 0:
                break
            missing = wanted * (1.0 - shares[item.id])
            used = min(paid * left, missing)
            # What is whole is 1, whatever the last bits of the division are.
            whole = float_compare(paid * left, missing, precision_digits=6) >= 0
            shares[item.id] = 1.0 if whole else shares[item.id] + used / wanted
            left -= used / paid
            if float_compare(left, 0.0, precision_digits=9) <= 0:
                break
    return shares


def _kept(payments):
    """Return [(payment, share of it that has not gone back)] in order of time."""
    kept = []
    # Of the same moment, what has come before what has gone back.
    for payment in sorted(payments, key=lambda item: (item.date, item.company_amount < 0)):
        if payment.company_amount >= 0:
            kept.append([payment, 1.0])
            continue
        back = 1.0  # of what has gone back
        for entry in reversed(kept):
            came, share = entry
            same = came.currency == payment.currency
            amount, gone = (came.amount, -payment.amount) if same else (came.company_amount, -payment.company_amount)
            if amount <= 0 or gone <= 0:
                continue
            used = min(amount * share, gone * back)
            entry[1] -= used / amount
            back -= used / gone
            if float_compare(back, 0.0, precision_digits=9) <= 0:
                break
    return [(payment, share) for payment, share in kept if float_compare(share, 0.0, precision_digits=9) > 0]
