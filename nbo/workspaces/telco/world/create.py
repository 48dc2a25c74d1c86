"""One simulated telecom, whole, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nbo.decision.catalog import Catalog
from world.calendar import HISTORY_DAYS, WORLD_DAYS
from world.calls import create_calls
from world.events import create_events
from world.population import People, Profile, create_people, create_profile
from world.terms import Terms, terms_of

CUSTOMERS, PAST_CALLS, PLAY_CALLS = 6_000, 24_000, 7_200


@dataclass(frozen=True)
class World:
    """The simulated telecom before anyone was offered anything.

    Attributes:
        catalog: What may be offered.
        terms: The same as arrays.
        ids: (n,) customer ids; row i everywhere belongs to ``ids[i]``.
        profile: As of the first day of the world.
        people: The hidden side.
        events: See `world.events.create_events`.
        past_calls: The calls of the half year before the play.
        calls: The calls of the play.
        seed: What it was drawn from.
    """

    catalog: Catalog
    terms: Terms
    ids: NDArray
    profile: Profile
    people: People
    events: pl.DataFrame
    past_calls: pl.DataFrame
    calls: pl.DataFrame
    seed: int


def create_world(
    catalog: Catalog, seed: int, customers: int = CUSTOMERS, scale: float = 1.0
) -> World:
    """Draw a world; the same seed gives the same one, bit for bit.

    Args:
        catalog: What may be offered, see `world.terms.read_catalog`.
        scale: Multiplies the number of calls, for a smaller trial.
    """
    terms = terms_of(catalog)
    streams = np.random.default_rng([seed, 20260901]).spawn(5)
    ids = np.array([f"c-{number:05d}" for number in range(1, customers + 1)])
    profile = create_profile(customers, streams[0])
    people = create_people(profile, len(terms.offers), streams[1])
    events = create_events(people, profile, ids, streams[2])
    past, play = (0, HISTORY_DAYS), (HISTORY_DAYS, WORLD_DAYS)
    past_calls = create_calls(events, ids, past, int(PAST_CALLS * scale), streams[3])
    calls = create_calls(events, ids, play, int(PLAY_CALLS * scale), streams[4])
    return World(catalog, terms, ids, profile, people, events, past_calls, calls, seed)
