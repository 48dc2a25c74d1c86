"""What the decision asks of a model: how likely is this customer to accept each treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nbo.decision.catalog import Treatment
from nbo.decision.request import Request

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """Propensities of the treatments of one request, in their order.

    Attributes:
        probability: (n,) calibrated probability of acceptance if presented, in (0, 1).
        evidence: (n,) outcomes the model has seen of each treatment's offer, >= 0 (M in the
            smoothing formula).
        batch: (n,) the batch model's probability before online learning; equals `probability`
            for models without an online part. Logged, because the learner learns from it.
    """

    probability: Array
    evidence: Array
    batch: Array


class Propensity(Protocol):
    """A model of acceptance; thread-safe, without side effects.

    Attributes:
        version: Names the model and its state, e.g. ``"champion/3+online/1042"``.
    """

    @property
    def version(self) -> str:
        """Names the model and its state."""
        ...

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """Score treatments for one request; row i belongs to ``treatments[i]``."""
        ...
