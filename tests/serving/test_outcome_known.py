"""An acknowledged outcome is known to the next decision, whatever became of the call before."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest

from nbo.decision.history import Outcome
from nbo.errors import UnavailableError
from nbo.ledger import outcomes
from nbo.ledger.outcomes import OutcomeReceipt
from nbo.v1 import common_pb2, offers_pb2
from serving.clock import Clock
from serving.outcome_recorder import OutcomeRecorder
from serving.store_health import StoreHealth

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PAYLOAD = {"outcome_id": "o", "customer_id": "c", "kind": Outcome.SKIPPED}
REQUEST = offers_pb2.RecordOutcomeRequest(
    decision_id="d", rank=1, outcome=common_pb2.SKIPPED, idempotency_key="k"
)


class Decisions:
    async def find(self, decision_id, deadline):
        return {"request": {"at": NOW.isoformat()}, "slots": []}


class Watch:
    def __init__(self, usable=True):
        self.usable, self.reasons = usable, []

    def failed(self, reason):
        self.reasons.append(reason)


class Lag:
    def __init__(self):
        self.behind = 0

    def missed(self):
        self.behind += 1


class World:
    class current:  # noqa: N801
        class compiled:  # noqa: N801
            catalog = None


class Recording(OutcomeRecorder):
    """Writes down what Redis is told."""

    def __init__(self, threads, error=None):
        self.told = []
        self.error = error
        self.lag, self.redis = Lag(), Watch()
        health = StoreHealth(self.redis, Watch(), self.lag)
        clock = Clock(accept_request_time=True)
        super().__init__(None, None, Decisions(), World(), threads, clock, health)

    async def _tell(self, payload):
        if self.error:
            raise self.error
        self.told.append(payload)


@pytest.fixture
def threads():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def ledger(monkeypatch):
    """A ledger that answers when it is let."""
    may, begun, written = threading.Event(), threading.Event(), []

    def record(engine, given, decision):
        begun.set()
        assert may.wait(20)
        written.append(given.idempotency_key)
        return OutcomeReceipt("o", len(written) > 1, PAYLOAD)

    monkeypatch.setattr(outcomes, "record", record)
    yield may, begun, written
    may.set()


async def until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_who_gives_up_early_is_not_acknowledged_and_yet_known(threads, ledger):
    may, begun, _ = ledger

    async def main():
        recorder = Recording(threads)
        with pytest.raises(UnavailableError, match="same key"):
            await recorder.record(REQUEST, 0.05)
        await until(begun.is_set)
        cancelled = asyncio.ensure_future(recorder.record(REQUEST, 20))
        await asyncio.sleep(0.01)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        assert not recorder.told
        may.set()
        await until(lambda: recorder.told)
        assert recorder.lag.behind == 0
        assert not recorder.redis.reasons

    asyncio.run(main())
    assert len(ledger[2]) == 1  # what no thread had begun was never written


def test_a_repeated_report_is_told_again(threads, ledger):
    may, _, _ = ledger
    may.set()

    async def main():
        recorder = Recording(threads)
        assert [await recorder.record(REQUEST, 20) for _ in range(2)] == ["o", "o"]
        return recorder.told

    assert asyncio.run(main()) == [PAYLOAD, PAYLOAD]


def test_what_redis_did_not_take_is_read_from_the_ledger(threads, ledger):
    may, _, _ = ledger
    may.set()

    async def main():
        recorder = Recording(threads, OSError("gone"))
        assert await recorder.record(REQUEST, 20) == "o"
        assert recorder.lag.behind == 1
        assert len(recorder.redis.reasons) == 1
        recorder.redis.usable = False
        assert await recorder.record(REQUEST, 20) == "o"
        assert recorder.lag.behind == 2

    asyncio.run(main())
