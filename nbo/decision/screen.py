"""The screen: which treatments this customer may be offered now, and why not the others.

Stages in order: availability, consent, service first, eligibility, applicability,
suitability, contact policy. The first that fails is the one a refusal names. What needs
scores (propensity floor, value) comes after, in `arbitration`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nbo.decision.arms import Arm
from nbo.decision.catalog import NO_INCENTIVE, Offer
from nbo.decision.columns import Flags
from nbo.decision.compiled import CompiledCatalog, Condition
from nbo.decision.consent import consent_objection
from nbo.decision.contact_policy import ContactPolicy
from nbo.decision.decision import Refusal
from nbo.decision.request import Request
from nbo.decision.rules import Activation


class Screened(NamedTuple):
    """What passed and what fell.

    Attributes:
        rows: Positions in `CompiledCatalog.treatments` of those that passed, ascending.
        refusals: One per offer that fell, then one per treatment whose offer stays with others.
    """

    rows: list[int]
    refusals: list[Refusal]


class _Fall(NamedTuple):
    stage: str
    rule: str
    detail: str


class _Funnel:
    """Offers still in, and why the others are out; by position in `CompiledCatalog.offers`.

    What is compared is compared in columns; only what falls is touched one by one.
    """

    def __init__(self, n: int) -> None:
        self.left: Flags = np.ones(n, dtype=bool)
        self.falls: dict[int, _Fall] = {}

    def positions(self) -> list[int]:
        return _positions(self.left)

    def drop(self, position: int, fall: _Fall) -> None:
        self.left[position] = False
        self.falls[position] = fall

    def drop_all(self, fall: _Fall) -> None:
        self.falls.update(dict.fromkeys(self.positions(), fall))
        self.left[:] = False


def screen(
    request: Request, compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> Screened:
    """Pass every offer through the stages, then its treatments.

    Args:
        request: Whom it is for, when, where; with the history.
        compiled: The catalogue.
        activation: The request's facts.
        arm: Of the experiments; may leave only `none` of the incentives.
    """
    funnel = _Funnel(len(compiled.offers))
    _check_availability(funnel, request, compiled)
    _check_consent(funnel, request, compiled, activation)
    _check_service_first(funnel, compiled, activation)
    _check_conditions(funnel, compiled, activation)
    _check_contact_policy(funnel, request, compiled)
    rows, treatment_refusals = _screen_treatments(funnel, compiled, activation, arm)
    refusals = [
        Refusal(compiled.offers[position].offer.offer_id, *fall)
        for position, fall in sorted(funnel.falls.items())
    ]
    return Screened(rows, refusals + treatment_refusals)


def _check_availability(funnel: _Funnel, request: Request, compiled: CompiledCatalog) -> None:
    """Within its dates, on this channel, in this language."""
    now = request.at.timestamp()
    never = np.zeros(len(compiled.offers), dtype=bool)
    available = (
        (compiled.starts <= now)
        & (now < compiled.ends)
        & compiled.on_channel.get(request.channel, never)
        & compiled.in_language.get(request.language or compiled.catalog.languages[0], never)
    )
    for position in _positions(~available):
        funnel.drop(position, _unavailable(request, compiled.offers[position].offer))


def _unavailable(request: Request, offer: Offer) -> _Fall:
    if offer.starts is not None and request.at < offer.starts:
        return _Fall("availability", "starts", f"starts {offer.starts:%Y-%m-%d %H:%M} UTC")
    if offer.ends is not None and request.at >= offer.ends:
        return _Fall("availability", "ends", f"ended {offer.ends:%Y-%m-%d %H:%M} UTC")
    if request.channel not in offer.channels:
        allowed = ", ".join(sorted(offer.channels))
        return _Fall("availability", "channel", f"not on {request.channel!r}, only {allowed}")
    return _Fall("availability", "language", f"no text in {request.language!r}")


def _check_consent(
    funnel: _Funnel, request: Request, compiled: CompiledCatalog, activation: Activation
) -> None:
    if objection := consent_objection(activation.facts, request.channel, compiled.catalog):
        funnel.drop_all(_Fall("consent", *objection))


def _check_service_first(
    funnel: _Funnel, compiled: CompiledCatalog, activation: Activation
) -> None:
    """Drop everything while a need comes before the sale."""
    if fall := _first_fall(compiled.service_first, activation):
        funnel.drop_all(fall)


def _check_conditions(funnel: _Funnel, compiled: CompiledCatalog, activation: Activation) -> None:
    """Eligibility, applicability, suitability: the n-th conditions of all offers at a time."""
    # One more than there are rules: the last stands for "no further condition" and passes.
    passed = np.ones(len(compiled.rule_order) + 1, dtype=bool)
    for step, numbers in enumerate(compiled.rule_numbers.T):
        for number in set(numbers[funnel.left].tolist()) - {-1}:
            passed[number] = compiled.rule_order[number].check(activation).passed
        for position in _positions(funnel.left & ~passed[numbers]):
            stage, name, rule = compiled.offers[position].conditions[step]
            funnel.drop(position, _Fall(stage, name, rule.check(activation).detail))


def _check_contact_policy(funnel: _Funnel, request: Request, compiled: CompiledCatalog) -> None:
    policy = ContactPolicy(
        compiled.catalog.policies,
        request.history,
        request.at,
        request.channel,
        request.interaction_id,
    )
    for position in funnel.positions():
        if objection := policy.objection(compiled.offers[position].offer):
            funnel.drop(position, _Fall("contact policy", *objection))


def _screen_treatments(
    funnel: _Funnel, compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> tuple[list[int], list[Refusal]]:
    """Keep the treatments whose offer is left and whose incentive this customer may get.

    An offer that keeps none of its treatments falls as a whole, for the reason of its first.
    """
    falls = _incentive_falls(compiled, activation, arm)
    allowed = np.array([fall is None for fall in falls])[compiled.incentive_of]
    offer_left = funnel.left[compiled.offer_of]
    kept = offer_left & allowed
    fallen = offer_left & ~allowed
    staying = set(compiled.offer_of[kept].tolist())
    numbers = compiled.incentive_of[fallen].tolist()
    offers = compiled.offer_of[fallen].tolist()
    refusals: list[Refusal] = []
    for row, number, position in zip(_positions(fallen), numbers, offers, strict=True):
        fall = falls[number]
        if fall is None or position in funnel.falls:
            continue
        if position not in staying:
            funnel.drop(position, fall)
        elif arm.incentives:
            offer, incentive = compiled.treatments[row]
            stage, rule, detail = fall
            refusals.append(Refusal(offer.offer_id, stage, rule, detail, incentive.incentive_id))
    return _positions(kept), refusals


def _incentive_falls(
    compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> list[_Fall | None]:
    """Why this customer may not get each incentive of `incentive_conditions`; None if they may."""
    if arm.incentives:
        return [
            _first_fall(conditions, activation)
            for conditions in compiled.incentive_conditions.values()
        ]
    off = _Fall("eligibility", "incentives", f"arm {arm.arm_id!r} gives no incentives")
    none = NO_INCENTIVE.incentive_id
    return [None if one == none else off for one in compiled.incentive_conditions]


def _first_fall(conditions: Iterable[Condition], activation: Activation) -> _Fall | None:
    for stage, name, rule in conditions:
        verdict = rule.check(activation)
        if not verdict.passed:
            return _Fall(stage, name, verdict.detail)
    return None


def _positions(flags: Flags) -> list[int]:
    positions: list[int] = np.flatnonzero(flags).tolist()
    return positions
