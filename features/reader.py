"""Everything about one customer in one Redis round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from features import history
from features.digest import decode_latest
from features.events import Event
from features.keys import PREFIX, check_customer_id, features_key, history_key
from features.packing import Packing
from features.schema import FeatureSchema
from features.window_state import value
from features.windows import to_us
from nbo.decision.facts import Fact
from nbo.decision.history import Contact
from nbo.errors import UnavailableError

if TYPE_CHECKING:
    import redis.asyncio


class CustomerFacts(NamedTuple):
    """What is known about one customer at one instant.

    Attributes:
        known: Whether the customer has a profile (any materialised row).
        facts: Known `customer.*` facts, profile and windows.
        history: Contacts up to the instant, oldest first, at most 400 days back.
        last_event: The latest event, when it lies at or before the instant. Only the latest is
            kept: asked about the past, an event that came later hides the one before it.
    """

    known: bool
    facts: dict[str, Fact]
    history: tuple[Contact, ...]
    last_event: Event | None


class Beside(Protocol):
    """Something else that is read in the same round trip as a customer."""

    def queue(self, pipe: Any) -> None:
        """Queue its commands on a pipeline."""

    def take(self, replies: Sequence[Any]) -> None:
        """Read the replies, in order; an exception stands for a command that failed."""


class CustomerReader:
    """Reads customers for decisions; one per event loop, `redis` must return bytes."""

    def __init__(
        self, redis: redis.asyncio.Redis, schema: FeatureSchema, prefix: str = PREFIX
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._packings = {
            f"v:{name}".encode(): Packing(view) for name, view in schema.views.items()
        }
        self._windows = [(f"w:{w.name}".encode(), f"customer.{w.name}", w) for w in schema.windows]

    async def read(
        self, customer_id: str, at: datetime, beside: Beside | None = None
    ) -> CustomerFacts:
        """Facts, history and latest event of one customer as of `at`, in one round trip.

        Args:
            customer_id: Whose.
            at: The instant.
            beside: Read in the same round trip; its failure is its own.

        Raises:
            BadInputError: The customer id cannot be one.
            UnavailableError: Redis does not answer.
        """
        from redis.exceptions import RedisError

        check_customer_id(customer_id)
        pipe = self._redis.pipeline(transaction=False)
        pipe.hgetall(features_key(customer_id, self._prefix))
        pipe.zrangebyscore(
            history_key(customer_id, self._prefix), history.since(at), at.timestamp()
        )
        if beside is not None:
            beside.queue(pipe)
        try:
            fields, contacts, *others = await pipe.execute(raise_on_error=False)
            for reply in (fields, contacts):
                if isinstance(reply, Exception):
                    raise reply
        except (RedisError, OSError) as error:
            raise UnavailableError("redis", str(error)) from error
        if beside is not None:
            beside.take(others)
        return self.assemble(fields, contacts, customer_id, at)

    def assemble(
        self, fields: dict[bytes, bytes], contacts: list[bytes], customer_id: str, at: datetime
    ) -> CustomerFacts:
        """Turn the two replies of Redis into facts; pure."""
        at_us = to_us(at)
        facts: dict[str, Fact] = {}
        for field, packing in self._packings.items():
            row = fields.get(field)
            if row is not None:
                facts.update(packing.facts(row, at_us))
        for field, name, window in self._windows:
            fact = value(fields.get(field), window, at_us)
            if fact is not None:
                facts[name] = fact
        return CustomerFacts(
            known=any(field.startswith(b"v:") for field in fields),
            facts=facts,
            history=tuple(map(history.decode, contacts)),
            last_event=_last_event(fields.get(b"e"), customer_id, at_us),
        )


def _last_event(data: bytes | None, customer_id: str, at_us: int) -> Event | None:
    """Read the latest event unless it lies after the instant."""
    if data is None:
        return None
    event = decode_latest(data, customer_id)
    return event if to_us(event.at) <= at_us else None
