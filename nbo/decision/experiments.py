"""Experiments: which arm a unit belongs to, for ever, by a salted hash.

Assignment needs no store and no coordination: every server computes the same arm. Salts
make experiments independent of each other, unless they share a layer: a layer places every
unit once, each of its experiments takes the units of its own stretch, and stretches of one
layer do not overlap. Experiments of one layer exclude each other only as far as they divide
the same kind of unit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from nbo.decision.arms import DEFAULT_ARM, Arm, Experiment
from nbo.decision.facts import Facts

_EVERYONE = (0.0, 1.0)


def bucket(salt: str, unit: str, purpose: bytes = b"") -> float:
    """Place a unit in [0, 1), uniformly over units, the same every time.

    The salt is hashed as a key: no choice of salt and unit can imitate another pair.

    Args:
        salt: Of the experiment or layer.
        unit: Who is placed.
        purpose: At most 16 bytes; places for different purposes are independent, whatever
            the salts.
    """
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    digest = hashlib.blake2b(unit.encode(), key=key, digest_size=8, person=purpose).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def assigned_arms(
    experiments: Sequence[Experiment], customer_id: str, facts: Facts
) -> dict[str, Arm]:
    """Find the arms of one customer, by experiment id.

    An experiment is left out whose unit is unknown, or not in its stretch of the layer.

    Args:
        experiments: In the catalogue's order.
        customer_id: The unit, where no fact names another.
        facts: Of the customer.
    """
    units = [(one, unit_of(one, customer_id, facts)) for one in experiments]
    return {
        one.experiment_id: assign(one, unit)
        for one, unit in units
        if unit is not None and takes_part(one, unit)
    }


def unit_of(experiment: Experiment, customer_id: str, facts: Facts) -> str | None:
    """Name the unit a customer belongs to; None where its fact is unknown or empty.

    No other unit stands in: whoever is in another arm whenever the fact cannot be read is in two.
    """
    if not experiment.unit:
        return customer_id
    unit = facts.get(experiment.unit)
    return unit if isinstance(unit, str) and unit else None


def possible_holdout(
    experiments: Iterable[Experiment], customer_id: str, facts: Facts
) -> tuple[Experiment, Arm] | None:
    """Find a holdout the customer may be in for all that is known: their unit is not.

    Args:
        experiments: In the catalogue's order.
        customer_id: The unit, where no fact names another.
        facts: Of the customer.
    """
    return next(
        (
            (experiment, arm)
            for experiment in experiments
            for arm in experiment.arms
            if arm.holdout and unit_of(experiment, customer_id, facts) is None
        ),
        None,
    )


def takes_part(experiment: Experiment, unit: str) -> bool:
    """Whether a unit's place in the layer lies in the experiment's stretch."""
    if experiment.buckets == _EVERYONE:
        return True
    first, end = experiment.buckets
    if experiment.layer:
        place = bucket(experiment.layer, unit, b"layer")
    else:
        place = bucket(experiment.experiment_id, unit, b"own layer")
    return first <= place < end


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

    What any arm switches off is off, what any switches on is on. If several name a model, a
    selection or a variant, the first in the catalogue's order prevails.
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
        selection=next((arm.selection for arm in several if arm.selection), None),
        variant=next((arm.variant for arm in several if arm.variant), ""),
    )
