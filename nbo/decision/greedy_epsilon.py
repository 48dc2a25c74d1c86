"""Greedy and ε-greedy selection: the best, but now and then any."""

from __future__ import annotations

from collections.abc import Sequence

from nbo.decision.candidates import Candidate, Chance, Policy


def greedy(remaining: Sequence[Candidate]) -> list[Chance]:
    """Always the best offer, with its best incentive."""
    return [Chance(0, remaining[0].positions[0], 1.0)]


def epsilon_greedy(epsilon: float) -> Policy:
    """Make the policy that takes the best, or with probability `epsilon` any uniformly.

    The incentive is the offer's best in either case.

    Args:
        epsilon: In [0, 1].
    """

    def chances(remaining: Sequence[Candidate]) -> list[Chance]:
        n = len(remaining)
        # Written so that a lone candidate has exactly 1: the uniform draw may fall on the best.
        best = 1.0 - epsilon * (n - 1) / n
        other = epsilon / n
        shown = remaining if other > 0.0 else remaining[:1]
        return [
            Chance(index, candidate.positions[0], other if index else best)
            for index, candidate in enumerate(shown)
        ]

    return chances if epsilon > 0.0 else greedy
