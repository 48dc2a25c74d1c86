"""The decision: from a request and the world as it is now to an answer that can be logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbo.decision.arbitration import Ranked, arbitrate, refuse_unworthy
from nbo.decision.catalog import Arm
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Decision, Refusal, Slot
from nbo.decision.experiments import assign, combine
from nbo.decision.exploration import Candidate, Choice, select
from nbo.decision.propensity import Propensity
from nbo.decision.reasons import reasons_for
from nbo.decision.request import Request
from nbo.decision.rules import Activation
from nbo.decision.scoring import score
from nbo.decision.screen import screen


@dataclass(frozen=True, slots=True)
class World:
    """What is the same for every request until something is published or learnt.

    Attributes:
        compiled: The catalogue in force.
        propensity: The champion.
        models: Other models that arms may ask for, by name.
        engine_version: Of this software, for the log.
    """

    compiled: CompiledCatalog
    propensity: Propensity
    models: Mapping[str, Propensity] = field(default_factory=dict)
    engine_version: str = ""


def decide(request: Request, world: World) -> Decision:
    """Choose what to say to one customer, or to stay silent.

    Pure: the same request and world give the same decision, bit for bit.
    """
    compiled = world.compiled
    arms = {e.experiment_id: assign(e, request.customer_id) for e in compiled.catalog.experiments}
    arm = combine(arms.values())
    activation = compiled.language.activate(request.facts)

    eligible, refused = screen(request, compiled, activation, arm)
    if arm.holdout:
        eligible, held_out = _hold_out(eligible, compiled, arm)
        refused += held_out

    treatments = [compiled.treatments[row] for row in eligible]
    scored = score(request, treatments, world.propensity, world.models, arm.model)
    ranked = arbitrate(eligible, scored.scores, compiled, activation, arm)
    ranked, unworthy = refuse_unworthy(ranked, compiled, arm)

    policies = compiled.catalog.policies
    choices = select(
        _candidates(ranked, compiled),
        request.slots,
        per_group=policies.per_group,
        selection=policies.selection,
        arm=arm,
        seed=request.seed,
    )
    return Decision(
        request=request,
        arms={experiment_id: assigned.arm_id for experiment_id, assigned in arms.items()},
        slots=_fill(choices, ranked, compiled, activation),
        refusals=(*refused, *unworthy),
        versions={
            "catalog": compiled.catalog.version,
            "model": scored.model,
            "engine": world.engine_version,
        },
        degraded=scored.degraded,
    )


def _hold_out(
    eligible: list[int], compiled: CompiledCatalog, arm: Arm
) -> tuple[list[int], list[Refusal]]:
    """Offer nothing, and log what the customer would have been eligible for."""
    offers = dict.fromkeys(compiled.treatments[row].offer.offer_id for row in eligible)
    detail = "customers of this arm are never offered anything"
    return [], [Refusal(offer_id, "holdout", arm.arm_id, detail) for offer_id in offers]


def _candidates(ranked: Ranked, compiled: CompiledCatalog) -> list[Candidate]:
    """Offers in the order of their best treatment, each with all its treatments."""
    positions: dict[int, list[int]] = {}
    for position, offer_index in enumerate(compiled.offer_of[ranked.rows].tolist()):
        positions.setdefault(offer_index, []).append(position)
    return [
        Candidate(
            compiled.offers[offer_index].offer.offer_id,
            compiled.offers[offer_index].offer.group_id,
            tuple(own),
        )
        for offer_index, own in positions.items()
    ]


def _fill(
    choices: list[Choice], ranked: Ranked, compiled: CompiledCatalog, activation: Activation
) -> tuple[Slot, ...]:
    slots = []
    for rank, (position, probability) in enumerate(choices, start=1):
        row = ranked.rows[position]
        offer, incentive = compiled.treatments[row]
        propensity = float(ranked.propensity[position])
        slots.append(
            Slot(
                rank=rank,
                offer_id=offer.offer_id,
                group_id=offer.group_id,
                incentive_id=incentive.incentive_id,
                probability=probability,
                propensity=propensity,
                batch=float(ranked.batch[position]),
                value=float(ranked.value[position]),
                priority=float(ranked.priority[position]),
                context=float(ranked.context[position]),
                lever=float(ranked.lever[position]),
                reasons=reasons_for(int(compiled.offer_of[row]), propensity, compiled, activation),
            )
        )
    return tuple(slots)
