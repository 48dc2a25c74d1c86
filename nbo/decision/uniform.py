"""Uniform selection, of random arms: any offer, with any of its incentives."""

from __future__ import annotations

from collections.abc import Sequence

from nbo.decision.candidates import Candidate, Chance


def uniform(remaining: Sequence[Candidate]) -> list[Chance]:
    """Any offer as likely as another, and each of its incentives as likely as another."""
    n = len(remaining)
    return [
        Chance(index, position, 1.0 / (n * len(candidate.positions)))
        for index, candidate in enumerate(remaining)
        for position in candidate.positions
    ]
