"""What happens to the customers: the symptoms from which a model may infer the hidden side.

Heavy users show in `usage.recorded`, those who hunt for deals click on prices, bad coverage drops
calls, a move changes the billing address. Poisson processes whose rates lean on `People`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from world.behaviour import NOTICE_DAYS
from world.calendar import WORLD_DAYS, instants
from world.population import Array, People, Profile, Rows

TOPICS = ("price", "tv", "mobile", "internet", "security")


def create_events(people: People, profile: Profile, ids: NDArray, rng: Generator) -> pl.DataFrame:
    """Every event of the world, in order of time.

    Returns:
        Columns event_id, customer_id, type, at, day, and one column per attribute, null where
        the type does not have it: gb, video_hours, abroad_minutes,
        weak_signal_hours, topic.
    """
    parts = [
        *_usage(people, profile, rng),
        *_life(people, profile),
        *_clicks(people, profile, rng),
        *_trouble(people, profile, rng),
    ]
    frame = pl.concat(parts, how="diagonal").sort("day", "row", "type")
    customer = pl.Series("customer_id", ids[frame["row"].to_numpy()])
    number = pl.Series("event_id", [f"e-{i:06d}" for i in range(frame.height)])
    at = instants(frame["day"].to_numpy()).alias("at")
    return frame.with_columns(number, customer, at)


def _usage(people: People, profile: Profile, rng: Generator) -> Iterator[pl.DataFrame]:
    """One meter reading a month, at night on the customer's billing day."""
    n = len(people.appetite)
    uses = profile["has_mobile"] | (profile["internet"] != "none")
    phones = profile["has_mobile"] | profile["has_fixed_line"]
    billing_day = rng.integers(0, 30, n)
    for month in range(-1, WORLD_DAYS // 30 + 1):
        gb = np.exp(1.4 + 0.7 * people.appetite + 0.2 * rng.standard_normal(n)) * uses
        abroad = rng.gamma(2.0, 1.0 + 25.0 * people.abroad) * phones
        day = month * 30.0 + billing_day + 3 / 24
        video = np.exp(1.6 + 0.7 * people.screen + 0.3 * rng.standard_normal(n)) * uses
        signal = np.exp(0.7 - 0.8 * people.coverage + 0.3 * rng.standard_normal(n)) * phones
        readings = {
            "gb": np.round(gb, 1),
            "video_hours": np.round(video, 1),
            "abroad_minutes": np.round(abroad),
            "weak_signal_hours": np.round(signal, 1),
        }
        yield _frame("usage.recorded", np.arange(n), day, **readings)


def _life(people: People, profile: Profile) -> Iterator[pl.DataFrame]:
    """A move, and the end of a phone's contract, each at most once."""
    moving = np.flatnonzero((people.moves_at >= 0) & (people.moves_at < WORLD_DAYS))
    yield _frame("billing.address_changed", moving, _daytime(people.moves_at[moving]))
    notice = people.device_ends_at - NOTICE_DAYS
    ending = np.flatnonzero(profile["has_mobile"] & (notice >= 0) & (notice < WORLD_DAYS))
    yield _frame("device.contract_ending", ending, _daytime(notice[ending]))


def _clicks(people: People, profile: Profile, rng: Generator) -> Iterator[pl.DataFrame]:
    """Clicks on the web site by topic; interest shows, and so does a tight purse."""
    online = 0.5 + 0.5 * profile["paperless"]
    rates = {
        "price": 0.7 * np.exp(1.0 * people.sensitivity - 0.5),
        "tv": 0.2 * np.exp(0.8 * people.screen - 0.3),
        "mobile": 0.15 * np.exp(0.6 * people.appetite),
        "internet": 0.15 * np.exp(0.6 * people.appetite),
        "security": 0.45 * np.exp(1.0 * people.caution - 0.5),
    }
    for topic in TOPICS:
        rows, days = _poisson(rates[topic] * online, rng)
        yield _frame("web.clicked", rows, days, topic=np.full(len(rows), topic))


def _trouble(people: People, profile: Profile, rng: Generator) -> Iterator[pl.DataFrame]:
    """Dropped calls, used-up data, complaints and their ends."""
    mobile = profile["has_mobile"] * 1.0
    capped = mobile * (profile["mobile_plan"] != "unlimited")
    rows, days = _poisson(0.55 * np.exp(-0.9 * people.coverage - 0.4) * (0.3 + mobile), rng)
    yield _frame("network.dropped_call", rows, days)
    rows, days = _poisson(0.4 * np.exp(0.9 * people.appetite - 0.4) * capped, rng)
    yield _frame("usage.cap_reached", rows, days)
    rows, days = _poisson(np.full(len(mobile), 0.04), rng)
    yield _frame("care.complaint_opened", rows, days)
    closed = days + rng.exponential(4.0, len(days))
    yield _frame("care.complaint_closed", rows, _daytime(closed))


def _poisson(rate: Array, rng: Generator) -> tuple[Rows, Array]:
    """Rows and days of events that come `rate` times in 30 days, between 8 and 20 o'clock."""
    count = rng.poisson(rate * WORLD_DAYS / 30)
    rows = np.repeat(np.arange(len(rate)), count)
    return rows, _daytime(rng.uniform(0, WORLD_DAYS, len(rows)))


def _daytime(days: Array) -> Array:
    """The same days, with the time of the day squeezed between 8 and 20 o'clock."""
    whole = np.floor(days)
    return whole + 8 / 24 + (days - whole) * 0.5


def _frame(kind: str, rows: Rows, days: Array, **attributes: NDArray) -> pl.DataFrame:
    data = {"row": rows.astype(np.int64), "day": days.astype(np.float64), **attributes}
    frame = pl.DataFrame(data).with_columns(pl.lit(kind).alias("type"))
    return frame.filter(pl.col("day").is_between(-30, WORLD_DAYS, closed="left"))
