"""Candidates for a slot, and what a selection policy says of them: how likely each is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nbo.decision.arbitration import Ranked
from nbo.decision.compiled import CompiledCatalog


class Candidate(NamedTuple):
    """An offer that may fill a slot.

    Attributes:
        offer_id: Which.
        group_id: Counts against the group's room.
        positions: Of its treatments in the ranking, best first.
        priority: Of its best treatment.
        mandatory: Whether it must be said.
        sold: The offer ids sold with it, its own included; offers that share one never stand
            together.
    """

    offer_id: str
    group_id: str
    positions: tuple[int, ...]
    priority: float
    mandatory: bool
    sold: frozenset[str]


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


def candidates(ranked: Ranked, compiled: CompiledCatalog) -> list[Candidate]:
    """List the offers in the order of their best treatment, each with all its treatments."""
    positions: dict[int, list[int]] = {}
    for position, number in enumerate(compiled.offer_of[ranked.rows].tolist()):
        positions.setdefault(number, []).append(position)
    priority = ranked.priority.tolist()
    found = []
    for number, own in positions.items():
        offer = compiled.offers[number].offer
        found.append(
            Candidate(
                offer.offer_id,
                offer.group_id,
                tuple(own),
                priority[own[0]],
                offer.mandatory,
                frozenset((offer.offer_id, *offer.bundle)),
            )
        )
    return found
