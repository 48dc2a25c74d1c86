"""How long what was just acknowledged takes to be seen, beside a bare Redis round trip.

python tests/bench/bench_freshness.py [repetitions]

Two ways are timed from the moment the client has its acknowledgement, on an otherwise idle
deployment:

- RecordOutcome until GetOffers is answered by a model that has learnt the outcome
- PublishEvents until GetCustomer shows the window's new value

Seeing is by asking again and again, so every figure holds at least one call's own time.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np
import redis
from telco_deployment import Served, telco_deployment

from features.stream import Event

PATIENCE_SECONDS = 30.0
WINDOW = "customer.price_clicks_90d"


def main(repetitions: int) -> None:
    """Measure and print."""
    with telco_deployment() as served:
        customers = random.Random(1).sample([str(name) for name in served.world.ids], k=4000)
        times = {
            "a bare Redis round trip": _redis(served, repetitions),
            "an outcome, until the served model has learnt it": _outcomes(
                served, iter(customers[:3000]), repetitions
            ),
            "an event, until its window shows it": _events(served, customers[3000:], repetitions),
        }
    print("| from the acknowledgement of | n | p50 ms | p99 ms |\n|---|---|---|---|")
    for name, seconds in times.items():
        p50, p99 = np.percentile(1000 * np.array(seconds), [50, 99])
        print(f"| {name} | {len(seconds)} | {p50:.2f} | {p99:.2f} |")


def _redis(served: Served, repetitions: int) -> list[float]:
    with redis.Redis.from_url(served.deployment.stores.redis_url) as client:
        client.get("absent")
        return [_seconds_until(lambda: client.get("absent") is None) for _ in range(repetitions)]


def _outcomes(served: Served, customers: Iterator[str], repetitions: int) -> list[float]:
    """Accepted first offers of the engine's own arm, each of another customer."""
    client, times = served.session.client, []

    def ask(customer: str):
        return client.offers(customer, interaction_id=f"fresh-{customer}", at=served.starts)

    while len(times) < repetitions:
        customer = next(customers)
        reply = ask(customer)
        if reply.arms["policy"] != "engine" or not reply.slots:
            continue
        # Else each would begin just after the server's look at the weights, never just before.
        time.sleep(random.uniform(0, 0.4))
        before = _learnt(reply)
        client.outcome(reply.decision_id, 1, "ACCEPTED", at=served.starts + timedelta(minutes=1))
        times.append(_seconds_until(lambda c=customer, n=before: _learnt(ask(c)) > n))
    return times


def _events(served: Served, customers: list[str], repetitions: int) -> list[float]:
    """One click on prices by each customer."""
    client, at = served.session.client, served.starts

    def clicks(customer: str) -> float:
        facts = client.customer(customer, at=at).facts
        return facts[WINDOW].number if WINDOW in facts else 0.0

    times = []
    for number, customer in enumerate(customers[:repetitions]):
        before = clicks(customer)
        event = Event(f"fresh-{number}", customer, "web.clicked", at, {"topic": "price"})
        client.publish([event])
        times.append(_seconds_until(lambda c=customer, n=before: clicks(c) == n + 1))
    return times


def _learnt(reply) -> int:
    """Outcomes the online part had learnt when it scored: the end of ``champion/1+online/7``."""
    return int(reply.versions["model"].rpartition("+online/")[2])


def _seconds_until(seen: Callable[[], bool]) -> float:
    """How long it takes until `seen`, asked without a pause."""
    began = time.perf_counter()
    while not seen():
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise TimeoutError(f"not seen within {PATIENCE_SECONDS:.0f} s")
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
