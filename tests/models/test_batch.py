"""The batch model: what it learnt, what it stores, how it asks the trees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.batch import MODEL_FILE, BatchPropensity
from nbo.decision.catalog import Treatment
from nbo.decision.request import Request
from nbo.errors import NotFoundError


def test_it_learnt_whom_to_offer_what(
    batch_model: BatchPropensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    def mean(age: float, even: bool) -> float:
        request = replace(
            requests_sample[0], facts={**requests_sample[0].facts, "customer.age": age}
        )
        probability = batch_model.score(request, treatments).probability
        wanted = [int(one.offer.offer_id[-1]) % 2 == (0 if even else 1) for one in treatments]
        return float(probability[wanted].mean())

    assert mean(75, even=True) > 1.5 * mean(25, even=True)
    assert mean(25, even=False) > 1.5 * mean(75, even=False)


def test_evidence_counts_the_exposures_of_each_offer(
    batch_model: BatchPropensity, requests_sample: list[Request], treatments: list[Treatment]
) -> None:
    scores = batch_model.score(requests_sample[0], treatments)
    expected = [batch_model.evidence[one.offer.offer_id] for one in treatments]
    assert scores.evidence.tolist() == expected
    assert sum(batch_model.evidence.values()) == 1500
    assert np.array_equal(scores.batch, scores.probability)


def test_what_is_stored_is_text(batch_model: BatchPropensity, tmp_path: Path) -> None:
    batch_model.save(tmp_path)
    assert json.loads((tmp_path / MODEL_FILE).read_text())["format"] == 1
    for path in tmp_path.iterdir():
        path.read_text(encoding="utf-8")
    assert BatchPropensity.load(tmp_path, "champion/7").version == "champion/7"


def test_a_folder_without_a_model_or_of_another_format_is_refused(
    batch_model: BatchPropensity, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="no saved batch model"):
        BatchPropensity.load(tmp_path)
    batch_model.save(tmp_path)
    body = json.loads((tmp_path / MODEL_FILE).read_text())
    (tmp_path / MODEL_FILE).write_text(json.dumps(body | {"format": 99}))
    with pytest.raises(NotFoundError, match="this engine reads 1"):
        BatchPropensity.load(tmp_path)


def test_importance_names_the_inputs_that_matter(batch_model: BatchPropensity) -> None:
    names = list(batch_model.importance())
    assert {"customer.age", "offer.id"} <= set(names[:3])


def test_all_treatments_of_a_request_are_scored_in_one_call_of_the_trees(
    batch_model: BatchPropensity,
    requests_sample: list[Request],
    treatments: list[Treatment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call per treatment would cost milliseconds; what a request costs, `make bench` measures."""
    asked: list[tuple[tuple[int, ...], object]] = []
    predict = batch_model._booster.predict

    def counted(rows: np.ndarray, **settings: object) -> object:
        asked.append((rows.shape, settings["num_threads"]))
        return predict(rows, **settings)

    monkeypatch.setattr(batch_model._booster, "predict", counted)
    batch_model.score(requests_sample[0], treatments)
    assert asked == [((len(treatments), len(batch_model.encoding.inputs)), 1)]
