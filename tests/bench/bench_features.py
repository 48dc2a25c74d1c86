"""Speed of the event stream, the window worker and the reader; prints a table.

python tests/bench/bench_features.py [events]
"""

import asyncio
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
import redis.asyncio

from features.definitions import Window
from features.keys import features_key
from features.packing import Packing
from features.reader import CustomerReader
from features.schema import Column, FeatureSchema, View
from features.stream import Event, EventStream
from features.windows import to_us
from features.worker import WindowWorker
from serving.embedded_redis import EmbeddedRedis

START = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS = 2500
PROFILE = View("profile", tuple(Column(f"x{n}", "f4") for n in range(25)))
WINDOWS = (
    *(Window(f"buys_{over}", "purchase", "count", over) for over in ("30d", "90d")),
    *(Window(f"spend_{over}", "purchase", "sum", over, "amount") for over in ("30d", "90d")),
    *(Window(f"kinds_{over}", "purchase", "distinct", over, "kind") for over in ("30d", "90d")),
    *(
        Window(f"toys_{over}", "purchase", "count", over, where={"kind": "k1"})
        for over in ("30d", "90d")
    ),
    Window("last_kind", "*", "last", "90d", "kind"),
    Window("since_buy", "purchase", "seconds_since", "90d"),
)
SCHEMA = FeatureSchema(views={"profile": PROFILE}, windows=WINDOWS)


def baskets(count):
    """Purchases in baskets of ten at one instant, about 4,000 a day."""
    rng = random.Random(1)
    for number in range(count):
        if number % 10 == 0:
            customer = f"c-{rng.randrange(CUSTOMERS)}"
        attributes = {"amount": 9.0 * rng.random(), "kind": f"k{rng.randrange(12)}"}
        at = START + timedelta(seconds=214 * (number // 10))
        yield Event(f"e-{number}", customer, "purchase", at, attributes)


def percentile(seconds, part):
    return f"{1e3 * sorted(seconds)[int(len(seconds) * part)]:.2f} ms"


async def latencies(url, at):
    client = redis.asyncio.Redis.from_url(url)
    reader = CustomerReader(client, SCHEMA)
    found = {"bare GET": [], "read of one customer": []}
    for number in range(4000):
        customer = f"c-{number % CUSTOMERS}"
        before = time.perf_counter()
        await client.get("absent")
        between = time.perf_counter()
        await reader.read(customer, at)
        found["bare GET"].append(between - before)
        found["read of one customer"].append(time.perf_counter() - between)
    await client.aclose()
    return found


def main(count):
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(Path(folder))
        url = server.start()
        try:
            measure(url, list(baskets(count)))
        finally:
            server.stop()


def measure(url, events):
    client = redis.Redis.from_url(url)
    stream, worker = EventStream(client), WindowWorker(client, SCHEMA)
    before = time.perf_counter()
    for first in range(0, len(events), 1000):
        stream.publish(events[first : first + 1000])
    published = time.perf_counter()
    while worker.step(0):
        pass
    worked = time.perf_counter()
    row = Packing(PROFILE).pack(to_us(START), {f"x{n}": 1.0 for n in range(25)})
    for number in range(CUSTOMERS):
        client.hset(features_key(f"c-{number}"), "v:profile", row)
    print("| what | figure |\n|---|---|")
    print(f"| publish, batches of 1,000 | {len(events) / (published - before):,.0f} events/s |")
    print(
        f"| worker, {len(WINDOWS)} windows | {len(events) / (worked - published):,.0f} events/s |"
    )
    for name, seconds in asyncio.run(latencies(url, events[-1].at)).items():
        print(f"| {name} | p50 {percentile(seconds, 0.5)}, p99 {percentile(seconds, 0.99)} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
