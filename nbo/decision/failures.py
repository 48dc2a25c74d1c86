"""Every reason why each offer may not be made now: the screen, explained in full."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nbo.decision.arms import Arm
from nbo.decision.bundles import of_member
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.failure import Failure, begin
from nbo.decision.incentives import incentive_failures
from nbo.decision.request import Request
from nbo.decision.rules import Activation
from nbo.decision.stages import SCREEN


def all_failures(
    request: Request, compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> Mapping[str, tuple[Failure, ...]]:
    """List every failing rule of every stage for every offer.

    The first failure of an offer is the one the screen records. A bundle's members speak after
    the bundle itself in each stage. Last, where an offer is left no incentive to come with, come
    the failures of each of them, in the order of their ids; each is an alternative: with the
    failures of any one of them mended it could be made.

    Returns:
        Offer id to its failures in the order of the screen; empty for an offer that passes.
    """
    asked = begin(request, compiled, activation, arm)
    found: list[list[Failure]] = [[] for _ in compiled.offers]
    for parts in SCREEN:
        in_stage: dict[int, list[Failure]] = {}
        for part in parts:
            for failing, why in part(asked):
                for position in np.flatnonzero(failing).tolist():
                    in_stage.setdefault(position, []).append(why(position))
        for position, failures in enumerate(_with_members(in_stage, compiled)):
            found[position] += failures
    for position, failures in enumerate(_of_incentives(request, compiled, activation, arm)):
        found[position] += failures
    return {
        candidate.offer.offer_id: tuple(failures)
        for candidate, failures in zip(compiled.offers, found, strict=True)
    }


def _with_members(
    in_stage: Mapping[int, list[Failure]], compiled: CompiledCatalog
) -> list[list[Failure]]:
    """Add to the failures of each bundle in one stage those of its members."""
    result = [list(in_stage.get(position, ())) for position in range(len(compiled.offers))]
    for bundle, members in compiled.screen.bundles.items():
        for member in members:
            member_id = compiled.offers[member].offer.offer_id
            result[bundle] += [of_member(member_id, f) for f in in_stage.get(member, ())]
    return result


def _of_incentives(
    request: Request, compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> list[list[Failure]]:
    """Per offer, why it may come with none of its incentives; empty if with one it may."""
    failures = {
        incentive_id: list(incentive_failures(incentive_id, request, compiled, activation, arm))
        for incentive_id in compiled.incentive_conditions
    }
    result: list[list[Failure]] = []
    for candidate in compiled.offers:
        each = [failures[incentive_id] for incentive_id in sorted(candidate.offer.incentives)]
        result.append([failure for found in each for failure in found] if all(each) else [])
    return result
