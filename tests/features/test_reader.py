import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio

from features import history
from features.definitions import Window
from features.keys import features_key, history_key
from features.packing import Packing
from features.reader import CustomerReader
from features.schema import Column, FeatureSchema, View
from features.stream import Event, EventStream
from features.windows import to_us
from features.worker import WindowWorker
from nbo.decision.history import Contact, Outcome
from nbo.errors import BadInputError, UnavailableError

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROFILE = View("profile", (Column("age", "i8"), Column("plan", "text")))
SCHEMA = FeatureSchema(
    views={"profile": PROFILE, "credit": View("credit", (Column("score", "f8"),))},
    windows=(
        Window("calls_1h", "care.called", "count", "1h"),
        Window("topic", "care.called", "last", "1h", "topic"),
    ),
)


def contact(days, outcome=Outcome.PRESENTED, offer="fibre"):
    return Contact(AT - timedelta(days=days), "voice", "i-1", "d-1", offer, "internet", outcome)


def read(redis_url, customer_id="c-1", at=AT):
    async def once():
        client = redis.asyncio.Redis.from_url(redis_url)
        try:
            return await CustomerReader(client, SCHEMA).read(customer_id, at)
        finally:
            await client.aclose()

    return asyncio.run(once())


def put_profile(store, customer_id="c-1", **cells):
    row = Packing(PROFILE).pack(to_us(AT), cells)
    store.hset(features_key(customer_id), "v:profile", row)


def publish(store, *events):
    EventStream(store).publish(events)
    WindowWorker(store, SCHEMA).step(0)


def test_nothing_is_known_of_a_stranger_but_that_nothing_happened(store, redis_url):
    assert read(redis_url) == (False, {"customer.calls_1h": 0.0}, (), None)


def test_profile_windows_history_and_latest_event_come_together(store, redis_url):
    put_profile(store, age=41, plan="S")
    event = Event("e-1", "c-1", "care.called", AT - timedelta(minutes=5), {"topic": "moving"})
    publish(store, event)
    history.append(store, "c-1", contact(3))
    facts = read(redis_url)
    assert facts.known
    assert facts.facts == {
        "customer.age": 41.0,
        "customer.plan": "S",
        "customer.calls_1h": 1.0,
        "customer.topic": "moving",
    }
    assert facts.history == (contact(3),)
    assert facts.last_event == event


def test_the_answer_is_as_of_the_instant_asked(store, redis_url):
    put_profile(store, age=41)
    publish(store, Event("e-1", "c-1", "care.called", AT, {"topic": "moving"}))
    before = read(redis_url, at=AT - timedelta(microseconds=1))
    assert (before.facts["customer.calls_1h"], before.last_event) == (0.0, None)
    later = read(redis_url, at=AT + timedelta(hours=1))
    assert later.facts == {"customer.age": 41.0, "customer.calls_1h": 0.0}
    assert later.last_event is not None


def test_a_customer_with_events_alone_is_not_known(store, redis_url):
    publish(store, Event("e-1", "c-1", "care.called", AT, {}))
    assert not read(redis_url).known


def test_a_row_of_an_old_schema_leaves_the_customer_known_and_the_facts_unknown(store, redis_url):
    old = View("profile", (Column("age", "f8"),))
    store.hset(features_key("c-1"), "v:profile", Packing(old).pack(0, {"age": 5.0}))
    assert read(redis_url)[:2] == (True, {"customer.calls_1h": 0.0})


def test_the_history_is_in_order_without_doubles_without_future_and_not_endless(store, redis_url):
    shown, answered = contact(2), contact(2, Outcome.DECLINED)
    for one in [contact(1), shown, answered, shown, contact(-1), contact(401), contact(399)]:
        history.append(store, "c-1", one)
    found = read(redis_url).history
    assert [c.at for c in found] == sorted(c.at for c in found)
    assert set(found) == {contact(399), shown, answered, contact(1)}
    assert len(found) == 4


def test_customers_do_not_mix(store, redis_url):
    put_profile(store, "c-1", age=1)
    put_profile(store, "c-10", age=10)
    assert read(redis_url, "c-10").facts["customer.age"] == 10.0


@pytest.mark.parametrize("customer_id", ["", "{events}", "a}b", "x" * 129, "a b", "ü"])
def test_an_impossible_customer_id_is_refused(store, redis_url, customer_id):
    with pytest.raises(BadInputError, match="customer_id"):
        read(redis_url, customer_id)


def test_without_redis_the_reader_says_so():
    with pytest.raises(UnavailableError, match="redis is not available"):
        read("unix:///nowhere/r.sock")


def test_one_read_is_one_round_trip(store, redis_url):
    put_profile(store, age=1)
    sent = []

    class CountingConnection(redis.asyncio.UnixDomainSocketConnection):
        async def send_packed_command(self, *arguments, **options):
            sent.append(arguments)
            await super().send_packed_command(*arguments, **options)

    async def twice():
        path = redis_url.removeprefix("unix://")
        pool = redis.asyncio.ConnectionPool(connection_class=CountingConnection, path=path)
        client = redis.asyncio.Redis(connection_pool=pool)
        reader = CustomerReader(client, SCHEMA)
        await reader.read("c-1", AT)
        sent.clear()  # what it takes to connect
        facts = await reader.read("c-1", AT)
        await client.aclose()
        return facts

    assert asyncio.run(twice()).known
    assert len(sent) == 1


def test_contacts_come_back_from_their_bytes():
    odd = contact(0)._replace(interaction_id='i"\n', offer_id="größer", decision_id="")
    assert history.decode(history.encode(odd)) == odd
    deferred = odd._replace(outcome=Outcome.DEFERRED, defer_until=AT + timedelta(days=9))
    assert history.decode(history.encode(deferred)) == deferred


def test_contacts_stored_before_deferrals_had_a_time_keep_their_bytes():
    member = b'[1777636800000000,"voice","i-1","d-1","fibre","internet","DEFERRED"]'
    assert history.decode(member) == contact(0, Outcome.DEFERRED)
    assert history.encode(contact(0, Outcome.DEFERRED)) == member


def stored(store):
    return {history.decode(member).at for member in store.zrange(history_key("c-1"), 0, -1)}


def test_a_history_lets_go_of_what_nobody_will_ask_for(store):
    now = datetime.now(UTC).replace(microsecond=0)
    long_ago, edge = now - history.STORED - timedelta(hours=1), now - timedelta(days=799)
    for at in (long_ago, edge):
        history.append(store, "c-1", contact(0)._replace(at=at))
    assert stored(store) == {long_ago, edge}, "a replay of the past keeps its past"
    history.append(store, "c-1", contact(0)._replace(at=now))
    assert stored(store) == {edge, now}
    tomorrow = now + timedelta(days=900)
    history.append(store, "c-1", contact(0)._replace(at=tomorrow))
    assert stored(store) == {edge, now, tomorrow}, "a simulated future forgets nothing real"
    assert 0 < store.ttl(history_key("c-1")) <= history.STORED.total_seconds()


def test_several_contacts_are_written_at_once_and_none_is_nothing(store):
    history.extend(store, "c-1", [contact(1), contact(2), contact(1)])
    history.extend(store, "c-1", [])
    assert stored(store) == {contact(1).at, contact(2).at}
