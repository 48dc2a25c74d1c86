"""The fit finds the law of a world where it is known, and says so when there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from nbo.decision.catalog import Catalog
from nbo.decision.facts import FactSchema, FactType
from nbo.errors import NotEnoughDataError
from training.examples import Example, treatment_of
from training.fit import MODEL, MOVING_AVERAGE, OFFER_RATE, FitResult, fit
from training.grow import FitParams
from training.train import worth_promoting

MakeExamples = Callable[..., list[Example]]
Law = Callable[[float, int, str], float]


@pytest.fixture(scope="module")
def result(make_examples: MakeExamples, schema: FactSchema, catalog: Catalog) -> FitResult:
    return fit(make_examples(6_000), schema, catalog)


def predict(result: FitResult, examples: list[Example], catalog: Catalog) -> np.ndarray:
    return np.array(
        [
            result.model.score(one.request, [treatment_of(one, catalog)]).probability[0]
            for one in examples
        ]
    )


def test_the_model_finds_the_true_probabilities(
    result: FitResult, make_examples: MakeExamples, truth: Law, catalog: Catalog
) -> None:
    new = make_examples(2_000, seed=99)
    p = np.array(
        [
            truth(float(one.request.facts["customer.age"]), int(one.offer_id[-1]), one.incentive_id)
            for one in new
        ]
    )
    predicted = predict(result, new, catalog)
    assert np.corrcoef(p, predicted)[0, 1] > 0.95
    assert np.abs(p - predicted).mean() < 0.05


def test_it_beats_its_baselines_and_says_by_how_much(result: FitResult) -> None:
    figures = result.report.figures
    assert list(figures) == [MODEL, MOVING_AVERAGE, OFFER_RATE]
    assert 0.70 < figures[MODEL].auc.low < figures[MODEL].auc.high < 0.85
    assert figures[MODEL].ece.value < 0.05
    for baseline in (MOVING_AVERAGE, OFFER_RATE):
        assert figures[baseline].excess.low > 0
        assert figures[baseline].auc.value < figures[MODEL].auc.low
    promoted, reason = worth_promoting(result.report)
    assert promoted
    assert "higher log loss" in reason
    best = min((figures[name].excess for name in (MOVING_AVERAGE, OFFER_RATE)), key=min)
    assert reason.endswith(f"than the model, the difference is {best}")
    assert "Estimate" not in reason


def test_the_report_accounts_for_every_exposure(result: FitResult) -> None:
    report = result.report
    assert report.parts == (3600, 1200, 1200)
    assert sum(report.parts) == report.exposures == 6_000
    assert report.starts == tuple(sorted(report.starts))
    assert report.accepted > 1000
    assert 0 < report.trees <= FitParams().trees
    assert sum(result.model.evidence.values()) == 6_000


def test_the_report_names_facts_that_no_exposure_knows(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    """Once known, even in one exposure, a fact is observed; what no model reads is not named."""
    new = {"customer.clicks_7d": FactType.NUMBER, "event.amount": FactType.NUMBER}
    grown = FactSchema({**schema.types, **new, "customer.topic": FactType.TEXT})
    first, *others = make_examples(400)
    asked = replace(first.request, facts={**first.request.facts, "customer.topic": "price"})
    report = fit([replace(first, request=asked), *others], grown, catalog).report
    known = {"customer.topic", *first.request.facts}
    inputs = {name for name in grown.types if name != "event.amount"}
    assert report.never_observed == tuple(sorted(inputs - known))
    assert "customer.clicks_7d" in report.never_observed


def test_same_examples_and_seed_give_the_same_model(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    examples = make_examples(1_000)
    shuffled = [examples[at] for at in np.random.default_rng(3).permutation(len(examples))]
    one, other = fit(examples, schema, catalog), fit(shuffled, schema, catalog)
    assert np.array_equal(predict(one, examples, catalog), predict(other, examples, catalog))
    assert one.report == other.report
    again = fit(examples, schema, catalog, seed=1)
    assert not np.array_equal(predict(one, examples, catalog), predict(again, examples, catalog))


def test_where_there_is_nothing_to_learn_it_claims_nothing(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    figures = fit(make_examples(3_000, law=lambda *_: 0.3), schema, catalog).report.figures
    assert figures[MODEL].auc.low < 0.5 < figures[MODEL].auc.high
    assert abs(figures[MOVING_AVERAGE].excess.value) < 0.02


def test_a_law_that_turned_over_is_not_hidden_and_not_promoted(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog, truth: Law
) -> None:
    """A random split would report the average of both laws; the newest exposures tell."""
    old = make_examples(3_200, law=truth)
    turned = make_examples(4_000, law=lambda age, offer, what: truth(100 - age, offer, what))[
        3_200:
    ]
    result = fit(old + turned, schema, catalog)
    assert result.report.figures[MODEL].auc.high < 0.5
    promoted, reason = worth_promoting(result.report)
    assert not promoted
    assert "lower log loss" in reason


def test_labels_of_the_test_part_touch_no_judged_model(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    """Turning every answer of the newest fifth over turns the AUC over, exactly."""
    examples = make_examples(2_000)
    turned = examples[:1_600] + [
        replace(one, accepted=not one.accepted) for one in examples[1_600:]
    ]
    ours = fit(examples, schema, catalog).report
    theirs = fit(turned, schema, catalog).report
    assert ours.trees == theirs.trees
    assert theirs.figures[MODEL].auc.value == pytest.approx(1 - ours.figures[MODEL].auc.value)
    # Calibrated before, the model still expects the old rate.
    assert ours.figures[MODEL].ece.value < 0.1
    assert theirs.figures[MODEL].ece.value > 0.2


def test_an_offer_never_seen_is_scored_like_its_kin(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog, truth: Law
) -> None:
    """Offer 3 is new; it shares its group, and thereby its law, with offer 1."""
    examples = [one for one in make_examples(8_000) if one.offer_id != "offer-3"]
    new = [replace(one, offer_id="offer-3") for one in make_examples(1_000, seed=50)]
    p = np.array(
        [truth(float(one.request.facts["customer.age"]), 3, one.incentive_id) for one in new]
    )

    def agreement(params: FitParams) -> float:
        predicted = predict(fit(examples, schema, catalog, params), new, catalog)
        return float(np.corrcoef(p, predicted)[0, 1])

    assert agreement(FitParams()) > 0.65
    # Without hiding offer ids while fitting, the trees would never ask for the group.
    assert agreement(FitParams(forget_offer=0.0)) < 0.2


def test_too_little_says_how_much_is_missing(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    with pytest.raises(NotEnoughDataError, match=r"100 more exposures with a known answer"):
        fit(make_examples(100), schema, catalog)
    with pytest.raises(NotEnoughDataError, match=r"20 more acceptances"):
        fit(make_examples(500, law=lambda *_: 0.0), schema, catalog)


def test_a_part_without_acceptances_is_named(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    examples = make_examples(1_000)
    silent = examples[:800] + [replace(one, accepted=False) for one in examples[800:]]
    with pytest.raises(NotEnoughDataError, match=r"the test part of training needs 1 more accept"):
        fit(silent, schema, catalog)


def test_late_labels_do_not_reach_the_baselines_early(
    make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    """With labels a year late no baseline knows anything when the test part is presented."""
    late = make_examples(1_000, delay=timedelta(days=365))
    figures = fit(late, schema, catalog).report.figures
    assert figures[MOVING_AVERAGE].log_loss.value == pytest.approx(np.log(2))
    assert figures[OFFER_RATE].log_loss.value == pytest.approx(np.log(2))
