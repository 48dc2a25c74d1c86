"""The decision record on its way to the ledger: first Redis, then PostgreSQL.

A decision is appended to a Redis stream before the reply; the recorder drains the stream to the
ledger. Until then the record is found by its id in Redis, so an outcome may follow at once.
Where Redis does not take it, it is appended to the ledger directly: the same record under the
same id, so that twice is once.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Executor
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy import Engine

from nbo.decision.decision import Decision
from nbo.decision.record import Record, to_record
from nbo.errors import NotFoundError, UnavailableError
from nbo.ledger import decisions
from serving.deadline import Deadline, within
from serving.keys import DECISION_STREAM, decision_key
from serving.store_health import StoreHealth

BACKSTOP_SECONDS = 7 * 86_400
"""The recorder removes a drained record; this bounds what a lost one can hold."""

UNHURRIED_SECONDS = 10.0

KEPT_AFTER_LOG = 0.5
"""Share of the time that is left, at least, when Redis must have taken a decision."""
KEPT_FOR_REPLY = 0.25
"""The same for the ledger in its place: for wording, sending and a busy machine."""


class DecisionLog:
    """Appends decisions and finds them again, wherever they are on their way.

    Args:
        live: Redis.
        ledger: PostgreSQL.
        threads: Where blocking ledger calls run.
        health: Whether the stores answer.
    """

    def __init__(
        self,
        live: redis.asyncio.Redis,
        ledger: Engine,
        threads: Executor,
        health: StoreHealth,
    ) -> None:
        self._live = live
        self._ledger = ledger
        self._threads = threads
        self._redis = health.redis
        self._postgres = health.ledger

    async def append(self, decision: Decision, deadline: Deadline) -> None:
        """Log a decision; one round trip.

        Raises:
            UnavailableError: Neither Redis nor the ledger took it in time. One of them may yet:
                then its slots were never told, and nobody will report what came of them.
        """
        record = to_record(decision)
        if self._redis.usable:
            try:
                await within(deadline.keeping(KEPT_AFTER_LOG), self._append_live(record))
            except (RedisError, OSError, TimeoutError) as error:
                self._redis.failed(error)
            else:
                return
        await self._append_ledger(record, deadline.keeping(KEPT_FOR_REPLY))

    async def find(self, decision_id: str, deadline: Deadline | None = None) -> dict[str, Any]:
        """The record of a decision; without a deadline each store has its whole patience.

        Raises:
            NotFoundError: There is none anywhere.
            UnavailableError: It may wait in Redis, or lie in the ledger, which does not answer.
        """
        deadline = deadline or Deadline(UNHURRIED_SECONDS)
        asked = False
        if self._redis.usable:
            try:
                get = self._live.get(decision_key(decision_id))
                waiting = await within(deadline.keeping(KEPT_AFTER_LOG), get)
            except (RedisError, OSError, TimeoutError) as error:
                self._redis.failed(error)
            else:
                asked = True
                if waiting is not None:
                    record: dict[str, Any] = json.loads(waiting)
                    return record
        patient = deadline.keeping(KEPT_FOR_REPLY, most=deadline.remaining())
        found: Record | None = await self._on_thread(
            patient, decisions.get, self._ledger, decision_id
        )
        if found is not None:
            return found
        if not asked:
            raise UnavailableError("redis", f"decision {decision_id!r} may wait there")
        raise NotFoundError("decision", decision_id, "use the decision_id of a GetOffers reply")

    async def _append_live(self, record: Record) -> None:
        text = json.dumps(record, separators=(",", ":"))
        async with self._live.pipeline(transaction=False) as pipe:
            pipe.set(decision_key(record["request"]["decision_id"]), text, ex=BACKSTOP_SECONDS)
            pipe.xadd(DECISION_STREAM, {"d": text})
            await pipe.execute()

    async def _append_ledger(self, record: Record, seconds: float) -> None:
        if not self._postgres.usable:
            raise UnavailableError("ledger", "it did not answer before; it is asked again soon")
        await self._on_thread(seconds, decisions.append, self._ledger, [record])

    async def _on_thread(self, seconds: float, work: Any, *arguments: Any) -> Any:
        """Run a blocking ledger call. Raises UnavailableError if it does not answer in time."""
        loop = asyncio.get_running_loop()
        try:
            return await within(seconds, loop.run_in_executor(self._threads, work, *arguments))
        except TimeoutError as error:
            self._postgres.failed(error)
            raise UnavailableError("ledger", str(error)) from error
        except UnavailableError as error:
            self._postgres.failed(error)
            raise
