"""EventService: the door for what happens to customers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc
from redis.exceptions import RedisError

from features.schema import FeatureSchema
from features.stream import AsyncEventStream, Event, validate
from nbo.errors import BadInputError, UnavailableError
from nbo.v1 import common_pb2, events_pb2, events_pb2_grpc
from serving import request_checks as check
from serving.clock import Clock
from serving.wire import to_event

BREATH = 100
"""Events checked at a stretch, about a millisecond; then other requests have their turn."""


@dataclass(frozen=True, slots=True)
class EventDoor:
    """Which events come in, published or with a request.

    Attributes:
        schema: Event types and their attributes.
        ignore_unknown: Drop events of types the schema lacks instead of refusing them.
    """

    schema: FeatureSchema
    ignore_unknown: bool

    def admit(self, place: str, event: Event, now: datetime) -> Event | None:
        """The event if its type allows it; None if it is ignored.

        Raises:
            BadInputError: names the field, below `place`, that breaks a constraint.
        """
        try:
            validate(event, self.schema, now, allow_unknown_types=self.ignore_unknown)
        except BadInputError as error:
            raise BadInputError(f"{place}.{error.field}", error.constraint) from error
        return event if event.type in self.schema.events else None


class EventService(events_pb2_grpc.EventServiceServicer):
    """Checks events one by one and appends the good ones to the stream, durably and once.

    Args:
        stream: Where events go.
        door: Which events are taken.
    """

    def __init__(self, stream: AsyncEventStream, door: EventDoor, clock: Clock) -> None:
        self._stream = stream
        self._door = door
        self._clock = clock

    async def PublishEvents(  # noqa: N802
        self, request: events_pb2.PublishEventsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> events_pb2.PublishEventsResponse:
        """See proto/nbo/v1/events.proto."""
        check.between("events", len(request.events), 1, check.MAX_EVENTS)
        good, errors = await self._sort_out(request)
        taken = await self._publish(good) if good else []
        return events_pb2.PublishEventsResponse(
            accepted=sum(taken), duplicates=len(taken) - sum(taken), errors=errors
        )

    async def _sort_out(
        self, request: events_pb2.PublishEventsRequest
    ) -> tuple[list[Event], list[events_pb2.EventError]]:
        now = self._clock.now()
        good: list[Event] = []
        errors: list[events_pb2.EventError] = []
        for index, message in enumerate(request.events):
            if index % BREATH == 0:
                await asyncio.sleep(0)
            try:
                event = self._checked(f"events[{index}]", message, now)
            except BadInputError as error:
                errors.append(
                    events_pb2.EventError(
                        index=index,
                        event_id=message.event_id,
                        field=error.field,
                        description=error.constraint,
                    )
                )
            else:
                good.extend([event] if event else [])
        return good, errors

    def _checked(self, place: str, message: common_pb2.Event, now: datetime) -> Event | None:
        check.identifier(f"{place}.event_id", message.event_id)
        check.identifier(f"{place}.customer_id", message.customer_id)
        return self._door.admit(place, to_event(place, message), now)

    async def _publish(self, events: list[Event]) -> list[bool]:
        try:
            return await self._stream.publish(events)
        except RedisError as error:
            raise UnavailableError("redis", str(error)) from error
