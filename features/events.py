"""Events: something that happened to a customer; their check and their bytes on the stream."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from features.keys import check_customer_id
from features.windows import EPOCH, from_us, to_us
from nbo.decision.facts import Fact, FactType
from nbo.errors import BadInputError

if TYPE_CHECKING:
    from features.schema import FeatureSchema

MAX_FUTURE = timedelta(minutes=5)
MAX_TEXT = 4096
MAX_ID = 128
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a customer.

    Attributes:
        event_id: Unique; a repeated id counts once.
        customer_id: To whom.
        type: e.g. ``"billing.address_changed"``.
        at: When it happened, UTC; not when it arrived.
        attributes: By name; numbers are floats.
    """

    event_id: str
    customer_id: str
    type: str
    at: datetime
    attributes: Mapping[str, Fact] = field(default_factory=dict)


def validate(
    event: Event, schema: FeatureSchema, now: datetime, *, allow_unknown_types: bool = False
) -> None:
    """Check one event before it is published.

    Args:
        event: As received.
        schema: Of the workspace.
        now: The receiver's clock; events may be up to five minutes ahead of it.
        allow_unknown_types: Accept types the workspace does not define (no window sees them).

    Raises:
        BadInputError: Names the first field that breaks a constraint.
    """
    if not 1 <= len(event.event_id) <= MAX_ID or not event.event_id.isprintable():
        raise BadInputError(
            "event_id", f"must be 1 to {MAX_ID} printable characters, was {event.event_id[:140]!r}"
        )
    check_customer_id(event.customer_id)
    if event.at.tzinfo is None:
        raise BadInputError("at", f"must have a time zone, was {event.at.isoformat()}")
    if not EPOCH <= event.at <= now + MAX_FUTURE:
        raise BadInputError(
            "at",
            f"must be after 1970 and at most {MAX_FUTURE} ahead of the clock "
            f"({now.isoformat()}), was {event.at.isoformat()}",
        )
    known = schema.events.get(event.type)
    if known is None and not allow_unknown_types:
        from difflib import get_close_matches

        near = get_close_matches(event.type, schema.events, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise BadInputError(
            "type", f"must be a type the workspace defines, was {event.type!r}{hint}"
        )
    types = known.types if known else None
    for name, value in event.attributes.items():
        _check_attribute(event.type, name, value, types)


def _check_attribute(
    event_type: str, name: str, value: Fact, types: Mapping[str, FactType] | None
) -> None:
    where = f"attributes[{name!r}]"
    if types is not None and name not in types:
        allowed = ", ".join(types) or "none"
        raise BadInputError(where, f"must be an attribute of {event_type!r} (it has: {allowed})")
    kind = fact_type(value)
    wanted = types[name] if types is not None else kind
    if kind is None or kind is not wanted:
        raise BadInputError(where, f"must be a {wanted or 'fact'}, was {value!r:.60}")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInputError(where, f"must be finite, was {value}")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise BadInputError(where, f"must be at most {MAX_TEXT} characters, was {len(value)}")


def fact_type(value: object) -> FactType | None:
    """Type of a value as a fact, or None when it is none."""
    if isinstance(value, bool):
        return FactType.FLAG
    if isinstance(value, int | float):
        return FactType.NUMBER
    return FactType.TEXT if isinstance(value, str) else None


def event_facts(event: Event) -> dict[str, Fact]:
    """Give the `event.*` facts of a triggering event."""
    facts: dict[str, Fact] = {f"event.{name}": value for name, value in event.attributes.items()}
    facts["event.type"] = event.type
    return facts


def encode(event: Event) -> bytes:
    """Compact JSON: id, customer, type, microseconds since 1970, attributes."""
    attributes = {
        name: float(value) if type(value) is int else value
        for name, value in event.attributes.items()
    }
    return _dumps(
        [event.event_id, event.customer_id, event.type, to_us(event.at), attributes]
    ).encode()


def decode(data: bytes) -> Event:
    """Read what `encode` wrote.

    Raises:
        ValueError: Not an event, with what is wrong.
    """
    parts = json.loads(data)
    if not isinstance(parts, list) or len(parts) != 5:
        raise ValueError("not a list of five parts")
    event_id, customer_id, kind, at_us, attributes = parts
    if not (isinstance(event_id, str) and isinstance(kind, str) and isinstance(customer_id, str)):
        raise ValueError("event id, customer id and type must be texts")  # noqa: TRY004
    if type(at_us) is not int or not isinstance(attributes, dict):
        raise ValueError("time must be whole microseconds, attributes an object")
    check_customer_id(customer_id)
    for name, value in attributes.items():
        if fact_type(value) is None or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(f"attribute {name!r} is no fact: {value!r:.60}")
    return Event(event_id, customer_id, kind, from_us(at_us), attributes)
