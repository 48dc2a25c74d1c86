"""What every customer was offered before, as arrays that grow while the simulation runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from world.behaviour import Situation, mood
from world.population import Array, Rows

MOST_CALLS = 32


@dataclass
class Past:
    """What each of n customers was offered before, (n, MOST_CALLS); grows in place.

    Attributes:
        day: World day of the exposure, -inf where there is none.
        offer: Column of the offer.
        declined: Whether it was declined.
        accepted: Whether it was accepted.
        count: (n,) how many there are.
    """

    day: Array
    offer: NDArray[np.intp]
    declined: NDArray[np.bool_]
    accepted: NDArray[np.bool_]
    count: NDArray[np.intp]

    @classmethod
    def empty(cls, n: int) -> Past:
        """Nobody was offered anything yet."""
        shape = (n, MOST_CALLS)
        return cls(
            day=np.full(shape, -np.inf),
            offer=np.zeros(shape, dtype=np.intp),
            declined=np.zeros(shape, dtype=bool),
            accepted=np.zeros(shape, dtype=bool),
            count=np.zeros(n, dtype=np.intp),
        )

    def add(self, rows: Rows, day: Array, offer: NDArray[np.intp], outcome: NDArray) -> None:
        """Remember one exposure of each row; the oldest gives way when there is no room."""
        slot = self.count[rows] % MOST_CALLS
        self.day[rows, slot] = day
        self.offer[rows, slot] = offer
        self.declined[rows, slot] = outcome == "DECLINED"
        self.accepted[rows, slot] = outcome == "ACCEPTED"
        self.count[rows] += 1

    def take(self, rows: Rows) -> Past:
        """The past of these rows; a copy."""
        return Past(**{name: getattr(self, name)[rows] for name in self.__annotations__})


def situation(calls: pl.DataFrame, past: Past) -> Situation:
    """The calls as the behaviour sees them; row i of `past` belongs to call i."""
    return Situation(
        at=calls["day"].to_numpy(),
        trigger=calls["trigger"].to_numpy(),
        mood=mood(calls["intent"].to_numpy(), calls["agent"].to_numpy()),
        past_day=past.day,
        past_offer=past.offer,
        past_declined=past.declined,
    )
