"""What moved a score: the parts add up to the raw log-odds and are shown as the model saw them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from models.batch import BatchPropensity
from nbo.decision.catalog import Treatment
from nbo.decision.explanation import Explainable
from nbo.decision.request import Request


def total(model: BatchPropensity, request: Request, treatment: Treatment) -> float:
    return sum(one.contribution for one in model.contributions(request, treatment))


def raw(model: BatchPropensity, request: Request, treatment: Treatment) -> float:
    return float(model.raw(model.encoding.encode(request, [treatment]))[0])


def test_the_parts_and_one_average_make_the_raw_log_odds(
    batch_model: BatchPropensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    averages = [
        raw(batch_model, request, treatment) - total(batch_model, request, treatment)
        for request in requests_sample
        for treatment in treatments
    ]
    assert np.ptp(averages) < 1e-9


def test_the_strongest_comes_first_and_idle_inputs_are_left_out(
    batch_model: BatchPropensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    parts = [
        abs(c.contribution) for c in batch_model.contributions(requests_sample[0], treatments[0])
    ]
    assert parts == sorted(parts, reverse=True)
    assert 0.0 not in parts


def test_what_the_law_is_about_moves_most(
    batch_model: BatchPropensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    moved: Counter[str] = Counter()
    for request in requests_sample:
        for treatment in treatments:
            for name, _, part in batch_model.contributions(request, treatment):
                moved[name] += abs(part)  # type: ignore[assignment]
    assert moved.most_common(1)[0][0] == "customer.age"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("customer.age", 71.0, "71"), ("customer.age", None, "unknown")],
)
def test_values_are_shown_as_the_model_saw_them(
    batch_model: BatchPropensity,
    make_request: Callable[[np.random.Generator, int], Request],
    treatments: list[Treatment],
    name: str,
    value: float | None,
    shown: str,
) -> None:
    request = make_request(np.random.default_rng(1), 1)
    facts = {key: fact for key, fact in request.facts.items() if key != name}
    if value is not None:
        facts[name] = value
    changed = Request(**{**{f: getattr(request, f) for f in Request.__slots__}, "facts": facts})
    found = {one.input: one.value for one in batch_model.contributions(changed, treatments[3])}
    assert found[name] == shown
    assert found["offer.id"] == treatments[3].offer.offer_id


def test_a_batch_model_can_be_explained(batch_model: BatchPropensity) -> None:
    assert isinstance(batch_model, Explainable)
