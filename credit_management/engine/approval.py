"""Which levels a request passes, and who is asked: plain ids and amounts, no model and no query."""

from dataclasses import dataclass
from math import inf

from odoo.tools.float_utils import float_compare


@dataclass(frozen=True)
class Request:
    """What a level has to know of what is asked for; amounts in company currency, `inf` for unlimited."""

    rounding: float
    amount: float = 0.0
    present: float = 0.0  # what the customer may owe now
    excess: float = 0.0  # how far the request goes beyond that

    @property
    def percent(self):
        """How far the request goes beyond what the customer may owe now, in percent of it."""
        if self.excess <= 0:
            return 0.0
        return self.excess / self.present * 100 if self.present > 0 else inf

    def reaches(self, amount):
        """Tell whether the request is of this amount or more."""
        return self.amount == inf or float_compare(self.amount, amount, precision_rounding=self.rounding) >= 0

    def exceeds_by(self, amount):
        """Tell whether the request goes beyond what the customer may owe now by this amount or more."""
        return self.excess == inf or float_compare(self.excess, amount, precision_rounding=self.rounding) >= 0

    def exceeds_by_percent(self, percent):
        """Tell whether the request goes beyond what the customer may owe now by these percent or more."""
        return self.percent == inf or float_compare(self.percent, percent, precision_digits=2) >= 0


@dataclass(frozen=True)
class Lineup:
    """Who may decide on one step, in the order in which they are asked.

    :ivar members: ids of those who may decide
    :ivar substitutes: {id of who is absent: id of the substitute, or None}
    :ivar able: ids of all who could stand in for somebody
    :ivar reserve: ids of those who are asked when nobody of the members is there
    """

    members: tuple
    substitutes: dict
    able: frozenset
    reserve: tuple = ()

    def present(self, user):
        """Return who acts for a user: himself, or the first of the chain of substitutes who is there and may."""
        seen = set()
        while user in self.substitutes and user not in seen:
            seen.add(user)
            user = self.substitutes[user]
        return user if user and user not in seen and user in self.able else None

    def next(self, asked=()):
        """Return who is asked after those who were; None if there is nobody left."""
        for user in (*self.members, *self.reserve):
            acting = self.present(user)
            if acting and acting not in asked:
                return acting
        return None

    def first(self):
        """Return who is asked first: if all are absent, one of them nevertheless."""
        return self.next() or next(iter((*self.members, *self.reserve)), None)

    def deciders(self):
        """Return all who may decide: the members, and whoever stands in for one of them."""
        acting = {self.present(user) for user in self.members if user in self.substitutes}
        return set(self.members) | (acting - {None})
