"""The mailings of the past as a log: what was sent, what was known then, what came of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from journey.campaigns import FIRST_TEST_DAY, PROMOTED, RECORD_STARTS, campaigns, mailings

if TYPE_CHECKING:
    from features.schema import FeatureSchema

CHANNEL = "mail"
OFFER_VALUE = 5.0
"""As in the catalogue, USD."""


def first_asked() -> datetime:
    """Start of the first campaign that tests: what is known then may train."""
    later = campaigns().filter(pl.col("starts") >= FIRST_TEST_DAY)
    start: datetime = later.get_column("starts")[0]
    return start


def past_log(
    events: pl.DataFrame, schema: FeatureSchema, repo: Path, now: datetime
) -> pl.DataFrame:
    """One row per mailing of the campaigns that train, with the facts as of its start.

    Campaigns from before the record of purchases are left out: their windows would be empty for
    everybody.

    Args:
        events: See `journey.events.event_frame`.
        schema: Which facts there are.
        repo: The feature repo, with the profile table written.
        now: Outcomes after it are not known yet; a mailing that still runs is PRESENTED only.
    """
    from features.frames import profile_as_of, window_values

    sent = (
        mailings()
        .filter(pl.col("starts").is_between(RECORD_STARTS, FIRST_TEST_DAY, closed="left"))
        .rename({"starts": "at"})
    )
    # No event after the last of these mailings can count.
    known = profile_as_of(
        schema, repo, window_values(events.filter(pl.col("at") <= now), sent, schema.windows)
    )
    redeemed, over = pl.col("redeemed_at") <= now, pl.col("ends") <= now
    outcome = pl.when(redeemed).then(pl.lit("ACCEPTED")).when(over).then(pl.lit("NO_RESPONSE"))
    answered = pl.when(redeemed).then("redeemed_at").when(over).then("ends").otherwise("at")
    return known.select(
        pl.format("past-{}-{}", "campaign", "customer_id").alias("decision_id"),
        "at",
        "customer_id",
        pl.col("campaign").alias("interaction_id"),
        pl.lit(CHANNEL).alias("channel"),
        pl.lit("").alias("agent_id"),
        pl.col("campaign").alias("offer_id"),
        pl.col("group").alias("group_id"),
        pl.lit("none").alias("incentive_id"),
        # The chain chose these households by rules of its own: the probability is unknown.
        pl.lit(None, pl.Float64).alias("probability"),
        pl.lit(OFFER_VALUE).alias("value"),
        outcome.otherwise(pl.lit("PRESENTED")).alias("outcome"),
        answered.alias("outcome_at"),
        pl.col("^customer\\..*$"),
        pl.lit("campaign.received").alias("event.type"),
        pl.col("campaign").alias("event.campaign"),
        pl.col(*PROMOTED).name.prefix("event."),
    )
