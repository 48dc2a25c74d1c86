"""Ranges of sorted rows, found and added up for many asks at once; NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def group_bounds(groups: Ints, wanted: Ints) -> tuple[Ints, Ints]:
    """Find the rows of each wanted group.

    Args:
        groups: (n,) group of each row, ascending.
        wanted: (m,) groups asked for.

    Returns:
        (m,) first row and (m,) row after the last; equal for a group without rows.
    """
    return (
        np.searchsorted(groups, wanted, side="left").astype(np.int64),
        np.searchsorted(groups, wanted, side="right").astype(np.int64),
    )


def bisect_right(times: Ints, start: Ints, end: Ints, at: Ints) -> Ints:
    """Find, in each range of rows, the row after the last with time <= at.

    Args:
        times: (n,) ascending within each range.
        start: (m,) first row of each range.
        end: (m,) row after the last of each range.
        at: (m,) instant asked of each range.

    Returns:
        (m,) rows between start and end; all ranges are halved together.
    """
    low, high = start.copy(), end.copy()
    while (searching := low < high).any():
        middle = (low + high) // 2
        not_after = searching & (times[np.minimum(middle, len(times) - 1)] <= at)
        low = np.where(not_after, middle + 1, low)
        high = np.where(searching & ~not_after, middle, high)
    return low


def slice_sums(values: Floats, start: Ints, end: Ints) -> Floats:
    """Sum ``values[start[i]:end[i]]`` for each i.

    Added up directly, no differences of totals: a range without rows is exactly 0.
    """
    if not len(start):
        return np.zeros(0)
    padded = np.append(values, 0.0)
    pairs = np.stack([start, end], axis=1).ravel()
    sums: Floats = np.add.reduceat(padded, pairs)[::2]
    return np.where(end > start, sums, 0.0)
