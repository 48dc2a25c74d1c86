"""The decision: from a request and the world as it is now to an answer that can be logged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nbo.decision.arbitration import arbitrate, refuse_unworthy
from nbo.decision.arms import Arm
from nbo.decision.candidates import candidates
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Decision, Refusal
from nbo.decision.experiments import assigned_arms, combine, possible_holdout
from nbo.decision.fallback import keep_only
from nbo.decision.pacing import shadow_prices
from nbo.decision.propensity import Propensity
from nbo.decision.request import Request
from nbo.decision.rules import Activation
from nbo.decision.scoring import score, scored_treatments
from nbo.decision.screen import screen
from nbo.decision.selection import policy_for, select
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
    catalog = compiled.catalog
    activation = compiled.language.activate(request.facts)
    arms = assigned_arms(catalog.experiments, request.customer_id, activation.facts)
    arm = combine(arms.values())

    eligible, refused = screen(request, compiled, activation, arm)
    if request.only is not None:
        eligible, aside = keep_only(eligible, compiled, request.only)
        refused += aside
    if held_out := _held_out(request, compiled, activation, arms.values()):
        eligible, untold = _hold_out(eligible, compiled, *held_out)
        refused += untold

    treatments = [compiled.treatments[row] for row in eligible]
    scored = score(request, treatments, world.propensity, world.models, arm.model)
    prices = shadow_prices(catalog.incentives.values(), request.usage, request.at)
    ranked = arbitrate(eligible, scored.scores, compiled, activation, arm, prices)
    ranked, unworthy = refuse_unworthy(ranked, compiled, arm)

    choices = select(
        candidates(ranked, compiled, request),
        request.slots,
        policy=policy_for(catalog.policies.selection, arm, ranked, request.seed),
        seed=request.seed,
    )
    language = request.language or catalog.languages[0]
    return Decision(
        request=request,
        arms={experiment_id: assigned.arm_id for experiment_id, assigned in arms.items()},
        slots=fill(choices, ranked, compiled, activation, language),
        refusals=(*refused, *unworthy),
        versions={
            "catalog": catalog.version,
            "model": scored.model,
            "engine": world.engine_version,
        },
        degraded=(*request.degraded, *scored.degraded),
        scores=scored_treatments(treatments, scored.scores),
        rates=catalog.rates,
    )


def _held_out(
    request: Request, compiled: CompiledCatalog, activation: Activation, arms: Iterable[Arm]
) -> tuple[str, str] | None:
    """Find the arm that forbids every offer, and say why; None where there is none.

    Who could not be looked up may belong to a holdout: one offer would spoil the yardstick.
    """
    if holdouts := [arm.arm_id for arm in arms if arm.holdout]:
        return holdouts[0], "customers of this arm are never offered anything"
    if request.only is None:
        return None
    experiments = compiled.catalog.experiments
    possible = possible_holdout(experiments, request.customer_id, activation.facts)
    if possible is None:
        return None
    experiment, holdout = possible
    detail = f"{experiment.unit} is unknown: they may be of this arm, which is offered nothing"
    return holdout.arm_id, detail


def _hold_out(
    eligible: list[int], compiled: CompiledCatalog, arm_id: str, detail: str
) -> tuple[list[int], list[Refusal]]:
    """Offer nothing, and log what the customer would have been eligible for."""
    offers = dict.fromkeys(compiled.treatments[row].offer.offer_id for row in eligible)
    return [], [Refusal(offer_id, "holdout", arm_id, detail) for offer_id in offers]
