"""What a change of grade means for a limit."""

from math import floor, log10

from odoo.tools.float_utils import float_round

# How exact a proposed limit is: 39 225 becomes 39 200.
DIGITS = 3


def implied_limit(amount, factor_before, factor_after, rounding):
    """Return the limit that a customer's present limit becomes with another grade, or None if nothing follows.

    From a factor of 0, which gives nobody a limit, nothing can be derived.

    :param rounding: the smallest unit of the currency
    """
    if factor_before <= 0:
        return None
    if factor_before == factor_after:
        return amount
    wanted = amount * factor_after / factor_before
    if wanted <= 0:
        return 0.0
    step = max(rounding, 10.0 ** (floor(log10(wanted)) - DIGITS + 1))
    return float_round(wanted, precision_rounding=step)
