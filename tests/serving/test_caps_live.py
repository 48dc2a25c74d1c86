"""Caps and budgets through the real server: scarce offers, paced budgets, stores that forget."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import redis

from nbo.cli.demo import free_address
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.settings import Settings
from serving.supervisor import Deployment

pytestmark = pytest.mark.slow

LOADED = datetime(2026, 3, 1, tzinfo=UTC)
MORNING = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
EVENING = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)

CATALOG = """
currency: EUR
languages: [en]
channels: {web: {fallback: none}}
policies: {smoothing_evidence: 10, selection: {policy: greedy}}
groups: [{id: rare}, {id: sweet}, {id: sober}]
incentives:
  - {id: gift, name: {en: a gift}, kind: gift, cost: 10.1, budget: {amount: 101, period: day}}
offers:
  - id: scarce
    group: rare
    name: {en: Scarce}
    script: {en: Scarce.}
    channels: [web]
    value: 100
    prior: 0.3
    caps: {total: 7}
  - id: sweetened
    group: sweet
    name: {en: Sweetened}
    script: {en: Sweetened.}
    channels: [web]
    value: 30
    prior: 0.3
    incentives: [gift]
  - id: sober
    group: sober
    name: {en: Sober}
    script: {en: Sober.}
    channels: [web]
    value: 15
    prior: 0.3
