"""The decision record on its way to the ledger: first Redis, then PostgreSQL.

A decision is appended to a Redis stream before the reply; the recorder drains the stream to the
ledger. Until then the record is found by its id in Redis, so an outcome may follow at once.
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
from nbo.decision.record import to_record
from nbo.errors import NotFoundError, UnavailableError
from nbo.ledger import decisions
from serving.keys import DECISION_STREAM, decision_key

BACKSTOP_SECONDS = 7 * 86_400
"""The recorder removes a drained record; this bounds what a lost one can hold."""


class DecisionLog:
    """Appends decisions and finds them again, wherever they are on their way.

    Args:
        live: Redis.
        ledger: PostgreSQL.
        threads: Where blocking ledger calls run.
    """

    def __init__(self, live: redis.asyncio.Redis, ledger: Engine, threads: Executor) -> None:
        self._live = live
        self._ledger = ledger
        self._threads = threads

    async def append(self, decision: Decision) -> None:
        """Log a decision; one round trip. Raises UnavailableError if Redis does not take it."""
        record = json.dumps(to_record(decision), separators=(",", ":"))
        key = decision_key(decision.request.decision_id)
        try:
            async with self._live.pipeline(transaction=False) as pipe:
                pipe.set(key, record, ex=BACKSTOP_SECONDS)
                pipe.xadd(DECISION_STREAM, {"d": record})
                await pipe.execute()
        except RedisError as error:
            raise UnavailableError("redis", str(error)) from error

    async def find(self, decision_id: str) -> dict[str, Any]:
        """The record of a decision. Raises NotFoundError when there is none anywhere."""
        try:
            waiting = await self._live.get(decision_key(decision_id))
        except RedisError:
            waiting = None  # the ledger may have it
        if waiting is not None:
            record: dict[str, Any] = json.loads(waiting)
            return record
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, decisions.get, self._ledger, decision_id)
        if found is None:
            raise NotFoundError("decision", decision_id, "use the decision_id of a GetOffers reply")
        return found
