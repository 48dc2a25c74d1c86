"""How well scores rank: area under the ROC curve and lift, with intervals.

Exposures of one customer resemble each other, so the intervals resample customers, not rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nbo.errors import BadInputError, NotEnoughDataError
from nbo.measure.intervals import Array, Estimate, Measure, interval, resample


def auc(score: ArrayLike, label: ArrayLike) -> float:
    """Probability that a positive scores above a negative; ties count half.

    Args:
        score: (n,) higher means likelier; finite.
        label: (n,) true for a positive.

    Returns:
        0.5 for a ranking without information, 1.0 for a perfect one.

    Raises:
        NotEnoughDataError: there is no positive or no negative.
    """
    ranking = Ranking(score, label)
    return float(ranking.auc(np.ones((1, ranking.rows)))[0])


def lift_at(score: ArrayLike, label: ArrayLike, share: float = 0.1) -> float:
    """Rate of positives among the best-scored part, over the rate among all.

    Rows tied at the edge of the part enter it in equal shares, so that their order does not
    matter.

    Args:
        score: (n,) higher means likelier; finite.
        label: (n,) true for a positive.
        share: Size of the part, in (0, 1].

    Raises:
        NotEnoughDataError: there is no positive or no negative.
    """
    ranking = Ranking(score, label)
    return float(ranking.lift(np.ones((1, ranking.rows)), _checked_share(share))[0])


def auc_interval(
    score: ArrayLike,
    label: ArrayLike,
    clusters: ArrayLike,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> Estimate:
    """`auc` with a percentile bootstrap interval over whole clusters.

    Args:
        score: (n,) higher means likelier; finite.
        label: (n,) true for a positive.
        clusters: (n,) to whom each row belongs, e.g. customer ids.
        seed: Of the resampling; same seed, same interval.
        resamples: Bootstrap replications.
        level: Coverage, in (0, 1).

    Raises:
        NotEnoughDataError: no positive or no negative, or fewer than two clusters.
    """
    ranking = Ranking(score, label)
    return _bootstrap(ranking, ranking.auc, clusters, seed, resamples, level)


def lift_interval(
    score: ArrayLike,
    label: ArrayLike,
    clusters: ArrayLike,
    *,
    share: float = 0.1,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> Estimate:
    """`lift_at` with a percentile bootstrap interval over whole clusters; see `auc_interval`."""
    ranking = Ranking(score, label)
    part = _checked_share(share)
    return _bootstrap(
        ranking, lambda weight: ranking.lift(weight, part), clusters, seed, resamples, level
    )


class Ranking:
    """Rows sorted by score once, so that many weightings of them can be measured quickly.

    Args:
        score: (n,) higher means likelier; finite.
        label: (n,) true for a positive.

    Raises:
        BadInputError: a score is not finite, or the shapes differ.
        NotEnoughDataError: there is no positive or no negative.
    """

    def __init__(self, score: ArrayLike, label: ArrayLike) -> None:
        scores, labels = np.asarray(score, np.float64), np.asarray(label).astype(bool)
        if scores.ndim != 1 or scores.shape != labels.shape:
            raise BadInputError(
                "label", f"must have the shape of score, {scores.shape}, was {labels.shape}"
            )
        if not np.isfinite(scores).all():
            raise BadInputError("score", "must be finite")
        if not labels.any() or labels.all():
            raise NotEnoughDataError(
                f"a ranking needs positives and negatives, got {int(labels.sum())} positives "
                f"among {len(labels)}"
            )
        self.rows = len(scores)
        self.order = np.argsort(scores, kind="stable")
        self.positive = labels[self.order].astype(np.float64)
        ranked = scores[self.order]
        self.ties = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])

    def _by_tie(self, weight: Array) -> tuple[Array, Array]:
        """Weight of positives and of all rows per group of equal scores, worst group first."""
        ordered = weight[:, self.order]
        return (
            np.add.reduceat(ordered * self.positive, self.ties, axis=1),
            np.add.reduceat(ordered, self.ties, axis=1),
        )

    def auc(self, weight: Array) -> Array:
        """AUC per row of `weight` (k, n); NaN where a class has no weight."""
        positive, total = self._by_tie(weight)
        negative = total - positive
        below = np.cumsum(negative, axis=1) - negative
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        better: Array = (positive * (below + negative / 2)).sum(axis=1)
        return _ratio(better, pairs, np.nan)

    def lift(self, weight: Array, share: float) -> Array:
        """Lift of the best `share` per row of `weight` (k, n); NaN without positives."""
        positive, total = (part[:, ::-1] for part in self._by_tie(weight))
        room = share * total.sum(axis=1, keepdims=True)
        above = np.cumsum(total, axis=1) - total
        taken = np.clip(room - above, 0.0, total)
        inside = _ratio(taken, total, 0.0)
        found: Array = (positive * inside).sum(axis=1)
        chance = share * positive.sum(axis=1)
        return _ratio(found, chance, np.nan)


def _bootstrap(
    ranking: Ranking,
    measure: Measure,
    clusters: ArrayLike,
    seed: int,
    resamples: int,
    level: float,
) -> Estimate:
    if np.shape(clusters) != (ranking.rows,):
        shape = f"must have one entry per row, {ranking.rows}, was {np.shape(clusters)}"
        raise BadInputError("clusters", shape)
    draws = resample(measure, clusters, seed=seed, resamples=resamples)
    return interval(float(measure(np.ones((1, ranking.rows)))[0]), draws, level)


def _ratio(numerator: Array, denominator: Array, otherwise: float) -> Array:
    """Divide element by element; `otherwise` where the denominator is 0."""
    result = np.full(numerator.shape, otherwise)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def _checked_share(share: float) -> float:
    if not 0.0 < share <= 1.0:
        raise BadInputError("share", f"must be in (0, 1], was {share}")
    return share
