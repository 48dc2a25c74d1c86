"""Whether predicted probabilities mean what they say: log loss and calibration.

Ranking is another matter, see `nbo.measure.ranking`: predictions can rank well and all be twice
too high, and money computed from them would be, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nbo.errors import BadInputError, NotEnoughDataError
from nbo.measure.intervals import Array

BINS = 10
"""Bins of equal mass in the expected calibration error."""


def log_loss(probability: ArrayLike, label: ArrayLike) -> float:
    """Mean negative log-likelihood of the labels, in nats; 0 for perfect foresight.

    Args:
        probability: (n,) predicted, strictly between 0 and 1.
        label: (n,) true for a positive.
    """
    return float(Predictions(probability, label).log_loss(np.ones((1, np.size(label))))[0])


def calibration_error(probability: ArrayLike, label: ArrayLike) -> float:
    """Expected calibration error: how far the predicted rate is from the observed one.

    The mean over `BINS` bins of equal mass. Equal predictions are never divided between bins.
    Biased upwards in small samples, by about ``sqrt(p (1 - p) × BINS / n)``.

    Args:
        probability: (n,) predicted, strictly between 0 and 1.
        label: (n,) true for a positive.
    """
    return float(Predictions(probability, label).calibration_error(np.ones((1, np.size(label))))[0])


class Predictions:
    """Predicted probabilities beside what happened, prepared for many weightings of the rows.

    Args:
        probability: (n,) predicted, strictly between 0 and 1.
        label: (n,) true for a positive.

    Raises:
        BadInputError: a probability is not strictly between 0 and 1, or the shapes differ.
        NotEnoughDataError: there are no rows.
    """

    def __init__(self, probability: ArrayLike, label: ArrayLike) -> None:
        predicted, labels = np.asarray(probability, np.float64), np.asarray(label).astype(bool)
        if predicted.ndim != 1 or predicted.shape != labels.shape:
            raise BadInputError(
                "label",
                f"must have the shape of probability, {predicted.shape}, was {labels.shape}",
            )
        if not len(predicted):
            raise NotEnoughDataError("probabilities are judged on at least 1 label, got 0")
        if not ((predicted > 0) & (predicted < 1)).all():
            raise BadInputError("probability", "must be strictly between 0 and 1")
        self._loss = -np.log(np.where(labels, predicted, 1.0 - predicted))
        edges = np.quantile(predicted, np.linspace(0, 1, BINS + 1)[1:-1])
        place = np.searchsorted(edges, predicted, side="right")
        # (n, BINS): how much each row adds to the gap of its bin.
        self._gap = (predicted - labels)[:, None] * (place[:, None] == np.arange(BINS))

    def log_loss(self, weight: Array) -> Array:
        """Log loss per row of `weight` (k, n), in nats."""
        loss: Array = weight @ self._loss / weight.sum(axis=1)
        return loss

    def calibration_error(self, weight: Array) -> Array:
        """Expected calibration error per row of `weight` (k, n)."""
        error: Array = np.abs(weight @ self._gap).sum(axis=1) / weight.sum(axis=1)
        return error
