"""Figures with their uncertainty, from resampling whole customers.

Customers, not exposures, are the independent units: two answers of one person resemble each
other. The bootstrap therefore draws whole customers ("clusters") with replacement. A draw is a
row of weights, how often each exposure is in it, so that every figure that can be computed from
weighted rows gets its interval in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nbo.errors import BadInputError, NotEnoughDataError

Array = NDArray[np.float64]

Measure = Callable[[Array], Array]
"""Weights of the rows (k, n) to the figure or figures of each weighting, (k,) or (k, figures)."""

_CHUNK = 64
"""Resamples weighed at a time: bounds the memory to 64 weights per row."""


class Estimate(NamedTuple):
    """A figure with its interval.

    Attributes:
        value: The point estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Three decimals each: ``0.106 [0.093, 0.119]``."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap_mean(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """The mean of rows with a percentile bootstrap interval over whole clusters.

    A share is the mean of zeros and ones.

    Args:
        values: (n,) finite.
        clusters: (n,) to whom each row belongs, e.g. customer ids.
        seed: Of the resampling; same seed, same interval.
        resamples: Bootstrap replications.
        level: Coverage, in (0, 1).

    Raises:
        NotEnoughDataError: fewer than two clusters.
    """
    rows = np.asarray(values, dtype=np.float64)
    draws = bootstrap_draws(rows, clusters, seed=seed, resamples=resamples)
    return interval(float(rows.mean()), draws, level)


def bootstrap_draws(
    values: ArrayLike, clusters: ArrayLike, *, seed: int, resamples: int = 2000
) -> Array:
    """Bootstrap replications of the mean, (resamples,); for figures made of several means.

    Args:
        values: (n,) finite.
        clusters: (n,) to whom each row belongs.
        seed: Of the resampling. Independent groups need different seeds.
        resamples: Bootstrap replications.

    Raises:
        BadInputError: a value is not finite, or the shapes differ.
        NotEnoughDataError: fewer than two clusters.
    """
    rows = np.asarray(values, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise BadInputError("values", "must be finite")
    member, count = _members(clusters, len(rows))
    # A mean needs the clusters' sums and sizes alone: quicker than weights per row.
    sums = np.bincount(member, weights=rows, minlength=count)
    sizes = np.bincount(member, minlength=count).astype(np.float64)
    drawn = _times_drawn(count, seed, resamples)
    return np.concatenate([(times @ sums) / (times @ sizes) for times in drawn])


def resample(measure: Measure, clusters: ArrayLike, *, seed: int, resamples: int) -> Array:
    """Bootstrap replications of any figure of weighted rows, over whole clusters.

    The draws depend on the clusters and the seed alone: measures resampled with the same ones
    are judged on the same draws, so that their difference has an interval of its own.

    Args:
        measure: The figure, or several side by side.
        clusters: (n,) to whom each row belongs.
        seed: Of the resampling.
        resamples: Bootstrap replications.

    Returns:
        (resamples,) or (resamples, figures).

    Raises:
        NotEnoughDataError: fewer than two clusters.
    """
    member, count = _members(clusters, len(np.asarray(clusters)))
    drawn = _times_drawn(count, seed, resamples)
    return np.concatenate([measure(times[:, member]) for times in drawn])


def interval(value: float, draws: ArrayLike, level: float = 0.95) -> Estimate:
    """A point estimate with the percentile interval of its replications.

    Args:
        value: The point estimate.
        draws: (resamples,) replications of it; NaN where a draw says nothing, e.g. a ranking
            that drew one class only.
        level: Coverage, in (0, 1).
    """
    tail = (1 - _checked(level)) / 2
    low, high = np.nanquantile(np.asarray(draws, dtype=np.float64), [tail, 1 - tail])
    return Estimate(value, float(low), float(high))


def _members(clusters: ArrayLike, rows: int) -> tuple[NDArray[np.intp], int]:
    """Number of each row's cluster, and how many clusters there are."""
    names = np.asarray(clusters)
    if names.shape != (rows,):
        raise BadInputError("clusters", f"must have one entry per row, {rows}, was {names.shape}")
    known, member = np.unique(names, return_inverse=True)
    if len(known) < 2:
        raise NotEnoughDataError(f"an interval needs at least 2 clusters, got {len(known)}")
    return member, len(known)


def _times_drawn(members: int, seed: int, resamples: int) -> Iterator[Array]:
    """How often each cluster is drawn, in chunks of shape (resamples in chunk, members)."""
    draw = np.random.default_rng(seed)
    for first in range(0, resamples, _CHUNK):
        count = min(_CHUNK, resamples - first)
        times = draw.multinomial(members, np.full(members, 1 / members), size=count)
        yield times.astype(np.float64)


def _checked(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise BadInputError("level", f"must be between 0 and 1, was {level}")
    return level
