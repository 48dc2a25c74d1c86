"""The time an answer may take, divided among the steps that lead to it.

Each step is told how much of the whole must be left when it ends; what an earlier step did not
use, a later one may. Nothing waits longer than `PATIENCE_SECONDS`, however much time there is: a
store that takes so long is not going to answer. What must not be lost may wait for as long as the
caller does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")

PATIENCE_SECONDS = 0.5
"""Longest wait for one answer of a store on the way to a decision."""

FAIR_SECONDS = 0.25
"""A store that can be used answers in so long; who waited less has learnt nothing about it."""

_TURNS = 8
"""Turns of the event loop from bytes that have arrived to the result they make."""


class NoAnswerError(TimeoutError):
    """Nothing came in the time there was, which may have been too short for anybody.

    Attributes:
        seconds: How long it was waited for.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds * 1000:.0f} ms")
        self.seconds = seconds


class Deadline:
    """An instant by which an answer must have been given.

    Args:
        seconds: From now on.
        clock: Monotonic seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Seconds until then; 0 when it has passed."""
        return max(0.0, self._end - self._clock())

    def keeping(self, share: float, most: float = PATIENCE_SECONDS) -> float:
        """Seconds a step may take so that this share of the whole time is left after it.

        Args:
            share: In [0, 1].
            most: Seconds it may take however much time there is.

        Returns:
            At most `most`; 0 when nothing can be spared.
        """
        spare = self._end - self._clock() - share * self._seconds
        return min(most, max(0.0, spare))


async def within(seconds: float, work: Awaitable[Result]) -> Result:
    """Await something for so long at most; what is not finished by then is cancelled.

    An answer that has arrived counts, even if the event loop was busy and looks only now.

    Raises:
        NoAnswerError: It took longer.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        for _ in range(_TURNS):
            if task.done():
                return task.result()
            await asyncio.sleep(0)
    finally:
        if not task.done():
            task.add_done_callback(look_at)
            task.cancel()
    raise NoAnswerError(seconds)


def look_at(task: asyncio.Future[Result]) -> None:
    """See what became of it: an error nobody looks at would be logged as unexpected."""
    if not task.cancelled():
        task.exception()
