"""Room: how many slots of one answer may draw on the same thing.

The screen asks whether one more fits. An answer holds several, which must fit together: two
offers may not both be paid from a budget that pays for one. Every such limit is a number of
slots: a group takes `Policies.per_group`, an offer one, alone or within a bundle, an incentive
as many as its budget still pays for, and the customer as many as a frequency limit still bears
(see `nbo.decision.contact_room`).

Caps need no bound of their own: an offer stands in an answer once, and of what passed the
screen one is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nbo.decision.catalog import Incentive, Offer
from nbo.decision.limits import Usage, affordable


class Bound(NamedTuple):
    """Something on which only so many slots of an answer may draw.

    Attributes:
        kind: ``"offer"``, ``"group"``, ``"budget"`` or ``"frequency"``.
        name: Which of them: its id, a frequency's place among the policies.
        slots: How many.
    """

    kind: str
    name: str
    slots: int


class Room:
    """Counts what the slots of one answer draw on."""

    def __init__(self) -> None:
        self._taken: dict[Bound, int] = {}

    def take(self, bounds: Iterable[Bound]) -> set[Bound]:
        """Count one more slot of each; returns those on which no further slot may draw."""
        full = set()
        for bound in bounds:
            taken = self._taken[bound] = self._taken.get(bound, 0) + 1
            if taken >= bound.slots:
                full.add(bound)
        return full


def offer_bounds(offer: Offer, per_group: int) -> frozenset[Bound]:
    """What an offer always draws on: its group, itself, and what is sold with it."""
    sold = (offer.offer_id, *offer.bundle)
    own = (Bound("offer", offer_id, 1) for offer_id in sold)
    return frozenset((Bound("group", offer.group_id, per_group), *own))


def budget_bounds(incentives: Iterable[Incentive], usage: Usage, slots: int) -> Mapping[int, Bound]:
    """Find the budgets that do not pay for every slot.

    Args:
        incentives: In the catalogue's order.
        usage: What is spent of the budgets.
        slots: Of the answer.

    Returns:
        By position of the incentive.
    """
    found = {}
    for number, one in enumerate(incentives):
        if one.budget is not None:
            spent = usage.budgets.get(one.incentive_id, 0.0)
            times = affordable(one.budget, spent, one.cost)
            if times is not None and times < slots:
                found[number] = Bound("budget", one.incentive_id, times)
    return found
