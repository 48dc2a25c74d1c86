"""The half year before the play: every call got one eligible treatment at random.

A uniformly random policy, its probability logged: what a telecom would collect before it lets
a model choose, and all that the first model learns from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from world.behaviour import probability
from world.calendar import instants
from world.create import World
from world.eligibility import buy, eligible
from world.past import Past, situation
from world.population import Array, Profile, Rows, take


@dataclass(frozen=True)
class History:
    """What the past left behind.

    Attributes:
        exposures: One row per exposure in order of time: the call's columns and offer, incentive
            (columns of `Terms`), probability (of the random policy), truth, outcome.
        profiles: Profile rows in order of time with customer_id and event_timestamp: one at the
            start for everyone, one in the night after each purchase.
        profile: The profile as of the play's first day.
        past: What everyone was offered.
    """

    exposures: pl.DataFrame
    profiles: pl.DataFrame
    profile: Profile
    past: Past


def live_through(world: World, facts: pl.DataFrame) -> History:
    """Let the past happen: the k-th call of every customer together, k = 1, 2, ...

    Args:
        facts: For each of `world.past_calls`, in order, the windows that the rules need:
            customer.data_gb, customer.complaints_opened_60d, customer.complaints_closed_60d.
    """
    rng = np.random.default_rng([world.seed, 184])
    profile = {name: column.copy() for name, column in world.profile.items()}
    past = Past.empty(len(world.ids))
    calls = world.past_calls.with_columns(
        facts["customer.data_gb"].alias("data_gb"),
        busy=facts["customer.complaints_opened_60d"] > facts["customer.complaints_closed_60d"],
        turn=pl.int_range(pl.len()).over("row"),
    ).filter(~pl.col("busy"))
    snapshots = [_snapshot(profile, np.arange(len(world.ids)), world.ids, -31.0)]
    answered = []
    for (_,), round_ in calls.group_by("turn", maintain_order=True):
        exposed = _one_round(world, profile, past, round_, rng)
        bought = exposed.filter(pl.col("outcome") == "ACCEPTED")
        rows = bought["row"].to_numpy()
        buy(profile, rows, bought["offer"].to_numpy(), world.terms)
        night = np.floor(bought["day"].to_numpy()) + 1.0
        snapshots.append(_snapshot(profile, rows, world.ids, night))
        answered.append(exposed)
    exposures = pl.concat(answered).drop("busy", "turn").sort("day", "row")
    return History(exposures, pl.concat(snapshots).sort("event_timestamp"), profile, past)


def _one_round(
    world: World, profile: Profile, past: Past, calls: pl.DataFrame, rng: Generator
) -> pl.DataFrame:
    """One call each of some customers: offer at random, answer, remember."""
    rows = calls["row"].to_numpy()
    mine = take(profile, rows)
    may = eligible(mine, calls["data_gb"].fill_null(np.nan).to_numpy(), world.terms)
    may &= ~_paused(past.take(rows), calls["day"].to_numpy(), world)[:, :, None]
    some = may.any(axis=(1, 2))
    calls, rows, may = calls.filter(pl.Series(some)), rows[some], may[some]
    truth = probability(
        world.people.take(rows),
        take(profile, rows),
        situation(calls, past.take(rows)),
        world.terms,
    )
    offer, incentive, chance = _choose_uniformly(may, rng)
    accepts = truth[np.arange(len(rows)), offer, incentive]
    outcome = draw_outcomes(accepts, rng)
    past.add(rows, calls["day"].to_numpy(), offer, outcome)
    return calls.with_columns(
        pl.Series("offer", offer),
        pl.Series("incentive", incentive),
        pl.Series("probability", chance),
        pl.Series("truth", accepts),
        pl.Series("outcome", outcome),
    )


def draw_outcomes(accepts: Array, rng: Generator) -> NDArray:
    """Accepted with the true probability; of the rest, one in seven gives no answer."""
    no = np.where(rng.random(len(accepts)) < 1 / 7, "NO_RESPONSE", "DECLINED")
    return np.where(rng.random(len(accepts)) < accepts, "ACCEPTED", no)


def _paused(past: Past, day: Array, world: World) -> NDArray[np.bool_]:
    """(n, offers) what the contact policy pauses: a group once bought, an offer once declined."""
    since = day[:, None] - past.day
    bought = (past.accepted & (since < 45))[:, :, None]
    declined = (past.declined & (since < 60))[:, :, None]
    this = past.offer[:, :, None] == np.arange(len(world.terms.offers))
    kin = world.terms.same_group[past.offer]
    paused: NDArray[np.bool_] = ((bought & kin) | (declined & this)).any(axis=1)
    return paused


def _choose_uniformly(
    may: NDArray[np.bool_], rng: Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """An offer uniformly among the eligible, then an incentive uniformly among those it allows."""
    offers = may.any(axis=2)
    offer = np.argmax(offers * rng.random(offers.shape), axis=1)
    incentives = may[np.arange(len(offer)), offer]
    incentive = np.argmax(incentives * rng.random(incentives.shape), axis=1)
    return offer, incentive, 1.0 / (offers.sum(axis=1) * incentives.sum(axis=1))


def _snapshot(profile: Profile, rows: Rows, ids: NDArray, day: Array | float) -> pl.DataFrame:
    """Profile rows of these customers as of a day."""
    columns = {name: column[rows] for name, column in profile.items()}
    days = np.broadcast_to(day, rows.shape)
    return pl.DataFrame({"customer_id": ids[rows], **columns, "event_timestamp": instants(days)})
