"""Whether a store answers, so that nobody waits for one that does not.

The first request to meet a failure tells; from then on the store is left alone by all requests
while a task of its own asks it every 250 ms, and it is used again as soon as it answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

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
        self.usable = True

    def failed(self, reason: object) -> None:
        """Tell that the store did not answer a request; it is not used until it is asked again."""
        if self.usable:
            self.usable = False
            # The loop itself keeps only a weak reference to its tasks.
            self._watching = asyncio.get_running_loop().create_task(self._watch(reason))

    async def close(self) -> None:
        """Stop asking."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self, reason: object) -> None:
        lost = False
        while not await self._answers():
            if not lost:
                lost = True
                self._lost()
                log.warning("a store is lost", store=self._store, reason=str(reason))
            await asyncio.sleep(ASK_EVERY_SECONDS)
        self.usable = True
        if lost:
            log.info("a store is back", store=self._store)

    async def _answers(self) -> bool:
        try:
            await self._ask()
        except Exception:
            # Whatever it is, the store cannot be used; the reason was told when it was lost.
            return False
        return True
