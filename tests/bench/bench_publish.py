"""How long a published catalogue takes to decide, and what its compiling costs other requests.

python tests/bench/bench_publish.py [publications]

Timed from the moment `PublishCatalog` is called with the changed file until a reply carries its
version: on the server that was called, and on a second one that shares its ledger. Seeing is by
asking again and again. Then a catalogue of 2,000 offers is published while requests keep coming:
their latencies before (the yardstick), while the servers compile it, and after.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import yaml

from nbo.cli.demo import free_address
from nbo.cli.init import copy_workspace
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.settings import Settings
from serving.process import command
from serving.supervisor import Child, Deployment

LARGE = 2_000
STEADY_SECONDS = 4.0


def main(publications: int) -> None:
    """Measure and print."""
    with _two_servers() as (folder, first, second, customer):
        text = (folder / "catalog.yaml").read_text(encoding="utf-8")

        def ask(client: Client) -> str:
            reply = client.offers(customer, interaction_id="bench")
            return str(reply.versions["catalog"])

        print("| from the call of PublishCatalog until it decides | n | p50 ms | p99 ms |")
        print("|---|---|---|---|")
        for name, follower in (("on the server called", first), ("on another server", second)):
            times = [_publish(first, follower, text, n, name, ask) for n in range(publications)]
            p50, p99 = np.percentile(1000 * np.array(times), [50, 99])
            print(f"| {name} | {publications} | {p50:.0f} | {p99:.0f} |")
        _large(first, second, text, ask)


def _publish(
    publisher: Client, follower: Client, text: str, n: int, name: str, ask: Callable[[Client], str]
) -> float:
    changed = [("catalog.yaml", f"{text}\n# {name} {n}\n")]
    started = time.perf_counter()
    version = publisher.publish_catalog(changed, author="bench").publication.version
    while ask(follower) != version:
        time.sleep(0.002)
    return time.perf_counter() - started


def _large(first: Client, second: Client, text: str, ask: Callable[[Client], str]) -> None:
    """Latencies around a large publication, on the server that has to find it."""
    grown = [("catalog.yaml", _grown(text, LARGE))]
    before = _latencies(second, ask, threading.Event(), STEADY_SECONDS)
    done = threading.Event()
    took: list[float] = []

    def publish() -> None:
        started = time.perf_counter()
        version = first.publish_catalog(grown, author="bench").publication.version
        while ask(first) != version:
            time.sleep(0.01)
        took.append(time.perf_counter() - started)
        done.set()

    thread = threading.Thread(target=publish)
    thread.start()
    during = _latencies(second, ask, done, 60.0)
    thread.join()
    time.sleep(3.0)
    after = _latencies(second, ask, threading.Event(), STEADY_SECONDS)
    print(f"\n{LARGE:,} offers: published and deciding after {took[0]:.2f} s\n")
    print("| a request to the other server | n | p50 ms | p99 ms |\n|---|---|---|---|")
    for name, values in (("before", before), ("while both compile", during), ("after", after)):
        p50, p99 = np.percentile(1000 * np.array(values), [50, 99])
        print(f"| {name} | {len(values)} | {p50:.1f} | {p99:.1f} |")


def _latencies(
    client: Client, ask: Callable[[Client], str], done: threading.Event, seconds: float
) -> list[float]:
    values, until = [], time.perf_counter() + seconds
    while not done.is_set() and time.perf_counter() < until:
        started = time.perf_counter()
        ask(client)
        values.append(time.perf_counter() - started)
        time.sleep(0.01)
    return values


def _grown(text: str, offers: int) -> str:
    """The catalogue with copies of its offers, each with a rule of its own."""
    tree = yaml.safe_load(text)
    own = [offer for offer in tree["offers"] if "bundle" not in offer and "caps" not in offer]
    for number in range(offers - len(tree["offers"])):
        like = own[number % len(own)]
        rule = {"name": "own", "when": f"interaction.hour < {24 + number}.0"}
        tree["offers"].append(like | {"id": f"copy-{number}", "suitability": [rule]})
    return json.dumps(tree, ensure_ascii=False)  # JSON is YAML, and knows no aliases


@contextmanager
def _two_servers() -> Iterator[tuple[Path, Client, Client, str]]:
    with tempfile.TemporaryDirectory(prefix="nbo-bench-", ignore_cleanup_errors=True) as scratch:
        folder = copy_workspace("insurance", Path(scratch) / "insurance")
        subprocess.run([sys.executable, "people.py"], cwd=folder, check=True, capture_output=True)
        settings = Settings.load(folder)
        with Deployment(settings, listen=free_address(), quiet=True) as deployment:
            load_features(settings, deployment.stores, datetime.now(UTC))
            ready = Path(scratch) / "second"
            line = command("serving.server", settings, deployment.stores, free_address(), ready)
            other = Child("server", line, ready, Path(scratch) / "second.log")
            other.start()
            try:
                with Client(deployment.target) as first, Client(other.wait_ready()) as second:
                    yield folder, first, second, "i-00003"
            finally:
                other.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)
