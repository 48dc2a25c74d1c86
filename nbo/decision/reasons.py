"""Reasons: short sentences that tell an agent why an offer stands where it stands."""

from __future__ import annotations

from nbo.decision.catalog import Offer
from nbo.decision.compiled import CompiledCatalog, Condition
from nbo.decision.reason_wording import ReasonWording, reason_wording
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
    language: str,
) -> tuple[str, ...]:
    """Say why an offer was chosen, most important first, at most `MOST` sentences.

    First that it must be said, then what happened, then the context that favours the offer,
    then what makes it fit, then how likely it is to be accepted unless it must be said anyway.

    Args:
        offer_index: Position in `compiled.offers`.
        propensity: P of the chosen treatment.
        context: C of the chosen treatment; 1 where context is switched off.
        compiled: The catalogue.
        activation: The request's facts.
        language: Asked for; names of rules and events stay as the catalogue has them.
    """
    wording = reason_wording(language)
    candidate = compiled.offers[offer_index]
    favouring = _favouring(offer_index, compiled, activation) if context > 1.0 else []
    fitting = sorted(candidate.conditions, key=_importance)
    must = candidate.offer.mandatory
    # How likely a yes is does not matter where it is said whatever the customer thinks of it.
    likelihood = [] if must else _likelihood(candidate.offer, propensity, wording)
    sentences = [
        *([wording.mandatory] if must else []),
        *_happened(candidate.offer, [*favouring, *fitting], activation, wording),
        *(wording.favoured.format(rule=condition.name) for condition in favouring),
        *(wording.fits.format(rule=condition.name) for condition in fitting),
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


def _happened(
    offer: Offer, conditions: list[Condition], activation: Activation, wording: ReasonWording
) -> list[str]:
    """Name the triggering event if the offer waits for one or any of the conditions looks at it."""
    event = activation.facts.get("event.type")
    looked_at = bool(offer.triggers) or any(
        fact.startswith("event.") for condition in conditions for fact in condition.rule.reads
    )
    return [wording.happened.format(event=event)] if event and looked_at else []


def _importance(condition: Condition) -> int:
    return {"applicability": 0, "suitability": 1}.get(condition.stage, 2)


def _likelihood(offer: Offer, propensity: float, wording: ReasonWording) -> list[str]:
    sentence = wording.usual
    if propensity >= _NOTEWORTHY * offer.prior:
        sentence = wording.likely
    elif propensity * _NOTEWORTHY <= offer.prior:
        sentence = wording.unlikely
    chance, usual = (wording.percent.format(100.0 * p) for p in (propensity, offer.prior))
    return [sentence.format(chance=chance, usual=usual)]
