"""Log loss and calibration: known values, weights, and what makes them wrong."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss

from nbo.errors import BadInputError, NotEnoughDataError
from nbo.measure.probabilities import Predictions, calibration_error, log_loss


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    probability = np.round(generator.beta(2, 5, 3000), 2).clip(0.01, 0.99)
    times = generator.integers(0, 4, len(probability))
    return probability, generator.random(len(probability)) < probability, times


def test_log_loss_agrees_with_an_independent_implementation(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    probability, accepted, times = sample
    assert log_loss(probability, accepted) == pytest.approx(sklearn_log_loss(accepted, probability))
    weighted = Predictions(probability, accepted).log_loss(times[None, :].astype(float))
    expected = sklearn_log_loss(accepted, probability, sample_weight=times)
    assert weighted == pytest.approx([expected])


def test_calibration_error_by_hand() -> None:
    probability = np.repeat(np.linspace(0.05, 0.95, 10), 10)
    exact = np.concatenate([np.arange(10) < round(10 * p - 0.5) for p in probability[::10]])
    # Every bin of ten holds half an acceptance too few: 0.05 each.
    assert calibration_error(probability, exact) == pytest.approx(0.05)
    assert calibration_error(np.full(100, 0.3), np.arange(100) < 30) == pytest.approx(0.0)
    assert calibration_error(np.full(100, 0.5), np.arange(100) < 30) == pytest.approx(0.2)


def test_weights_of_the_calibration_error_by_hand() -> None:
    probability, accepted = np.array([0.2, 0.2, 0.8, 0.8]), np.array([0, 1, 1, 1])
    weight = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 1.0, 0.0]])
    # Gaps 0.2 - 0.8 and -0.2 - 0.2 over four rows; 2 × 0.2 and -0.2 over three.
    found = Predictions(probability, accepted).calibration_error(weight)
    assert found == pytest.approx([(0.6 + 0.4) / 4, (0.4 + 0.2) / 3])


def test_wrong_arguments_are_named() -> None:
    for sure in (0.0, 1.0, float("nan")):
        with pytest.raises(BadInputError, match="probability: must be strictly between 0 and 1"):
            log_loss([0.5, sure], [1, 0])
    with pytest.raises(BadInputError, match="label: must have the shape"):
        calibration_error([0.5, 0.2], [1])
    with pytest.raises(NotEnoughDataError, match="at least 1 label"):
        log_loss([], [])