"""


@pytest.fixture(scope="module")
def running(make_corner):
    corner = make_corner()
    (corner / "catalog.yaml").write_text(CATALOG)
    with (corner / "nbo.toml").open("a") as toml:
        toml.write("\n[learning]\nonline = false\n")  # answers must not move what is compared
    settings = Settings.load(corner)
    with Deployment(settings, listen=free_address(), quiet=True) as deployment:
        load_features(settings, deployment.stores, LOADED)
        stop = threading.Event()
        watcher = threading.Thread(target=deployment.watch, args=(stop,))
        watcher.start()
        yield deployment
        stop.set()
        watcher.join()


@pytest.fixture
def client(running):
    with Client(running.target) as connected:
        yield connected


@pytest.fixture
def whole(client, eventually):
    """The counters are there; what was reserved by the test before is settled."""
    return eventually(client.usage, lambda usage: usage.known)


def offered(client, number, *, slots=1, at=None):
    return client.offers(
        f"c-{number % 100}", interaction_id=f"i-{number}", channel="web", slots=slots, at=at
    )


def scarce(client):
    (cap,) = client.usage().caps
    return cap.total_used


def spent(client, at):
    (budget,) = client.usage(at=at).budgets
    return budget


def test_fifty_at_once_share_a_cap_of_seven(client, whole):
    with ThreadPoolExecutor(50) as desks:
        replies = list(desks.map(lambda n: offered(client, n), range(50)))
    shown = Counter(slot.offer_id for reply in replies for slot in reply.slots)
    assert shown["scarce"] == 7
    assert sum(shown.values()) == 50
    assert scarce(client) == 7

    holders = [r.decision_id for r in replies if r.slots[0].offer_id == "scarce"]
    for decision_id in holders[:4]:
        client.outcome(decision_id, 1, "ACCEPTED")
    for decision_id, kind in zip(holders[4:6], ("DECLINED", "SKIPPED"), strict=True):
        client.outcome(decision_id, 1, kind)
        client.outcome(decision_id, 1, "PRESENTED")
    assert scarce(client) == 5
    client.outcome(holders[6], 1, "ACCEPTED")
    client.outcome(holders[0], 1, "DECLINED")  # changed their mind: what was accepted stays so
    client.outcome(holders[1], 1, "CANCELLED")
    assert scarce(client) == 5
    again = [offered(client, 50 + n) for n in range(10)]
    late = [r for r in again if r.slots[0].offer_id == "scarce"]
    assert len(late) == 2
    for reply in late:
        client.outcome(reply.decision_id, 1, "ACCEPTED")
    told = offered(client, 70, slots=3)
    assert "scarce" not in {slot.offer_id for slot in told.slots}


def test_a_refusal_names_the_cap(client, whole):
    reply = client.offers("c-80", interaction_id="i-80", channel="web", refusals=True)
    (refusal,) = [r for r in reply.refusals if r.offer_id == "scarce"]
    assert (refusal.stage, refusal.rule) == ("caps", "total cap")
    assert "7" in refusal.detail


def test_a_budget_ahead_of_its_day_loses_to_the_next_best_and_comes_back(client, whole):
    """P (V - cost (1 + λ)): 0.3 (30 - 10.1) = 5.97 against 4.5, until λ passes 0.485."""
    worth, first = [], []
    for number in range(8):
        reply = offered(client, number, slots=3, at=MORNING)
        first.append(reply.slots[0].offer_id)
        worth += [s.expected_value for s in reply.slots if s.offer_id == "sweetened"]
        for slot in reply.slots:
            kind = "ACCEPTED" if slot.rank == 1 else "DECLINED"
            client.outcome(reply.decision_id, slot.rank, kind, at=MORNING)
    assert first == ["sweetened"] * 4 + ["sober"] * 4
    assert worth[0] == pytest.approx(0.3 * (30 - 10.1))
    share, elapsed = 0.4, 1 / 24
    price = (share - elapsed) / (1 - share)
    assert worth[4:] == [pytest.approx(0.3 * (30 - 10.1 * (1 + price)))] * 4
    assert worth[:5] == sorted(worth[:5], reverse=True)
    budget = spent(client, MORNING)
    assert (budget.spent, budget.amount) == (40.4, 101)
    assert budget.shadow_price == pytest.approx(price)

    evening = offered(client, 8, at=EVENING)  # time has caught up with spending
    assert evening.slots[0].offer_id == "sweetened"
    assert evening.slots[0].expected_value == pytest.approx(0.3 * (30 - 10.1))
    client.outcome(evening.decision_id, 1, "ACCEPTED", at=EVENING)


def test_the_budget_is_spent_to_the_last_cent_and_is_there_again_tomorrow(client, whole):
    def gifts(replies):
        return [r for r in replies if any(s.incentive_id == "gift" for s in r.slots)]

    with ThreadPoolExecutor(16) as desks:
        replies = list(desks.map(lambda n: offered(client, n, slots=3, at=EVENING), range(20, 60)))
    assert len(gifts(replies)) == 5
    assert spent(client, EVENING).spent == 101.0
    tomorrow = EVENING + timedelta(hours=1)
    assert spent(client, tomorrow).spent == 0.0
    assert len(gifts([offered(client, 61, slots=3, at=tomorrow)])) == 1
    for reply in gifts(replies):
        rank = next(s.rank for s in reply.slots if s.incentive_id == "gift")
        # Reported after midnight: it was promised, and is paid for, on the day of the decision.
        client.outcome(reply.decision_id, rank, "ACCEPTED", at=tomorrow)
    assert spent(client, EVENING).spent == 101.0


def test_a_killed_worker_and_an_emptied_redis_forget_nothing(running, client, whole, eventually):
    eve = EVENING
    before = scarce(client), spent(client, eve).spent
    os.kill(running.child("worker").pid, signal.SIGKILL)
    assert "scarce" not in {s.offer_id for s in offered(client, 90, slots=3).slots}
    with redis.Redis.from_url(running.stores.redis_url) as live:
        live.flushall()
    load_features(running.settings, running.stores, LOADED)
    reply = client.offers("c-91", interaction_id="i-91", channel="web", refusals=True)
    if not client.usage().known:  # the worker is not back yet
        (refusal,) = [r for r in reply.refusals if r.offer_id == "scarce"]
        assert refusal.detail == "usage cannot be read"
        assert [s.offer_id for s in reply.slots] == ["sober"]
    deadline = time.monotonic() + 60.0
    while not client.usage().known:
        assert time.monotonic() < deadline, "not rebuilt after 60 s"
        time.sleep(0.05)
    assert (scarce(client), spent(client, eve).spent) == before
