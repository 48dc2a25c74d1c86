"""The stages of the screen, in order: each lists which offers fail it, and why.

A stage takes what is asked and yields its findings one by one, so that whoever wants only the
first failure of an offer and whoever wants all of them read the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from nbo.decision.caps_stage import cap_findings
from nbo.decision.catalog import Offer
from nbo.decision.consent import consent_objections, do_not_contact
from nbo.decision.contact_stage import contact_findings
from nbo.decision.decision import SCREEN_STAGES
from nbo.decision.failure import Asked, Failure, Finding, Lacking, shared
from nbo.decision.products import product_findings
from nbo.decision.triggers import trigger_findings

Stage = Callable[[Asked], Iterator[Finding]]


def _availability(asked: Asked) -> Iterator[Finding]:
    """Within its dates, on this channel, in this language, in this variant of the catalogue."""
    request, compiled = asked.request, asked.compiled
    now = request.at.timestamp()
    language = request.language or compiled.catalog.languages[0]
    never = np.zeros(len(compiled.offers), dtype=bool)
    variants = compiled.screen.in_variant
    for rule, available in (
        ("starts", compiled.starts <= now),
        ("ends", now < compiled.ends),
        ("channel", compiled.on_channel.get(request.channel, never)),
        ("language", compiled.in_language.get(language, never)),
        ("variant", variants.get(asked.arm.variant, variants[""])),
    ):
        yield Finding(~available, partial(_unavailable, asked, rule))


def _unavailable(asked: Asked, rule: str, position: int) -> Failure:
    offer = asked.compiled.offers[position].offer
    until = offer.starts if rule == "starts" else None
    lacking = _ASKED_ELSEWHERE.get(rule, Lacking.UNTOLD)
    detail = _where_available(asked, rule, offer)
    return Failure("availability", rule, detail, until=until, lacking=lacking)


_ASKED_ELSEWHERE = {"channel": Lacking.CHANNEL, "language": Lacking.LANGUAGE}


def _where_available(asked: Asked, rule: str, offer: Offer) -> str:
    match rule:
        case "starts":
            return f"starts {offer.starts:%Y-%m-%d %H:%M} UTC"
        case "ends":
            return f"ended {offer.ends:%Y-%m-%d %H:%M} UTC"
        case "channel":
            allowed = ", ".join(sorted(offer.channels))
            return f"not on {asked.request.channel!r}, only {allowed}"
        case "language":
            wanted = asked.request.language or asked.compiled.catalog.languages[0]
            return f"no text in {wanted!r}"
        case _:
            return f"only in variant {', '.join(sorted(offer.variants))}"


def _consent(asked: Asked) -> Iterator[Finding]:
    """For this purpose on this channel; do-not-contact silences everything."""
    facts, catalog = asked.activation.facts, asked.compiled.catalog
    if objection := do_not_contact(facts, catalog):
        yield shared(np.ones_like(asked.left), objection.in_stage("consent"))
    for purpose_id, offers in asked.compiled.screen.by_purpose.items():
        for objection in consent_objections(facts, purpose_id, asked.request.channel, catalog):
            yield shared(offers, objection.in_stage("consent"))


def _service_first(asked: Asked) -> Iterator[Finding]:
    """Nothing is sold while a need comes before the sale; a service message is no sale."""
    for stage, name, rule in asked.compiled.service_first:
        verdict = rule.check(asked.activation)
        if not verdict.passed:
            detail, expression = verdict.detail, rule.expression
            failure = Failure(stage, name, detail, expression, lacking=Lacking.RULE)
            yield shared(~asked.compiled.screen.service, failure)


def _conditions(stage: str, asked: Asked) -> Iterator[Finding]:
    """An offer's own rules of one stage: the n-th conditions of all offers at a time."""
    compiled, activation, passed = asked.compiled, asked.activation, asked.passed
    for step, numbers in enumerate(compiled.rule_numbers[stage].T):
        wanted = np.zeros_like(passed)
        wanted[numbers[asked.left]] = True
        for number in np.flatnonzero(wanted & ~asked.evaluated).tolist():
            passed[number] = compiled.rule_order[number].check(activation).passed
            asked.evaluated[number] = True
        yield Finding(~passed[numbers], _worded(asked, stage, step))


def _worded(asked: Asked, stage: str, step: int) -> Callable[[int], Failure]:
    """Word the failures of the n-th conditions; equal conditions once."""
    conditions = asked.compiled.conditions_of[stage]
    known: dict[int, Failure] = {}

    def why(position: int) -> Failure:
        condition = conditions[position][step]
        failure = known.get(id(condition))
        if failure is None:
            _, name, rule = condition
            detail = rule.check(asked.activation).detail
            failure = Failure(stage, name, detail, rule.expression, lacking=Lacking.RULE)
            known[id(condition)] = failure
        return failure

    return why


_ASKS: Mapping[str, tuple[Stage, ...]] = {
    "availability": (_availability,),
    "consent": (_consent,),
    "service first": (_service_first,),
    "eligibility": (product_findings, partial(_conditions, "eligibility")),
    "applicability": (trigger_findings, partial(_conditions, "applicability")),
    "suitability": (partial(_conditions, "suitability"),),
    "contact policy": (contact_findings,),
    "caps": (cap_findings,),
}

SCREEN: tuple[tuple[Stage, ...], ...] = tuple(_ASKS[stage] for stage in SCREEN_STAGES)
"""What each stage asks, in the order of `SCREEN_STAGES`."""
