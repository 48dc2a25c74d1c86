"""Figures agree with other implementations and with hand counts; intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from training.evaluate import auc, calibration_error, evaluate, lift, log_loss


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    probability = np.round(generator.beta(2, 5, 3000), 2).clip(0.01, 0.99)
    weight = generator.integers(0, 4, len(probability)).astype(float)
    return probability, generator.random(len(probability)) < probability, weight


def test_auc_and_log_loss_agree_with_sklearn(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    probability, accepted, weight = sample
    assert auc(probability, accepted) == pytest.approx(roc_auc_score(accepted, probability))
    assert auc(probability, accepted, weight) == pytest.approx(
        roc_auc_score(accepted, probability, sample_weight=weight)
    )
    assert log_loss(probability, accepted, weight) == pytest.approx(
        sklearn_log_loss(accepted, probability, sample_weight=weight)
    )


def test_calibration_error_by_hand() -> None:
    probability = np.repeat(np.linspace(0.05, 0.95, 10), 10)
    exact = np.concatenate([np.arange(10) < round(10 * p - 0.5) for p in probability[::10]])
    # Every bin of ten holds half an acceptance too few: 0.05 each.
    assert calibration_error(probability, exact) == pytest.approx(0.05)
    assert calibration_error(np.full(100, 0.3), np.arange(100) < 30) == pytest.approx(0.0)
    assert calibration_error(np.full(100, 0.5), np.arange(100) < 30) == pytest.approx(0.2)


def test_lift_by_hand() -> None:
    accepted = np.zeros(100, np.bool_)
    accepted[[0, 1, 2, 3, 50]] = True
    falling = np.linspace(0.9, 0.1, 100)
    # Four of the first ten, against five of a hundred.
    assert lift(falling, accepted) == pytest.approx(8.0)
    assert lift(np.full(100, 0.4), accepted) == pytest.approx(1.0)


def test_a_constant_ranks_nothing() -> None:
    accepted = np.arange(100) < 30
    assert auc(np.full(100, 0.3), accepted) == 0.5


def test_drawing_an_exposure_twice_is_weighting_it_by_two(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    probability, accepted, weight = sample
    times = weight.astype(int)
    twice = np.repeat(probability, times), np.repeat(accepted, times)
    for metric in (auc, log_loss, lift):
        assert metric(probability, accepted, weight) == pytest.approx(metric(*twice))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """The expected log loss of the true probabilities lies in 95 % of the intervals."""
    held, rounds = 0, 60
    for seed in range(rounds):
        generator = np.random.default_rng(seed)
        probability = generator.uniform(0.05, 0.6, 400)
        accepted = generator.random(400) < probability
        names = [f"c{number}" for number in range(400)]
        figure = evaluate({"model": probability}, accepted, names, seed)["model"].log_loss
        p = np.linspace(0.05, 0.6, 2001)
        expected = float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())
        held += figure.low <= expected <= figure.high
    assert 0.85 * rounds <= held


def test_customers_are_drawn_whole() -> None:
    """Ten copies of each exposure tell no more than one."""
    generator = np.random.default_rng(1)
    probability = np.repeat(generator.uniform(0.1, 0.6, 100), 10)
    accepted = np.repeat(generator.random(100) < probability[::10], 10)
    each = [f"c{number}" for number in range(1000)]
    whole = [f"c{number // 10}" for number in range(1000)]

    def width(customers: list[str]) -> float:
        figure = evaluate({"model": probability}, accepted, customers, seed=0)["model"].log_loss
        return figure.high - figure.low

    assert width(whole) > 2 * width(each)


def test_excess_says_how_much_worse_a_baseline_is(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    probability, accepted, _ = sample
    constant = np.full(len(probability), accepted.mean())
    names = [str(number) for number in range(len(probability))]
    figures = evaluate({"model": probability, "constant": constant}, accepted, names, seed=0)
    assert figures["model"].excess == (0.0, 0.0, 0.0)
    gap = figures["constant"].log_loss.value - figures["model"].log_loss.value
    assert figures["constant"].excess.value == pytest.approx(gap)
    assert figures["constant"].excess.low > 0
    assert figures == evaluate({"model": probability, "constant": constant}, accepted, names, 0)
