"""The window worker: moves events from the stream into the windows of their customers.

Each event changes the windows exactly once, also when a worker dies half-way or two workers hold
the same event: the states are written and the events acknowledged in one transaction, which is
refused when anyone else touched these customers after we read them, and only events that are
still ours are counted.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from features.digest import CustomerChange, Digested, Digester, Entry
from features.keys import PREFIX, features_key, poison_key, stream_key
from features.schema import FeatureSchema
from nbo.errors import UnavailableError

if TYPE_CHECKING:
    import redis

BATCH = 2000
ABANDONED_MS = 60_000
"""Events another worker holds for longer are taken over."""

_POISON_KEPT = 100_000


class _Batch(NamedTuple):
    """What was read: entries in order, those that can be worked, why the others can't."""

    entries: Sequence[Entry]
    digested: Mapping[bytes, Digested]
    poison: Mapping[bytes, str]


class WindowWorker:
    """Works one event stream; run as many as needed, each with its own `consumer` name."""

    def __init__(
        self,
        redis: redis.Redis,
        schema: FeatureSchema,
        group: str = "windows",
        *,
        consumer: str = "worker-1",
        prefix: str = PREFIX,
        batch: int = BATCH,
        abandoned_ms: int = ABANDONED_MS,
    ) -> None:
        """Prepare a worker; it does nothing until `step`.

        Args:
            redis: Synchronous client that returns bytes.
            schema: Its windows are kept up to date.
            group: Consumer group on the stream.
            consumer: Name of this worker; restarted under the same name, it first finishes what
                it had begun.
            prefix: First part of every key.
            batch: Events worked in one transaction.
            abandoned_ms: Events another worker holds for longer are taken over.
        """
        self._redis = redis
        self._digester = Digester(schema.windows)
        self._group, self._consumer = group, consumer
        self._prefix, self._batch = prefix, batch
        self._abandoned_ms = abandoned_ms
        self._stream = stream_key(prefix)
        self._started = False
        self._begun = True
        self._next_claim = 0.0

    def step(self, block_ms: int = 1000) -> int:
        """Work one batch of events.

        Args:
            block_ms: How long to wait for events when there are none; 0 does not wait.

        Returns:
            Events taken off the stream, poisoned ones included.

        Raises:
            UnavailableError: Redis does not answer; the batch stays to be worked.
        """
        from redis.exceptions import RedisError, ResponseError

        try:
            entries = self._read(block_ms)
            return self._work(entries) if entries else 0
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self._started = False  # the store was emptied: the group is made anew
            return 0
        except (RedisError, OSError) as error:
            self._begun = True
            raise UnavailableError("redis", str(error)) from error

    def _read(self, block_ms: int) -> list[Entry]:
        """Read what we had begun, then what others abandoned, then what is new."""
        if not self._started:
            self._create_group()
        if self._begun:
            if entries := self._read_group("0", None):
                return entries
            self._begun = False
        if time.monotonic() >= self._next_claim:
            if entries := self._claim():
                return entries
            self._next_claim = time.monotonic() + self._abandoned_ms / 2000
        return self._read_group(">", block_ms or None)

    def _read_group(self, after: str, block_ms: int | None) -> list[Entry]:
        reply = self._redis.xreadgroup(
            self._group, self._consumer, {self._stream: after}, self._batch, block_ms
        )
        return _entries(cast(Any, reply)[0][1]) if reply else []

    def _claim(self) -> list[Entry]:
        reply = self._redis.xautoclaim(
            self._stream, self._group, self._consumer, self._abandoned_ms, "0-0", self._batch
        )
        return _entries(cast(Any, reply)[1])

    def _create_group(self) -> None:
        """Make the group at the stream's beginning, so that it sees what came before it."""
        from redis.exceptions import ResponseError

        try:
            self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._started, self._begun = True, True

    def _work(self, entries: Sequence[Entry]) -> int:
        """Work a batch, again whenever somebody interfered; each time somebody succeeds."""
        from redis.exceptions import WatchError

        batch = self._digest(entries)
        while True:
            try:
                return self._commit(batch)
            except WatchError:
                time.sleep(random.uniform(0.0, 0.01))

    def _digest(self, entries: Sequence[Entry]) -> _Batch:
        digested: dict[bytes, Digested] = {}
        poison: dict[bytes, str] = {}
        for entry in entries:
            try:
                digested[entry.entry_id] = self._digester.digest(entry)
            except ValueError as error:
                poison[entry.entry_id] = str(error)
        return _Batch(entries, digested, poison)

    def _commit(self, batch: _Batch) -> int:
        """Count the entries that are ours, set poison aside, acknowledge: all or nothing."""
        customers = {digested.event.customer_id for digested in batch.digested.values()}
        with self._redis.pipeline() as pipe:
            if customers:
                keys = [features_key(customer, self._prefix) for customer in customers]
                cast(Any, pipe).watch(*keys)
            held = self._held(batch.entries)
            ours = [entry for entry in batch.entries if entry.entry_id in held]
            if not ours:
                return 0
            mine = [digested for key, digested in batch.digested.items() if key in held]
            changes = self._digester.by_customer(mine)
            present = self._present(changes)
            pipe.multi()
            for (customer_id, change), old in zip(changes.items(), present, strict=True):
                if fields := self._digester.apply(change, old):
                    pipe.hset(features_key(customer_id, self._prefix), mapping=cast(Any, fields))
            for entry in ours:
                if reason := batch.poison.get(entry.entry_id):
                    aside = cast(Any, {"e": entry.data, "reason": reason.encode()})
                    pipe.xadd(poison_key(self._prefix), aside, maxlen=_POISON_KEPT)
            pipe.xack(self._stream, self._group, *(entry.entry_id for entry in ours))
            pipe.xdel(self._stream, *(entry.entry_id for entry in ours))
            pipe.execute()
        return len(ours)

    def _held(self, entries: Sequence[Entry]) -> set[bytes]:
        """Ids of these entries that no other worker has taken over or finished."""
        pending = self._redis.xpending_range(
            self._stream,
            self._group,
            min=cast(str, entries[0].entry_id),
            max=cast(str, entries[-1].entry_id),
            count=10 * self._batch,
            consumername=self._consumer,
        )
        return {item["message_id"] for item in cast(Any, pending)}

    def _present(self, changes: Mapping[str, CustomerChange]) -> list[list[bytes | None]]:
        """Read the fields that may change, of all customers in one round trip."""
        pipe = self._redis.pipeline(transaction=False)
        for customer_id, change in changes.items():
            pipe.hmget(features_key(customer_id, self._prefix), change.fields)
        return cast("list[list[bytes | None]]", pipe.execute())


def _entries(reply: Any) -> list[Entry]:
    """Entries with the event's bytes; an entry without them will be found to be poison."""
    return [Entry(entry_id, (fields or {}).get(b"e", b"")) for entry_id, fields in reply]
