"""A store that does not answer is left alone by requests until it answers again."""

from __future__ import annotations

import asyncio

from serving import store_watch
from serving.deadline import FAIR_SECONDS, NoAnswerError
from serving.store_watch import StoreWatch


class Store:
    def __init__(self):
        self.up = False
        self.asked = 0

    async def ask(self):
        self.asked += 1
        if not self.up:
            raise ConnectionError("refused")


def test_it_is_used_again_as_soon_as_it_answers(monkeypatch):
    monkeypatch.setattr(store_watch, "ASK_EVERY_SECONDS", 0.01)
    store, lost = Store(), []

    async def main():
        watch = StoreWatch("redis", store.ask, lost=lambda: lost.append(1))
        assert watch.usable
        for _ in range(100):  # every request that was in flight tells
            watch.failed("timed out")
        assert not watch.usable
        await asyncio.sleep(0.05)
        assert not watch.usable
        assert 2 <= store.asked <= 10
        store.up = True
        await asyncio.sleep(0.03)
        assert watch.usable
        await watch.close()

    asyncio.run(main())
    assert lost == [1]


def test_one_slow_answer_does_not_lose_the_store():
    store, lost = Store(), []
    store.up = True

    async def main():
        watch = StoreWatch("redis", store.ask, lost=lambda: lost.append(1))
        watch.failed("a caller had one millisecond")
        await asyncio.sleep(0.001)
        assert watch.usable
        await watch.close()

    asyncio.run(main())
    assert (lost, store.asked) == ([], 1)


def test_it_stops_asking_when_closed():
    async def main():
        watch = StoreWatch("redis", Store().ask)
        watch.failed("x")
        await watch.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_wait_too_short_to_tell_has_the_store_asked_and_nobody_else_bothered(monkeypatch):
    monkeypatch.setattr(store_watch, "ASK_EVERY_SECONDS", 0.05)
    store, lost = Store(), []
    store.up = True

    async def main():
        watch = StoreWatch("redis", store.ask, lost=lambda: lost.append(1))
        used = []
        for _ in range(100):
            watch.failed(NoAnswerError(0.0))
            used.append(watch.usable)
        await asyncio.sleep(0.01)
        assert all(used)
        assert store.asked == 1
        await asyncio.sleep(0.06)
        store.up = False
        watch.failed(NoAnswerError(0.001))
        assert watch.usable
        while watch.usable:
            await asyncio.sleep(0.005)
        await watch.close()

    asyncio.run(asyncio.wait_for(main(), 10))
    assert lost == [1]


def test_a_store_that_hangs_is_noticed_though_nobody_waits_long(monkeypatch):
    monkeypatch.setattr(store_watch, "FAIR_SECONDS", 0.01)
    answers = asyncio.Event()

    async def main():
        watch = StoreWatch("ledger", answers.wait)
        watch.failed(NoAnswerError(0.001))
        assert watch.usable
        while watch.usable:
            await asyncio.sleep(0.005)
        answers.set()
        while not watch.usable:
            await asyncio.sleep(0.005)
        await watch.close()

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_fair_wait_without_an_answer_condemns_at_once():
    async def main():
        watch = StoreWatch("redis", Store().ask)
        watch.failed(NoAnswerError(FAIR_SECONDS))
        assert not watch.usable
        await watch.close()

    asyncio.run(main())
