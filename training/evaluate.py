"""How good predictions are, with intervals, beside baselines judged on the same exposures.

Intervals are percentile bootstraps over customers: the exposures of one customer resemble each
other and must be drawn together. Every model is judged on the same draws, so that differences
between models have intervals of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbo.decision.propensity import Array

DRAWS = 200
"""Bootstrap draws behind each interval."""

BINS = 10
"""Bins of equal mass in the expected calibration error."""


class Figure(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


class Figures(NamedTuple):
    """What one set of predictions achieves.

    Attributes:
        auc: Probability that an accepted exposure scores above one that was not.
        log_loss: Mean negative log-likelihood, nats.
        ece: Expected calibration error: mean distance between predicted and observed rate over
            bins of equal mass. Biased upwards in small samples, by about
            ``sqrt(p (1 - p) × bins / n)``.
        lift: Acceptance in the tenth scored highest, over the overall rate.
        excess: Log loss minus the judged model's; above zero means worse than the model.
    """

    auc: Figure
    log_loss: Figure
    ece: Figure
    lift: Figure
    excess: Figure


def evaluate(
    predictions: Mapping[str, Array],
    accepted: NDArray[np.bool_],
    customers: Sequence[str],
    seed: int,
    draws: int = DRAWS,
) -> dict[str, Figures]:
    """Judge several sets of predictions of the same exposures.

    Args:
        predictions: Name to (n,) probabilities; the first is the model, the others baselines.
        accepted: (n,) what came of each exposure; both answers must occur.
        customers: (n,) whom each was presented to.
        seed: Of the bootstrap.
        draws: Bootstrap draws.
    """
    weights = _draws(customers, draws, seed)
    metrics = {name: _metrics(one, accepted, weights) for name, one in predictions.items()}
    model = next(iter(metrics.values()))
    return {
        name: Figures(
            auc=_figure(one[:, 0]),
            log_loss=_figure(one[:, 1]),
            ece=_figure(one[:, 2]),
            lift=_figure(one[:, 3]),
            excess=_figure(one[:, 1] - model[:, 1]),
        )
        for name, one in metrics.items()
    }


def auc(probability: Array, accepted: NDArray[np.bool_], weight: Array | None = None) -> float:
    """Area under the ROC curve, ties counted half; NaN where only one answer occurs.

    Args:
        probability: (n,) scores.
        accepted: (n,) answers.
        weight: (n,) weight of each exposure, >= 0; ones when left out.
    """
    weight = np.ones(len(probability)) if weight is None else weight
    _, level = np.unique(probability, return_inverse=True)
    yes = np.bincount(level, weights=weight * accepted)
    no = np.bincount(level, weights=weight * ~accepted)
    pairs = yes.sum() * no.sum()
    return float((yes * (np.cumsum(no) - no / 2)).sum() / pairs) if pairs else float("nan")


def log_loss(probability: Array, accepted: NDArray[np.bool_], weight: Array | None = None) -> float:
    """Mean negative log-likelihood of the answers, nats."""
    return float(
        np.average(-np.log(np.where(accepted, probability, 1.0 - probability)), weights=weight)
    )


def calibration_error(
    probability: Array, accepted: NDArray[np.bool_], weight: Array | None = None
) -> float:
    """Compute the expected calibration error over `BINS` bins of equal mass.

    Equal predictions are never divided between bins.
    """
    weight = np.ones(len(probability)) if weight is None else weight
    edges = np.quantile(probability, np.linspace(0, 1, BINS + 1)[1:-1])
    place = np.searchsorted(edges, probability, side="right")
    gap = np.bincount(place, weights=weight * (probability - accepted), minlength=BINS)
    return float(np.abs(gap).sum() / weight.sum())


def lift(
    probability: Array,
    accepted: NDArray[np.bool_],
    weight: Array | None = None,
    share: float = 0.1,
) -> float:
    """Divide the acceptance among the `share` scored highest by the overall rate.

    Ties at the edge are taken in proportion, so that a constant prediction has a lift of 1.
    """
    weight = np.ones(len(probability)) if weight is None else weight
    _, level = np.unique(-probability, return_inverse=True)
    mass = np.bincount(level, weights=weight)
    yes = np.bincount(level, weights=weight * accepted)
    wanted = share * mass.sum()
    before = np.cumsum(mass) - mass
    taken = np.clip((wanted - before) / np.maximum(mass, 1e-12), 0.0, 1.0)
    return float(((taken * yes).sum() / wanted) / (yes.sum() / mass.sum()))


def _metrics(probability: Array, accepted: NDArray[np.bool_], weights: Array) -> Array:
    """(1 + draws, 4) the four metrics, first on the exposures as they are."""
    return np.array(
        [
            [metric(probability, accepted, weight) for metric in _METRICS]
            for weight in weights
            if 0 < (weight * accepted).sum() < weight.sum()
        ]
    )


_METRICS = (auc, log_loss, calibration_error, lift)


def _draws(customers: Sequence[str], draws: int, seed: int) -> Array:
    """(1 + draws, n) how often each exposure is drawn, first once each."""
    names, position = np.unique(np.array(customers), return_inverse=True)
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return np.vstack([np.ones(len(customers)), counts[:, position]])


def _figure(values: Array) -> Figure:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Figure(float(values[0]), float(low), float(high))
