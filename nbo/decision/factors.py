"""The factors of each slot's priority, as the decision had them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbo.decision.arms import Arm
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Decision, Slot
from nbo.decision.explanation import Contribution, Factors
from nbo.decision.rules import Activation


def factors(
    decision: Decision,
    compiled: CompiledCatalog,
    activation: Activation,
    arm: Arm,
    contributions: Mapping[int, Sequence[Contribution]],
) -> tuple[Factors, ...]:
    """Take apart the priority of each slot.

    Args:
        decision: As logged.
        compiled: The catalogue version that decided.
        activation: The decision's facts.
        arm: The customer's, combined.
        contributions: By rank, what moved the propensity, strongest first.
    """
    scored = {(one.offer_id, one.incentive_id): one for one in decision.scores}
    off = _switched_off(arm)

    def of_slot(slot: Slot) -> Factors:
        offer = compiled.catalog.offers[slot.offer_id]
        incentive = compiled.catalog.incentives[slot.incentive_id]
        score = scored.get((slot.offer_id, slot.incentive_id))
        held = () if "context" in off else _context_rules(slot.offer_id, compiled, activation)
        return Factors(
            rank=slot.rank,
            offer_id=slot.offer_id,
            incentive_id=slot.incentive_id,
            priority=slot.priority,
            propensity=slot.propensity,
            model_probability=score.probability if score else None,
            evidence=score.evidence if score else None,
            prior=offer.prior,
            value=offer.value,
            cost=incentive.cost,
            shadow_price=slot.shadow_price,
            context=slot.context,
            context_rules=held,
            lever=slot.lever,
            switched_off=off,
            probability=slot.probability,
            mandatory=slot.mandatory,
            reasons=tuple(contributions.get(slot.rank, ())),
        )

    return tuple(of_slot(slot) for slot in decision.slots)


def _switched_off(arm: Arm) -> tuple[str, ...]:
    on = {
        "propensity": arm.propensity,
        "value": arm.value,
        "context": arm.context,
        "lever": arm.levers,
    }
    return tuple(name for name, counts in on.items() if not counts)


def _context_rules(
    offer_id: str, compiled: CompiledCatalog, activation: Activation
) -> tuple[str, ...]:
    position = next(
        at for at, candidate in enumerate(compiled.offers) if candidate.offer.offer_id == offer_id
    )
    return tuple(
        condition.name
        for condition, _, applies in compiled.context
        if applies[position] and condition.rule.check(activation).passed
    )
