"""Grow trees on one stretch of time and calibrate them on a later one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration
from models.encoding import Encoding
from nbo.decision.propensity import Array

if TYPE_CHECKING:
    import lightgbm


@dataclass(frozen=True, slots=True)
class FitParams:
    """Settings of one fit; small and regularised, because acceptance is noisy.

    Attributes:
        trees: At most so many; fewer when the calibration part stops improving.
        leaves: Per tree.
        rate: Shrinkage of each tree.
        patience: Trees without improvement after which to stop.
        min_leaf: Fewest exposures in a leaf.
        l2: Ridge penalty on leaf values.
        input_share: Part of the inputs each tree may use.
        exposure_share: Part of the exposures each tree sees.
        forget_offer: Part of the exposures whose offer id is hidden while fitting, so that the
            model learns what to say of an offer it has never seen.
        calibration_share: Part of the exposures to calibrate on.
        test_share: Part of the exposures to judge on.
        min_exposures: Fewest exposures to learn from.
        min_answers: Fewest acceptances, and fewest refusals.
        threads: Of LightGBM while fitting.
    """

    trees: int = 300
    leaves: int = 8
    rate: float = 0.04
    patience: int = 50
    min_leaf: int = 30
    l2: float = 5.0
    input_share: float = 0.7
    exposure_share: float = 0.8
    forget_offer: float = 0.2
    calibration_share: float = 0.2
    test_share: float = 0.2
    min_exposures: int = 200
    min_answers: int = 20
    threads: int = 1


class Rows(NamedTuple):
    """Encoded exposures: inputs (n, d) and what came of them (n,)."""

    inputs: Array
    accepted: NDArray[np.bool_]

    def part(self, where: slice) -> Rows:
        """Rows of one stretch of time."""
        return Rows(self.inputs[where], self.accepted[where])


def grow(
    fitted: Rows, later: Rows | None, encoding: Encoding, params: FitParams, seed: int
) -> lightgbm.Booster:
    """Grow trees.

    Args:
        fitted: What they are grown on.
        later: Where given, growing stops once these stop improving, and only the trees up to
            the best are kept.
        encoding: Of the rows.
        params: Settings.
        seed: Of every draw.
    """
    import lightgbm

    inputs = _forget(fitted.inputs, encoding.inputs.index("offer.id"), params.forget_offer, seed)
    data = lightgbm.Dataset(inputs, fitted.accepted, categorical_feature=list(encoding.categorical))
    settings = _settings(params, seed)
    if later is None:
        return lightgbm.train(settings, data, params.trees)
    booster = lightgbm.train(
        settings,
        data,
        params.trees,
        valid_sets=[data.create_valid(*later)],
        callbacks=[lightgbm.early_stopping(params.patience, verbose=False)],
    )
    best = max(booster.best_iteration, 1)
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=best))


def calibrate(booster: lightgbm.Booster, later: Rows) -> Calibration:
    """Learn what the trees' log-odds are worth on exposures they were not grown on."""
    raw = np.asarray(booster.predict(later.inputs, raw_score=True), np.float64)
    return Calibration.fit(raw, later.accepted)


def _settings(params: FitParams, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "learning_rate": params.rate,
        "num_leaves": params.leaves,
        "min_data_in_leaf": params.min_leaf,
        "lambda_l2": params.l2,
        "feature_fraction": params.input_share,
        "bagging_fraction": params.exposure_share,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": params.threads,
        "verbosity": -1,
    }


def _forget(inputs: Array, column: int, share: float, seed: int) -> Array:
    hidden = np.random.default_rng(seed).random(len(inputs)) < share
    shown = inputs.copy()
    shown[hidden, column] = np.nan
    return shown
