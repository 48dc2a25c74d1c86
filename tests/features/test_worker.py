"""Every event changes the windows exactly once, whatever happens to the worker."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis

from features.definitions import EventType, Window
from features.digest import decode_latest
from features.keys import features_key, poison_key, stream_key
from features.schema import FeatureSchema
from features.stream import Event, EventStream
from features.window_state import value
from features.windows import to_us
from features.worker import WindowWorker
from nbo.errors import UnavailableError

AT = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = Window("count_1d", "care.*", "count", "1d")
TOTAL = Window("total_1d", "care.called", "sum", "1d", attribute="minutes")
SCHEMA = FeatureSchema(
    views={},
    windows=(COUNT, TOTAL),
    events={"care.called": EventType("care.called", {"minutes": "number"})},
)


def events(count, customers=5, seed=0):
    rng = random.Random(seed)
    return [
        Event(
            f"e-{number}",
            f"c-{rng.randrange(customers)}",
            "care.called",
            AT + timedelta(seconds=rng.randrange(3600)),
            {"minutes": float(rng.randrange(5))},
        )
        for number in range(count)
    ]


def counted(store, window=COUNT, customers=5):
    at_us = to_us(AT + timedelta(hours=2))
    states = [store.hget(features_key(f"c-{n}"), f"w:{window.name}") for n in range(customers)]
    return sum(value(state, window, at_us) for state in states)


def drain(worker):
    taken = 0
    while step := worker.step(0):
        taken += step
    return taken


class DyingPipeline:
    """A connection that dies at the worst moment: when a batch is about to be committed."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def pipeline(self, transaction=True):
        pipe = self._client.pipeline(transaction=transaction)
        if transaction:

            def die():
                pipe.reset()
                raise redis.ConnectionError("connection lost")

            pipe.execute = die
        return pipe


def test_events_reach_the_windows_and_leave_the_stream(store):
    published = events(250)
    stream = EventStream(store)
    stream.publish(published)
    worker = WindowWorker(store, SCHEMA, batch=100)
    assert stream.backlog() == 250
    assert [worker.step(0) for _ in range(4)] == [100, 100, 50, 0]
    assert stream.backlog() == 0
    assert counted(store) == 250.0
    assert counted(store, TOTAL) == sum(e.attributes["minutes"] for e in published)


def test_events_published_before_the_first_worker_are_seen_and_waited_for(store):
    worker = WindowWorker(store, SCHEMA)
    assert worker.step(block_ms=1) == 0
    threading.Timer(0.1, EventStream(store).publish, [events(3)]).start()
    assert worker.step(block_ms=5000) == 3


def test_a_crash_before_the_commit_loses_and_doubles_nothing(store):
    EventStream(store).publish(events(50))
    with pytest.raises(UnavailableError):
        WindowWorker(DyingPipeline(store), SCHEMA).step(0)
    assert counted(store) == 0.0
    assert drain(WindowWorker(store, SCHEMA)) == 50
    assert counted(store) == 50.0


def test_the_same_worker_goes_on_after_a_lost_connection(store):
    EventStream(store).publish(events(50))
    worker = WindowWorker(store, SCHEMA)
    healthy, worker._redis = worker._redis, DyingPipeline(store)
    with pytest.raises(UnavailableError):
        worker.step(0)
    worker._redis = healthy
    assert drain(worker) == 50
    assert counted(store) == 50.0


def test_abandoned_events_are_taken_over_and_their_first_owner_counts_nothing(store):
    EventStream(store).publish(events(20))
    slow = WindowWorker(store, SCHEMA, consumer="slow")
    held = slow._read(0)
    heir = WindowWorker(store, SCHEMA, consumer="heir", abandoned_ms=0)
    assert heir.step(0) == 20
    assert slow._work(held) == 0
    assert counted(store) == 20.0


def test_a_worker_that_lost_its_events_between_read_and_commit_counts_nothing(store):
    """The takeover falls between the check of ownership and the commit."""
    EventStream(store).publish(events(20))
    slow = WindowWorker(store, SCHEMA, consumer="slow")
    held = slow._read(0)
    heir = WindowWorker(store, SCHEMA, consumer="heir", abandoned_ms=0)
    check, taken = slow._held, []

    def check_then_lose(entries):
        mine = check(entries)
        if not taken:
            taken.append(heir.step(0))
        return mine

    slow._held = check_then_lose
    assert slow._work(held) == 0
    assert taken == [20]
    assert counted(store) == 20.0


def test_several_workers_on_the_same_customers_count_every_event_once(store, redis_url):
    EventStream(store).publish(events(3000, customers=3))

    def work(name):
        client = redis.Redis.from_url(redis_url)
        drain(WindowWorker(client, SCHEMA, consumer=name, batch=50))
        client.close()

    threads = [threading.Thread(target=work, args=(f"w-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(store) == 3000.0
    assert store.xlen(stream_key()) == 0


def test_poison_is_set_aside_with_its_reason_and_holds_nothing_up(store):
    stream = EventStream(store)
    stream.publish(events(2))
    store.xadd(stream_key(), {"e": b"not json"})
    store.xadd(stream_key(), {"other": b"field"})
    wrong = Event("e-x", "c-1", "care.called", AT, {"minutes": "many"})
    stream.publish([wrong])
    assert WindowWorker(store, SCHEMA).step(0) == 5
    assert counted(store) == 2.0
    poison = [fields for _, fields in store.xrange(poison_key())]
    assert [fields[b"e"][:8] for fields in poison] == [b"not json", b"", b'["e-x","']
    assert b"could not convert" in poison[2][b"reason"]


@pytest.mark.parametrize("batched", [False, True])
def test_the_latest_event_by_its_own_time_is_kept(store, batched):
    late = Event("a", "c-1", "care.called", AT + timedelta(hours=1), {"minutes": 2.0})
    tied = Event("b", "c-1", "web.seen", AT + timedelta(hours=1), {})
    early = Event("c", "c-1", "web.seen", AT, {"topic": "Übersicht\n2"})
    for order in ([late, early, tied], [tied, late, early], [early, tied, late]):
        store.flushall()
        worker = WindowWorker(store, SCHEMA)
        for some in [order] if batched else [[one] for one in order]:
            EventStream(store).publish(some)
            worker.step(0)
        assert decode_latest(store.hget(features_key("c-1"), "e"), "c-1") == tied


def test_an_emptied_store_is_begun_anew(store):
    worker = WindowWorker(store, SCHEMA)
    worker.step(0)
    store.flushall()
    EventStream(store).publish(events(4))
    assert [worker.step(0), worker.step(0)] == [0, 4]


def test_without_redis_the_worker_says_so():
    with pytest.raises(UnavailableError, match="redis is not available"):
        WindowWorker(redis.Redis.from_url("unix:///nowhere/r.sock"), SCHEMA).step(0)
