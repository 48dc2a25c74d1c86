"""The screen: which treatments this customer may be offered now, and why not the others.

Stages in order: availability, consent, service first, eligibility, applicability,
suitability, contact policy. The first that fails is the one a refusal names. What needs
scores (propensity floor, value) comes after, in `arbitration`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nbo.decision.catalog import NO_INCENTIVE, Arm
from nbo.decision.compiled import CompiledCatalog, CompiledOffer, Condition, Flags
from nbo.decision.consent import consent_objection
from nbo.decision.contact_policy import ContactPolicy
from nbo.decision.decision import Refusal
from nbo.decision.request import Request
from nbo.decision.rules import Activation


class Screened(NamedTuple):
    """What passed and what fell.

    Attributes:
        rows: Positions in `CompiledCatalog.treatments` of those that passed, ascending.
        refusals: One per offer that fell, or per treatment if its offer stays with others.
    """

    rows: list[int]
    refusals: list[Refusal]


class _Fall(NamedTuple):
    stage: str
    rule: str
    detail: str


def screen(
    request: Request, compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> Screened:
    """Pass every offer through the stages.

    Args:
        request: Whom it is for, when, where; with the history.
        compiled: The catalogue.
        activation: The request's facts.
        arm: Of the experiments; may leave only `none` of the incentives.
    """
    available = _available(request, compiled)
    general = _general_fall(request, compiled, activation)
    policy = ContactPolicy(
        compiled.catalog.policies,
        request.history,
        request.at,
        request.channel,
        request.interaction_id,
    )
    incentives = _allowed_incentives(compiled, activation, arm)
    rows: list[int] = []
    refusals: list[Refusal] = []
    for position, candidate in enumerate(compiled.offers):
        if not available[position]:
            fall: _Fall | None = _unavailable(request, compiled, position)
        else:
            fall = general or _conditions_fall(candidate.conditions, activation)
        if fall is None and (objection := policy.objection(candidate.offer)):
            fall = _Fall("contact policy", *objection)
        if fall is None:
            _screen_treatments(candidate, incentives, arm, rows, refusals)
        else:
            refusals.append(Refusal(candidate.offer.offer_id, *fall))
    return Screened(rows, refusals)


def _available(request: Request, compiled: CompiledCatalog) -> Flags:
    """(n_offers,) whether each offer is within its dates, on this channel, in this language."""
    now = request.at.timestamp()
    on_channel = compiled.on_channel.get(request.channel)
    in_language = compiled.in_language.get(request.language or compiled.catalog.languages[0])
    if on_channel is None or in_language is None:
        return np.zeros(len(compiled.offers), dtype=bool)
    within_dates: Flags = (compiled.starts <= now) & (now < compiled.ends)
    return within_dates & on_channel & in_language


def _unavailable(request: Request, compiled: CompiledCatalog, position: int) -> _Fall:
    offer = compiled.offers[position].offer
    if offer.starts is not None and request.at < offer.starts:
        return _Fall("availability", "starts", f"starts {offer.starts:%Y-%m-%d %H:%M} UTC")
    if offer.ends is not None and request.at >= offer.ends:
        return _Fall("availability", "ends", f"ended {offer.ends:%Y-%m-%d %H:%M} UTC")
    if request.channel not in offer.channels:
        allowed = ", ".join(sorted(offer.channels))
        return _Fall("availability", "channel", f"not on {request.channel!r}, only {allowed}")
    return _Fall("availability", "language", f"no text in {request.language!r}")


def _general_fall(
    request: Request, compiled: CompiledCatalog, activation: Activation
) -> _Fall | None:
    """Find what forbids every offer: missing consent, or a need that comes before the sale."""
    if objection := consent_objection(activation.facts, request.channel, compiled.catalog):
        return _Fall("consent", *objection)
    return _conditions_fall(compiled.service_first, activation)


def _conditions_fall(conditions: tuple[Condition, ...], activation: Activation) -> _Fall | None:
    for stage, name, rule in conditions:
        verdict = rule.check(activation)
        if not verdict.passed:
            return _Fall(stage, name, verdict.detail)
    return None


def _allowed_incentives(
    compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> dict[str, _Fall | None]:
    """Why this customer may not get each incentive; None if they may."""
    if not arm.incentives:
        off = _Fall("eligibility", "incentives", f"arm {arm.arm_id!r} gives no incentives")
        return {
            incentive_id: None if incentive_id == NO_INCENTIVE.incentive_id else off
            for incentive_id in compiled.incentive_conditions
        }
    return {
        incentive_id: _conditions_fall(conditions, activation)
        for incentive_id, conditions in compiled.incentive_conditions.items()
    }


def _screen_treatments(
    candidate: CompiledOffer,
    incentives: dict[str, _Fall | None],
    arm: Arm,
    rows: list[int],
    refusals: list[Refusal],
) -> None:
    """Keep the treatments of an offer whose incentive is allowed; refuse the others."""
    falls = [(incentive_id, incentives[incentive_id]) for incentive_id in candidate.rows]
    kept = [candidate.rows[incentive_id] for incentive_id, fall in falls if fall is None]
    offer_id = candidate.offer.offer_id
    if not kept:
        first = next(fall for _, fall in falls if fall is not None)
        refusals.append(Refusal(offer_id, *first))
        return
    rows.extend(kept)
    if arm.incentives:
        refusals.extend(
            Refusal(offer_id, *fall, incentive_id)
            for incentive_id, fall in falls
            if fall is not None
        )
