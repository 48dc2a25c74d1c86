"""From a model's raw score to a probability that means what it says.

Isotonic regression finds the shape but ties many scores together, and tied scores lose their
ranks. Here its blocks are joined by straight lines between their centres, and a tenth of a
logistic (Platt) curve is mixed in, which rises everywhere: the result is strictly increasing.
With few answers only the logistic curve is used; its two parameters can be learnt from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbo.decision.propensity import Array

FLOOR = 1e-4
"""Probabilities stay within [FLOOR, 1 - FLOOR]; no sample here supports more certainty."""

ENOUGH_FOR_ISOTONIC = 500
"""Answers of the rarer kind from which the isotonic shape is trusted."""

_PLATT_SHARE = 0.1
_SMALLEST_SLOPE = 0.05
_PSEUDO_ANSWERS = 20.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A strictly increasing map from raw log-odds to a probability.

    Attributes:
        slope: Of the logistic curve, > 0.
        intercept: Of the logistic curve, log-odds.
        knots: (k,) raw scores, increasing; empty where only the logistic curve is used.
        levels: (k,) isotonic probability at each knot, non-decreasing.
    """

    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()

    def __call__(self, raw: Array) -> Array:
        """Probabilities of the raw log-odds `raw` (n,)."""
        probability = sigmoid(self.slope * raw + self.intercept)
        if self.knots:
            shape = np.interp(raw, self.knots, self.levels)
            probability = _PLATT_SHARE * probability + (1.0 - _PLATT_SHARE) * shape
        return np.clip(probability, FLOOR, 1.0 - FLOOR)

    @classmethod
    def fit(cls, raw: Array, accepted: NDArray[np.bool_]) -> Calibration:
        """Learn the map from exposures the model has not seen.

        Args:
            raw: (n,) raw log-odds of the model.
            accepted: (n,) what came of each; both answers must occur.
        """
        slope, intercept = _platt(raw, accepted)
        logistic = cls(slope, intercept)
        if min(accepted.sum(), (~accepted).sum()) < ENOUGH_FOR_ISOTONIC:
            return logistic
        knots, levels = _centred_isotonic(raw, accepted, logistic(raw))
        return cls(slope, intercept, tuple(knots.tolist()), tuple(levels.tolist()))

    def to_json(self) -> str:
        """Text from which `from_json` builds an equal calibration."""
        return json.dumps(
            {
                "slope": self.slope,
                "intercept": self.intercept,
                "knots": self.knots,
                "levels": self.levels,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        return cls(raw["slope"], raw["intercept"], tuple(raw["knots"]), tuple(raw["levels"]))


def sigmoid(logit: Array) -> Array:
    """Probability of each log-odds, without overflow."""
    return np.where(logit >= 0, 1.0, np.exp(-np.abs(logit))) / (1.0 + np.exp(-np.abs(logit)))


def log_odds(probability: Array) -> Array:
    """Log-odds of each probability in (0, 1)."""
    return np.log(probability) - np.log1p(-probability)


def _platt(raw: Array, accepted: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of the logistic curve, by Newton's method with step halving.

    Targets are drawn in from 0 and 1 as Platt (1999) proposes, so that separable answers do not
    drive the slope to infinity. A slope that is not positive would turn the ranking over: then
    the model knows nothing here, and an almost flat curve at the observed rate says so.
    """
    yes, no = float(accepted.sum()), float((~accepted).sum())
    target = np.where(accepted, (yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0))
    design = np.column_stack([raw, np.ones_like(raw)])

    def loss(weights: Array) -> float:
        logit = design @ weights
        return float((np.logaddexp(0.0, logit) - target * logit).sum())

    rate = (yes + 1.0) / (yes + no + 2.0)
    weights = np.array([0.0, np.log(rate / (1.0 - rate))])
    for _ in range(50):
        probability = sigmoid(design @ weights)
        gradient = design.T @ (probability - target)
        curvature = design.T @ (design * (probability * (1.0 - probability))[:, None])
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        before = loss(weights)
        while loss(weights - step) > before and np.abs(step).max() > 1e-10:
            step = step / 2.0
        weights = weights - step
        if np.abs(step).max() < 1e-10:
            break
    if weights[0] >= _SMALLEST_SLOPE and np.isfinite(weights).all():
        return float(weights[0]), float(weights[1])
    centre = float(np.mean(raw))
    return _SMALLEST_SLOPE, float(np.log(rate / (1.0 - rate)) - _SMALLEST_SLOPE * centre)


def _centred_isotonic(
    raw: Array, accepted: NDArray[np.bool_], logistic: Array
) -> tuple[Array, Array]:
    """Centres and levels of the isotonic blocks.

    Each block's rate is drawn towards the logistic curve by twenty pseudo-answers: a block at the
    edge may hold a single answer and would claim certainty.
    """
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(raw, kind="stable")
    raw, accepted, logistic = raw[order], accepted[order], logistic[order]
    isotonic: Any = IsotonicRegression
    fitted = isotonic(out_of_bounds="clip").fit(raw, accepted).predict(raw)
    starts = np.flatnonzero(np.diff(fitted, prepend=-1.0) > 0)
    sizes = np.diff(starts, append=len(raw))
    knots = np.add.reduceat(raw, starts) / sizes
    expected = np.add.reduceat(logistic, starts) / sizes
    answers = np.add.reduceat(accepted.astype(np.float64), starts)
    levels = (answers + _PSEUDO_ANSWERS * expected) / (sizes + _PSEUDO_ANSWERS)
    return knots, np.maximum.accumulate(levels)
