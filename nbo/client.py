"""Python client of the engine's gRPC API; synchronous and thread-safe.

    with Client("127.0.0.1:50551") as nbo:
        match = nbo.identify("+49 30 123456")[0]
        reply = nbo.offers(match.customer_id, interaction_id="call-1", channel="voice")
        nbo.outcome(reply.decision_id, rank=1, kind="ACCEPTED")

Errors are those of `nbo.errors`: `BadInputError` names the field and the constraint.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, Protocol

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from nbo.client_catalog import CatalogCalls
from nbo.client_errors import error_of
from nbo.errors import BadInputError
from nbo.v1 import (
    common_pb2,
    customers_pb2,
    customers_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    offers_pb2,
    offers_pb2_grpc,
)

PUBLISH_BATCH = 1000
"""Events per call of `Client.publish`."""


class EventLike(Protocol):
    """What `publish` and `offers` take as an event; `features.stream.Event` is one."""

    @property
    def event_id(self) -> str:
        """Unique; a repeated id counts once."""

    @property
    def customer_id(self) -> str:
        """To whom it happened."""

    @property
    def type(self) -> str:
        """One of the workspace's event types."""

    @property
    def at(self) -> datetime:
        """When it happened, with a time zone."""

    @property
    def attributes(self) -> Mapping[str, float | str | bool]:
        """By name, as declared for the type."""


