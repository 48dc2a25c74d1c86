"""The window state against the definition, evaluated over the raw events."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definitions import Kind, Window
from features.window_state import MERGE_ABOVE, update, value

HOUR = Window("w", "*", "count", "1h")
BUCKET = HOUR.width_us  # one minute
START = 1_767_225_600_000_000


def make(kind, over="1h"):
    needs = kind in {"sum", "mean", "last", "distinct"}
    return Window("w", "*", kind, over, attribute="x" if needs else "")


def brute(points, window, at_us):
    """The definition: e <= t and floor(e / width) > floor((t - over) / width)."""
    edge = (at_us - window.over_us) // window.width_us
    inside = sorted(p for p in points if p[0] <= at_us and p[0] // window.width_us > edge)
    values = [v for _, v in inside]
    always = {
        "count": float(len(inside)),
        "sum": math.fsum(values),
        "distinct": float(len(set(values))),
    }
    if window.kind in always or not inside:
        return always.get(window.kind)
    return {
        "mean": math.fsum(values) / len(values),
        "last": values[-1],
        "seconds_since": (at_us - inside[-1][0]) / 1e6,
    }[window.kind]


def folded(points, window, batches=1):
    state = None
    for number in range(batches):
        state = update(state, points[number::batches], window)
    return state


offsets = st.integers(0, 100 * BUCKET) | st.integers(0, 100).map(lambda n: n * BUCKET)
streams = st.lists(st.tuples(offsets.map(lambda n: START + n), st.integers(0, 5).map(float)))


@pytest.mark.parametrize("kind", list(Kind))
@given(points=streams, age=st.integers(0, 60 * BUCKET), batches=st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_a_few_events_are_exact_at_any_instant_up_to_one_window_back(kind, points, age, batches):
    window = make(kind)
    newest = max((at for at, _ in points), default=START)
    state = folded(points, window, batches)
    for at_us in (newest - age, newest, newest + age):
        assert value(state, window, at_us) == pytest.approx(brute(points, window, at_us))


@pytest.mark.parametrize("kind", list(Kind))
def test_many_events_are_merged_and_exact_from_the_newest_on(kind):
    window = make(kind)
    rng = random.Random(7)
    points = [(START + rng.randrange(150 * BUCKET), float(rng.randrange(9))) for _ in range(5000)]
    state = folded(points, window, batches=40)
    newest = max(at for at, _ in points)
    assert len(state) < 8 + MERGE_ABOVE * 24 * (4 if kind is Kind.DISTINCT else 1)
    for ahead in (0, 1, BUCKET - 1, BUCKET, 17 * BUCKET + 3, 59 * BUCKET, 61 * BUCKET):
        at_us = newest + ahead
        assert value(state, window, at_us) == pytest.approx(brute(points, window, at_us))


@given(points=streams.filter(bool), seed=st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_the_order_of_arrival_does_not_matter(points, seed):
    shuffled = random.Random(seed).sample(points, len(points))
    for kind in ("count", "last", "sum"):
        window = make(kind)
        assert folded(points, window, 3) == folded(shuffled, window, 2)


def test_the_trailing_edge_is_cut_at_a_bucket_and_the_leading_edge_exactly():
    state = update(None, [(START, 1.0)], HOUR)
    assert value(state, HOUR, START - 1) == 0.0
    assert value(state, HOUR, START) == 1.0
    assert value(state, HOUR, START + HOUR.over_us - 1) == 1.0
    assert value(state, HOUR, START + HOUR.over_us) == 0.0


def test_an_event_one_window_late_lands_where_it_belongs():
    state = update(None, [(START + HOUR.over_us, 1.0)], HOUR)
    late = update(state, [(START + 1, 1.0)], HOUR)
    assert value(late, HOUR, START + BUCKET) == 1.0
    assert value(late, HOUR, START + HOUR.over_us) == 1.0


def test_events_older_than_two_windows_are_not_kept():
    state = update(None, [(START, 1.0)], HOUR)
    assert update(state, [(START - 2 * HOUR.over_us - 1, 1.0)], HOUR) == state


def test_state_of_another_definition_is_not_misread():
    two_hours = make("count", "2h")
    state = update(None, [(START, 1.0)], HOUR)
    assert value(state, two_hours, START) == 0.0
    assert value(update(state, [(START, 1.0)], two_hours), two_hours, START) == 1.0


def test_texts_and_flags_are_remembered_and_told_apart():
    last, distinct = make("last"), make("distinct")
    points = [(START, "Straße"), (START + 1, True), (START + 2, 1.0), (START + 3, "Straße")]
    assert value(update(None, points, last), last, START + 3) == "Straße"
    assert value(update(None, points, last), last, START + 1) is True
    assert value(update(None, points, distinct), distinct, START + 3) == 3.0


def test_without_events_counts_are_zero_and_the_rest_unknown():
    answers = {kind.value: value(None, make(kind), START) for kind in Kind}
    assert answers == {
        "count": 0.0,
        "sum": 0.0,
        "distinct": 0.0,
        "mean": None,
        "last": None,
        "seconds_since": None,
    }
