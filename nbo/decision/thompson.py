"""Thompson selection: an offer is said as often as it may well be the best.

What is known of a treatment's propensity is taken as a Beta distribution around P that is the
narrower the more outcomes P rests on. New offers are tried until they are known, settled ones
only while they are good.

The probability that a treatment is best has no closed form. So a number of posterior draws is
made, shared by all slots, and one more that any treatment that remains may win, each as likely
as another. One of them all is picked for each slot, and its winner is chosen:

``p = (won + 1/n) / (draws + 1)``

with n the treatments that remain and `won` the posterior draws a treatment wins among them.
Given the posterior draws this is exactly what is drawn from, for slot n given the slots before.
It is above zero for every treatment, so that weights of ``1/p`` are unbiased for all of them;
from winners alone they would say nothing of a treatment that happens to win no draw. As an
estimate of the probability over all posterior draws it has the standard error that is told
with it.

References:
    Thompson (1933), On the Likelihood that One Unknown Probability Exceeds Another.
"""

from __future__ import annotations

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


def thompson(ranked: Ranked, draws: int, seed: int) -> Policy:
    """Make the policy that chooses each treatment as often as a posterior draw makes it best.

    Only for priorities that P is a factor of: without it nothing is uncertain.

    Args:
        ranked: The ranking the candidates' positions point into.
        draws: How many, >= 1.
        seed: Of the draws.
    """
    evidence = np.maximum(ranked.evidence, _LEAST_EVIDENCE)
    accepted = np.maximum(ranked.propensity * evidence, _LEAST_PARAMETER)
    refused = np.maximum((1.0 - ranked.propensity) * evidence, _LEAST_PARAMETER)
    # RandomState, not Generator: numpy promises that its streams never change, so that a
    # logged decision can be decided again by any later version.
    stream = np.random.RandomState([*_words(seed), _STREAM])
    worth = ranked.worth * stream.beta(accepted, refused, (draws, len(ranked.worth)))

    def chances(remaining: Sequence[Candidate]) -> list[Chance]:
        # By position, so that ties go to whoever ranks first.
        columns = sorted((at, index) for index, one in enumerate(remaining) for at in one.positions)
        n = len(columns)
        positions = [position for position, _ in columns]
        won = np.bincount(np.argmax(worth[:, positions], axis=1), minlength=n)
        probability = (won + 1.0 / n) / (draws + 1.0)
        error = np.sqrt(probability * (1.0 - probability) / draws)
        owners = [index for _, index in columns]
        return list(map(Chance, owners, positions, probability.tolist(), error.tolist()))

    return chances


def _words(seed: int) -> list[int]:
    """Cut a seed of any size into the 32-bit words the generator takes."""
    rest = abs(seed)
    words = [rest & 0xFFFF_FFFF]
    while rest := rest >> 32:
        words.append(rest & 0xFFFF_FFFF)
    return words
