"""The payment index: days beyond terms on a scale from 0 to 100.

The scale is that of D&B's PAYDEX for one's own ledger: 100 is 30 days early, 90
is 20 days early, 80 on the day, 50 is 30 days late, 20 is 120 days late.
"""

# (days beyond terms, index), straight lines between.
POINTS = (
    (-30.0, 100.0),
    (-20.0, 90.0),
    (0.0, 80.0),
    (15.0, 70.0),
    (22.0, 60.0),
    (30.0, 50.0),
    (60.0, 40.0),
    (90.0, 30.0),
    (120.0, 20.0),
    (180.0, 0.0),
)


def payment_index(days):
    """Return the index of (amount-weighted) days beyond terms, never rising with them."""
    if days <= POINTS[0][0]:
        return POINTS[0][1]
    for (day, index), (next_day, next_index) in zip(POINTS, POINTS[1:], strict=False):
        if days <= next_day:
            return index + (next_index - index) * (days - day) / (next_day - day)
    return POINTS[-1][1]
