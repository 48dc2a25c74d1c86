"""An outcome, from the call to its durable place: the ledger first, then everything else.

One SQL transaction holds the idempotency key, the outcome and an outbox row; only then is the
call acknowledged. The history in Redis is written, and caps and budgets are settled, at once so
that the next request knows; if that fails, the relay does it from the outbox.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from concurrent.futures import Executor
from datetime import datetime

import redis.asyncio
import structlog
from redis.exceptions import RedisError
from sqlalchemy import Engine

from nbo.decision.history import Outcome
from nbo.decision.record import Record
from nbo.errors import BadInputError, UnavailableError
from nbo.ledger import outcomes
from nbo.ledger.outcomes import OutcomeInput, OutcomeReceipt
from nbo.v1 import common_pb2, offers_pb2
from serving import request_checks as check
from serving.caps import report_late, settle
from serving.clock import Clock
from serving.deadline import PATIENCE_SECONDS, Deadline, look_at, within
from serving.decision_log import KEPT_FOR_REPLY, DecisionLog
from serving.live_world import LiveWorld
from serving.relay import remember
from serving.store_health import StoreHealth
from serving.wire import to_time

log = structlog.get_logger()

PATIENCE_TO_RECORD = 10.0
"""Seconds an outcome may take to be durable when the caller sets no deadline."""


class OutcomeRecorder:
    """Records outcomes; one per process.

    Args:
        live: Redis.
        ledger: PostgreSQL.
        decisions: Where the decision is looked up.
        world: The catalogue that says what an acceptance adds to the bill.
        threads: Where blocking ledger calls run.
        clock: The server's clock.
        health: Whether the stores answer; is told what Redis did not take.
    """

    def __init__(
        self,
        live: redis.asyncio.Redis,
        ledger: Engine,
        decisions: DecisionLog,
        world: LiveWorld,
        threads: Executor,
        clock: Clock,
        health: StoreHealth,
    ) -> None:
        self._live = live
        self._ledger = ledger
        self._decisions = decisions
        self._world = world
        self._threads = threads
        self._clock = clock
        self._health = health
        self._recording: set[asyncio.Future[OutcomeReceipt]] = set()  # the loop keeps none

    async def record(
        self, request: offers_pb2.RecordOutcomeRequest, seconds: float | None = None
    ) -> str:
        """Make one outcome durable and known.

        Args:
            request: What is reported.
            seconds: Until the caller's deadline; None when there is none.

        Returns:
            Its id, the same for a repeated call.

        Raises:
            UnavailableError: It was not durable and known in time. The ledger may have it
                nevertheless: report again with the same key.
        """
        deadline = Deadline(PATIENCE_TO_RECORD if seconds is None else seconds)
        decision_id = check.identifier("decision_id", request.decision_id)
        decision = await self._decisions.find(decision_id, deadline)
        given = self._checked(request, decision)
        written = self._threads.submit(outcomes.record, self._ledger, given, decision)
        # What a thread has begun to write is made known when it is written, whoever still waits.
        recording = asyncio.ensure_future(self._make_known(written))
        recording.add_done_callback(look_at)
        self._recording.add(recording)
        recording.add_done_callback(self._recording.discard)
        try:
            seconds_left = (1.0 - KEPT_FOR_REPLY) * deadline.remaining()
            return (await within(seconds_left, asyncio.shield(recording))).outcome_id
        except TimeoutError as error:
            store = "redis" if written.done() else "ledger"
            raise UnavailableError(store, f"{error}; report again with the same key") from error
        finally:
            written.cancel()  # unless it was begun

    async def _make_known(
        self, written: concurrent.futures.Future[OutcomeReceipt]
    ) -> OutcomeReceipt:
        """Tell Redis, or that Redis was not told, of what is durable now.

        A repeated report is told again: the first may have been given up between the two.
        """
        receipt = await asyncio.wrap_future(written)
        await self._remember(receipt.payload)
        return receipt

    async def _remember(self, payload: dict[str, object]) -> None:
        if not self._health.redis.usable:
            self._health.lag.missed()
            return
        try:
            await within(PATIENCE_SECONDS, self._tell(payload))
        except (RedisError, OSError) as error:
            self._health.redis.failed(error)
            self._health.lag.missed()
            log.warning("history follows by relay", reason=str(error))

    async def _tell(self, payload: dict[str, object]) -> None:
        async with self._live.pipeline(transaction=False) as pipe:
            remember(pipe, payload)
            settled = settle(pipe, payload)
            replies = await pipe.execute()
        if settled:
            report_late(payload, replies[-1])

    def _checked(self, request: offers_pb2.RecordOutcomeRequest, decision: Record) -> OutcomeInput:
        if request.outcome == common_pb2.OUTCOME_UNSPECIFIED:
            raise BadInputError("outcome", "is required")
        kind = Outcome(_name("outcome", common_pb2.Outcome, request.outcome))
        now = self._clock.now()
        stated = self._time("at", request)
        if stated is None:
            # The decision may have been made for an instant a little ahead of this clock.
            at = max(now, datetime.fromisoformat(decision["request"]["at"]))
        else:
            at = check.not_in_the_future("at", stated, now)
        return OutcomeInput(
            idempotency_key=check.identifier("idempotency_key", request.idempotency_key),
            decision_id=request.decision_id,
            rank=check.between("rank", request.rank, 1, check.MAX_SLOTS),
            kind=kind,
            reason=_reason(kind, request.reason),
            at=at,
            defer_until=self._time("defer_until", request),
            at_stated=stated is not None,
            monthly_revenue=self._monthly_revenue(decision, request.rank),
        )

    def _monthly_revenue(self, decision: Record, rank: int) -> float:
        """What accepting the slot adds to the bill each month, the incentive's part taken off."""
        catalog = self._world.current.compiled.catalog
        for slot in decision["slots"]:
            offer = catalog.offers.get(slot["offer_id"])
            incentive = catalog.incentives.get(slot["incentive_id"])
            if slot["rank"] == rank and offer and incentive:
                return offer.monthly_revenue - incentive.monthly_cost
        return 0.0

    @staticmethod
    def _time(field: str, request: offers_pb2.RecordOutcomeRequest) -> datetime | None:
        return to_time(field, getattr(request, field)) if request.HasField(field) else None


def _reason(kind: Outcome, number: int) -> str:
    name = _name("reason", common_pb2.Reason, number)
    if name == "REASON_UNSPECIFIED":
        return ""
    if kind not in (Outcome.DECLINED, Outcome.SKIPPED):
        raise BadInputError("reason", f"belongs to DECLINED and SKIPPED, was {name} for {kind}")
    return name


def _name(field: str, kind: object, number: int) -> str:
    """The name of an enum value; numbers of a newer API are refused, not guessed."""
    try:
        name: str = kind.Name(number)  # type: ignore[attr-defined]  # protobuf's enum wrapper
    except ValueError as error:
        raise BadInputError(field, f"must be a value this server knows, was {number}") from error
    return name
