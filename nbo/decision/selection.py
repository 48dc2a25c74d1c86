"""Selection: which of the ranked offers fill the slots, and how likely each choice was.

Slots are filled one after the other. Mandatory offers come first, best first, with certainty.
For every further slot the policy says how likely each treatment is, and one draw decides. The
probability logged is that of this offer, with this incentive, at this place, given the slots
before it. What remains for a slot is what fits beside the slots before: see `nbo.decision.room`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from nbo.decision.arbitration import Ranked
from nbo.decision.arms import Arm, Selection
from nbo.decision.candidates import Candidate, Chance, Policy, fitting
from nbo.decision.greedy_epsilon import epsilon_greedy, greedy
from nbo.decision.room import Room
from nbo.decision.softmax import softmax
from nbo.decision.thompson import thompson
from nbo.decision.uniform import uniform


class Choice(NamedTuple):
    """One filled slot.

    Attributes:
        position: Of the treatment in the ranking.
        probability: Of the choice, given the slots before; in (0, 1].
        error: Standard error of the probability; 0 where it is exact.
        mandatory: Whether it was chosen because it must be said.
    """

    position: int
    probability: float
    error: float = 0.0
    mandatory: bool = False


def policy_for(selection: Selection, arm: Arm, ranked: Ranked, seed: int) -> Policy:
    """Choose the policy: uniform in random arms, else the arm's own, else the catalogue's.

    Thompson without P, which alone is uncertain, is greedy.
    """
    if arm.random:
        return uniform
    wanted = arm.selection or selection
    if wanted.policy == "epsilon":
        return epsilon_greedy(wanted.epsilon)
    if wanted.policy == "softmax":
        return softmax(wanted.temperature)
    if wanted.policy == "thompson" and arm.propensity:
        return thompson(ranked, wanted.draws, seed)
    return greedy


def select(offers: Sequence[Candidate], slots: int, *, policy: Policy, seed: int) -> list[Choice]:
    """Fill up to `slots` slots.

    Args:
        offers: Best first, mandatory ones before all others.
        slots: At most so many choices.
        policy: How likely each treatment is for a slot.
        seed: Of every draw; the same seed gives the same choices.
    """
    # `random()` is the one generator whose sequence Python promises to keep between versions,
    # so that a logged decision can be decided again by any later one.
    draw = random.Random(seed)
    remaining = list(offers)
    room = Room()
    chosen: list[Choice] = []
    while remaining and len(chosen) < slots:
        mandatory = remaining[0].mandatory
        chance = _one_of((greedy if mandatory else policy)(remaining), draw)
        chosen.append(Choice(chance.position, chance.probability, chance.error, mandatory))
        picked = remaining[chance.candidate]
        budget = picked.budgets.get(chance.position)
        full = room.take([*picked.bounds, budget] if budget else picked.bounds)
        remaining = fitting(remaining, full)
    return chosen


def _one_of(chances: list[Chance], draw: random.Random) -> Chance:
    """Draw one of the chances; what is certain uses up no randomness."""
    if len(chances) == 1:
        return chances[0]
    point = draw.random()
    for chance in chances:
        point -= chance.probability
        if point < 0.0:
            return chance
    # Probabilities may add up to a little less than 1.
    return chances[-1]
