"""GetOffers over gRPC at a steady pace, beside a bare echo of the same messages in the same run.

python tests/bench/bench_offers.py [requests per second] [seconds]

The telco workspace with its trained model serves; requests are sent on a fixed schedule, whether
or not the former was answered, and timed from their place in the schedule. Blocks of one second
go to the engine and to the echo in turn, so that both meet the same machine.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
import time
from pathlib import Path

import grpc
import numpy as np
from telco_deployment import telco_deployment

from nbo.cli.demo import free_address
from nbo.v1 import offers_pb2
from serving.wire import from_time


def main(rate: int, seconds: int) -> None:
    """Measure and print."""
    with telco_deployment() as served:
        requests = _requests(served.world, served.starts)
        first = {**requests[0], "at": served.starts}
        reply = served.session.client.offers(**first).SerializeToString()
        file, port = served.scratch / "reply", free_address().rpartition(":")[2]
        file.write_bytes(reply)
        script = Path(__file__).parent / "echo_server.py"
        echo = subprocess.Popen([sys.executable, str(script), str(file), port])
        try:
            engine = served.deployment.target
            times = asyncio.run(_alternate(engine, f"127.0.0.1:{port}", requests, rate, seconds))
        finally:
            echo.terminate()
    _print(times, rate, len(reply))


async def _alternate(engine, echo, requests, rate, seconds):
    """Latencies in ms by name, from blocks of a second in turn."""
    times = {"GetOffers": [], "echo": []}
    messages = itertools.cycle(
        [offers_pb2.GetOffersRequest(**request).SerializeToString() for request in requests]
    )
    async with grpc.aio.insecure_channel(engine) as one, grpc.aio.insecure_channel(echo) as two:
        calls = {
            "GetOffers": one.unary_unary("/nbo.v1.OfferService/GetOffers"),
            "echo": two.unary_unary("/bench/Echo"),
        }
        for call in calls.values():  # warm up
            await _block(call, messages, rate)
        for _ in range(seconds):
            for name, call in calls.items():
                times[name] += await _block(call, messages, rate)
    return times


async def _block(call, messages, rate):
    start = time.perf_counter()

    async def one(number):
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await call(next(messages))
        return (time.perf_counter() - due) * 1000

    return await asyncio.gather(*(one(number) for number in range(rate)))


def _print(times, rate, size):
    print(f"{rate} requests/s, replies of {size} bytes, one server process\n")
    print("| call | n | p50 ms | p90 ms | p99 ms |\n|---|---|---|---|---|")
    rows = {name: np.percentile(values, [50, 90, 99]) for name, values in times.items()}
    for name, row in rows.items():
        print(f"| {name} | {len(times[name])} | " + " | ".join(f"{t:.2f}" for t in row) + " |")
    ratio = rows["GetOffers"] / rows["echo"]
    print("| ratio | | " + " | ".join(f"{r:.1f}" for r in ratio) + " |")


def _requests(world, starts):
    rng = random.Random(1)
    ids = [str(customer_id) for customer_id in world.ids]
    return [
        {
            "customer_id": rng.choice(ids),
            "interaction_id": f"bench-{number}",
            "channel": "voice",
            "at": from_time(starts),
        }
        for number in range(2000)
    ]


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [100, 20][len(given) :]))
