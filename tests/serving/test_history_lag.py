"""What one server knows Redis lacks, every server knows; nothing ends the looking but the truth."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import redis

from nbo.ledger import outbox
from serving import history_lag
from serving.bootstrap import build_application
from serving.history_lag import HistoryLag
from serving.keys import HISTORIES_BEHIND
from serving.question import Question


async def until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_whatever_goes_wrong_it_looks_again_and_marks_redis_meanwhile(monkeypatch):
    monkeypatch.setattr(history_lag, "LOOK_EVERY_SECONDS", 0.005)
    answers, marked = [RuntimeError("odd"), OSError("odd"), None, RuntimeError("odd"), None], []

    def newest(ledger):
        answer = answers.pop(0)
        if answer:
            raise answer

    async def mark():
        marked.append(1)
        raise OSError("no")

    monkeypatch.setattr(outbox, "newest", newest)

    async def main(pool):
        lag = HistoryLag(None, pool, lambda: True, mark)
        lag.missed()
        assert lag.behind
        assert lag.marks
        await until(lambda: not lag.behind)
        assert len(marked) == 3
        lag.told()
        assert lag.behind
        assert not lag.marks
        await until(lambda: not lag.behind)
        assert len(marked) == 3
        await lag.close()

    with ThreadPoolExecutor(1) as pool:
        asyncio.run(main(pool))


def test_another_servers_mark_has_histories_read_from_the_ledger(deployment, now):
    live = redis.Redis.from_url(deployment.stores.redis_url)

    async def main():
        application = await build_application(deployment.settings, deployment.stores)
        try:
            live.set(HISTORIES_BEHIND, "1", ex=60)
            decision, _ = await application.engine.decide(
                Question("c-34", "i-14", "voice", now, 1), 30.0
            )
            return decision.degraded
        finally:
            live.delete(HISTORIES_BEHIND)
            await application.close()

    assert "history from the ledger" in asyncio.run(main())
