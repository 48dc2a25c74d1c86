"""Slots: each choice with all that went into it, as it is logged and shown."""

from __future__ import annotations

from collections.abc import Sequence

from nbo.decision.arbitration import Ranked
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Slot
from nbo.decision.reasons import reasons_for
from nbo.decision.rules import Activation
from nbo.decision.selection import Choice


def fill(
    choices: Sequence[Choice],
    ranked: Ranked,
    compiled: CompiledCatalog,
    activation: Activation,
    language: str,
) -> tuple[Slot, ...]:
    """Make one slot of each choice, in order, rank 1 first; reasons are in `language`."""
    return tuple(
        _slot(rank, choice, ranked, compiled, activation, language)
        for rank, choice in enumerate(choices, start=1)
    )


def _slot(
    rank: int,
    choice: Choice,
    ranked: Ranked,
    compiled: CompiledCatalog,
    activation: Activation,
    language: str,
) -> Slot:
    at, row = choice.position, ranked.rows[choice.position]
    offer, incentive = compiled.treatments[row]
    propensity, context = float(ranked.propensity[at]), float(ranked.context[at])
    return Slot(
        rank=rank,
        offer_id=offer.offer_id,
        group_id=offer.group_id,
        incentive_id=incentive.incentive_id,
        probability=choice.probability,
        propensity=propensity,
        batch=float(ranked.batch[at]),
        value=float(ranked.value[at]),
        priority=float(ranked.priority[at]),
        context=context,
        lever=float(ranked.lever[at]),
        reasons=reasons_for(
            int(compiled.offer_of[row]), propensity, context, compiled, activation, language
        ),
        mandatory=choice.mandatory,
        bundle=offer.bundle,
        probability_error=choice.error,
        shadow_price=float(ranked.shadow_price[at]),
        monthly_revenue=offer.monthly_revenue - incentive.monthly_cost,
        incentive_cost=incentive.cost,
    )
