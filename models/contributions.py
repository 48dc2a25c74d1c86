"""What moved a batch model's score: each input's part in the log-odds, strongest first.

The parts are Shapley values of the trees (Lundberg et al. 2020, as LightGBM computes them).
With the model's average they add up to its raw log-odds, before calibration: calibration only
rises with them, so that their order and signs hold for the probability too. They take
milliseconds a row: for explanations, never for ranking.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from models.encoding import Encoding
from nbo.decision.explanation import Contribution
from nbo.decision.facts import FactType
from nbo.decision.propensity import Array
from nbo.decision.rules import show

if TYPE_CHECKING:
    import lightgbm


def contributions(booster: lightgbm.Booster, encoding: Encoding, row: Array) -> list[Contribution]:
    """List what each input adds to one row's raw log-odds; those that add nothing are left out.

    Args:
        booster: The trees.
        encoding: How rows came about.
        row: (d,) as encoded.
    """
    # The last column is the model's average, the same for every row.
    parts = np.asarray(booster.predict(row[None, :], pred_contrib=True, num_threads=1))[0, :-1]
    shown = _shown(encoding, row)
    found = [
        Contribution(name, value, float(part))
        for name, value, part in zip(encoding.inputs, shown, parts, strict=True)
        if part != 0.0
    ]
    return sorted(found, key=lambda one: (-abs(one.contribution), one.input))


def _shown(encoding: Encoding, row: Array) -> list[str]:
    flags = {name for name, kind in encoding.facts if kind is FactType.FLAG}
    return [
        _value(value, encoding.vocabularies.get(name), flag=name in flags)
        for name, value in zip(encoding.inputs, row.tolist(), strict=True)
    ]


def _value(value: float, codes: Mapping[str, int] | None, *, flag: bool) -> str:
    if math.isnan(value):
        return "unknown"
    if codes is not None:
        return next((category for category, code in codes.items() if code == value), "unknown")
    return show(bool(value)) if flag else f"{value:.6g}"  # what is stored has seven digits
