"""What a model must beat: the simplest answers to the same question.

Both read only labels that were known at the instant of each exposure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nbo.decision.propensity import Array
from nbo.measure.probabilities import log_loss

MEMORIES = (0.002, 0.01, 0.05)
"""Weights of the newest label that the moving average may use."""

_PSEUDO_EXPOSURES = 20.0


def moving_average(
    presented: Array, known: Array, accepted: NDArray[np.bool_], start: int
) -> Array:
    """Predict each exposure by the moving average of the labels known by then.

    The memory is the one that would have predicted the exposures before `start` best.

    Args:
        presented: (n,) instants of the exposures, ascending.
        known: (n,) instants at which their labels were known.
        accepted: (n,) the labels.
        start: First exposure to be judged.

    Returns:
        (n,) probability of acceptance.
    """
    predictions = [_average(presented, known, accepted, memory) for memory in MEMORIES]
    losses = [log_loss(one[:start], accepted[:start]) for one in predictions]
    return predictions[int(np.argmin(losses))]


def offer_rates(
    offers: Sequence[str], known: Array, accepted: NDArray[np.bool_], upto: float
) -> Array:
    """Predict each exposure by its offer's acceptance rate before an instant.

    Rates are drawn towards the overall rate by twenty pseudo-exposures.

    Args:
        offers: (n,) what was presented.
        known: (n,) instants at which the labels were known.
        accepted: (n,) the labels.
        upto: Labels known before it count.

    Returns:
        (n,) probability of acceptance.
    """
    names, position = np.unique(np.array(offers), return_inverse=True)
    past = known < upto
    overall = (accepted[past].sum() + 1.0) / (past.sum() + 2.0)
    shown = np.bincount(position[past], minlength=len(names))
    yes = np.bincount(position[past], weights=accepted[past], minlength=len(names))
    rates = (yes + _PSEUDO_EXPOSURES * overall) / (shown + _PSEUDO_EXPOSURES)
    return np.asarray(rates[position], np.float64)


def _average(presented: Array, known: Array, accepted: NDArray[np.bool_], memory: float) -> Array:
    order = np.argsort(known, kind="stable")
    levels = np.empty(len(order) + 1)
    levels[0] = level = 0.5
    for count, label in enumerate(accepted[order].tolist(), start=1):
        # A plain mean until it has as many labels as the memory spans.
        level += max(memory, 1.0 / (count + 1)) * (label - level)
        levels[count] = level
    by_then = np.searchsorted(known[order], presented, side="left")
    return np.asarray(np.clip(levels[by_then], 1e-3, 1 - 1e-3), np.float64)
