"""Candidates for a slot, and what a selection policy says of them: how likely each is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import NamedTuple

from nbo.decision.arbitration import Ranked
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.contact_room import frequency_bounds
from nbo.decision.request import Request
from nbo.decision.room import Bound, budget_bounds

NO_BUDGETS: Mapping[int, Bound] = MappingProxyType({})


class Candidate(NamedTuple):
    """An offer that may fill a slot.

    Attributes:
        offer_id: Which.
        positions: Of its treatments in the ranking, best first.
        priorities: Of these treatments.
        mandatory: Whether it must be said.
        bounds: What every slot with it draws on.
        budgets: What a slot with one of its treatments draws on besides, by position; those
            that nothing scarce pays for are absent.
    """

    offer_id: str
    positions: tuple[int, ...]
    priorities: tuple[float, ...]
    mandatory: bool
    bounds: frozenset[Bound]
    budgets: Mapping[int, Bound] = NO_BUDGETS

    @property
    def priority(self) -> float:
        """Of its best treatment."""
        return self.priorities[0]


class Chance(NamedTuple):
    """That a policy fills a slot with one treatment.

    Attributes:
        candidate: Its number among those remaining.
        position: Of the treatment in the ranking.
        probability: In (0, 1]; the chances of one slot add up to 1.
        error: Standard error of the probability; 0 where it is exact.
    """

    candidate: int
    position: int
    probability: float
    error: float = 0.0


Policy = Callable[[Sequence[Candidate]], list[Chance]]
"""All a slot may be filled with, from the candidates that remain for it, best first.

Called once per slot, in order, never with no candidates."""


def candidates(ranked: Ranked, compiled: CompiledCatalog, request: Request) -> list[Candidate]:
    """List the offers in the order of their best treatment, each with all its treatments."""
    positions: dict[int, list[int]] = {}
    for position, number in enumerate(compiled.offer_of[ranked.rows].tolist()):
        positions.setdefault(number, []).append(position)
    priority, mandatory = ranked.priority.tolist(), ranked.mandatory.tolist()
    scarce = _scarce(ranked, compiled, request)
    contacts = frequency_bounds(request, compiled)
    return [
        Candidate(
            compiled.screen.offer_ids[number],
            tuple(own),
            tuple([priority[position] for position in own]),
            mandatory[own[0]],
            compiled.bounds[number].union(
                [bound for bound, offers in contacts if offers[number]] if contacts else ()
            ),
            {at: scarce[at] for at in own if at in scarce} if scarce else NO_BUDGETS,
        )
        for number, own in positions.items()
    ]


def fitting(remaining: Sequence[Candidate], full: Set[Bound]) -> list[Candidate]:
    """Keep what draws on nothing that is full, best first.

    An offer that loses treatments stays with the others, and may fall behind.
    """
    kept = [one for one in remaining if one.bounds.isdisjoint(full)]
    if not any(bound.kind == "budget" for bound in full):
        return kept
    paid = (_paid(one, full) for one in kept)
    return sorted((one for one in paid if one.positions), key=lambda one: one.positions[0])


def _paid(candidate: Candidate, full: Set[Bound]) -> Candidate:
    """Leave out the treatments that nothing pays for any more."""
    left = [
        (position, priority)
        for position, priority in zip(candidate.positions, candidate.priorities, strict=True)
        if candidate.budgets.get(position) not in full
    ]
    return candidate._replace(
        positions=tuple(position for position, _ in left),
        priorities=tuple(priority for _, priority in left),
    )


def _scarce(ranked: Ranked, compiled: CompiledCatalog, request: Request) -> dict[int, Bound]:
    """Budgets that may not pay for every slot, by position of the treatments they pay for."""
    incentives = compiled.catalog.incentives.values()
    bounds = budget_bounds(incentives, request.usage, request.slots)
    if not bounds:
        return {}
    of_incentive = enumerate(compiled.incentive_of[ranked.rows].tolist())
    return {at: bounds[number] for at, number in of_incentive if number in bounds}
