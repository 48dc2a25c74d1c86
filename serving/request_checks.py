"""Limits of what a client may send, one function per kind of value.

Written by hand rather than with protovalidate: the messages must name the field, the value
and the remedy in one sentence, and the checks are few.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import UTC, datetime

from features.events import MAX_FUTURE, MAX_TEXT
from features.keys import check_customer_id
from features.windows import EPOCH
from nbo.decision import request
from nbo.decision.facts import INTERACTION_FACTS, Fact, FactSchema, FactType
from nbo.errors import BadInputError

MAX_SLOTS = request.MAX_SLOTS
MAX_FACTS = 100
MAX_INTENT = 200
MAX_IDENTITY = 256
MAX_EVENTS = 5000
MAX_CONTACTS = 100
MAX_NEAR_MISSES = 50
LAST_COUNTED = datetime(2200, 1, 1, tzinfo=UTC)

ENGINES_OWN = frozenset(INTERACTION_FACTS) - {"interaction.intent"}
"""Facts the engine derives from the request itself: a client that gave others would log a lie."""

_KINDS: Mapping[FactType, type] = {
    FactType.NUMBER: float,
    FactType.TEXT: str,
    FactType.FLAG: bool,
}


def identifier(field: str, value: str, *, required: bool = True) -> str:
    """An id; empty is allowed only where it is not required."""
    if not value and not required:
        return value
    if not value:
        raise BadInputError(field, "is required")
    return check_customer_id(value, field)


def required(field: str, value: str) -> str:
    """A text that is not empty."""
    if not value:
        raise BadInputError(field, "is required")
    return value


def between(field: str, value: int, low: int, high: int) -> int:
    """A whole number within limits."""
    if not low <= value <= high:
        raise BadInputError(field, f"must be between {low} and {high}, was {value}")
    return value


def at_most(field: str, value: str, limit: int) -> str:
    """A text no longer than `limit` characters."""
    if len(value) > limit:
        raise BadInputError(field, f"must be at most {limit} characters, was {len(value)}")
    return value


def not_in_the_future(field: str, at: datetime, now: datetime) -> datetime:
    """An instant at most five minutes ahead of the server's clock."""
    if at > now + MAX_FUTURE:
        raise BadInputError(
            field,
            f"must not be more than 5 minutes in the future, was {at.isoformat()} "
            f"at {now.isoformat()}",
        )
    return at


def since_1970(field: str, at: datetime) -> datetime:
    """An instant the stores can hold."""
    if at < EPOCH:
        raise BadInputError(field, f"must not be before 1970, was {at.isoformat()}")
    return at


def countable(field: str, at: datetime) -> datetime:
    """An instant that caps and budgets may be asked for."""
    if not EPOCH <= at < LAST_COUNTED:
        raise BadInputError(
            field,
            f"must be an instant from 1970 until {LAST_COUNTED.year}, was {at.isoformat()}",
        )
    return at


def fact_name(field: str, name: str, schema: FactSchema) -> str:
    """The name of a declared fact, or empty."""
    if name and name not in schema.types:
        close = difflib.get_close_matches(name, schema.types, n=1)
        meant = f", did you mean {close[0]!r}?" if close else ""
        raise BadInputError(field, f"must be a declared fact, was {name!r}{meant}")
    return name


def context_facts(field: str, facts: Mapping[str, Fact], schema: FactSchema) -> dict[str, Fact]:
    """Facts the desktop adds: declared, of the declared kind, and not the engine's own."""
    if len(facts) > MAX_FACTS:
        raise BadInputError(field, f"must hold at most {MAX_FACTS} facts, held {len(facts)}")
    for name, fact in facts.items():
        place = f"{field}[{name!r}]"
        if not name.startswith(("interaction.", "event.")):
            raise BadInputError(place, "must be an interaction.* or event.* fact")
        if name in ENGINES_OWN:
            raise BadInputError(place, "is refused: the engine derives it from the request itself")
        kind = schema.types.get(name)
        if kind is None:
            raise BadInputError(place, "is not declared in the workspace's feature schema")
        if type(fact) is not _KINDS[kind]:
            raise BadInputError(place, f"must be a {kind}, was {fact!r}")
        if isinstance(fact, float) and fact - fact != 0.0:
            raise BadInputError(place, f"must be finite, was {fact}")
        if isinstance(fact, str):
            at_most(place, fact, MAX_TEXT)
    return dict(facts)
