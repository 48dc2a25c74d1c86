"""Whether the history in Redis lacks contacts that the ledger has.

It does after Redis was away: outcomes were recorded meanwhile, and the relay has yet to carry
them over. Until then the contact policy asks the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

import structlog
from sqlalchemy import Engine

from nbo.errors import UnavailableError
from nbo.ledger import outbox

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 0.1


class HistoryLag:
    """Follows the outbox after something was not carried to Redis at once.

    Args:
        ledger: PostgreSQL.
        threads: Where blocking ledger calls run.
        usable: Whether Redis answers.

    Attributes:
        behind: Whether histories must be read from the ledger.
    """

    def __init__(self, ledger: Engine, threads: Executor, usable: Callable[[], bool]) -> None:
        self._ledger = ledger
        self._threads = threads
        self._usable = usable
        self._again = False
        self._following: asyncio.Task[None] | None = None
        self.behind = False

    def missed(self) -> None:
        """Tell that Redis was away, or did not take an outcome that was recorded."""
        self._again = True
        if not self.behind:
            self.behind = True
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
            await self._carried()
        self.behind = False
        log.info("histories in Redis are complete again")

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
            except UnavailableError:
                pass  # what was recorded cannot be known before the ledger answers
            await asyncio.sleep(LOOK_EVERY_SECONDS)
