"""Selection: which of the ranked offers fill the slots, and how likely each choice was.

Slots are filled one after the other. The probability of a slot is exact and conditional: that
of this offer, with this incentive, at this place, given the slots before it. What remains for
a slot are the offers not yet chosen whose group still has room.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from nbo.decision.arbitration import Ranked
from nbo.decision.arms import Arm, Selection
from nbo.decision.compiled import CompiledCatalog


class Candidate(NamedTuple):
    """An offer that may fill a slot.

    Attributes:
        offer_id: Which.
        group_id: Counts against the group's room.
        positions: Of its treatments in the ranking, best first.
    """

    offer_id: str
    group_id: str
    positions: tuple[int, ...]


class Choice(NamedTuple):
    """One filled slot: the treatment's position in the ranking, and the choice's probability."""

    position: int
    probability: float


def candidates(ranked: Ranked, compiled: CompiledCatalog) -> list[Candidate]:
    """List the offers in the order of their best treatment, each with all its treatments."""
    positions: dict[int, list[int]] = {}
    for position, offer_index in enumerate(compiled.offer_of[ranked.rows].tolist()):
        positions.setdefault(offer_index, []).append(position)
    offers = ((compiled.offers[index].offer, own) for index, own in positions.items())
    return [Candidate(offer.offer_id, offer.group_id, tuple(own)) for offer, own in offers]


def select(
    offers: Sequence[Candidate],
    slots: int,
    *,
    per_group: int,
    selection: Selection,
    arm: Arm,
    seed: int,
) -> list[Choice]:
    """Fill up to `slots` slots.

    Args:
        offers: Best first.
        slots: At most so many choices.
        per_group: At most so many choices of one group.
        selection: The catalogue's policy.
        arm: A `random` arm chooses uniformly instead, offer and incentive alike.
        seed: Of every draw; the same seed gives the same choices.
    """
    draw = random.Random(seed)
    remaining = list(offers)
    room: dict[str, int] = {}
    chosen: list[Choice] = []
    while remaining and len(chosen) < slots:
        if arm.random:
            picked, choice = _uniform(remaining, draw)
        else:
            epsilon = selection.epsilon if selection.policy == "epsilon" else 0.0
            picked, choice = _epsilon_greedy(remaining, epsilon, draw)
        chosen.append(choice)
        group = picked.group_id
        room[group] = room.get(group, per_group) - 1
        remaining = [
            candidate
            for candidate in remaining
            if candidate is not picked and (candidate.group_id != group or room[group] > 0)
        ]
    return chosen


def _epsilon_greedy(
    remaining: Sequence[Candidate], epsilon: float, draw: random.Random
) -> tuple[Candidate, Choice]:
    """Choose the best, or with probability `epsilon` uniformly; the incentive is the best."""
    n = len(remaining)
    index = _one_of(n, draw) if epsilon > 0.0 and draw.random() < epsilon else 0
    # Written so that a lone candidate has exactly 1: the draw can also fall on the best.
    probability = epsilon / n if index else 1.0 - epsilon * (n - 1) / n
    picked = remaining[index]
    return picked, Choice(picked.positions[0], probability)


def _uniform(remaining: Sequence[Candidate], draw: random.Random) -> tuple[Candidate, Choice]:
    """Choose an offer uniformly, then one of its incentives uniformly."""
    picked = remaining[_one_of(len(remaining), draw)]
    position = picked.positions[_one_of(len(picked.positions), draw)]
    return picked, Choice(position, 1.0 / (len(remaining) * len(picked.positions)))


def _one_of(n: int, draw: random.Random) -> int:
    # `random()` is the one generator whose sequence Python promises to keep between versions.
    return int(draw.random() * n)
