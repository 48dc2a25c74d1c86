"""Batch and online together."""

from __future__ import annotations

import numpy as np
import pytest

from models.batch import BatchPropensity
from models.blend import BlendedPropensity
from models.online import OnlineLearner
from nbo.decision.catalog import Treatment
from nbo.decision.request import Request


@pytest.fixture
def learner(requests_sample: list[Request]) -> OnlineLearner:
    learner = OnlineLearner("champion/1", rate=0.05)
    for number in range(100):
        learner.learn(requests_sample[number % 6], "offer-0", "none", 0.2, True)
    return learner


def test_nothing_learnt_is_the_batch_model(
    batch_model: BatchPropensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    for blend in (
        BlendedPropensity(batch_model),
        BlendedPropensity(batch_model, OnlineLearner("champion/1").weights()),
    ):
        ours = blend.score(requests_sample[0], treatments)
        plain = batch_model.score(requests_sample[0], treatments)
        assert np.array_equal(ours.probability, plain.probability)
        assert blend.version == "champion/1+online/0"


def test_what_was_accepted_rises_and_the_batch_probability_is_kept(
    batch_model: BatchPropensity,
    learner: OnlineLearner,
    requests_sample: list[Request],
    treatments: list[Treatment],
) -> None:
    blend = BlendedPropensity(batch_model, learner.weights())
    ours = blend.score(requests_sample[0], treatments)
    plain = batch_model.score(requests_sample[0], treatments)
    at = next(n for n, one in enumerate(treatments) if one.offer.offer_id == "offer-0")
    assert ours.probability[at] > 2 * plain.probability[at]
    assert np.array_equal(ours.batch, plain.probability)
    assert ours.evidence[at] == plain.evidence[at] + 100
    assert blend.version == "champion/1+online/100"


def test_it_scores_what_river_would(
    batch_model: BatchPropensity,
    learner: OnlineLearner,
    requests_sample: list[Request],
    treatments: list[Treatment],
) -> None:
    blend = BlendedPropensity(batch_model, learner.weights())
    for request in requests_sample:
        scores = blend.score(request, treatments)
        river = [
            learner.predict(request, offer.offer_id, incentive.incentive_id, float(batch))
            for (offer, incentive), batch in zip(treatments, scores.batch, strict=True)
        ]
        assert np.abs(scores.probability - np.array(river)).max() < 1e-9


def test_weights_learnt_beside_another_model_are_left_out(
    batch_model: BatchPropensity,
    learner: OnlineLearner,
    requests_sample: list[Request],
    treatments: list[Treatment],
) -> None:
    weights = OnlineLearner.restore(learner.weights().to_json()).weights()
    other = BatchPropensity(
        batch_model._booster,
        batch_model.encoding,
        batch_model.calibration,
        batch_model.evidence,
        "champion/2",
    )
    blend = BlendedPropensity(other, weights)
    assert blend.version == "champion/2+online/0"
    ours = blend.score(requests_sample[0], treatments).probability
    assert np.array_equal(ours, other.score(requests_sample[0], treatments).probability)
