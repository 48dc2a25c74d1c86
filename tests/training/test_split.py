"""Splits in order of time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.errors import NotEnoughDataError
from training.split import require_enough, split_by_time


@given(st.lists(st.integers(0, 30), min_size=3, max_size=200))
def test_later_parts_are_later_and_no_instant_is_divided(instants: list[int]) -> None:
    times = np.sort(np.array(instants, np.float64))
    if len(set(instants)) < 3:
        with pytest.raises(NotEnoughDataError):
            split_by_time(times, 0.2, 0.2)
        return
    split = split_by_time(times, 0.2, 0.2)
    parts = [times[part] for part in split]
    assert sum(len(part) for part in parts) == len(times)
    assert all(len(part) for part in parts)
    assert parts[0].max() < parts[1].min()
    assert parts[1].max() < parts[2].min()


def test_shares_are_met_where_every_instant_differs() -> None:
    split = split_by_time(np.arange(1000.0), 0.2, 0.1)
    assert [part.stop - part.start for part in split] == [700, 200, 100]


def test_the_message_says_how_much_is_missing() -> None:
    with pytest.raises(NotEnoughDataError) as caught:
        require_enough([True] * 3 + [False] * 97, exposures=200, answers=20)
    assert str(caught.value) == (
        "training needs 100 more exposures with a known answer (has 100, needs 200), "
        "17 more acceptances (has 3, needs 20)"
    )
    require_enough([True] * 20 + [False] * 180, exposures=200, answers=20)


def test_one_instant_cannot_be_split() -> None:
    with pytest.raises(NotEnoughDataError, match="at least 3 different instants; the log has 1"):
        split_by_time(np.zeros(500), 0.2, 0.2)
