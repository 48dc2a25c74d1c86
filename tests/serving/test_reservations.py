"""What was reserved for an answer that nobody got is given back."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from nbo.errors import UnavailableError
from serving import reservations
from serving.deadline import Deadline
from serving.offer_engine import OfferEngine
from serving.question import Question
from serving.reservations import ROOM_SECONDS, Reservations

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DECISION = SimpleNamespace(slots=())


class Counters:
    def __init__(self, reply=None, hangs=False):
        self.reply, self.hangs = reply, hangs
        self.reserved, self.released = [], []

    async def reserve(self, decision, catalog):
        self.reserved.append(decision)
        if self.hangs:
            await asyncio.sleep(60)
        return self.reply

    async def release(self, slots):
        self.released += slots


class Watch:
    usable = True

    def failed(self, reason):
        pass


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(reservations, "RELEASE_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(reservations, "takes", lambda decision, catalog: {"d/1": ["something"]})


async def settled(counters):
    deadline = time.monotonic() + 10
    while len(asyncio.all_tasks()) > 1:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
    return counters.released


def one(counters, seconds=60.0):
    return Reservations(counters, Watch()).for_answer(Deadline(seconds))


def test_what_is_not_kept_is_given_back():
    async def main():
        counters = Counters(reply={})
        kept, dropped = one(counters), one(counters)
        assert [await each.reserve(DECISION, None) for each in (kept, dropped)] == [{}, {}]
        kept.keep()
        kept.end()
        assert not await settled(counters)
        dropped.end()
        dropped.end()
        assert await settled(counters) == ["d/1"]

    asyncio.run(main())


def test_nothing_was_taken_where_not_enough_was_left():
    async def main():
        counters = Counters(reply={"t|x": 7})
        reservation = one(counters)
        assert await reservation.reserve(DECISION, None) == {"t|x": 7}
        reservation.end()
        assert not await settled(counters)

    asyncio.run(main())


def test_what_may_have_been_taken_too_late_is_given_back():
    async def main():
        counters = Counters(hangs=True)
        assert await one(counters, 0.1).reserve(DECISION, None) is None
        assert await settled(counters) == ["d/1"]

    asyncio.run(main())


def test_nothing_is_reserved_without_time_to_log_it():
    async def main():
        counters = Counters(reply={})
        assert await one(counters, ROOM_SECONDS).reserve(DECISION, None) is None
        assert not counters.reserved

    asyncio.run(main())


class Log:
    """Takes no decision: answers with an error, or not at all."""

    def __init__(self, hangs):
        self.hangs = hangs
        self.asked = asyncio.Event()

    async def append(self, decision, deadline):
        self.asked.set()
        if self.hangs:
            await asyncio.sleep(60)
        raise UnavailableError("ledger", "gone")


@pytest.mark.parametrize("hangs", [False, True], ids=["not logged", "caller hung up"])
def test_an_answer_nobody_got_holds_nothing(deployment, hangs):
    from serving.bootstrap import build_application

    async def main():
        application = await build_application(deployment.settings, deployment.stores)
        try:
            engine = application.engine
            counters, log = Counters(reply={}), Log(hangs)
            assert isinstance(engine, OfferEngine)
            engine._reservations = Reservations(counters, Watch())
            engine._log = log
            asked = asyncio.ensure_future(
                engine.decide(Question("c-33", "i-1", "voice", NOW, 1), 30.0)
            )
            await log.asked.wait()
            if hangs:
                asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            deadline = time.monotonic() + 10
            while not counters.released:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.005)
            assert counters.released == ["d/1"]
        finally:
            await application.close()

    asyncio.run(main())
