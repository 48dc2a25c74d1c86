"""An explanation as a message of nbo.v1."""

from __future__ import annotations

from nbo.decision.explanation import Explanation, Factors, NearMiss
from nbo.v1 import offers_pb2
from serving.wire import from_refusal, from_time


def explanation_reply(explanation: Explanation) -> offers_pb2.ExplainDecisionResponse:
    """Put an explanation on the wire."""
    decision = explanation.decision
    return offers_pb2.ExplainDecisionResponse(
        decision_id=decision.request.decision_id,
        at=from_time(decision.request.at),
        funnel=[
            offers_pb2.FunnelStage(stage=stage, offers=offers)
            for stage, offers in explanation.funnel
        ],
        refusals=map(from_refusal, explanation.refusals),
        slots=map(_slot, explanation.slots),
        near_misses=map(_near_miss, explanation.near_misses),
        versions=decision.versions,
        degraded=decision.degraded,
        arms=decision.arms,
        currency=explanation.currency,
        without_reasons=explanation.without_reasons,
    )


def _slot(factors: Factors) -> offers_pb2.SlotExplanation:
    return offers_pb2.SlotExplanation(
        rank=factors.rank,
        offer_id=factors.offer_id,
        incentive_id=factors.incentive_id,
        priority=factors.priority,
        propensity=factors.propensity,
        model_probability=factors.model_probability,
        evidence=factors.evidence,
        prior=factors.prior,
        value=factors.value,
        cost=factors.cost,
        shadow_price=factors.shadow_price,
        context=factors.context,
        context_rules=factors.context_rules,
        lever=factors.lever,
        probability=factors.probability,
        propensity_reasons=[
            offers_pb2.PropensityReason(input=name, value=value, contribution=contribution)
            for name, value, contribution in factors.reasons
        ],
        mandatory=factors.mandatory,
        switched_off=factors.switched_off,
    )


def _near_miss(miss: NearMiss) -> offers_pb2.NearMiss:
    return offers_pb2.NearMiss(
        offer_id=miss.offer_id,
        stage=miss.stage,
        rule=miss.rule,
        needed=miss.needed,
        allowed_from=from_time(miss.allowed_from) if miss.allowed_from else None,
    )
