"""Campaigns, who got them, and who redeemed: the offers and their exposures."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from journey.tables import customer_id, table, utc

RECORD_STARTS = datetime(2017, 1, 1, tzinfo=UTC)
"""Purchases before this are not in the record."""
RECORD_ENDS = datetime(2018, 1, 1, 4, 1, 21, tzinfo=UTC)
"""Nor are purchases from here on."""
FIRST_TEST_DAY = datetime(2017, 8, 1, tzinfo=UTC)
"""Campaigns that start earlier train, later ones test."""

PROMOTED = ("promoted_spend_90d", "promoted_items_30d")
"""What a household bought of a campaign's own products before its start: USD, rows of receipts."""


def campaigns() -> pl.DataFrame:
    """One row per campaign, in order of start.

    Returns:
        Columns `campaign` (offer id), `group` (``"type-a"``…), `campaign_id`, `starts` and `ends`
        (UTC, end exclusive), `days`, `coupons` and `products` (how many it holds). Of campaigns
        that start on one day the second starts a second later, so that the instant of the start
        names the campaign.
    """
    size = (
        table("coupons")
        .group_by("campaign_id")
        .agg(
            pl.col("coupon_upc").n_unique().cast(pl.Int64).alias("coupons"),
            pl.col("product_id").n_unique().cast(pl.Int64).alias("products"),
        )
    )
    start, end = utc("start_date"), utc("end_date")
    same_day = pl.int_range(pl.len()).over("start_date")
    return (
        table("campaign_descriptions")
        .sort("start_date", "campaign_id")
        .select(
            pl.format("campaign-{}", "campaign_id").alias("campaign"),
            pl.col("campaign_type").str.to_lowercase().str.replace(" ", "-").alias("group"),
            "campaign_id",
            (start + pl.duration(seconds=same_day)).alias("starts"),
            (end + pl.duration(days=1)).alias("ends"),
            (end - start).dt.total_days().alias("days"),
        )
        .join(size, on="campaign_id", how="left", maintain_order="left")
    )


def mailings() -> pl.DataFrame:
    """One row per household and campaign it got, in order of start: the exposures.

    Returns:
        Columns `customer_id`, `campaign`, `group`, `starts`, `ends`, `redeemed_at` (first
        redemption, null without) and `PROMOTED`.
    """
    first = (
        redemptions()
        .group_by("customer_id", "campaign")
        .agg(pl.col("at").min().alias("redeemed_at"))
    )
    return (
        table("campaigns")
        .join(campaigns(), on="campaign_id")
        .with_columns(customer_id())
        .join(first, on=["customer_id", "campaign"], how="left")
        .join(_promoted(), on=["household_id", "campaign_id"], how="left")
        .select(
            "customer_id",
            "campaign",
            "group",
            "starts",
            "ends",
            "redeemed_at",
            pl.col(*PROMOTED).fill_null(0.0),
        )
        .sort("starts", "customer_id")
    )


def redemptions() -> pl.DataFrame:
    """One row per coupon handed in: `customer_id`, `campaign`, `at` (last second of the day).

    The record has days only. A redemption placed at midnight would be known to a campaign that
    starts on the same day, so it is placed where the day ends.
    """
    return (
        table("coupon_redemptions")
        .select(
            customer_id(),
            pl.format("campaign-{}", "campaign_id").alias("campaign"),
            (utc("redemption_date") + pl.duration(hours=23, minutes=59, seconds=59)).alias("at"),
        )
        .sort("at", maintain_order=True)
    )


def households() -> pl.DataFrame:
    """One row per household, the profile table: bands as their lower ends, unknown as null.

    Demographics are undated in the record and hold for a third of the households; they are taken
    as known from before its start.
    """
    everyone = pl.concat(
        [table(name).select("household_id") for name in ("transactions", "campaigns")]
    ).unique()
    income = (
        pl.when(pl.col("income") == "Under 15K")
        .then(0.0)
        .otherwise(pl.col("income").str.extract(r"^(\d+)").cast(pl.Float32))
    )
    return (
        everyone.join(table("demographics"), on="household_id", how="left")
        .sort("household_id")
        .select(
            customer_id(),
            pl.lit(datetime(2016, 1, 1, tzinfo=UTC)).alias("event_timestamp"),
            pl.col("age").str.extract(r"^(\d+)").cast(pl.Float32),
            income.cast(pl.Float32).alias("income"),
            pl.col("household_size").str.extract(r"^(\d+)").cast(pl.Float32),
            pl.col("kids_count").str.extract(r"^(\d+)").cast(pl.Float32).alias("kids"),
            (pl.col("home_ownership") == "Homeowner").alias("homeowner"),
            (pl.col("marital_status") == "Married").alias("married"),
        )
    )


def _promoted() -> pl.DataFrame:
    """`PROMOTED` of each household and campaign it got, where it bought any of its products."""
    promoted = table("coupons").select("campaign_id", "product_id").unique()
    bought = table("transactions").select(
        "household_id", "product_id", "sales_value", utc("transaction_timestamp").alias("at")
    )
    age = pl.col("starts") - pl.col("at")
    spend, items = PROMOTED
    return (
        table("campaigns")
        .join(campaigns().select("campaign_id", "starts"), on="campaign_id")
        .join(bought, on="household_id")
        .filter(age > pl.duration(), age <= pl.duration(days=90))
        .join(promoted, on=["campaign_id", "product_id"])
        .group_by("household_id", "campaign_id")
        .agg(
            pl.col("sales_value").sum().round(2).alias(spend),
            (age <= pl.duration(days=30)).sum().cast(pl.Float64).alias(items),
        )
    )
