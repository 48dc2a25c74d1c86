"""Thompson selection: an offer is said as often as it may well be the best.

What is known of a treatment's propensity is taken as a Beta distribution around P that is the
narrower the more outcomes P rests on. New offers are tried until they are known, settled ones
only while they are good.

The probability that a treatment is best has no closed form. So a number of posterior draws is
made and a treatment's probability *is* the share of draws it wins among what remains for the
slot: given these draws each choice is made with exactly that probability, which keeps
inverse-probability estimates unbiased. As an estimate of the probability before the draws it
has the standard error that is given with it. All slots share the draws, as drawing is nearly
all of the work.

References:
    Thompson (1933), On the Likelihood that One Unknown Probability Exceeds Another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nbo.decision.arbitration import Ranked
from nbo.decision.candidates import Candidate, Chance, Policy

_LEAST_EVIDENCE = 1e-3
"""Outcomes; without any, the distribution would not exist."""
_LEAST_PARAMETER = 1e-9
_STREAM = 0x7407_503
"""Keeps the posterior draws apart from the draw that fills the slot, which has the same seed:
both generators are Mersenne twisters and would otherwise run through the same numbers."""


def thompson(ranked: Ranked, propensity_counts: bool, draws: int, seed: int) -> Policy:
    """Make the policy that chooses each treatment as often as a posterior draw makes it best.

    Args:
        ranked: The ranking the candidates' positions point into.
        propensity_counts: False where the arm switches P off; then nothing is uncertain.
        draws: How many, >= 1.
        seed: Of the draws.
    """
    evidence = np.maximum(ranked.evidence, _LEAST_EVIDENCE)
    accepted = np.maximum(ranked.propensity * evidence, _LEAST_PARAMETER)
    refused = np.maximum((1.0 - ranked.propensity) * evidence, _LEAST_PARAMETER)
    # RandomState, not Generator: numpy promises that its streams never change, so that a
    # logged decision can be decided again by any later version.
    stream = np.random.RandomState([*_words(seed), _STREAM])
    shape = (draws, len(ranked.worth))
    worth = np.broadcast_to(ranked.worth, shape)
    if propensity_counts:
        worth = worth * stream.beta(accepted, refused, shape)

    def chances(remaining: Sequence[Candidate]) -> list[Chance]:
        # By position, so that ties go to whoever ranks first.
        columns = sorted((at, index) for index, one in enumerate(remaining) for at in one.positions)
        positions = [position for position, _ in columns]
        winners = np.argmax(worth[:, positions], axis=1)
        wins = np.bincount(winners, minlength=len(columns)).tolist()
        return [
            _chance(index, position, won / draws, draws)
            for (position, index), won in zip(columns, wins, strict=True)
            if won
        ]

    return chances


def _chance(index: int, position: int, share: float, draws: int) -> Chance:
    return Chance(index, position, share, math.sqrt(share * (1.0 - share) / draws))


def _words(seed: int) -> list[int]:
    """Cut a seed of any size into the 32-bit words the generator takes."""
    rest = abs(seed)
    words = [rest & 0xFFFF_FFFF]
    while rest := rest >> 32:
        words.append(rest & 0xFFFF_FFFF)
    return words
