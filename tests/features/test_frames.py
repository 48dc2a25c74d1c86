"""Online value at t = value from the frames at t = brute force over the raw events."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import redis.asyncio

from features.definitions import EventType, Window
from features.frames import window_values
from features.reader import CustomerReader
from features.schema import FeatureSchema
from features.stream import Event, EventStream
from features.windows import from_us, to_us
from features.worker import WindowWorker

T0 = datetime(2026, 3, 1, tzinfo=UTC)
WINDOWS = (
    Window("calls_1d", "care.called", "count", "1d"),
    Window("any_6h", "*", "count", "6h"),
    Window("minutes_1d", "care.called", "sum", "1d", "minutes"),
    Window("mean_1d", "care.*", "mean", "1d", "minutes"),
    Window("topic_1d", "*", "last", "1d", "topic"),
    Window("angry_2h", "care.called", "last", "2h", "angry"),
    Window("since_12h", "web.*", "seconds_since", "12h"),
    Window("topics_1d", "*", "distinct", "1d", "topic"),
    Window("prices_7h", "web.clicked", "count", "7h", where={"topic": "prices"}),
    Window("angry_minutes", "care.*", "sum", "100s", "minutes", where={"angry": True}),
    Window("nobody", "web.*", "sum", "1d", "minutes"),
)
EVENTS = {
    "care.called": EventType(
        "care.called", {"topic": "text", "minutes": "number", "angry": "flag"}
    ),
    "web.clicked": EventType("web.clicked", {"topic": "text"}),
}
SCHEMA = FeatureSchema(views={}, windows=WINDOWS, events=EVENTS)


def some(rng, chance, value):
    return {} if rng.random() < chance else value


def random_stream(seed, count=220, customers=4):
    """Events over about three days, many at bucket edges or at the same instant."""
    rng = random.Random(seed)
    stream = []
    for number in range(count):
        at = T0 + timedelta(minutes=rng.choice([24, 6, 1]) * rng.randrange(170))
        at += rng.choice([timedelta(), timedelta(microseconds=rng.randrange(-2, 10**6))])
        topic = some(rng, 0.3, {"topic": rng.choice(["prices", "moving", "Störung"])})
        call = {"minutes": float(rng.randrange(9)), "angry": rng.random() < 0.5}
        kind = rng.choice(sorted(EVENTS))
        attributes = topic if kind == "web.clicked" else topic | some(rng, 0.2, call)
        stream.append(Event(f"e{number}", f"c-{rng.randrange(customers)}", kind, at, attributes))
    repeated = stream + rng.sample(stream, count // 4)
    return rng.sample(repeated, len(repeated))


def frame(stream):
    rows = [
        {
            "event_id": e.event_id,
            "customer_id": e.customer_id,
            "type": e.type,
            "at": e.at,
            **{n: e.attributes.get(n) for n in ("topic", "minutes", "angry")},
        }
        for e in stream
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def brute(stream, customer_id, at, window):
    unique = {e.event_id: e for e in stream if e.customer_id == customer_id}.values()
    at_us = to_us(at)
    edge = (at_us - window.over_us) // window.width_us
    pattern = window.event.rstrip("*")
    found = sorted(
        (to_us(e.at), e.attributes.get(window.attribute, 0.0))
        for e in unique
        if e.at <= at
        and to_us(e.at) // window.width_us > edge
        and (e.type.startswith(pattern) if "*" in window.event else e.type == window.event)
        and all(e.attributes.get(name) == wanted for name, wanted in window.where.items())
        and (not window.attribute or window.attribute in e.attributes)
    )
    values = [value for _, value in found]
    always = {"count": len, "sum": sum, "distinct": lambda found: len(set(found))}
    if window.kind in always:
        return always[window.kind](values)
    if not found:
        return None
    if window.kind == "mean":
        return sum(values) / len(values)
    return values[-1] if window.kind == "last" else (at_us - found[-1][0]) / 1e6


async def online(redis_url, asks):
    client = redis.asyncio.Redis.from_url(redis_url)
    reader = CustomerReader(client, SCHEMA)
    found = [(await reader.read(customer, at)).facts for customer, at in asks]
    await client.aclose()
    return found


@pytest.mark.parametrize("seed", range(6))
def test_online_equals_frames_equals_brute_force(store, redis_url, seed):
    stream = random_stream(seed)
    publisher, worker = EventStream(store), WindowWorker(store, SCHEMA, batch=37)
    for start in range(0, len(stream), 60):
        publisher.publish(stream[start : start + 60])
        while worker.step(0):
            pass
    rng = random.Random(seed)
    newest = max(e.at for e in stream)
    asks = [(f"c-{n}", newest + timedelta(seconds=rng.randrange(90_000))) for n in range(5)]
    asks += [(f"c-{n}", newest - timedelta(seconds=rng.randrange(90))) for n in range(4)]
    asks += [(e.customer_id, max(e.at + timedelta(days=1), newest)) for e in stream[:9]]
    asks += [("c-0", from_us(to_us(newest) // 10**6 * 10**6 + n)) for n in (-1, 0, 1)]

    answers = asyncio.run(online(redis_url, asks))
    columns = {"customer_id": [c for c, _ in asks], "at": [at for _, at in asks]}
    frames = window_values(frame(stream), pl.DataFrame(columns), WINDOWS)
    for row, (customer_id, at), facts in zip(
        frames.iter_rows(named=True), asks, answers, strict=True
    ):
        for window in WINDOWS:
            name = f"customer.{window.name}"
            truth = brute(stream, customer_id, at, window)
            assert row[name] == pytest.approx(truth), (name, at)
            if newest - at < timedelta(seconds=100):
                assert facts.get(name) == pytest.approx(truth), (name, at)


@pytest.mark.parametrize("seed", range(4))
def test_frames_equal_brute_force_at_any_instant(seed):
    stream = random_stream(seed)
    rng = random.Random(seed)
    asks = [
        (f"c-{rng.randrange(6)}", T0 + timedelta(minutes=rng.randrange(5000))) for _ in range(200)
    ]
    asks += [(e.customer_id, e.at + rng.choice([-1, 0, 1]) * timedelta(hours=6)) for e in stream]
    columns = {"customer_id": [c for c, _ in asks], "at": [at for _, at in asks]}
    frames = window_values(frame(stream), pl.DataFrame(columns), WINDOWS)
    assert frames.select("customer_id", "at").rows() == asks
    for row in frames.iter_rows(named=True):
        for window in WINDOWS:
            truth = brute(stream, row["customer_id"], row["at"], window)
            assert row[f"customer.{window.name}"] == pytest.approx(truth), window.name


@pytest.mark.parametrize("topics", [("moving", "prices"), ("prices", "moving")])
def test_of_two_events_at_one_instant_the_greater_value_is_last(store, redis_url, topics):
    stream = [Event(t, "c-0", "web.clicked", T0, {"topic": t}) for t in topics]
    EventStream(store).publish(stream)
    WindowWorker(store, SCHEMA).step(0)
    asks = pl.DataFrame({"customer_id": ["c-0"], "at": [T0]})
    assert asyncio.run(online(redis_url, [("c-0", T0)]))[0]["customer.topic_1d"] == "prices"
    frames = window_values(frame(stream), asks, WINDOWS)
    assert frames["customer.topic_1d"].to_list() == ["prices"]


def test_columns_have_the_types_of_the_facts():
    asks = pl.DataFrame({"customer_id": ["c-0"], "at": [T0]})
    frames = window_values(frame(random_stream(0)), asks, WINDOWS)
    types = {"topic_1d": pl.String, "angry_2h": pl.Boolean}
    for window in WINDOWS:
        assert frames.schema[f"customer.{window.name}"] == types.get(window.name, pl.Float64)


def test_no_events_and_no_asks_are_normal():
    stream = frame(random_stream(0))
    asks = pl.DataFrame({"customer_id": ["c-0"], "at": [T0], "kept": [1]})
    nothing = window_values(stream.clear(), asks, WINDOWS)
    assert nothing["customer.calls_1d"].to_list() == [0.0]
    assert nothing["customer.mean_1d"].to_list() == [None]
    assert nothing["kept"].to_list() == [1]
    assert window_values(stream, asks.clear(), WINDOWS).height == 0


def test_instants_in_other_units_and_zones_are_the_same_instants():
    asks = pl.DataFrame({"customer_id": ["c-0"] * 3, "at": [T0 + timedelta(days=1)] * 3})
    expected = window_values(frame(random_stream(1)), asks, WINDOWS)
    zoned = frame(random_stream(1)).with_columns(pl.col("at").dt.convert_time_zone("Asia/Tokyo"))
    assert window_values(zoned, asks, WINDOWS).equals(expected)
    nanos = asks.with_columns(pl.col("at").dt.cast_time_unit("ns"))
    again = window_values(frame(random_stream(1)), nanos, WINDOWS)
    assert again.drop("at").equals(expected.drop("at"))
