"""What this process has seen of its stores: whether they answer, and whether Redis is behind."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from threading import Barrier

import redis.asyncio
from sqlalchemy import Engine

from nbo.ledger import outbox
from nbo.ledger.engine import our_errors
from serving.deadline import within
from serving.history_lag import MARK_SECONDS, HistoryLag
from serving.keys import HISTORIES_BEHIND
from serving.redis_clients import PROBE_SECONDS
from serving.store_watch import StoreWatch

CONNECTIONS_AHEAD = 4
"""To the ledger, open from the start; fewer than there are threads."""
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Shared by everything that uses the stores.

    Attributes:
        redis: Whether Redis answers.
        ledger: Whether PostgreSQL answers.
        lag: Whether the histories in Redis are complete.
    """

    redis: StoreWatch
    ledger: StoreWatch
    lag: HistoryLag

    async def close(self) -> None:
        """Stop looking."""
        for watch in (self.redis, self.ledger, self.lag):
            await watch.close()


def _connect(ledger: Engine, threads: Executor) -> None:
    """Open connections ahead: when Redis is lost there is no time to."""
    together = Barrier(CONNECTIONS_AHEAD)

    def connect() -> None:
        with ledger.connect():
            together.wait(timeout=CONNECT_SECONDS)  # else one would serve all in turn

    with our_errors():
        for opened in [threads.submit(connect) for _ in range(CONNECTIONS_AHEAD)]:
            opened.result()


def watch_stores(live: redis.asyncio.Redis, ledger: Engine, threads: Executor) -> StoreHealth:
    """Watch the stores from the running event loop.

    Histories count as complete only once the outbox is empty, which a restart may have left full.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """

    async def mark() -> None:
        await within(PROBE_SECONDS, live.set(HISTORIES_BEHIND, "1", ex=MARK_SECONDS))

    async def ask_redis() -> None:
        # The mark is there before this server uses Redis again, and so for all others.
        await (mark() if lag.marks else within(PROBE_SECONDS, live.echo("nbo")))

    async def ask_ledger() -> None:
        await asyncio.get_running_loop().run_in_executor(threads, outbox.newest, ledger)

    lag = HistoryLag(ledger, threads, lambda: redis_watch.usable, mark)
    redis_watch = StoreWatch("redis", ask_redis, lost=lag.missed)
    _connect(ledger, threads)
    if outbox.newest(ledger) is not None:
        lag.missed()
    return StoreHealth(redis_watch, StoreWatch("ledger", ask_ledger), lag)
