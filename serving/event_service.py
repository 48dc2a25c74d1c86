"""EventService: the door for what happens to customers."""

from __future__ import annotations

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


class EventService(events_pb2_grpc.EventServiceServicer):
    """Checks events one by one and appends the good ones to the stream, durably and once.

    Args:
        stream: Where events go.
        schema: Event types and their attributes.
    """

    def __init__(self, stream: AsyncEventStream, schema: FeatureSchema, clock: Clock) -> None:
        self._stream = stream
        self._schema = schema
        self._clock = clock

    async def PublishEvents(  # noqa: N802
        self, request: events_pb2.PublishEventsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> events_pb2.PublishEventsResponse:
        """See proto/nbo/v1/events.proto."""
        check.between("events", len(request.events), 1, check.MAX_EVENTS)
        good, errors = self._sort_out(request)
        taken = await self._publish(good) if good else []
        return events_pb2.PublishEventsResponse(
            accepted=sum(taken), duplicates=len(taken) - sum(taken), errors=errors
        )

    def _sort_out(
        self, request: events_pb2.PublishEventsRequest
    ) -> tuple[list[Event], list[events_pb2.EventError]]:
        now = self._clock.now()
        good: list[Event] = []
        errors: list[events_pb2.EventError] = []
        for index, message in enumerate(request.events):
            try:
                good.append(self._checked(f"events[{index}]", message, now))
            except BadInputError as error:
                errors.append(
                    events_pb2.EventError(
                        index=index,
                        event_id=message.event_id,
                        field=error.field,
                        description=error.constraint,
                    )
                )
        return good, errors

    def _checked(self, place: str, message: common_pb2.Event, now: datetime) -> Event:
        check.identifier(f"{place}.event_id", message.event_id)
        check.identifier(f"{place}.customer_id", message.customer_id)
        return checked_event(place, to_event(place, message), self._schema, now)

    async def _publish(self, events: list[Event]) -> list[bool]:
        try:
            return await self._stream.publish(events)
        except RedisError as error:
            raise UnavailableError("redis", str(error)) from error


def checked_event(place: str, event: Event, schema: FeatureSchema, now: datetime) -> Event:
    """An event that its declared type allows; errors name the field below `place`."""
    try:
        validate(event, schema, now)
    except BadInputError as error:
        raise BadInputError(f"{place}.{error.field}", error.constraint) from error
    return event
