"""A model that takes too long is left out where there is no time for it, and gets new chances."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from nbo.decision.catalog_text import load_catalog
from nbo.decision.decide import World
from nbo.decision.facts import INTERACTION_FACTS, FactSchema
from nbo.decision.propensity import Scores
from nbo.decision.request import Request
from serving.pace import TOO_LITTLE_TIME, Pace

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CATALOG = """
currency: EUR
languages: [en]
channels: {voice: {fallback: a}}
groups: [{id: g}]
offers: [{id: a, group: g, name: {en: A}, channels: [voice], value: 1, prior: 0.5, service: true}]
experiments:
  - {id: models, salt: s, arms: [{id: mine, share: 1, model: mine}]}
"""


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Slow:
    version = "slow/1"

    def __init__(self, clock):
        self.clock = clock

    def score(self, request, treatments):
        self.clock.now += 0.4
        p = np.full(len(treatments), 0.25)
        return Scores(p, np.full(len(p), 100.0), p)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(clock):
    compiled = load_catalog(CATALOG, "catalog.yaml", FactSchema(INTERACTION_FACTS))
    slow = Slow(clock)
    return World(compiled, slow, {"mine": slow})


def ask(only=None):
    return Request("d", "c", "i", NOW, "voice", "en", 1, {}, (), 1, only=only)


def test_a_slow_model_is_late_once_or_twice_and_then_left_out(clock, world):
    pace = Pace(clock)
    seen = []
    for _ in range(4):
        request, chosen = pace.fit(ask(), world, seconds=0.25)
        seen.append(pace.decide(request, chosen))
    assert [d.versions["model"] for d in seen] == ["slow/1", "slow/1", "prior", "prior"]
    assert seen[0].degraded == ()
    assert seen[3].degraded == (TOO_LITTLE_TIME, "prior propensity")
    assert seen[3].slots[0].propensity == 0.5
    # Who has the time still gets the model; and after a while everybody, once.
    assert pace.fit(ask(), world, seconds=0.9) == (ask(), world)
    clock.now += 10.0
    assert pace.fit(ask(), world, seconds=0.25) == (ask(), world)


def test_nothing_is_scored_of_whom_nothing_is_known(clock, world):
    pace = Pace(clock)
    request, chosen = pace.fit(ask(only="a"), world, seconds=9.0)
    decision = pace.decide(request, chosen)
    assert decision.degraded == ("prior propensity",)
    assert clock.now == 0.0


def test_requests_in_flight_together_do_not_take_each_others_time(clock, world):
    pace = Pace(clock)
    first = pace.fit(ask(only="a"), world, seconds=9.0)
    second = pace.fit(ask(only="a"), world, seconds=9.0)
    for _ in range(2):
        pace.decide(*pace.fit(ask(), world, seconds=9.0))
    slow = pace.expected()
    for each in (first, second):
        pace.decide(*each)
    assert pace.expected() == slow > 0.25