class Client(CatalogCalls):
    """One connection to a server.

    Args:
        target: Address, ``"host:port"`` or ``"unix:/path"``.
        timeout: Deadline of every call, in seconds.
    """

    def __init__(self, target: str, timeout: float = 10.0) -> None:
        options = [("grpc.max_receive_message_length", 16 << 20)]
        self._channel = grpc.insecure_channel(target, options=options)
        self._timeout = timeout
        self._offers = offers_pb2_grpc.OfferServiceStub(self._channel)
        self._events = events_pb2_grpc.EventServiceStub(self._channel)
        self._customers = customers_pb2_grpc.CustomerServiceStub(self._channel)
        super().__init__(self._channel)

    def identify(self, identity: str) -> list[customers_pb2.CustomerMatch]:
        """Customers a phone number, e-mail, account number or id may belong to, likeliest first."""
        request = customers_pb2.IdentifyCustomerRequest(identity=identity)
        return list(self._call(self._customers.IdentifyCustomer, request).matches)

    def customer(
        self, customer_id: str, at: datetime | None = None, contacts: int = 10
    ) -> customers_pb2.GetCustomerResponse:
        """Facts and recent contacts of one customer as of `at`, by default now."""
        request = customers_pb2.GetCustomerRequest(
            customer_id=customer_id, at=_timestamp(at), contacts=contacts
        )
        reply: customers_pb2.GetCustomerResponse = self._call(self._customers.GetCustomer, request)
        return reply

    def publish(self, events: Iterable[EventLike]) -> events_pb2.PublishEventsResponse:
        """Send events, in batches; error positions count from the first event given."""
        total = events_pb2.PublishEventsResponse()
        sent = 0
        for batch in _batches(iter(events), PUBLISH_BATCH):
            request = events_pb2.PublishEventsRequest(events=[_event(e) for e in batch])
            reply = self._call(self._events.PublishEvents, request)
            total.accepted += reply.accepted
            total.duplicates += reply.duplicates
            for error in reply.errors:
                error.index += sent
                total.errors.append(error)
            sent += len(batch)
        return total

    def offers(
        self,
        customer_id: str,
        *,
        interaction_id: str,
        channel: str = "voice",
        agent_id: str = "",
        intent: str = "",
        event: EventLike | None = None,
        slots: int = 3,
        at: datetime | None = None,
        language: str = "",
        refusals: bool = False,
        facts: Mapping[str, float | str | bool] | None = None,
    ) -> offers_pb2.GetOffersResponse:
        """What to offer now; see `GetOffersRequest` for every argument's meaning and limit."""
        request = offers_pb2.GetOffersRequest(
            customer_id=customer_id,
            interaction_id=interaction_id,
            channel=channel,
            agent_id=agent_id,
            intent=intent,
            slots=slots,
            language=language,
            event=_event(event) if event else None,
            at=_timestamp(at),
            include_refusals=refusals,
        )
        for name, fact in (facts or {}).items():
            request.facts[name].CopyFrom(_value(fact))
        reply: offers_pb2.GetOffersResponse = self._call(self._offers.GetOffers, request)
        return reply

    def outcome(
        self,
        decision_id: str,
        rank: int,
        kind: str,
        *,
        at: datetime | None = None,
        reason: str = "",
        defer_until: datetime | None = None,
        idempotency_key: str = "",
    ) -> offers_pb2.RecordOutcomeResponse:
        """Record what came of a slot; durable when this returns.

        Args:
            kind: One of the outcomes, e.g. ``"ACCEPTED"``.
            reason: For a decline or skip, e.g. ``"PRICE"``.
            idempotency_key: Give your own to repeat a call safely; by default a fresh one.
        """
        request = offers_pb2.RecordOutcomeRequest(
            decision_id=decision_id,
            rank=rank,
            outcome=_enum(common_pb2.Outcome, "outcome", kind),
            reason=_enum(common_pb2.Reason, "reason", reason or "REASON_UNSPECIFIED"),
            at=_timestamp(at),
            defer_until=_timestamp(defer_until),
            idempotency_key=idempotency_key or str(uuid.uuid4()),
        )
        reply: offers_pb2.RecordOutcomeResponse = self._call(self._offers.RecordOutcome, request)
        return reply

    def explain(
        self, decision_id: str, near_misses: int | None = None
    ) -> offers_pb2.ExplainDecisionResponse:
        """Why a logged decision is as it is; changes nothing.

        Args:
            decision_id: From `offers`.
            near_misses: At most so many offers one condition away, 0 to 50; by default 5.
        """
        request = offers_pb2.ExplainDecisionRequest(
            decision_id=decision_id, near_misses=near_misses
        )
        reply: offers_pb2.ExplainDecisionResponse = self._call(
            self._offers.ExplainDecision, request
        )
        return reply

    def ready(self, timeout: float) -> bool:
        """Whether the server can be reached within `timeout` seconds."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout=timeout)
        except grpc.FutureTimeoutError:
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, method: Any, request: Any, at_least: float = 0.0) -> Any:
        try:
            return method(request, timeout=max(self._timeout, at_least))
        except grpc.RpcError as error:
            raise error_of(error) from error


def outcome_name(number: int) -> str:
    """The name of an outcome as messages hold it, e.g. ``"ACCEPTED"``."""
    return common_pb2.Outcome.Name(number)


def _batches(events: Iterator[EventLike], size: int) -> Iterator[list[EventLike]]:
    while batch := list(islice(events, size)):
        yield batch


def _enum(kind: Any, field: str, name: str) -> Any:
    try:
        return kind.Value(name.upper())
    except ValueError as error:
        known = ", ".join(key for key in kind.keys() if not key.endswith("UNSPECIFIED"))  # noqa: SIM118
        raise BadInputError(field, f"must be one of {known}, was {name!r}") from error


def _timestamp(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise BadInputError("at", f"must carry a time zone, was {at.isoformat()}")
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def _value(fact: float | str | bool) -> common_pb2.Value:
    if isinstance(fact, bool):
        return common_pb2.Value(flag=fact)
    if isinstance(fact, str):
        return common_pb2.Value(text=fact)
    return common_pb2.Value(number=fact)


def _event(event: EventLike) -> common_pb2.Event:
    message = common_pb2.Event(
        event_id=event.event_id,
        customer_id=event.customer_id,
        type=event.type,
        at=_timestamp(event.at),
    )
    for name, attribute in event.attributes.items():
        message.attributes[name].CopyFrom(_value(attribute))
    return message
