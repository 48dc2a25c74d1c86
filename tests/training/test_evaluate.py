"""Predictions judged side by side: what the figures are, and what their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest

from nbo.errors import NotEnoughDataError
from nbo.measure.probabilities import calibration_error, log_loss
from nbo.measure.ranking import auc, auc_interval, lift_at
from training.evaluate import DRAWS, evaluate


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    probability = np.round(generator.beta(2, 5, 3000), 2).clip(0.01, 0.99)
    return probability, generator.random(len(probability)) < probability


def test_the_figures_are_those_of_the_measures(sample: tuple[np.ndarray, np.ndarray]) -> None:
    probability, accepted = sample
    customers = [f"c{number // 3}" for number in range(len(probability))]
    found = evaluate({"model": probability}, accepted, customers, seed=4)["model"]
    assert found.auc == pytest.approx(
        auc_interval(probability, accepted, customers, seed=4, resamples=DRAWS)
    )
    assert found.auc.value == pytest.approx(auc(probability, accepted))
    assert found.log_loss.value == pytest.approx(log_loss(probability, accepted))
    assert found.ece.value == pytest.approx(calibration_error(probability, accepted))
    assert found.lift.value == pytest.approx(lift_at(probability, accepted, 0.1))


def test_one_customer_has_no_interval(sample: tuple[np.ndarray, np.ndarray]) -> None:
    probability, accepted = sample
    with pytest.raises(NotEnoughDataError, match="at least 2 clusters"):
        evaluate({"model": probability}, accepted, ["c"] * len(probability), seed=0)


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
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    probability, accepted = sample
    constant = np.full(len(probability), accepted.mean())
    names = [str(number) for number in range(len(probability))]
    figures = evaluate({"model": probability, "constant": constant}, accepted, names, seed=0)
    assert figures["model"].excess == (0.0, 0.0, 0.0)
    gap = figures["constant"].log_loss.value - figures["model"].log_loss.value
    assert figures["constant"].excess.value == pytest.approx(gap)
    assert figures["constant"].excess.low > 0
    assert figures == evaluate({"model": probability, "constant": constant}, accepted, names, 0)
