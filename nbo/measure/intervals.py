"""Figures with their uncertainty: shares, means and what is computed from means.

Customers, not exposures, are the independent units: two answers of one person resemble each
other. The bootstrap therefore resamples whole customers ("clusters") with replacement.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nbo.errors import BadInputError, NotEnoughDataError

Array = NDArray[np.float64]

_CHUNK = 100
"""Resamples weighed at a time: bounds the memory to 100 weights per cluster."""


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


def wilson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """A share with its Wilson score interval; honest near 0 and 1 and for small n.

    Args:
        successes: How many of the n, between 0 and n.
        n: Independent trials, > 0.
        level: Coverage, in (0, 1).

    Raises:
        BadInputError: `successes` is not between 0 and n.
        NotEnoughDataError: n is 0.

    References:
        Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    >>> [round(part, 3) for part in wilson(35, 100)]
    [0.35, 0.264, 0.447]
    """
    if n == 0:
        raise NotEnoughDataError("a share needs at least 1 trial, got 0")
    if not 0 <= successes <= n:
        raise BadInputError("successes", f"must be between 0 and n == {n}, was {successes}")
    z = NormalDist().inv_cdf((1 + _checked(level)) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, max(float(centre - half), 0.0), min(float(centre + half), 1.0))


def bootstrap_mean(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """The mean of rows with a percentile bootstrap interval over whole clusters.

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


def bootstrap_ratio(
    numerator: ArrayLike,
    denominator: ArrayLike,
    clusters: ArrayLike,
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """Sum over sum, e.g. revenue per exposure, resampling whole clusters; see `bootstrap_mean`.

    Raises:
        BadInputError: the denominators add up to 0.
        NotEnoughDataError: fewer than two clusters.
    """
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    if below.sum() == 0.0:
        raise BadInputError("denominator", "must not add up to 0")
    sums, members = _cluster_sums(np.column_stack([above, below]), clusters)
    draws = np.concatenate(
        [
            np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom != 0)
            for times in _times_drawn(members, seed, resamples)
            for top, bottom in [(times @ sums).T]
        ]
    )
    return interval(float(above.sum() / below.sum()), draws[np.isfinite(draws)], level)


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
    sums, members = _cluster_sums(np.column_stack([rows, np.ones_like(rows)]), clusters)
    means = []
    for times in _times_drawn(members, seed, resamples):
        total = times @ sums
        means.append(total[:, 0] / total[:, 1])
    return np.concatenate(means)


def interval(value: float, draws: ArrayLike, level: float = 0.95) -> Estimate:
    """A point estimate with the percentile interval of its replications.

    Args:
        value: The point estimate.
        draws: (resamples,) replications of it, finite.
        level: Coverage, in (0, 1).
    """
    tail = (1 - _checked(level)) / 2
    low, high = np.quantile(np.asarray(draws, dtype=np.float64), [tail, 1 - tail])
    return Estimate(value, float(low), float(high))


def _cluster_sums(columns: Array, clusters: ArrayLike) -> tuple[Array, int]:
    """Sums of the columns (n, k) per cluster (c, k), and the number c of clusters."""
    if not np.isfinite(columns).all():
        raise BadInputError("values", "must be finite")
    names = np.asarray(clusters)
    if names.shape != columns.shape[:1]:
        raise BadInputError(
            "clusters", f"must have one entry per row, {len(columns)}, was {names.shape}"
        )
    known, member = np.unique(names, return_inverse=True)
    if len(known) < 2:
        raise NotEnoughDataError(f"an interval needs at least 2 clusters, got {len(known)}")
    sums = [np.bincount(member, weights=column, minlength=len(known)) for column in columns.T]
    return np.column_stack(sums), len(known)


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
