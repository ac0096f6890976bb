"""The facts on which a credit decision rests, frozen as they were."""

from dataclasses import dataclass, field
from datetime import date

from odoo.tools.float_utils import float_compare, float_round

CATEGORIES = ('open_item', 'in_clearing', 'draft_invoice', 'delivered', 'ordered')
# Utilisation of a limit of zero with something at stake: "no credit at all".
# Finite, so that databases, JSON and spreadsheets can carry it, and above all
# that a real limit can show, so that it exceeds each threshold and sorts first.
NO_CREDIT = 999999.0


def utilisation(exposure, effective_limit, unlimited, rounding):
    """Return the exposure in percent of the effective limit.

    Unlimited credit and an exposure not above zero give 0; a limit of zero
    with something at stake gives NO_CREDIT.

    :param rounding: the smallest unit of the currency of both amounts
    """
    if unlimited or float_compare(exposure, 0.0, precision_rounding=rounding) <= 0:
        return 0.0
    if float_compare(effective_limit, 0.0, precision_rounding=rounding) <= 0:
        return NO_CREDIT
    return min(NO_CREDIT, 100.0 * exposure / effective_limit)


@dataclass(frozen=True)
class TeamLimit:
    """A limit of a salesperson or sales team, and what all their customers owe, in company currency."""

    id: int
    amount: float
    exposure: float


@dataclass(frozen=True)
class Facts:
    """What is known of one credit account at the moment of a check.

    All amounts are in the company currency whose smallest unit is `rounding`.
    `document_total` is the checked document's taxed total, `document_paid` what
    is paid for it and not posted yet, `document_amount` what it adds to the
    exposure of this account (nothing, where another customer will owe it).
    `overdue_after` maps days of grace to the overdue amount that is older than
    these days, after credits not yet matched were applied to the oldest items
    and residues below the floors were left out. Items due before `counted_from`
    are neither in it nor in `days_overdue`; `overdue_left_out` is what they come
    to. `accepted_exposure` is what was accepted as is, 0 for nothing. `grade_rank`
    counts from the best grade to the worst; None where there is no grade.
    `limit_expired_days` and `review_overdue_days` count from the day after.
    `team_limits` are those in force of the customer's salesperson and teams.
    `extra` holds what add-ons know of the account, by the names of
    `credit.account._fact_columns`.
    """

    rounding: float
    status: str = 'normal'
    grade_rank: int | None = None
    limit_kind: str = 'none'
    unlimited: bool = False
    effective_limit: float = 0.0
    exposure_by_category: dict = field(default_factory=dict)
    document_total: float = 0.0
    document_paid: float = 0.0
    document_amount: float = 0.0
    overdue_after: dict = field(default_factory=dict)
    days_overdue: int = 0
    counted_from: date | None = None
    overdue_left_out: float = 0.0
    accepted_exposure: float = 0.0
    missing_rate: str = ''
    limit_expired_days: int = 0
    review_overdue_days: int = 0
    team_limits: tuple = ()
    extra: dict = field(default_factory=dict)

    @property
    def exposure(self):
        """The exposure before the checked document."""
        return float_round(sum(self.exposure_by_category.values()), precision_rounding=self.rounding)

    @property
    def exposure_after(self):
        """The exposure if the checked document went on."""
        return float_round(self.exposure + self.document_amount, precision_rounding=self.rounding)

    @property
    def available(self):
        """What of the effective limit is left before the document; 0 if unlimited."""
        if self.unlimited:
            return 0.0
        return float_round(self.effective_limit - self.exposure, precision_rounding=self.rounding)

    @property
    def utilisation_after(self):
        return utilisation(self.exposure_after, self.effective_limit, self.unlimited, self.rounding)

    @property
    def paid_in_advance(self):
        """Whether the document asks for no credit, because it is paid for in full."""
        return (
            float_compare(self.document_total, 0.0, precision_rounding=self.rounding) > 0
            and float_compare(self.document_paid, self.document_total, precision_rounding=self.rounding) >= 0
        )
