"""Between messages of nbo.v1 and the engine's own values; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from features.stream import Event
from nbo.decision.decision import Refusal
from nbo.decision.facts import Fact
from nbo.errors import BadInputError
from nbo.v1 import common_pb2, offers_pb2


def to_fact(field: str, value: common_pb2.Value) -> Fact:
    """The fact a message holds; refuses an empty one."""
    kind = value.WhichOneof("kind")
    if kind is None:
        raise BadInputError(field, "must set one of number, text or flag")
    fact: Fact = getattr(value, kind)
    return fact


def from_fact(fact: Fact) -> common_pb2.Value:
    """The message that holds a fact."""
    if isinstance(fact, bool):
        return common_pb2.Value(flag=fact)
    if isinstance(fact, str):
        return common_pb2.Value(text=fact)
    return common_pb2.Value(number=fact)


def to_time(field: str, stamp: Timestamp) -> datetime:
    """A UTC instant, to the microsecond; refuses what no calendar holds."""
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        constraint = "must be an instant between the years 1 and 9999"
        raise BadInputError(
            field, f"{constraint}, was {stamp.seconds} s and {stamp.nanos} ns since 1970"
        ) from error


def from_time(at: datetime) -> Timestamp:
    """The message for a UTC instant."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def to_event(field: str, message: common_pb2.Event) -> Event:
    """An event as sent; its type and attributes are not checked yet."""
    if not message.HasField("at"):
        raise BadInputError(f"{field}.at", "is required")
    return Event(
        event_id=message.event_id,
        customer_id=message.customer_id,
        type=message.type,
        at=to_time(f"{field}.at", message.at),
        attributes=to_facts(f"{field}.attributes", message.attributes),
    )


def from_event(event: Event) -> common_pb2.Event:
    """The message for an event."""
    message = common_pb2.Event(
        event_id=event.event_id,
        customer_id=event.customer_id,
        type=event.type,
        at=from_time(event.at),
    )
    fill(message.attributes, event.attributes)
    return message


def from_refusal(refusal: Refusal) -> offers_pb2.Refusal:
    """The message for a refusal."""
    return offers_pb2.Refusal(
        offer_id=refusal.offer_id,
        incentive_id=refusal.incentive_id,
        stage=refusal.stage,
        rule=refusal.rule,
        detail=refusal.detail,
    )


def to_facts(field: str, values: Mapping[str, common_pb2.Value]) -> dict[str, Fact]:
    """Facts by name; a wrong one is named by its key."""
    return {name: to_fact(f"{field}[{name!r}]", value) for name, value in values.items()}


def fill(target: Any, facts: Mapping[str, Fact]) -> None:
    """Write facts into a map field."""
    for name, fact in facts.items():
        target[name].CopyFrom(from_fact(fact))
