"""Reasons of propensities: from the model that decided, else it is said why there are none."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import lightgbm
import numpy as np
import pytest

from models.batch import BatchPropensity
from models.blend import BlendedPropensity
from models.calibration import Calibration
from models.encoding import Encoding
from models.weights import OnlineWeights
from nbo.decision.catalog_text import load_catalog
from nbo.decision.decide import World, decide
from nbo.decision.facts import FactSchema, FactType
from nbo.decision.prior import PriorPropensity
from nbo.decision.request import Request
from serving.propensity_reasons import MOST_REASONS, RECENT_OUTCOMES, propensity_reasons

SCHEMA = FactSchema({"customer.years": FactType.NUMBER})
CATALOG = """
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: g}, {id: h}]
offers:
  - {id: o, group: g, name: {en: O}, channels: [voice], value: 10, prior: 0.2}
  - {id: p, group: h, name: {en: P}, channels: [voice], value: 12, prior: 0.3}
"""
COMPILED = load_catalog(CATALOG, "catalog.yaml", SCHEMA)
REQUEST = Request(
    decision_id="d-1",
    customer_id="c-1",
    interaction_id="i-1",
    at=datetime(2026, 3, 10, tzinfo=UTC),
    channel="voice",
    language="en",
    slots=2,
    facts={"customer.years": 0.9},
    history=(),
    seed=1,
)


@pytest.fixture(scope="module")
def batch():
    """Who is with us for long accepts."""
    rng = np.random.default_rng(1)
    encoding = Encoding.fit(SCHEMA, COMPILED.catalog)
    rows = rng.random((500, len(encoding.inputs)))
    data = lightgbm.Dataset(rows, rng.random(500) < rows[:, 0])
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, data, 5)
    return BatchPropensity(
        booster, encoding, Calibration(), {"o": 100, "p": 100}, version="champion/3"
    )


def world(model, **models):
    return World(COMPILED, model, models=models)


def learnt(batch, n=9):
    weights = {("offer", "o"): 0.5, ("batch",): 4.0}
    return BlendedPropensity(
        batch, OnlineWeights(base=batch.version, learnt=n, weights=weights, counts={"o": n})
    )


def test_the_model_that_decided_says_what_moved_it(batch):
    served = world(batch)
    found = propensity_reasons(decide(REQUEST, served), COMPILED, served)
    assert found.without == ""
    assert set(found.by_rank) == {1, 2}
    assert found.by_rank[1][0].input == "customer.years"
    assert found.by_rank[1][0].value == "0.9"
    assert found.by_rank[1][0].contribution > 0
    assert all(len(several) <= MOST_REASONS for several in found.by_rank.values())


def test_what_online_learning_added_is_one_line_read_off_the_log(batch):
    decision = decide(REQUEST, world(learnt(batch)))
    # By now more has been learnt, and of another kind: what decided must be told, not that.
    now = world(learnt(batch, n=50))
    found = propensity_reasons(decision, COMPILED, now)
    rank = next(slot.rank for slot in decision.slots if slot.offer_id == "o")
    line = next(one for one in found.by_rank[rank] if one.input == RECENT_OUTCOMES)
    assert line.value == "9 learnt"
    assert line.contribution == pytest.approx(0.5)
    other = next(slot.rank for slot in decision.slots if slot.offer_id == "p")
    assert all(one.input != RECENT_OUTCOMES for one in found.by_rank[other])
    assert any(one.input == "customer.years" for one in found.by_rank[rank])


def test_a_model_no_longer_served_is_named(batch):
    decision = decide(REQUEST, world(batch))
    later = BatchPropensity(
        batch._booster, batch.encoding, batch.calibration, batch.evidence, "champion/4"
    )
    found = propensity_reasons(decision, COMPILED, world(later))
    assert found.without == "model champion/3 decided, this server has champion/4 now"
    assert found.by_rank == {1: [], 2: []}


def test_a_model_an_arm_asked_for_is_found_among_the_others(batch):
    decision = decide(REQUEST, world(batch))
    assert propensity_reasons(decision, COMPILED, world(PriorPropensity(), mine=batch)).by_rank[1]


def test_priors_have_nothing_to_say():
    decision = decide(REQUEST, world(PriorPropensity()))
    found = propensity_reasons(decision, COMPILED, world(PriorPropensity()))
    assert "acceptance rates" in found.without


@pytest.mark.parametrize("breaks", [True, False])
def test_a_model_of_the_workspace_may_break_or_be_mute(batch, breaks):
    class Mute:
        version = "mine"

        def score(self, request, treatments):
            return batch.score(request, treatments)

    class Broken(Mute):
        def contributions(self, request, treatment):
            raise RuntimeError("no idea")

    served = world(Broken() if breaks else Mute())
    found = propensity_reasons(decide(REQUEST, served), COMPILED, served)
    assert found.without == (
        "model mine failed to say what moves it"
        if breaks
        else "model mine does not say what moves it"
    )
    assert found.by_rank == {1: [], 2: []}


def test_a_decision_without_scores_has_no_online_line(batch):
    decision = replace(decide(REQUEST, world(learnt(batch))), scores=())
    found = propensity_reasons(decision, COMPILED, world(learnt(batch)))
    assert all(one.input != RECENT_OUTCOMES for one in found.by_rank[1])
    assert all(math.isfinite(one.contribution) for one in found.by_rank[1])
