"""Whether a store answers, so that nobody waits for one that does not.

The first request to meet a failure tells; from then on the store is left alone by all requests
while a task of its own asks it every 250 ms, and it is used again as soon as it answers. Who waited
less than a store may fairly take has not met a failure: then the task asks before anything is
concluded, so that one caller's short deadline costs nobody else anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from serving.deadline import FAIR_SECONDS, NoAnswerError, within

log = structlog.get_logger()

ASK_EVERY_SECONDS = 0.25


class StoreWatch:
    """Watches one store for one event loop.

    Args:
        store: Its name, for the log.
        ask: Returns when the store answers, raises when it does not; must come to an end.
        lost: Called each time it is found not to answer at all.

    Attributes:
        usable: Whether requests may use it.
    """

    def __init__(
        self,
        store: str,
        ask: Callable[[], Awaitable[object]],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._ask = ask
        self._lost = lost
        self._watching: asyncio.Task[None] | None = None
        self._asked_at = float("-inf")
        self.usable = True

    def failed(self, reason: object) -> None:
        """Tell that the store did not answer a request; it is not used until it is asked again.

        Args:
            reason: What happened. A wait that was too short to tell leaves the store in use, and
                has it asked.
        """
        loop = asyncio.get_running_loop()
        if isinstance(reason, NoAnswerError) and reason.seconds < FAIR_SECONDS:
            if loop.time() - self._asked_at < ASK_EVERY_SECONDS:
                return  # it was asked just now, and answered
        else:
            self.usable = False
        if self._watching is None or self._watching.done():
            # The loop itself keeps only a weak reference to its tasks.
            self._watching = loop.create_task(self._watch(reason))

    async def close(self) -> None:
        """Stop asking."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self, reason: object) -> None:
        lost = False
        while not await self._asked():
            self.usable = False
            if not lost:
                lost = True
                self._lost()
                log.warning("a store is lost", store=self._store, reason=str(reason))
            await asyncio.sleep(ASK_EVERY_SECONDS)
        self.usable = True
        if lost:
            log.info("a store is back", store=self._store)

    async def _asked(self) -> bool:
        """Ask; a store in use that takes too long over it is no longer used meanwhile."""
        self._asked_at = asyncio.get_running_loop().time()
        asking = asyncio.ensure_future(self._answers())
        try:
            return await within(FAIR_SECONDS, asyncio.shield(asking))
        except NoAnswerError:
            self.usable = False
            return await asking
        finally:
            asking.cancel()

    async def _answers(self) -> bool:
        try:
            await self._ask()
        except Exception:
            # Whatever it is, the store cannot be used; the reason was told when it was lost.
            return False
        return True
