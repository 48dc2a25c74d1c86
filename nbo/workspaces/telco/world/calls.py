"""Who calls when, and why: about half of the calls follow something that just happened."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from world.behaviour import AGENTS, INTENTS, TRIGGERS
from world.calendar import instants

AFTER_AN_EVENT = 0.5
TRIGGER_AGE = timedelta(minutes=60)


def create_calls(
    events: pl.DataFrame, ids: NDArray, days: tuple[int, int], count: int, rng: Generator
) -> pl.DataFrame:
    """At most `count` calls between two world days, in order of time, one a day per customer.

    Returns:
        Columns row (of the customer), customer_id, day, at, agent and intent (indices into
        `AGENTS` and `INTENTS`), and the event at most an hour old, null without one: event_id,
        trigger (index into `TRIGGERS`, 0 without).
    """
    asked = int(count * 1.25)
    reasons = events.filter(
        (pl.col("type") != "usage.recorded") & pl.col("day").is_between(*days, closed="left")
    )
    n_after = min(int(asked * AFTER_AN_EVENT), reasons.height)
    picked = reasons[np.sort(rng.choice(reasons.height, n_after, replace=False))]
    after = picked["day"].to_numpy() + rng.uniform(4, 45, n_after) / 1440
    other = rng.integers(*days, asked - n_after) + rng.uniform(8, 20, asked - n_after) / 24
    rows = np.concatenate([picked["row"].to_numpy(), rng.integers(0, len(ids), len(other))])
    day = np.concatenate([after, other])
    calls = pl.DataFrame({"row": rows, "day": day}).filter(pl.col("day") < days[1])
    calls = calls.unique(["row", pl.col("day").floor()], keep="first", maintain_order=True)
    calls = calls.sample(min(count, calls.height), seed=int(rng.integers(2**31))).sort("day", "row")
    calls = calls.with_columns(
        pl.Series("customer_id", ids[calls["row"].to_numpy()]),
        instants(calls["day"].to_numpy()).alias("at"),
        pl.Series("agent", rng.integers(0, len(AGENTS), calls.height)),
    )
    calls = _with_trigger(calls, events)
    return calls.with_columns(pl.Series("intent", _intents(calls["trigger"].to_numpy(), rng)))


def _with_trigger(calls: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Add the latest event of the last hour: the one the engine, too, takes for the trigger."""
    name = pl.when(pl.col("type") == "web.clicked").then(pl.format("web.clicked:{}", "topic"))
    code = name.otherwise(pl.col("type")).replace_strict(
        {trigger: code for code, trigger in enumerate(TRIGGERS)}, default=0, return_dtype=pl.Int64
    )
    latest = events.select("customer_id", "at", "event_id", code.alias("trigger")).sort("at")
    joined = calls.sort("at").join_asof(
        latest, on="at", by="customer_id", tolerance=TRIGGER_AGE, check_sortedness=False
    )
    return joined.with_columns(pl.col("trigger").fill_null(0)).sort("day", "row")


def _intents(trigger: NDArray[np.intp], rng: Generator) -> NDArray[np.intp]:
    """What the caller says the call is about; a move or a complaint is named as such."""
    names = list(INTENTS)
    usual = ["billing", "technical", "order", "question"]
    drawn = rng.choice([names.index(u) for u in usual], len(trigger), p=[0.35, 0.25, 0.15, 0.25])
    moving = trigger == TRIGGERS.index("billing.address_changed")
    complaint = trigger == TRIGGERS.index("care.complaint_closed")
    drawn[moving] = names.index("moving")
    drawn[complaint] = names.index("complaint")
    return drawn
