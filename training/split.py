"""Splits in order of time: fit on the past, calibrate later, test last.

A random split of a dated log leaks: what happens to a customer next week tells about this
week. Exposures of one instant are never divided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbo.errors import NotEnoughDataError


class Split(NamedTuple):
    """Index ranges of the three parts, one after the other in time.

    Attributes:
        fit: Trees are grown on it.
        calibration: Their number is chosen and their probabilities are calibrated on it.
        test: Touched by nothing; figures come from it.
    """

    fit: slice
    calibration: slice
    test: slice


def split_by_time(times: NDArray[np.float64], calibration_share: float, test_share: float) -> Split:
    """Cut at the instants that come nearest to the wanted shares.

    Args:
        times: (n,) instants in ascending order.
        calibration_share: Part of the exposures wanted for calibration.
        test_share: Part of the exposures wanted for the test.

    Raises:
        NotEnoughDataError: fewer than three instants differ.
    """
    starts = np.flatnonzero(np.diff(times) > 0) + 1
    if len(starts) < 2:
        raise NotEnoughDataError(
            f"training splits exposures by time and needs at least 3 different instants; "
            f"the log has {len(starts) + 1 if len(times) else 0}"
        )
    n = len(times)
    test = _nearest(starts[1:], n * (1.0 - test_share))
    earlier = starts[starts < test]
    calibration = _nearest(earlier, n * (1.0 - test_share - calibration_share))
    return Split(slice(0, calibration), slice(calibration, test), slice(test, n))


def require_enough(
    accepted: Sequence[bool], exposures: int, answers: int, who: str = "training"
) -> None:
    """Refuse to learn from too little, saying how much is missing.

    Args:
        accepted: What came of each usable exposure.
        exposures: Fewest exposures.
        answers: Fewest acceptances, and fewest exposures that were not accepted.
        who: What needs them, for the message.

    Raises:
        NotEnoughDataError: one of them is not reached.
    """
    yes = sum(accepted)
    found = {
        "exposures with a known answer": (len(accepted), exposures),
        "acceptances": (yes, answers),
        "exposures without acceptance": (len(accepted) - yes, answers),
    }
    missing = [
        f"{least - have} more {what} (has {have}, needs {least})"
        for what, (have, least) in found.items()
        if have < least
    ]
    if missing:
        raise NotEnoughDataError(f"{who} needs " + ", ".join(missing))


def _nearest(candidates: NDArray[np.intp], wanted: float) -> int:
    return int(candidates[np.argmin(np.abs(candidates - wanted))])
