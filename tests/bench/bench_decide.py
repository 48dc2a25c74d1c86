"""decide() alone: catalogues of 300 and 2,000 offers, without stores and without a model.

python tests/bench/bench_decide.py [repeats]

Every offer has three incentives beside `none` and six conditions: two products and four rules
over 40 facts. About a hundred treatments survive of 300 offers. The yardstick is a JSON round
trip of the record of the same decision, in the same run, in turn. Loading is measured in a
fresh process, with its memory.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from nbo.decision.decide import World, decide
from nbo.decision.facts import INTERACTION_FACTS, FactSchema, FactType
from nbo.decision.history import HISTORY_FACTS, Contact, Outcome
from nbo.decision.prior import PriorPropensity
from nbo.decision.record import to_record
from nbo.decision.request import Request
from serving.catalog_loading import load_undisturbed

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PRODUCTS = 12
NUMBERS, TEXTS = 20, 8
PLANS = ("small", "medium", "large", "none")
GROUPS = 20
SCHEMA = FactSchema(
    {
        **INTERACTION_FACTS,
        **HISTORY_FACTS,
        **{f"customer.holds_{n}": FactType.FLAG for n in range(PRODUCTS)},
        **{f"customer.number_{n}": FactType.NUMBER for n in range(NUMBERS)},
        **{f"customer.text_{n}": FactType.TEXT for n in range(TEXTS)},
    }
)
HEAD = """\
currency: EUR
languages: [en]
channels: {voice: {fallback: none}, web: {fallback: none}}
products:
%(products)s
policies:
  per_group: 1
  selection: {policy: epsilon, epsilon: 0.05}
  suppression:
    - {name: declined, outcome: DECLINED, scope: offer, window: 30d, count: 1, pause: 60d}
    - {name: declined group, outcome: DECLINED, scope: group, window: 90d, count: 3, pause: 90d}
  frequency: [{name: calls, channel: voice, limit: 50, period: 30d}]
  context: [{name: early, when: interaction.hour < 13.0, group: g-1, weight: 20}]
groups:
%(groups)s
incentives:
  - {id: one, name: {en: One}, kind: discount, cost: 5}
  - {id: two, name: {en: Two}, kind: gift, cost: 9}
  - {id: three, name: {en: Three}, kind: gift, cost: 3}
offers:
"""


def catalog(offers: int, thresholds: int = 50, seed: int = 1) -> str:
    """A catalogue; `thresholds` bounds how many different rules there are per fact."""
    rng = random.Random(seed)
    products = "\n".join(f"  p{n}: customer.holds_{n}" for n in range(PRODUCTS))
    groups = "\n".join(f"  - {{id: g-{n}}}" for n in range(GROUPS))
    lines = [HEAD % {"products": products, "groups": groups}]
    for number in range(offers):
        held, lacking = rng.sample(range(PRODUCTS), 2)
        lines.append(
            f"  - id: offer-{number:04d}\n    group: g-{number % GROUPS}\n"
            f"    name: {{en: Offer {number}}}\n    channels: [voice, web]\n"
            f"    value: {rng.randrange(20, 200)}\n    prior: 0.2\n"
            f"    requires: [p{held}]\n    excludes: [p{lacking}]\n"
            f"    incentives: [none, one, two, three]\n    eligibility:\n"
            f"      - {{name: a, when: {_number(rng, thresholds)}}}\n"
            f"      - {{name: b, when: {_number(rng, thresholds)}}}\n"
            f"    applicability: [{{name: c, when: {_number(rng, thresholds)}}}]\n"
            f'    suitability: [{{name: d, when: "customer.text_{rng.randrange(TEXTS)} != '
            f"'{rng.choice(PLANS)}'\"}}]\n"
        )
    return "".join(lines)


def _number(rng: random.Random, thresholds: int) -> str:
    """A rule over a number in [0, 1) that about four customers in five pass."""
    threshold = rng.randrange(thresholds) / thresholds * 0.4
    return f"customer.number_{rng.randrange(NUMBERS)} >= {threshold:.6f}"


def request(seed: int) -> Request:
    """A customer with 40 facts and 60 contacts."""
    rng = random.Random(seed)
    facts = {
        "interaction.hour": 12.0,
        "interaction.channel": "voice",
        **{f"customer.holds_{n}": rng.random() < 0.5 for n in range(PRODUCTS)},
        **{f"customer.number_{n}": rng.random() for n in range(NUMBERS)},
        **{f"customer.text_{n}": rng.choice(PLANS) for n in range(TEXTS)},
    }
    outcomes = (Outcome.PRESENTED, Outcome.NO_RESPONSE, Outcome.DEFERRED)
    history = tuple(
        Contact(
            NOW - timedelta(days=100 - n), "web", f"i-{n}", f"d-{n}",
            f"offer-{rng.randrange(300):04d}", f"g-{n % GROUPS}", outcomes[n % 3],
        )
        for n in range(60)
    )  # fmt: skip
    return Request(f"d-{seed}", f"c-{seed}", "i", NOW, "voice", "en", 3, facts, history, seed)


def measure(offers: int, repeats: int) -> None:
    """Print a row: time of decide() over 50 customers, and of the yardstick in turn."""
    compiled = load_undisturbed(catalog(offers), "catalog.yaml", SCHEMA)
    world = World(compiled, PriorPropensity())
    asked = [request(seed) for seed in range(50)]
    survivors = np.mean([len(decide(one, world).scores) for one in asked])
    times: dict[str, list[float]] = {"decide": [], "json": []}
    for _ in range(repeats):
        for one in asked:
            started = time.perf_counter()
            decision = decide(one, world)
            times["decide"].append(time.perf_counter() - started)
            record = to_record(decision)
            started = time.perf_counter()
            json.loads(json.dumps(record))
            times["json"].append(time.perf_counter() - started)
    p50, p99 = np.percentile(times["decide"], [50, 99]) * 1e3
    yard = np.median(times["json"]) * 1e3
    print(
        f"| {offers:,} | {len(compiled.rules):,} | {survivors:.0f} | {p50:.2f} | {p99:.2f} | "
        f"{yard:.2f} | {p50 / yard:.2f} |"
    )


def load(offers: int, thresholds: int) -> None:
    """Print a row: time and memory of loading, in this fresh process."""
    load_undisturbed(catalog(10), "warm.yaml", SCHEMA)
    text = catalog(offers, thresholds)
    before = _resident()
    started = time.perf_counter()
    compiled = load_undisturbed(text, "catalog.yaml", SCHEMA)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    grown = _resident() - before
    print(
        f"| {offers:,} | {len(compiled.rules):,} | {len(text) / 1e6:.1f} | {seconds:.2f} | "
        f"{grown:.0f} | {peak - before:.0f} |"
    )


def _resident() -> float:
    """Memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main(repeats: int) -> None:
    """Measure and print both tables."""
    print("| offers | different rules | treatments left | p50 ms | p99 ms | JSON ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    measure(300, repeats)
    measure(2000, max(1, repeats // 5))
    print("\n| offers | different rules | text MB | load s | memory MB | at most MB |")
    print("|---|---|---|---|---|---|", flush=True)
    for thresholds in (50, 1_000_000):
        subprocess.run([sys.executable, __file__, "load", "2000", str(thresholds)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 20)
