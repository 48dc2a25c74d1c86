import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio

from features.definitions import EventType
from features.schema import FeatureSchema
from features.stream import (
    CHUNK,
    AsyncEventStream,
    Event,
    EventStream,
    append_once,
    decode,
    encode,
    event_facts,
    validate,
)
from nbo.errors import BadInputError

AT = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
SCHEMA = FeatureSchema(
    views={},
    events={
        "care.called": EventType(
            "care.called", {"topic": "text", "minutes": "number", "angry": "flag"}
        )
    },
)


def event(**changes):
    fields = {"event_id": "e-1", "customer_id": "c-1", "type": "care.called", "at": AT}
    return Event(**{**fields, **changes})


def test_an_event_comes_back_from_its_bytes():
    full = event(attributes={"topic": 'Ärger "neu"\n', "minutes": 2.5, "angry": True})
    assert decode(encode(full)) == full


def test_whole_numbers_become_doubles():
    minutes = decode(encode(event(attributes={"minutes": 3}))).attributes["minutes"]
    assert (minutes, type(minutes)) == (3.0, float)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1,2]",
        b'["e","c","t","now",{}]',
        b'["e",7,"t",1,{}]',
        b'["e","c","t",1,{"a":NaN}]',
        b'["e","c","t",1,{"a":[1]}]',
        b'["e","c","t",true,{}]',
    ],
)
def test_other_bytes_are_no_event(data):
    with pytest.raises(ValueError):
        decode(data)


def test_the_event_becomes_facts():
    assert event_facts(event(attributes={"minutes": 2.0})) == {
        "event.type": "care.called",
        "event.minutes": 2.0,
    }


def test_a_good_event_passes():
    validate(event(attributes={"minutes": 3, "angry": False}), SCHEMA, AT)
    validate(event(at=AT + timedelta(minutes=5)), SCHEMA, AT)
    validate(event(type="other.thing"), SCHEMA, AT, allow_unknown_types=True)


@pytest.mark.parametrize(
    ("changes", "field", "constraint"),
    [
        ({"event_id": ""}, "event_id", "1 to 128"),
        ({"event_id": "x" * 129}, "event_id", "1 to 128"),
        ({"event_id": "a\nb"}, "event_id", "printable"),
        ({"customer_id": ""}, "customer_id", "1 to 128"),
        ({"customer_id": "c" * 129}, "customer_id", "too long"),
        ({"customer_id": "c{1}"}, "customer_id", "letters, digits"),
        ({"customer_id": "c 1"}, "customer_id", "letters, digits"),
        ({"customer_id": "c-1\n"}, "customer_id", "letters, digits"),
        ({"at": AT + timedelta(minutes=5, seconds=1)}, "at", "ahead of the clock"),
        ({"at": datetime(1969, 1, 1, tzinfo=UTC)}, "at", "after 1970"),
        ({"at": AT.replace(tzinfo=None)}, "at", "time zone"),
        ({"type": "care.caled"}, "type", "did you mean 'care.called'"),
        ({"attributes": {"colour": "red"}}, "attributes['colour']", "topic, minutes, angry"),
        ({"attributes": {"minutes": "3"}}, "attributes['minutes']", "must be a number"),
        ({"attributes": {"minutes": True}}, "attributes['minutes']", "must be a number"),
        ({"attributes": {"angry": 1.0}}, "attributes['angry']", "must be a flag"),
        ({"attributes": {"minutes": float("nan")}}, "attributes['minutes']", "finite"),
        ({"attributes": {"topic": "x" * 4097}}, "attributes['topic']", "at most 4096"),
    ],
)
def test_a_wrong_event_names_the_field_and_the_constraint(changes, field, constraint):
    with pytest.raises(BadInputError) as caught:
        validate(event(**changes), SCHEMA, AT)
    assert caught.value.field == field
    assert constraint in caught.value.constraint


def test_an_event_id_is_published_once(store):
    stream = EventStream(store)
    assert stream.publish([event(), event(event_id="e-2"), event()]) == [True, True, False]
    assert stream.publish([event(event_id="e-2"), event(event_id="e-3")]) == [False, True]
    assert stream.backlog() == 3
    assert stream.publish([]) == []


def test_sync_and_async_publishers_share_what_was_seen(store, redis_url):
    async def publish():
        client = redis.asyncio.Redis.from_url(redis_url)
        stream = AsyncEventStream(client)
        flags = await stream.publish([event(), event(event_id="e-2")])
        await client.aclose()
        return flags

    EventStream(store).publish([event()])
    assert asyncio.run(publish()) == [False, True]
    assert EventStream(store).backlog() == 2


def test_a_large_batch_leaves_turns_to_others(store, redis_url):
    many = [event(event_id=f"e-{n}") for n in range(4 * CHUNK + 1)]

    async def publish():
        client = redis.asyncio.Redis.from_url(redis_url)
        flags = await AsyncEventStream(client).publish([*many, many[0]])
        await client.aclose()
        return flags

    store.config_resetstat()
    assert asyncio.run(publish()) == [True] * len(many) + [False]
    assert EventStream(store).backlog() == len(many)
    assert store.info("commandstats")["cmdstat_evalsha"]["calls"] >= 5


def test_the_mark_of_an_entry_passes(store):
    mark = "nbo:{events}:d:x"
    assert append_once(store, "nbo:{events}:s", [mark], [b"1"], timedelta(seconds=100)) == [True]
    assert 0 < store.ttl(mark) <= 100
    store.delete(mark)
    assert append_once(store, "nbo:{events}:s", [mark], [b"1"], timedelta(seconds=100)) == [True]


def test_all_keys_of_the_stream_share_a_hash_tag(store):
    EventStream(store).publish([event()])
    assert {key.split(b"}")[0] for key in store.scan_iter()} == {b"nbo:{events"}
