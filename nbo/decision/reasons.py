"""Reasons: short sentences that tell an agent why an offer stands where it stands."""

from __future__ import annotations

from nbo.decision.catalog import Offer
from nbo.decision.compiled import CompiledCatalog, Condition
from nbo.decision.rules import Activation

MOST = 5
"""An agent reads no more than this while someone is on the line."""

_NOTEWORTHY = 1.15
"""Propensity over prior from which on it is worth a sentence."""


def reasons_for(
    offer_index: int,
    propensity: float,
    context: float,
    compiled: CompiledCatalog,
    activation: Activation,
) -> tuple[str, ...]:
    """Say why an offer was chosen, most important first, at most `MOST` sentences.

    First what happened, then the context that favours the offer, then what makes it fit, then
    how likely it is to be accepted.

    Args:
        offer_index: Position in `compiled.offers`.
        propensity: P of the chosen treatment.
        context: C of the chosen treatment; 1 where context is switched off.
        compiled: The catalogue.
        activation: The request's facts.
    """
    candidate = compiled.offers[offer_index]
    favouring = _favouring(offer_index, compiled, activation) if context > 1.0 else []
    fitting = sorted(candidate.conditions, key=_importance)
    likelihood = _likelihood(candidate.offer, propensity)
    sentences = [
        *_happened([*favouring, *fitting], activation),
        *(f"Favoured now: {condition.name}" for condition in favouring),
        *(f"Fits: {condition.name}" for condition in fitting),
    ]
    return tuple(dict.fromkeys([*sentences[: MOST - len(likelihood)], *likelihood]))


def _favouring(
    offer_index: int, compiled: CompiledCatalog, activation: Activation
) -> list[Condition]:
    return [
        condition
        for condition, weight, applies in compiled.context
        if weight > 0 and applies[offer_index] and condition.rule.check(activation).passed
    ]


def _happened(conditions: list[Condition], activation: Activation) -> list[str]:
    """Name the triggering event if any of the conditions looks at it."""
    event = activation.facts.get("event.type")
    looked_at = any(
        fact.startswith("event.") for condition in conditions for fact in condition.rule.reads
    )
    return [f"Just happened: {event}"] if event and looked_at else []


def _importance(condition: Condition) -> int:
    return {"applicability": 0, "suitability": 1}.get(condition.stage, 2)


def _likelihood(offer: Offer, propensity: float) -> list[str]:
    usual = f"{offer.prior:.0%} is usual for this offer"
    if propensity >= _NOTEWORTHY * offer.prior:
        return [f"Likely to accept: {propensity:.0%}, {usual}"]
    if propensity * _NOTEWORTHY <= offer.prior:
        return [f"Less likely than most: {propensity:.0%}, {usual}"]
    return [f"Accepted about as often as usual: {propensity:.0%}"]
