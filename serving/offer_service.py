"""OfferService: what to offer, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc

from features.stream import Event
from nbo.decision.catalog import Catalog
from nbo.decision.decide import World
from nbo.decision.decision import Decision, Slot
from nbo.decision.explain import NEAR_MISSES
from nbo.decision.request import Request
from nbo.decision.wording import in_language, render_script
from nbo.errors import BadInputError
from nbo.v1 import offers_pb2, offers_pb2_grpc
from serving import request_checks as check
from serving.clock import Clock
from serving.event_service import EventDoor
from serving.explainer import Explainer
from serving.explanation_reply import explanation_reply
from serving.offer_engine import OfferEngine
from serving.outcome_recorder import OutcomeRecorder
from serving.question import Question
from serving.wire import from_refusal, from_time, to_event, to_facts, to_time

DEFAULT_SLOTS = 3


class OfferService(offers_pb2_grpc.OfferServiceServicer):
    """Checks requests, asks the engine, words the reply."""

    def __init__(
        self,
        engine: OfferEngine,
        outcomes: OutcomeRecorder,
        explainer: Explainer,
        door: EventDoor,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._explainer = explainer
        self._outcomes = outcomes
        self._door = door
        self._facts = door.schema.fact_schema()
        self._clock = clock

    async def GetOffers(  # noqa: N802
        self, request: offers_pb2.GetOffersRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> offers_pb2.GetOffersResponse:
        """See proto/nbo/v1/offers.proto."""
        seconds = context.time_remaining()
        decision, world = await self._engine.decide(self._question(request), seconds)
        return _reply(decision, world, include_refusals=request.include_refusals)

    async def RecordOutcome(  # noqa: N802
        self, request: offers_pb2.RecordOutcomeRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> offers_pb2.RecordOutcomeResponse:
        """See proto/nbo/v1/offers.proto."""
        outcome_id = await self._outcomes.record(request, context.time_remaining())
        return offers_pb2.RecordOutcomeResponse(outcome_id=outcome_id)

    async def ExplainDecision(  # noqa: N802
        self,
        request: offers_pb2.ExplainDecisionRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> offers_pb2.ExplainDecisionResponse:
        """See proto/nbo/v1/offers.proto."""
        decision_id = check.identifier("decision_id", request.decision_id)
        most = request.near_misses if request.HasField("near_misses") else NEAR_MISSES
        check.between("near_misses", most, 0, check.MAX_NEAR_MISSES)
        return explanation_reply(await self._explainer.explain(decision_id, most))

    def _question(self, request: offers_pb2.GetOffersRequest) -> Question:
        facts = check.context_facts("facts", to_facts("facts", request.facts), self._facts)
        slots = request.slots if request.HasField("slots") else DEFAULT_SLOTS
        return Question(
            customer_id=check.identifier("customer_id", request.customer_id),
            interaction_id=check.identifier("interaction_id", request.interaction_id),
            channel=check.identifier("channel", request.channel),
            at=self._clock.asked(to_time("at", request.at) if request.HasField("at") else None),
            slots=check.between("slots", slots, 1, check.MAX_SLOTS),
            language=check.at_most("language", request.language, 16),
            agent_id=check.identifier("agent_id", request.agent_id, required=False),
            intent=check.at_most("intent", request.intent, check.MAX_INTENT),
            event=self._event(request) if request.HasField("event") else None,
            facts=facts,
        )

    def _event(self, request: offers_pb2.GetOffersRequest) -> Event | None:
        """The inline triggering event, checked, and ignored, like a published one."""
        event = to_event("event", request.event)
        event = replace(
            event,
            customer_id=event.customer_id or request.customer_id,
            event_id=event.event_id or "inline",
        )
        if event.customer_id != request.customer_id:
            raise BadInputError(
                "event.customer_id",
                f"must be empty or {request.customer_id!r}, was {event.customer_id!r}",
            )
        return self._door.admit("event", event, self._clock.now())


def _reply(
    decision: Decision, world: World, *, include_refusals: bool
) -> offers_pb2.GetOffersResponse:
    catalog = world.compiled.catalog
    refused = decision.refusals if include_refusals else ()
    return offers_pb2.GetOffersResponse(
        decision_id=decision.request.decision_id,
        slots=[_slot(slot, decision.request, catalog) for slot in decision.slots],
        refusals=[from_refusal(refusal) for refusal in refused],
        versions=decision.versions,
        degraded=decision.degraded,
        arms=decision.arms,
        currency=catalog.currency,
        at=from_time(decision.request.at),
    )


def _slot(slot: Slot, request: Request, catalog: Catalog) -> offers_pb2.Slot:
    offer = catalog.offers[slot.offer_id]
    incentive = catalog.incentives[slot.incentive_id]
    language, default = request.language, catalog.languages[0]
    scripts = (in_language(part.script, language, default) for part in (offer, incentive))
    script = " ".join(filter(None, scripts))
    return offers_pb2.Slot(
        rank=slot.rank,
        offer_id=slot.offer_id,
        group_id=slot.group_id,
        incentive_id=slot.incentive_id,
        offer_name=in_language(offer.name, language, default),
        incentive_name=in_language(incentive.name, language, default),
        propensity=slot.propensity,
        value=slot.value,
        expected_value=slot.priority,
        probability=slot.probability,
        reasons=slot.reasons,
        script=render_script(script, request.facts),
        mandatory=slot.mandatory,
        bundle=slot.bundle,
        immediate_use=incentive.immediate_use,
        probability_error=slot.probability_error,
    )
