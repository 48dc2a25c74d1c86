"""Processes are killed while calls go on: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import psutil
import pytest
import redis
from sqlalchemy import text

from features.stream import Event, EventStream
from nbo.cli.demo import free_address
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.errors import NboError, UnavailableError
from nbo.ledger import outbox
from nbo.ledger.engine import open_ledger
from nbo.settings import Settings
from serving.supervisor import Deployment

LOADED = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
VICTIMS = ("worker", "redis", "server", "postgres", "worker", "redis", "postgres", "server")
KILL_EVERY = 3.0


@pytest.fixture
def corner(make_corner):
    settings = Settings.load(make_corner())
    stop = threading.Event()
    with Deployment(settings, listen=free_address(), quiet=True) as running:
        load_features(settings, running.stores, LOADED)
        watcher = threading.Thread(target=running.watch, args=(stop,))
        watcher.start()
        yield running
        stop.set()
        watcher.join()


@pytest.mark.slow
def test_killing_any_process_loses_nothing_acknowledged(corner):
    rng = random.Random(7)
    done = threading.Event()
    killer = threading.Thread(target=_kill, args=(corner, done))
    killer.start()
    visits: Counter[str] = Counter()
    decisions, accepted = set(), set()
    try:
        for number in itertools.takewhile(lambda _: killer.is_alive(), itertools.count()):
            customer = f"c-{rng.choice([i for i in range(3, 100) if i % 3])}"
            _call(corner.target, customer, number, visits, decisions, accepted)
    finally:
        done.set()
        killer.join()
    assert len(decisions) > 20

    live = redis.Redis.from_url(corner.stores.redis_url)
    ledger = open_ledger(corner.stores.ledger_url)
    _until(lambda: EventStream(live).backlog() == 0)
    _until(lambda: outbox.backlog(ledger) == 0)
    with Client(corner.target) as client:
        for customer, count in visits.items():
            facts = _patiently(lambda c=customer: client.customer(c, at=NOW)).facts
            assert facts["customer.visits_30d"].number == count, customer
    _until(lambda: decisions <= _column(ledger, "SELECT decision_id FROM decision"))
    recorded = _column(ledger, "SELECT idempotency_key FROM outcome")
    assert recorded == accepted
    contacts = sum(live.zcard(f"nbo:{{c-{i}}}:h") for i in range(100))
    assert contacts == len(accepted)


def _call(target, customer, number, visits, decisions, accepted):
    """One visit, one question, one answer; each tried until it is acknowledged."""
    with Client(target, timeout=5.0) as client:
        visit = Event(f"v-{number}", customer, "shop.visited", NOW - timedelta(days=2), {})
        _patiently(lambda: client.publish([visit]))
        visits[customer] += 1
        reply = _patiently(
            lambda: client.offers(customer, interaction_id=f"i-{number}", channel="voice", at=NOW)
        )
        decisions.add(reply.decision_id)
        if reply.slots:
            key = f"k-{number}"
            _patiently(
                lambda: client.outcome(
                    reply.decision_id, 1, "PRESENTED", at=NOW, idempotency_key=key
                )
            )
            accepted.add(key)


def _patiently(call):
    deadline = time.monotonic() + 60
    while True:
        try:
            return call()
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        except NboError as error:
            raise AssertionError(f"not an answer to a crash: {error!r}") from error


def _kill(corner, done):
    """Kill the worker, the server, Redis and PostgreSQL, each more than once."""
    for victim in VICTIMS:
        if done.wait(KILL_EVERY):
            return
        if victim in ("worker", "server"):
            os.kill(corner.child(victim).pid, signal.SIGKILL)
        else:
            _kill_store(corner, "redis-server" if victim == "redis" else "postgres")
    done.wait(KILL_EVERY)


def _kill_store(corner, name):
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == name and _ours(process, corner):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _ours(process, corner):
    """Whether a store's process belongs to this deployment and to no other test's."""
    state = str(corner.settings.state_dir)
    try:
        return state in " ".join(process.info["cmdline"] or []) or process.cwd().startswith(state)
    except psutil.Error:
        return False


def _column(ledger, query):
    with ledger.connect() as connection:
        return {row[0] for row in connection.execute(text(query))}


def _until(holds):
    deadline = time.monotonic() + 60
    while not _holds(holds):
        assert time.monotonic() < deadline, "not settled after 60 s"
        time.sleep(0.1)


def _holds(check):
    try:
        return check()
    except (redis.RedisError, NboError):
        return False
