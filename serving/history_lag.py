"""Whether the history in Redis lacks contacts that the ledger has.

It does after Redis was away: outcomes were recorded meanwhile, and the relay has yet to carry
them over. Until then the contact policy asks the ledger. Who missed something marks Redis as behind
before using it again, so that every other server asks the ledger too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

import structlog
from sqlalchemy import Engine

from nbo.ledger import outbox

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 0.1
MARK_SECONDS = 2
"""How long the mark stays when nobody renews it."""


class HistoryLag:
    """Follows the outbox after something was not carried to Redis at once.

    Args:
        ledger: PostgreSQL.
        threads: Where blocking ledger calls run.
        usable: Whether Redis answers.
        mark: Marks Redis as behind for `MARK_SECONDS`.

    Attributes:
        behind: Whether histories must be read from the ledger.
    """

    def __init__(
        self,
        ledger: Engine,
        threads: Executor,
        usable: Callable[[], bool],
        mark: Callable[[], Awaitable[object]],
    ) -> None:
        self._ledger = ledger
        self._threads = threads
        self._usable = usable
        self._set_mark = mark
        self._again = False
        self._own = False
        self._following: asyncio.Task[None] | None = None
        self.behind = False

    def missed(self) -> None:
        """Tell that Redis was away, or did not take an outcome that was recorded."""
        self._own = True
        self._look_again()

    def told(self) -> None:
        """Tell that another server marked Redis as behind; it is not marked again for that."""
        self._look_again()

    @property
    def marks(self) -> bool:
        """Whether Redis must bear the mark: this server itself missed something."""
        return self.behind and self._own

    def _look_again(self) -> None:
        self._again = True
        self.behind = True
        if self._following is None or self._following.done():
            self._following = asyncio.get_running_loop().create_task(self._follow())

    async def close(self) -> None:
        """Stop following."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def _follow(self) -> None:
        while self._again:
            while not self._usable():
                await asyncio.sleep(LOOK_EVERY_SECONDS)
            self._again = False
            await self._mark()
            await self._carried()
        self.behind = self._own = False
        log.info("histories in Redis are complete again")

    async def _mark(self) -> None:
        if self._own and self._usable():
            try:
                await self._set_mark()
            except Exception as error:
                log.warning("Redis not marked as behind", reason=str(error))

    async def _carried(self) -> None:
        """Wait until all that the outbox holds now has gone to Redis."""
        loop = asyncio.get_running_loop()
        until: int | None = None
        known = False
        while True:
            try:
                if not known:
                    until = await loop.run_in_executor(self._threads, outbox.newest, self._ledger)
                    known = True
                if until is None or not await loop.run_in_executor(
                    self._threads, outbox.waits, self._ledger, until
                ):
                    return
            except Exception as error:
                # What was recorded cannot be known before the ledger answers, whatever it says.
                log.warning("histories in Redis are behind", reason=str(error))
            await self._mark()
            await asyncio.sleep(LOOK_EVERY_SECONDS)
