"""The decision: from a request and the world as it is now to an answer that can be logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbo.decision.arbitration import arbitrate, refuse_unworthy
from nbo.decision.arms import Arm
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Decision, Refusal
from nbo.decision.experiments import assign, combine
from nbo.decision.exploration import candidates, select
from nbo.decision.fallback import keep_only
from nbo.decision.propensity import Propensity
from nbo.decision.request import Request
from nbo.decision.scoring import score
from nbo.decision.screen import screen
from nbo.decision.slots import fill


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
    if request.only is not None:
        eligible, aside = keep_only(eligible, compiled, request.only)
        refused += aside
    if arm.holdout:
        eligible, held_out = _hold_out(eligible, compiled, arm)
        refused += held_out

    treatments = [compiled.treatments[row] for row in eligible]
    scored = score(request, treatments, world.propensity, world.models, arm.model)
    ranked = arbitrate(eligible, scored.scores, compiled, activation, arm)
    ranked, unworthy = refuse_unworthy(ranked, compiled, arm)

    policies = compiled.catalog.policies
    language = request.language or compiled.catalog.languages[0]
    choices = select(
        candidates(ranked, compiled),
        request.slots,
        per_group=policies.per_group,
        selection=policies.selection,
        arm=arm,
        seed=request.seed,
    )
    return Decision(
        request=request,
        arms={experiment_id: assigned.arm_id for experiment_id, assigned in arms.items()},
        slots=fill(choices, ranked, compiled, activation, language),
        refusals=(*refused, *unworthy),
        versions={
            "catalog": compiled.catalog.version,
            "model": scored.model,
            "engine": world.engine_version,
        },
        degraded=(*request.degraded, *scored.degraded),
    )


def _hold_out(
    eligible: list[int], compiled: CompiledCatalog, arm: Arm
) -> tuple[list[int], list[Refusal]]:
    """Offer nothing, and log what the customer would have been eligible for."""
    offers = dict.fromkeys(compiled.treatments[row].offer.offer_id for row in eligible)
    detail = "customers of this arm are never offered anything"
    return [], [Refusal(offer_id, "holdout", arm.arm_id, detail) for offer_id in offers]
