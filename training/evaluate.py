"""How good predictions are, with intervals, beside baselines judged on the same exposures.

The figures and their intervals are those of `nbo.measure`. Every model is judged on the same
draws of customers, so that differences between models have intervals of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbo.decision.propensity import Array
from nbo.measure.intervals import Estimate, interval, resample
from nbo.measure.probabilities import Predictions
from nbo.measure.ranking import Ranking

DRAWS = 200
"""Bootstrap draws behind each interval."""

TOP = 0.1
"""Part of the exposures whose acceptance is the lift."""


class Figures(NamedTuple):
    """What one set of predictions achieves, with 95 % intervals.

    Attributes:
        auc: Probability that an accepted exposure scores above one that was not.
        log_loss: Mean negative log-likelihood, nats.
        ece: Expected calibration error, see `nbo.measure.probabilities`.
        lift: Acceptance in the tenth scored highest, over the overall rate.
        excess: Log loss minus the judged model's; above zero means worse than the model.
    """

    auc: Estimate
    log_loss: Estimate
    ece: Estimate
    lift: Estimate
    excess: Estimate


def evaluate(
    predictions: Mapping[str, Array],
    accepted: NDArray[np.bool_],
    customers: Sequence[str],
    seed: int,
    draws: int = DRAWS,
) -> dict[str, Figures]:
    """Judge several sets of predictions of the same exposures.

    Args:
        predictions: Name to (n,) probabilities, strictly between 0 and 1; the first is the
            model, the others baselines.
        accepted: (n,) what came of each exposure; both answers must occur.
        customers: (n,) whom each was presented to; at least two.
        seed: Of the bootstrap.
        draws: Bootstrap draws.

    Raises:
        NotEnoughDataError: one answer only, or one customer only.
    """
    figures = {
        name: _replicated(one, accepted, customers, seed, draws)
        for name, one in predictions.items()
    }
    model = next(iter(figures.values()))
    return {
        name: Figures(
            auc=_estimate(one[:, 0]),
            log_loss=_estimate(one[:, 1]),
            ece=_estimate(one[:, 2]),
            lift=_estimate(one[:, 3]),
            excess=_estimate(one[:, 1] - model[:, 1]),
        )
        for name, one in figures.items()
    }


def _replicated(
    probability: Array,
    accepted: NDArray[np.bool_],
    customers: Sequence[str],
    seed: int,
    draws: int,
) -> Array:
    """(1 + draws, 4) the figures on the exposures as they are, then on each draw."""
    ranking, predicted = Ranking(probability, accepted), Predictions(probability, accepted)

    def figures(weight: Array) -> Array:
        return np.column_stack(
            [
                ranking.auc(weight),
                predicted.log_loss(weight),
                predicted.calibration_error(weight),
                ranking.lift(weight, TOP),
            ]
        )

    whole = figures(np.ones((1, len(probability))))
    return np.vstack([whole, resample(figures, customers, seed=seed, resamples=draws)])


def _estimate(replicated: Array) -> Estimate:
    return interval(float(replicated[0]), replicated[1:])
