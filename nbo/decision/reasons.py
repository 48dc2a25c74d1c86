"""Reasons: short sentences that tell an agent why an offer stands where it stands."""

from __future__ import annotations

from nbo.decision.catalog import Offer
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.rules import Activation

MOST = 5
"""An agent reads no more than this while someone is on the line."""

_NOTEWORTHY = 1.15
"""Propensity over prior from which on it is worth a sentence."""


def reasons_for(
    offer_index: int, propensity: float, compiled: CompiledCatalog, activation: Activation
) -> tuple[str, ...]:
    """Say why an offer was chosen, most important first, at most `MOST` sentences.

    First what happened, then the context that favours the offer, then what makes it fit, then
    how likely it is to be accepted.

    Args:
        offer_index: Position in `compiled.offers`.
        propensity: P of the chosen treatment.
        compiled: The catalogue.
        activation: The request's facts.
    """
    candidate = compiled.offers[offer_index]
    happened = activation.facts.get("event.type")
    favouring = [
        condition
        for condition, weight, applies in compiled.context
        if weight > 0 and applies[offer_index] and condition.rule.check(activation).passed
    ]
    by_stage = {"applicability": 0, "suitability": 1, "eligibility": 2}
    fitting = sorted(candidate.conditions, key=lambda condition: by_stage[condition.stage])
    event_matters = any(
        name.startswith("event.")
        for condition in (*favouring, *fitting)
        for name in condition.rule.reads
    )
    sentences = [f"Just happened: {happened}"] if happened and event_matters else []
    sentences += [f"Favoured now: {condition.name}" for condition in favouring]
    likelihood = _likelihood(candidate.offer, propensity)
    fits = [f"Fits: {condition.name}" for condition in fitting]
    room = MOST - len(likelihood)
    return tuple(dict.fromkeys([*(sentences + fits)[:room], *likelihood]))


def _likelihood(offer: Offer, propensity: float) -> list[str]:
    usual = f"{offer.prior:.0%} is usual for this offer"
    if propensity >= _NOTEWORTHY * offer.prior:
        return [f"Likely to accept: {propensity:.0%}, {usual}"]
    if propensity * _NOTEWORTHY <= offer.prior:
        return [f"Less likely than most: {propensity:.0%}, {usual}"]
    return [f"Accepted about as often as usual: {propensity:.0%}"]
