"""A Redis that was started again is not trusted with caps before the keeper looked at it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
import redis.asyncio

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Group, Offer
from nbo.decision.decision import Decision, Slot
from nbo.decision.limits import Caps, CapUse, Usage
from nbo.decision.request import Request
from serving.cap_scripts import answering
from serving.caps import CapCounters
from serving.caps_rebuild import CapKeeper
from serving.embedded_redis import EmbeddedRedis
from serving.keys import CAPS_READY, CAPS_RUN

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
TTL = timedelta(minutes=30)
SCARCE = Offer("one", "g", {}, {}, 1.0, 0.1, frozenset(), caps=Caps(total=5))
CATALOG = Catalog(
    "v", "EUR", ("en",), {}, {"g": Group("g")}, {"none": NO_INCENTIVE}, {"one": SCARCE}
)


class Seen:
    """What a server process sees, of a Redis that may be another run each time."""

    def __init__(self, url: str) -> None:
        self._url = url

    def usage(self) -> Usage:
        async def read() -> Usage:
            async with redis.asyncio.Redis.from_url(self._url) as live:
                return await CapCounters(live, TTL).read(CATALOG, AT)

        return asyncio.run(read())

    def reserve(self, decision_id: str) -> object:
        request = Request(decision_id, "c", "i", AT, "web", "en", 1, {}, (), 1)
        slot = Slot(1, "one", "g", "none", 1.0, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, ())

        async def take() -> object:
            async with redis.asyncio.Redis.from_url(self._url) as live:
                made = Decision(request, {}, (slot,), (), {})
                return await CapCounters(live, TTL).reserve(made, CATALOG)

        return asyncio.run(take())


@pytest.fixture
def server(fresh_dir) -> Iterator[EmbeddedRedis]:
    made = EmbeddedRedis(fresh_dir)
    yield made
    made.stop()


def test_a_redis_that_was_started_again_is_unknown_until_the_keeper_looked(server, engine):
    url = server.start()
    seen = Seen(url)
    with redis.Redis.from_url(url) as live:
        CapKeeper(live, engine, lambda: CATALOG, TTL).look()
    assert seen.usage() == Usage()
    assert seen.reserve("d-1") == {}

    server.stop()
    assert server.start() == url
    with redis.Redis.from_url(url) as live:
        assert live.hget(CAPS_READY, "t|one") == b"1", "it remembers to have been whole"
        assert not seen.usage().known
        assert seen.reserve("d-2") is None
        keeper = CapKeeper(live, engine, lambda: CATALOG, TTL)
        assert keeper.step() == 0
    assert seen.usage().offers == {"one": CapUse(1, 0)}
    assert seen.reserve("d-2") == {}


def test_a_redis_started_again_during_the_look_is_looked_at_again(server, engine):
    with redis.Redis.from_url(server.start()) as live:
        keeper = CapKeeper(live, engine, lambda: CATALOG, TTL)
        rebuild = keeper._rebuild

        def restarted_after(*arguments):
            done = rebuild(*arguments)
            server.stop()
            server.start()
            return done

        keeper._rebuild = restarted_after
        keeper.look()
        assert not answering(live)
        keeper._rebuild = rebuild
        keeper.look()
        assert answering(live)
        assert live.get(CAPS_RUN).decode() == live.info("server")["run_id"]
