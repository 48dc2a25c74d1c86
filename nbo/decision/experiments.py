"""Experiments: which arm a customer belongs to, for ever, by a salted hash.

Assignment needs no store and no coordination: every server computes the same arm. Salts
make experiments independent of each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from nbo.decision.arms import DEFAULT_ARM, Arm, Experiment


def bucket(salt: str, unit: str) -> float:
    """Place a unit in [0, 1), uniformly over units, the same every time.

    The salt is hashed as a key: no choice of salt and unit can imitate another pair.
    """
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    digest = hashlib.blake2b(unit.encode(), key=key, digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def assign(experiment: Experiment, unit: str) -> Arm:
    """Find a unit's arm; arms take consecutive stretches of [0, 1) by their shares."""
    place = bucket(experiment.salt, unit)
    passed = 0.0
    for arm in experiment.arms:
        passed += arm.share
        if place < passed:
            return arm
    return experiment.arms[-1]


def combine(arms: Iterable[Arm]) -> Arm:
    """One arm with the overrides of several independent experiments.

    What any arm switches off is off, what any switches on is on. If several name a model,
    the first in the catalogue's order prevails.
    """
    several = tuple(arms)
    if not several:
        return DEFAULT_ARM
    if len(several) == 1:
        return several[0]
    return Arm(
        arm_id="+".join(arm.arm_id for arm in several),
        share=1.0,
        holdout=any(arm.holdout for arm in several),
        random=any(arm.random for arm in several),
        propensity=all(arm.propensity for arm in several),
        value=all(arm.value for arm in several),
        levers=all(arm.levers for arm in several),
        context=all(arm.context for arm in several),
        incentives=all(arm.incentives for arm in several),
        model=next((arm.model for arm in several if arm.model), ""),
    )
