"""Financial statements: what must add up, ratios, and Altman's Z″.

Amounts are numbers or None where the statement doesn't say: what is not known is
never taken for 0, a figure that needs it is not known either.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

# Stands for "no end to it", as for the interest cover of a customer without interest.
CAP = 99.0
# Up to here distress, from there on safe, between them grey.
DISTRESS, SAFE = 1.10, 2.60
EMERGING = 3.25
YEAR = 12


@dataclass(frozen=True)
class Statement:
    """The lines of a statement that covers a number of months; all amounts in one currency."""

    months: int = YEAR
    non_current_assets: float | None = None
    inventory: float | None = None
    receivables: float | None = None
    cash: float | None = None
    current_assets: float | None = None
    total_assets: float | None = None
    paid_in_capital: float | None = None
    retained_earnings: float | None = None
    equity: float | None = None
    non_current_liabilities: float | None = None
    payables: float | None = None
    short_term_debt: float | None = None
    current_liabilities: float | None = None
    total_liabilities: float | None = None
    revenue: float | None = None
    cost_of_sales: float | None = None
    gross_profit: float | None = None
    depreciation: float | None = None
    ebit: float | None = None
    interest_expense: float | None = None
    profit_before_tax: float | None = None
    net_profit: float | None = None
    cash_flow_operating: float | None = None
    cash_flow_investing: float | None = None
    cash_flow_financing: float | None = None
    cash_change: float | None = None

    def a_year(self, name):
        """Return a line of the income statement or cash flow as if for a year."""
        value = getattr(self, name)
        return None if value is None else value * YEAR / self.months


LINES = tuple(field.name for field in fields(Statement) if field.name != 'months')


class Check(NamedTuple):
    """Lines that make up a total, or at most it."""

    parts: tuple
    total: str
    at_most: bool = False


CHECKS = (
    Check(('non_current_assets', 'current_assets'), 'total_assets'),
    Check(('equity', 'total_liabilities'), 'total_assets'),
    Check(('non_current_liabilities', 'current_liabilities'), 'total_liabilities'),
    Check(('gross_profit', 'cost_of_sales'), 'revenue'),
    Check(('cash_flow_operating', 'cash_flow_investing', 'cash_flow_financing'), 'cash_change'),
    Check(('inventory', 'receivables', 'cash'), 'current_assets', True),
    Check(('payables', 'short_term_debt'), 'current_liabilities', True),
)


class Difference(NamedTuple):
    """A total that its parts don't make: `amount` is parts less total."""

    check: Check
    parts: float
    total: float
    amount: float


def differences(statement, unit=1.0):
    """Return what does not add up.

    :param unit: to what the figures are rounded (1000: thousands); each rounded
        line may be off by half of it
    """
    found = []
    for check in CHECKS:
        total = getattr(statement, check.total)
        values = [getattr(statement, name) for name in check.parts]
        known = [value for value in values if value is not None]
        # Parts that are at most the total may be missing, the others not.
        if total is None or (len(known) < len(values) and not check.at_most):
            continue
        amount = sum(known) - total
        tolerance = unit * (len(known) + 1) / 2
        if (amount if check.at_most else abs(amount)) > tolerance + 1e-6:
            found.append(Difference(check, sum(known), total, amount))
    return found


def quotient(value, by):
    """Divide; by 0 the result has no end and is CAP, with the sign of the value."""
    if value is None or by is None:
        return None
    if not by:
        return CAP if value >= 0 else -CAP
    return max(-CAP, min(CAP, value / by))


def percent(value, by):
    """Return a share in percent; None where there is nothing of which it could be one."""
    return None if value is None or not by else 100.0 * value / by


def altman_z(statement, emerging=False):
    """Return Altman's Z″ for firms that are no listed manufacturers, or None where a line is missing.

    Z″ = 6.56 WC/TA + 3.26 RE/TA + 6.72 EBIT/TA + 1.05 BVE/TL, with working capital
    (current assets less current liabilities), retained earnings, earnings before
    interest and taxes (of a year), book value of equity, total assets and total
    liabilities: E. I. Altman, Corporate Financial Distress and Bankruptcy, 1993.
    Emerging markets (Altman, Hartzell, Peck, 1995) add 3.25. Some pages print 6.5
    and the cut-offs of Z′ (1.23 and 2.90) beside it; the published ones are in `zone`.
    """
    values = (
        statement.current_assets, statement.current_liabilities, statement.retained_earnings, statement.ebit,
        statement.equity, statement.total_assets, statement.total_liabilities,
    )  # fmt: skip
    if None in values or statement.total_assets <= 0:
        return None
    working_capital = statement.current_assets - statement.current_liabilities
    assets = statement.total_assets
    z = (
        6.56 * working_capital / assets
        + 3.26 * statement.retained_earnings / assets
        + 6.72 * statement.a_year('ebit') / assets
        + 1.05 * quotient(statement.equity, statement.total_liabilities)
    )
    return z + EMERGING if emerging else z


def zone(z, emerging=False):
    """Return 'distress', 'grey' or 'safe' for a Z″: below 1.10, up to 2.60, above.

    With the constant for emerging markets the cut-offs move with it (4.35 and
    5.85), so a customer's zone is the same with and without.
    """
    if z is None:
        return None
    z -= EMERGING if emerging else 0.0
    return 'distress' if z < DISTRESS else 'safe' if z > SAFE else 'grey'


def ratios(statement):
    """Return {code: value or None}: shares in percent, the others as a multiple.

    Income and cash flow of a shorter or longer period are taken as if for a year
    where they meet the balance sheet.
    """
    return {
        'altman_z': altman_z(statement),
        'equity_ratio': percent(statement.equity, statement.total_assets),
        'current_ratio': quotient(statement.current_assets, statement.current_liabilities),
        'cash_flow_ratio': quotient(statement.a_year('cash_flow_operating'), statement.current_liabilities),
        'interest_cover': quotient(statement.ebit, statement.interest_expense),
        'return_on_sales': percent(statement.net_profit, statement.revenue),
    }


def growth(now, before):
    """Return by how many percent one year's figure is more than the year before's."""
    return None if now is None or before is None or before <= 0 else 100.0 * (now - before) / before
