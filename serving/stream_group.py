"""Reading a Redis stream as a consumer group, one's own unfinished entries first."""

from __future__ import annotations

from typing import Any

import redis
from redis.client import Pipeline
from redis.exceptions import ResponseError

Entry = tuple[bytes, dict[bytes, bytes]]

CONSUMER = "one"
"""One consumer per group: after a crash the same name finds what it left unfinished."""


class StreamGroup:
    """One consumer of one group; the group starts at the stream's beginning."""

    def __init__(self, live: redis.Redis, stream: str, group: str) -> None:
        self._live = live
        self._stream = stream
        self._group = group
        self._unfinished = True
        self._create()

    def read(self, count: int) -> list[Entry]:
        """Up to `count` entries: those read but not done before a crash, then new ones."""
        try:
            return self._read(count)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self._create()  # Redis was emptied under us
            return []

    def done(self, pipe: Pipeline, entry_ids: list[bytes]) -> None:
        """Acknowledge and remove entries, as part of a pipeline or transaction."""
        pipe.xack(self._stream, self._group, *entry_ids)
        pipe.xdel(self._stream, *entry_ids)

    def retry(self) -> None:
        """Read unfinished entries again, after a step that failed."""
        self._unfinished = True

    def _read(self, count: int) -> list[Entry]:
        if self._unfinished:
            entries = self._fetch("0", count)
            if entries:
                return entries
            self._unfinished = False
        return self._fetch(">", count)

    def _fetch(self, start: str, count: int) -> list[Entry]:
        reply: Any = self._live.xreadgroup(
            self._group, CONSUMER, {self._stream: start}, count=count
        )
        if not reply:
            return []
        entries = reply[0][1]
        return [(entry_id, fields) for entry_id, fields in entries if fields]

    def _create(self) -> None:
        try:
            self._live.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
