"""The event stream: events that were accepted and are not yet in the windows.

Publishing is atomic and once: one Lua script marks the event id as seen and appends the event,
or does neither. The same script serves any stream that must not repeat an entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from features.events import Event, decode, encode, event_facts, validate
from features.keys import PREFIX, seen_key, stream_key

if TYPE_CHECKING:
    import redis
    import redis.asyncio

__all__ = [
    "APPEND_ONCE",
    "AsyncEventStream",
    "Event",
    "EventStream",
    "append_once",
    "decode",
    "encode",
    "event_facts",
    "validate",
]

SEEN_FOR = timedelta(days=7)
"""How long an event id is remembered."""

CHUNK = 100
"""Events appended at a stretch on an event loop, a few milliseconds of work here and in Redis."""

APPEND_ONCE = """
local added = {}
for i = 2, #KEYS do
  if redis.call('SET', KEYS[i], '', 'NX', 'EX', ARGV[1]) then
    redis.call('XADD', KEYS[1], '*', ARGV[2], ARGV[i + 1])
    added[i - 1] = 1
  else
    added[i - 1] = 0
  end
end
return added
"""
"""KEYS: stream, one mark per entry (same hash tag). ARGV: seconds, field name, one entry each."""


def append_once(
    redis: redis.Redis, stream: str, marks: Sequence[str], entries: Sequence[bytes], keep: timedelta
) -> list[bool]:
    """Append each entry whose mark was not seen within `keep`; atomic.

    Args:
        redis: Must return bytes.
        stream: Stream key; every mark must carry its hash tag.
        marks: One key per entry, e.g. of the event's id.
        entries: Stored under the field ``e``.
        keep: How long a mark stays.

    Returns:
        Per entry, whether it was added (False: seen before).
    """
    script = redis.register_script(APPEND_ONCE)
    return _flags(script(keys=[stream, *marks], args=[int(keep.total_seconds()), "e", *entries]))


def _flags(reply: Any) -> list[bool]:
    return [bool(flag) for flag in reply]


class EventStream:
    """Publishes events from synchronous code; `redis` must return bytes."""

    def __init__(self, redis: redis.Redis, prefix: str = PREFIX) -> None:
        self._redis = redis
        self._prefix = prefix

    def publish(self, events: Sequence[Event]) -> list[bool]:
        """Append events; per event, False when its id was published before (within a week)."""
        if not events:
            return []
        marks = [seen_key(event.event_id, self._prefix) for event in events]
        entries = [encode(event) for event in events]
        return append_once(self._redis, stream_key(self._prefix), marks, entries, SEEN_FOR)

    def backlog(self) -> int:
        """Events published and not yet in the windows; 0 when all are."""
        return cast(int, self._redis.xlen(stream_key(self._prefix)))


class AsyncEventStream:
    """Publishes events from an event loop; `redis` must return bytes."""

    def __init__(self, redis: redis.asyncio.Redis, prefix: str = PREFIX) -> None:
        self._prefix = prefix
        self._script = redis.register_script(APPEND_ONCE)

    async def publish(self, events: Sequence[Event]) -> list[bool]:
        """Append events; per event, False when its id was published before (within a week).

        Each event is appended once or not at all. When Redis fails half-way, the events before
        are in the stream, and publishing all of them again counts none twice.
        """
        flags: list[bool] = []
        for start in range(0, len(events), CHUNK):
            flags += await self._append(events[start : start + CHUNK])
        return flags

    async def _append(self, events: Sequence[Event]) -> list[bool]:
        marks = [seen_key(event.event_id, self._prefix) for event in events]
        entries = [encode(event) for event in events]
        seconds = int(SEEN_FOR.total_seconds())
        keys = [stream_key(self._prefix), *marks]
        return _flags(await self._script(keys=keys, args=[seconds, "e", *entries]))
