"""Softmax selection: the more an offer is worth, the likelier it is said.

Slot by slot this is the Plackett-Luce model: each slot is a softmax over what remains, so the
conditional probability of every slot is exact.

References:
    Plackett (1975), The Analysis of Permutations; Luce (1959), Individual Choice Behavior.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nbo.decision.candidates import Candidate, Chance, Policy


def softmax(temperature: float) -> Policy:
    """Make the policy that chooses in proportion to ``exp(priority / temperature)``.

    An offer counts with its best incentive, which it then comes with.

    Args:
        temperature: In the unit of the priorities, > 0. Two offers whose priorities differ by
            it are chosen e : 1.
    """

    def chances(remaining: Sequence[Candidate]) -> list[Chance]:
        best = max(candidate.priority for candidate in remaining)
        weights = [math.exp((candidate.priority - best) / temperature) for candidate in remaining]
        total = math.fsum(weights)
        return [
            Chance(index, candidate.positions[0], weight / total)
            for index, (candidate, weight) in enumerate(zip(remaining, weights, strict=True))
            if weight / total > 0.0
        ]

    return chances
