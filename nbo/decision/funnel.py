"""The funnel: how many offers ended at each stage of one decision."""

from __future__ import annotations

from collections import Counter

from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Decision
from nbo.decision.explanation import ENDS, FunnelStage

_ONLY_IF_ANY = frozenset({"holdout"})


def funnel(decision: Decision, compiled: CompiledCatalog) -> tuple[FunnelStage, ...]:
    """Count every offer of the catalogue once, where it ended.

    An offer that lost only some of its incentives has not fallen.

    Returns:
        One per stage, in the order of `ENDS`; the counts add up to the number of offers.
        Holdout is left out where nobody is held out.
    """
    ended = {
        refusal.offer_id: refusal.stage
        for refusal in reversed(decision.refusals)
        if not refusal.incentive_id
    }
    ended |= {slot.offer_id: "offered" for slot in decision.slots}
    counts = Counter(ended.get(offer_id, "outranked") for offer_id in compiled.catalog.offers)
    return tuple(
        FunnelStage(stage, counts[stage])
        for stage in ENDS
        if counts[stage] or stage not in _ONLY_IF_ANY
    )
