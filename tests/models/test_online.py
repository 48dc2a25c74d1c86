"""The online model: River's own answers, memory, patience with noise, response to change."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.calibration import log_odds, sigmoid
from models.online import RATE, OnlineLearner, OnlinePropensity
from models.weights import BATCH, BATCH_SCALE, OnlineWeights
from nbo.decision.catalog import Catalog, Treatment
from nbo.decision.request import Request

FACTS = ("customer.age", "customer.calls_30d", "customer.contract", "customer.has_internet")
MakeRequest = Callable[[np.random.Generator, int], Request]


def stream(
    make_request: MakeRequest, treatments: list[Treatment], n: int, seed: int
) -> list[tuple[Request, Treatment, float, bool]]:
    """Outcomes of which the batch probability is the truth."""
    generator = np.random.default_rng(seed)
    result = []
    for number in range(n):
        treatment = treatments[generator.integers(len(treatments))]
        batch = float(sigmoid(generator.normal(-1.2, 0.9, 1))[0])
        accepted = bool(generator.random() < batch)
        result.append((make_request(generator, number), treatment, batch, accepted))
    return result


def teach(
    learner: OnlineLearner,
    outcomes: list[tuple[Request, Treatment, float, bool]],
    *,
    alone: bool = False,
) -> OnlineLearner:
    for request, (offer, incentive), batch, accepted in outcomes:
        learner.learn(
            request, offer.offer_id, incentive.incentive_id, None if alone else batch, accepted
        )
    return learner


@pytest.mark.parametrize("alone", [False, True])
def test_serving_equals_river(
    alone: bool, make_request: MakeRequest, treatments: list[Treatment]
) -> None:
    # The last two treatments are learnt never, so that unknown offers are compared as well.
    learner = OnlineLearner(facts=FACTS if alone else (), rate=0.1)
    teach(learner, stream(make_request, treatments[:-2], 1_000, seed=1), alone=alone)
    weights = OnlineWeights.from_json(learner.weights().to_json())
    for request, _, batch, _ in stream(make_request, treatments, 50, seed=2):
        known = None if alone else np.full(len(treatments), batch)
        ours = weights.probability(request, treatments, known)
        river = [
            learner.predict(
                request, offer.offer_id, incentive.incentive_id, None if alone else batch
            )
            for offer, incentive in treatments
        ]
        assert np.abs(ours - np.array(river)).max() < 1e-9


def test_one_step_by_hand(requests_sample: list[Request]) -> None:
    """From p = 0.2 and an acceptance, every input moves by rate × 0.8 × its value."""
    request = replace(requests_sample[0], channel="web", facts={"event.type": "moved"})
    learner = OnlineLearner()
    assert learner.predict(request, "o", "i", 0.2) == pytest.approx(0.2, abs=1e-12)
    learner.learn(request, "o", "i", 0.2, True)
    weights = learner.weights()
    step = RATE * 0.8
    for key in (
        ("offer", "o"),
        ("incentive", "o", "i"),
        ("event", "o", "moved"),
        ("channel", "o", "web"),
    ):
        assert weights.weights[key] == pytest.approx(step)
    assert weights.intercept == pytest.approx(step / 2)
    moved = weights.weights[BATCH] - 1 / BATCH_SCALE
    assert moved == pytest.approx(step * BATCH_SCALE * math.log(0.2 / 0.8))
    assert weights.learnt == 1
    assert weights.counts == {"o": 1}


@pytest.mark.parametrize("alone", [False, True])
def test_restored_from_text_it_goes_on_as_if_never_stopped(
    alone: bool, make_request: MakeRequest, treatments: list[Treatment]
) -> None:
    outcomes = stream(make_request, treatments, 400, seed=3)
    whole = teach(OnlineLearner("b/1", FACTS), outcomes, alone=alone)
    half = teach(OnlineLearner("b/1", FACTS), outcomes[:200], alone=alone)
    resumed = OnlineLearner.restore(half.weights().to_json(), "b/1")
    assert teach(resumed, outcomes[200:], alone=alone).weights() == whole.weights()


def test_another_batch_model_starts_it_anew(
    make_request: MakeRequest, treatments: list[Treatment]
) -> None:
    learner = teach(OnlineLearner("champion/1"), stream(make_request, treatments, 50, seed=4))
    state = learner.weights().to_json()
    assert OnlineLearner.restore(state, "champion/1").learnt == 50
    assert OnlineLearner.restore(state).learnt == 50
    assert OnlineLearner.restore(state).base == "champion/1"
    anew = OnlineLearner.restore(state, "champion/2")
    assert anew.weights() == OnlineWeights(base="champion/2")
    assert OnlineLearner.restore(None).learnt == 0


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_noise_does_not_spoil_a_batch_model_that_is_right(
    seed: int, make_request: MakeRequest, treatments: list[Treatment]
) -> None:
    """After 5,000 outcomes the blend's expected log loss is at most 1 % above the truth's."""
    learner = teach(OnlineLearner(), stream(make_request, treatments, 5_000, seed=seed))
    weights = learner.weights()
    truth, blended = [], []
    for request, treatment, batch, _ in stream(make_request, treatments, 2_000, seed=seed + 100):
        truth.append(batch)
        blended.append(float(weights.probability(request, [treatment], np.array([batch]))[0]))
    p, q = np.array(truth), np.array(blended)
    best = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()
    ours = -(p * np.log(q) + (1 - p) * np.log(1 - q)).mean()
    assert best < ours <= 1.01 * best


def test_it_follows_an_offer_whose_rate_shifts_and_leaves_the_others(
    make_request: MakeRequest, treatments: list[Treatment], catalog: Catalog
) -> None:
    """One offer falls from 35 % to 10 % unseen by the batch model; 600 of its outcomes tell."""
    learner = teach(OnlineLearner(), stream(make_request, treatments, 3_000, seed=20))
    before = learner.weights()
    generator = np.random.default_rng(21)
    none = catalog.incentives["none"]
    for number in range(2_400):
        offer = catalog.offers[f"offer-{number % 4}"]
        rate = 0.10 if offer.offer_id == "offer-0" else 0.35
        request = make_request(generator, number)
        learner.learn(request, offer.offer_id, "none", 0.35, bool(generator.random() < rate))
    after = learner.weights()

    def mean(weights: OnlineWeights, offer_id: str) -> float:
        probe = [Treatment(catalog.offers[offer_id], none)]
        some = np.random.default_rng(22)
        return float(
            np.mean(
                [
                    weights.probability(make_request(some, n), probe, np.array([0.35]))[0]
                    for n in range(200)
                ]
            )
        )

    assert mean(before, "offer-0") == pytest.approx(0.35, abs=0.06)
    assert mean(after, "offer-0") < 0.17
    for other in ("offer-1", "offer-2", "offer-3"):
        assert mean(after, other) == pytest.approx(0.35, abs=0.06)


def test_alone_it_learns_from_the_customers_facts(
    make_request: MakeRequest, treatments: list[Treatment]
) -> None:
    generator = np.random.default_rng(30)
    learner = OnlineLearner(facts=FACTS, rate=0.05)
    for number in range(3_000):
        request = make_request(generator, number)
        age = float(request.facts.get("customer.age", 50.0))
        accepted = bool(generator.random() < sigmoid(np.array((age - 50) / 10)))
        learner.learn(request, "offer-0", "none", None, accepted)
    model = OnlinePropensity(learner.weights())
    request = make_request(generator, 0)

    def at_age(age: float) -> float:
        older = replace(request, facts={**request.facts, "customer.age": age})
        return float(model.score(older, treatments[:1]).probability[0])

    assert at_age(30.0) < 0.3
    assert at_age(70.0) > 0.7
    assert model.version == "online/3000"


def test_a_wild_number_moves_the_weights_no_more_than_a_large_one(
    requests_sample: list[Request],
) -> None:
    learner = OnlineLearner(facts=("customer.age",))
    for age in (30.0, 40.0, 50.0, 60.0) * 5:
        learner.learn(
            replace(requests_sample[0], facts={"customer.age": age}), "o", "none", None, True
        )
    for wild in (1e12, float("nan"), float("inf")):
        learner.learn(
            replace(requests_sample[0], facts={"customer.age": wild}), "o", "none", None, True
        )
    assert abs(learner.weights().weights["fact", "customer.age"]) < 0.2


def test_counts_are_evidence(make_request: MakeRequest, treatments: list[Treatment]) -> None:
    outcomes = stream(make_request, treatments[:2], 30, seed=5)
    weights = teach(OnlineLearner(), outcomes).weights()
    assert weights.evidence(treatments).tolist() == [30.0, 30.0] + [0.0] * (len(treatments) - 2)


def test_certain_batch_probabilities_do_not_break_it(requests_sample: list[Request]) -> None:
    learner = OnlineLearner()
    for certain in (0.0, 1.0):
        learner.learn(requests_sample[0], "o", "none", certain, certain == 0.0)
        assert math.isfinite(learner.predict(requests_sample[0], "o", "none", certain))


def test_log_odds_enter_with_weight_one(
    requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    batch = np.linspace(0.01, 0.99, len(treatments))
    fresh = OnlineWeights().probability(requests_sample[0], treatments, batch)
    assert log_odds(fresh) == pytest.approx(log_odds(batch))
