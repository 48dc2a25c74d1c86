"""Every propensity passes the suite, and the suite notices one that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.batch import BatchPropensity
from models.blend import BlendedPropensity
from models.checks import Check, yield_checks
from models.online import OnlineLearner, OnlinePropensity
from nbo.decision.catalog import Treatment
from nbo.decision.prior import PriorPropensity
from nbo.decision.propensity import Propensity, Scores
from nbo.decision.request import Request

CHECKS = list(yield_checks())
FACTS = ("customer.age", "customer.calls_30d", "customer.contract", "customer.has_internet")


def learn_something(
    learner: OnlineLearner,
    requests: list[Request],
    treatments: list[Treatment],
    batch: float | None,
) -> OnlineLearner:
    generator = np.random.default_rng(3)
    for number in range(300):
        offer, incentive = treatments[generator.integers(len(treatments))]
        request = requests[number % len(requests)]
        accepted = bool(generator.random() < 0.4)
        learner.learn(request, offer.offer_id, incentive.incentive_id, batch, accepted)
    return learner


@pytest.fixture(params=["batch", "online", "blend", "blend of priors", "prior"])
def model(
    request: pytest.FixtureRequest,
    batch_model: BatchPropensity,
    requests_sample: list[Request],
    treatments: list[Treatment],
) -> Propensity:
    if request.param == "batch":
        return batch_model
    if request.param == "prior":
        return PriorPropensity()
    if request.param == "online":
        alone = learn_something(OnlineLearner(facts=FACTS), requests_sample, treatments, None)
        return OnlinePropensity(alone.weights())
    base: Propensity = batch_model if request.param == "blend" else PriorPropensity()
    beside = learn_something(OnlineLearner(base.version), requests_sample, treatments, 0.2)
    return BlendedPropensity(base, beside.weights())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_propensity_passes(
    check: Check, model: Propensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    check(model, requests_sample, treatments)


class Broken:
    """A propensity with one defect, given as a function of request and treatments."""

    version = "broken"

    def __init__(self, answer: Callable[[Request, list[Treatment]], list[float]]) -> None:
        self._answer = answer

    def score(self, request: Request, treatments: list[Treatment]) -> Scores:
        probability = np.array(self._answer(request, treatments), dtype=np.float64)
        return Scores(probability, np.zeros(len(probability)), probability)


calls = [0]


def _drifting(request: Request, treatments: list[Treatment]) -> list[float]:
    calls[0] += 1
    return [0.1 + 0.8 / (1 + calls[0])] * len(treatments)


@pytest.mark.parametrize(
    ("caught_by", "answer"),
    [
        ("check_probabilities", lambda r, t: [1.0] * len(t)),
        ("check_probabilities", lambda r, t: [float("nan")] * len(t)),
        ("check_repeatable", _drifting),
        ("check_order_is_irrelevant", lambda r, t: list(np.linspace(0.1, 0.5, len(t)))),
        ("check_batch_equals_single", lambda r, t: [0.5 / (1 + len(t))] * len(t)),
        ("check_nothing_to_score", lambda r, t: [0.5] * max(len(t), 1)),
        ("check_missing_facts", lambda r, t: [0.5 if r.facts else 0.0] * len(t)),
        (
            "check_unseen_categories",
            lambda r, t: [float(o.offer_id.startswith("offer")) / 2 for o, _ in t],
        ),
        ("check_strange_numbers", lambda r, t: [min(r.facts["customer.calls_30d"] / 9, 1.5)]),
        ("check_people_are_no_inputs", lambda r, t: [len(r.customer_id) / 99] * len(t)),
    ],
)
def test_the_suite_notices(
    caught_by: str,
    answer: Callable[[Request, list[Treatment]], list[float]],
    requests_sample: list[Request],
    treatments: list[Treatment],
) -> None:
    check = next(one for one in CHECKS if one.__name__ == caught_by)
    with pytest.raises(AssertionError):
        check(Broken(answer), requests_sample, treatments)


def test_a_fact_that_names_the_customer_is_no_input(
    batch_model: BatchPropensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    request = requests_sample[0]
    renamed = replace(request, facts={**request.facts, "customer.customer_id": "x"})
    ours = batch_model.score(request, treatments).probability
    assert np.array_equal(ours, batch_model.score(renamed, treatments).probability)
    assert not any("customer_id" in name for name in batch_model.encoding.inputs)
