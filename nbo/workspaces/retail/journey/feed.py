"""Publishing the year's events in the order of their times, several batches in flight."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from journey.events import events
from nbo.errors import NboError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbo.client import Client

BATCH = 1000
"""Events per call."""
IN_FLIGHT = 3
"""Calls at a time: the server checks one batch while the next is on its way."""


class Feed:
    """The events not yet published.

    Args:
        client: Where they go.
        frame: See `journey.events.event_frame`.
        settle: Returns once every published event is in the windows.

    Attributes:
        published: Events taken so far.
        seconds: Spent on publishing, and on waiting until the windows hold everything.
    """

    def __init__(self, client: Client, frame: pl.DataFrame, settle: Callable[[], None]) -> None:
        self._client = client
        self._left = frame
        self._settle = settle
        self.published = 0
        self.seconds = 0.0

    def upto(self, at: datetime) -> None:
        """Publish every event up to and including `at`, and wait until the windows hold them."""
        due = self._left.get_column("at").search_sorted(at, side="right")
        self._publish(due)

    def rest(self) -> None:
        """Publish what is left."""
        self._publish(self._left.height)

    def _publish(self, count: int) -> None:
        started = time.perf_counter()
        due, self._left = self._left[:count], self._left[count:]
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            self.published += sum(pool.map(self._send, due.iter_slices(BATCH)))
        self._settle()
        self.seconds += time.perf_counter() - started

    def _send(self, batch: pl.DataFrame) -> int:
        reply = self._client.publish(events(batch))
        if reply.errors:
            first = reply.errors[0]
            raise NboError(
                f"event {first.event_id} was refused: {first.field} {first.description} "
                f"(and {len(reply.errors) - 1} more)"
            )
        return int(reply.accepted)
