"""Probabilities that mean what they say, and never lose a rank."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from models.calibration import ENOUGH_FOR_ISOTONIC, FLOOR, Calibration, log_odds, sigmoid


def sample(n: int, seed: int = 0, slope: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw scores that are twice too sure, with what came of them."""
    generator = np.random.default_rng(seed)
    raw = generator.normal(-1.5, 1.5, n)
    truth = sigmoid(slope * raw - 0.3)
    return raw, generator.random(n) < truth, truth


@pytest.mark.parametrize("n", [1_500, 20_000])
def test_too_sure_scores_become_the_true_probability(n: int) -> None:
    calibration = Calibration.fit(*sample(n)[:2])
    assert bool(calibration.knots) == (n == 20_000)
    raw, _, truth = sample(50_000, seed=1)
    assert np.abs(calibration(raw) - truth).mean() < 0.02
    assert np.abs(sigmoid(raw) - truth).mean() > 0.04


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0, 10.0])
def test_the_logistic_curve_is_the_likeliest_one(scale: float) -> None:
    raw, accepted, _ = sample(400, seed=3)
    accepted[:] = raw + np.random.default_rng(4).normal(0, 2, len(raw)) > -1
    ours = Calibration.fit(scale * raw, accepted)
    fitted = LogisticRegression(C=np.inf).fit((raw)[:, None], accepted)
    assert ours.slope * scale == pytest.approx(fitted.coef_[0, 0], rel=0.03)
    assert ours.intercept == pytest.approx(fitted.intercept_[0], rel=0.05, abs=0.01)


def test_a_shape_that_is_not_logistic_is_found_with_enough_answers() -> None:
    generator = np.random.default_rng(5)
    raw = generator.uniform(-4, 4, 30_000)
    truth = 0.05 + 0.3 * sigmoid(3 * raw)
    calibration = Calibration.fit(raw, generator.random(len(raw)) < truth)
    logistic = Calibration(calibration.slope, calibration.intercept)
    error = np.abs(calibration(raw) - truth).mean()
    assert error < 0.015
    assert error < np.abs(logistic(raw) - truth).mean() / 2


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.sampled_from([50, 400, 6_000]))
def test_ranks_are_kept_without_ties(seed: int, n: int) -> None:
    raw, accepted, _ = sample(n, seed)
    accepted[:2] = [True, False]
    probability = Calibration.fit(raw, accepted)(np.linspace(-6, 4, 400))
    assert (np.diff(probability) > 0).all()
    assert ((probability >= FLOOR) & (probability <= 1 - FLOOR)).all()


def test_separable_answers_do_not_claim_certainty() -> None:
    raw = np.linspace(-3, 3, 40)
    probability = Calibration.fit(raw, raw > 0)(raw)
    assert probability.min() > 0.001
    assert probability.max() < 0.999


def test_a_model_that_ranks_backwards_is_flattened_to_the_rate() -> None:
    raw, accepted, _ = sample(4_000, slope=-0.8)
    calibration = Calibration.fit(raw, accepted)
    probability = calibration(raw)
    assert probability.mean() == pytest.approx(accepted.mean(), abs=0.01)
    assert probability.std() < 0.03


def test_isotonic_needs_enough_of_both_answers() -> None:
    raw = np.linspace(-2, 2, 10_000)
    accepted = np.zeros(len(raw), np.bool_)
    accepted[-(ENOUGH_FOR_ISOTONIC - 1) :] = True
    assert not Calibration.fit(raw, accepted).knots
    accepted[-ENOUGH_FOR_ISOTONIC:] = True
    assert Calibration.fit(raw, accepted).knots


def test_json_round_trip() -> None:
    calibration = Calibration.fit(*sample(20_000)[:2])
    assert Calibration.from_json(calibration.to_json()) == calibration


def test_log_odds_and_back() -> None:
    logit = np.array([-700.0, -3.0, 0.0, 3.0, 700.0])
    assert np.isfinite(sigmoid(logit)).all()
    assert log_odds(sigmoid(logit[1:4])) == pytest.approx(logit[1:4])


def test_a_few_far_scores_do_not_throw_the_curve_off() -> None:
    """Plain Newton steps run away to a slope of 1e11 on a sample like this."""
    generator = np.random.default_rng(0)
    raw = np.concatenate([generator.normal(-6, 0.2, 400), generator.normal(8, 3, 20)])
    accepted = generator.random(len(raw)) < sigmoid(3 * raw.clip(-1, 3))
    accepted[:2] = [True, False]
    ours = Calibration.fit(raw, accepted)
    fitted = LogisticRegression(C=np.inf).fit(raw[:, None], accepted)
    assert 0.05 < ours.slope < 2 * fitted.coef_[0, 0]
