"""The past offers as a log to import: who was offered what, with the facts as they were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from features.frames import window_values
from features.schema import FeatureSchema
from world.behaviour import AGENTS, INTENTS, TRIGGERS
from world.create import World
from world.history import History

ANSWER_AFTER = pl.duration(minutes=4)


def window_facts(world: World, asks: pl.DataFrame, schema: FeatureSchema) -> pl.DataFrame:
    """The asks with one column per window, as the engine would have answered then."""
    return window_values(world.events, asks, schema.windows)


def past_offers(
    world: World, history: History, schema: FeatureSchema, workspace: Path
) -> pl.DataFrame:
    """One row per past exposure, in the columns that the ledger imports.

    What a customer was offered before each is left to the import, which reads it from the rows.
    """
    from features.frames import profile_as_of

    shown, terms = history.exposures, world.terms
    offer, incentive = shown["offer"].to_numpy(), shown["incentive"].to_numpy()
    asks = shown.select("customer_id", "at")
    facts = pl.concat(
        [
            profile_as_of(schema, workspace / "feature_repo", asks).drop("customer_id", "at"),
            window_facts(world, asks, schema).drop("customer_id", "at"),
            interaction_facts(shown),
        ],
        how="horizontal",
    )
    log = shown.select(
        pl.format("past-{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(5)).alias(
            "decision_id"
        ),
        "at",
        "customer_id",
        pl.format("past-call-{}", pl.int_range(pl.len())).alias("interaction_id"),
        pl.lit("voice").alias("channel"),
        _named(AGENTS, shown["agent"]).alias("agent_id"),
        _named(terms.offers, shown["offer"]).alias("offer_id"),
        _named(terms.groups, shown["offer"]).alias("group_id"),
        _named(terms.incentives, shown["incentive"]).alias("incentive_id"),
        "probability",
        pl.Series("value", terms.margin[offer, incentive]),
        "outcome",
        (pl.col("at") + ANSWER_AFTER).alias("outcome_at"),
    )
    return pl.concat([log, facts], how="horizontal")


def _named(names: Sequence[str], codes: pl.Series) -> pl.Series:
    return pl.Series(np.array(names)[codes.to_numpy()])


def interaction_facts(calls: pl.DataFrame) -> pl.DataFrame:
    """`interaction.*` and `event.*` as serving derives them from the request."""
    names = [trigger.split(":") for trigger in TRIGGERS]
    kind = pl.Series([name[0] or None for name in names])
    topic = pl.Series([name[1] if len(name) > 1 else None for name in names], dtype=pl.String)
    return calls.select(
        pl.lit("voice").alias("interaction.channel"),
        _named(tuple(INTENTS), calls["intent"]).alias("interaction.intent"),
        pl.col("at").dt.hour().cast(pl.Float64).alias("interaction.hour"),
        (pl.col("at").dt.weekday() - 1).cast(pl.Float64).alias("interaction.weekday"),
        kind.gather(calls["trigger"]).alias("event.type"),
        topic.gather(calls["trigger"]).alias("event.topic"),
    )
