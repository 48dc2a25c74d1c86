"""The screen: which treatments this customer may be offered now, and why not the others.

Stages in order: availability, consent, service first, eligibility, applicability,
suitability, contact policy, caps. The first that fails is the one a refusal names; `failures`
lists them all. What needs scores (propensity floor, value) comes after, in `arbitration`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nbo.decision.arms import Arm
from nbo.decision.bundles import drop_bundles
from nbo.decision.columns import Flags
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Refusal
from nbo.decision.failure import Asked, Failure, begin
from nbo.decision.incentives import incentive_failures
from nbo.decision.request import Request
from nbo.decision.rules import Activation
from nbo.decision.stages import SCREEN


class Screened(NamedTuple):
    """What passed and what fell.

    Attributes:
        rows: Positions in `CompiledCatalog.treatments` of those that passed, ascending.
        refusals: One per offer that fell, then one per treatment whose offer stays with others.
    """

    rows: list[int]
    refusals: list[Refusal]


def screen(
    request: Request, compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> Screened:
    """Pass every offer through the stages, then its treatments.

    Args:
        request: Whom it is for, when, where; with the history and what is used of the caps.
        compiled: The catalogue.
        activation: The request's facts.
        arm: Of the experiments; may leave only `none` of the incentives, or open a variant.
    """
    asked = begin(request, compiled, activation, arm)
    falls = _falls(asked)
    rows, treatment_refusals = _screen_treatments(asked, falls)
    offer_ids = compiled.screen.offer_ids
    refusals = [
        Refusal(offer_ids[position], fall.stage, fall.rule, fall.detail)
        for position, fall in sorted(falls.items())
    ]
    return Screened(rows, refusals + treatment_refusals)


def _falls(asked: Asked) -> dict[int, Failure]:
    """Why each offer falls that does, by position; what is left is left in `asked.left`.

    What is compared is compared in columns; only what falls is touched one by one.
    """
    left = asked.left
    falls: dict[int, Failure] = {}
    for parts in SCREEN:
        for part in parts:
            for failing, why in part(asked):
                for position in np.flatnonzero(left & failing).tolist():
                    falls[position] = why(position)
                left &= ~failing
        drop_bundles(left, falls, asked.compiled)
        if not left.any():
            break
    return falls


def _screen_treatments(asked: Asked, falls: dict[int, Failure]) -> tuple[list[int], list[Refusal]]:
    """Keep the treatments whose offer is left and whose incentive this customer may get.

    An offer that keeps none of its treatments falls as a whole, for the reason of its first.
    """
    compiled = asked.compiled
    of_incentive = _incentive_falls(asked)
    allowed = np.array([fall is None for fall in of_incentive])[compiled.incentive_of]
    offer_left = asked.left[compiled.offer_of]
    kept = offer_left & allowed
    fallen = offer_left & ~allowed
    staying = set(compiled.offer_of[kept].tolist())
    numbers = compiled.incentive_of[fallen].tolist()
    offers = compiled.offer_of[fallen].tolist()
    refusals: list[Refusal] = []
    for row, number, position in zip(_positions(fallen), numbers, offers, strict=True):
        fall = of_incentive[number]
        if fall is None or position in falls:
            continue
        if position not in staying:
            falls[position] = fall
        elif asked.arm.incentives:
            offer, incentive = compiled.treatments[row]
            told = (fall.stage, fall.rule, fall.detail)
            refusals.append(Refusal(offer.offer_id, *told, incentive.incentive_id))
    return _positions(kept), refusals


def _incentive_falls(asked: Asked) -> list[Failure | None]:
    """Why this customer may not get each incentive of `incentive_conditions`; None if they may."""
    compiled, facts, arm = asked.compiled, asked.activation, asked.arm
    return [
        next(incentive_failures(incentive_id, asked.request, compiled, facts, arm), None)
        for incentive_id in compiled.incentive_conditions
    ]


def _positions(flags: Flags) -> list[int]:
    positions: list[int] = np.flatnonzero(flags).tolist()
    return positions
