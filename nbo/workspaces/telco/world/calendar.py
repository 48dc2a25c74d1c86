"""When the simulated telecom lives: half a year of past, then thirty days of play.

Inside the world time is a float, days since `WORLD_STARTS`; datetimes (UTC) stand at its edges.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

WORLD_STARTS = datetime(2026, 3, 1, tzinfo=UTC)
HISTORY_DAYS = 184
PLAY_DAYS = 30
WORLD_DAYS = HISTORY_DAYS + PLAY_DAYS
PLAY_STARTS = WORLD_STARTS + timedelta(days=HISTORY_DAYS)

TIMESTAMP = pl.Datetime("us", "UTC")


def instant(day: float) -> datetime:
    """The UTC datetime of one world day, to the whole second."""
    return WORLD_STARTS + timedelta(seconds=round(day * 86_400))


def instants(days: NDArray[np.float64]) -> pl.Series:
    """UTC datetimes of world days, to the whole second."""
    start = int(WORLD_STARTS.timestamp())
    seconds = start + np.round(days * 86_400).astype(np.int64)
    return pl.Series(seconds * 1_000_000).cast(TIMESTAMP)


def day_of(at: datetime) -> float:
    """World day of an instant."""
    return (at - WORLD_STARTS).total_seconds() / 86_400
