"""Many processes compete for one cap and one budget; some are killed on the way."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import redis.asyncio

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Group, Incentive, Offer
from nbo.decision.decision import Decision, Slot
from nbo.decision.limits import Budget, Caps, CapUse, Period
from nbo.decision.request import Request
from serving.cap_scripts import ANSWERING
from serving.cap_units import scopes
from serving.caps import CapCounters, settle
from serving.embedded_redis import EmbeddedRedis
from serving.keys import CAPS_READY

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
TOTAL, COST, AMOUNT = 23, 0.1, 1.7
TTL = timedelta(seconds=1.5)
PROCESSES, CLIENTS, SECONDS = 3, 8, 3.0

CATALOG = Catalog(
    "v", "EUR", ("en",), {}, {"g": Group("g")},
    {
        "none": NO_INCENTIVE,
        "gift": Incentive("gift", {}, "gift", COST, budget=Budget(AMOUNT, Period.DAY)),
    },
    {"one": Offer("one", "g", {}, {}, 1.0, 0.1, frozenset(), caps=Caps(total=TOTAL))},
)  # fmt: skip


def decision(name: str, incentive: str) -> Decision:
    request = Request(name, "c", "i", AT, "web", "en", 1, {}, (), 1)
    cost = COST if incentive == "gift" else 0.0
    slot = Slot(
        1, "one", "g", incentive, 1.0, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, (), incentive_cost=cost
    )
    return Decision(request, {}, (slot,), (), {})


def payload(made: Decision, kind: str) -> dict:
    slot = made.slots[0]
    return {
        "kind": kind,
        "decision_id": made.request.decision_id,
        "rank": 1,
        "offer_id": slot.offer_id,
        "bundle": [],
        "incentive_id": slot.incentive_id,
        "incentive_cost": slot.incentive_cost,
        "decided_at": AT.isoformat(),
    }


async def client(name: str, caps: CapCounters, live: redis.asyncio.Redis, till: float, log: str):
    """Reserve, then accept, decline, both, or forget; what is accepted is noted before."""
    rng = random.Random(name)
    for number in range(1_000_000):
        if time.time() > till:
            return
        made = decision(f"{name}-{number}", rng.choice(["none", "gift"]))
        if await caps.reserve(made, CATALOG) != {}:
            await asyncio.sleep(0.01)
            continue
        await asyncio.sleep(rng.random() * 0.03)
        kinds = rng.choice([(), ("DECLINED",), ("DECLINED",), ("SKIPPED",), ("ACCEPTED",)])
        if "ACCEPTED" in kinds and rng.random() < 0.9:
            kinds = ("NO_RESPONSE",)
        for kind in kinds:
            if kind == "ACCEPTED":
                await live.rpush(log, made.slots[0].incentive_id)
            for _ in range(2):
                async with live.pipeline(transaction=False) as pipe:
                    settle(pipe, payload(made, kind))
                    await pipe.execute()


def process(url: str, number: int, start: Any, doomed: bool) -> None:
    start.wait()
    till = time.time() + SECONDS

    async def main() -> None:
        live = redis.asyncio.Redis.from_url(url)
        caps = CapCounters(live, TTL)
        log = "doomed" if doomed else "accepted"
        clients = (client(f"{number}-{i}", caps, live, till, log) for i in range(CLIENTS))
        await asyncio.gather(*clients)

    asyncio.run(main())


@pytest.fixture
def url(short_dir) -> Iterator[str]:
    server = EmbeddedRedis(short_dir)
    found = server.start()
    with redis.Redis.from_url(found) as live:
        live.flushall()
        live.hset(CAPS_READY, mapping=dict.fromkeys(scopes(CATALOG), "1"))
        for script in ANSWERING:
            live.script_load(script)
    yield found
    server.stop()


def usage(url: str):
    async def read():
        async with redis.asyncio.Redis.from_url(url) as live:
            return await CapCounters(live, TTL).read(CATALOG, AT)

    return asyncio.run(read())


def test_processes_never_take_more_than_there_is_nor_keep_what_they_forgot(url):
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(PROCESSES + 1)
    made = [spawn.Process(target=process, args=(url, n, start, n == 0)) for n in range(PROCESSES)]
    seen: list[tuple[int, float]] = []
    stop = threading.Event()

    def watch() -> None:
        with redis.Redis.from_url(url) as live:
            while not stop.is_set():
                count, spent = live.mget(
                    "nbo:{caps}:used:t|one", "nbo:{caps}:used:b|day|2026-03-10|gift"
                )
                seen.append((int(count or 0), int(spent or 0)))
                time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for one in made:
        one.start()
    start.wait()
    time.sleep(SECONDS / 2)
    os.kill(made[0].pid, signal.SIGKILL)
    for one in made:
        one.join()
    stop.set()
    watcher.join()
    assert [one.exitcode for one in made] == [-signal.SIGKILL, 0, 0]

    assert max(count for count, _ in seen) == TOTAL, "the cap was never reached: too easy a test"
    assert max(spent for _, spent in seen) <= 17_000
    assert min(min(pair) for pair in seen) >= 0

    time.sleep(TTL.total_seconds() + 0.1)
    with redis.Redis.from_url(url) as live:
        told = live.lrange("accepted", 0, -1)
        doomed = live.lrange("doomed", 0, -1)
    usage(url)  # one read lets only so many reservations lapse, fewer than the cap
    after = usage(url)
    count = after.offers.get("one", CapUse()).total
    # The killed process may have noted one acceptance per client that it did not come to tell.
    assert len(told) + len(doomed) - CLIENTS <= count <= len(told) + len(doomed)
    gifts = (told + doomed).count(b"gift")
    assert gifts - CLIENTS <= round(after.budgets.get("gift", 0.0) / COST) <= gifts
    assert 0 < count <= TOTAL
