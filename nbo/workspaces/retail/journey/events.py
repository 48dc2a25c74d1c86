"""Everything that happened, as one stream of events in the order of their times."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from features.stream import Event
from journey.campaigns import PROMOTED, mailings, redemptions
from journey.tables import customer_id, table, utc

ATTRIBUTES = ("amount", "coupon", "own_brand", "campaign", *PROMOTED)


def event_frame() -> pl.DataFrame:
    """All events in the order of their times: each row of a receipt, redemption and mailing.

    Returns:
        Columns `event_id`, `customer_id`, `type`, `at` (UTC), and `ATTRIBUTES`, null where an
        event has none.
    """
    return (
        pl.concat([_purchases(), _redeemed(), _received()], how="diagonal")
        .select("event_id", "customer_id", "type", "at", *ATTRIBUTES)
        .sort("at", maintain_order=True)
    )


def events(frame: pl.DataFrame) -> Iterator[Event]:
    """Rows of `event_frame` as the engine's events, in their order."""
    for event_id, customer, kind, at, *values in frame.iter_rows():
        attributes = {
            name: value for name, value in zip(ATTRIBUTES, values, strict=True) if value is not None
        }
        yield Event(event_id, customer, kind, at, attributes)


def arrivals(frame: pl.DataFrame, campaign: str) -> list[Event]:
    """The events by which one campaign reached its households."""
    mine = (pl.col("type") == "campaign.received") & (pl.col("campaign") == campaign)
    return list(events(frame.filter(mine)))


def _purchases() -> pl.DataFrame:
    """Rows of receipts; `coupon` and `own_brand` only where true, to keep a year's events small."""
    brand = table("products").select("product_id", "brand")
    return (
        table("transactions")
        .join(brand, on="product_id", how="left", maintain_order="left")
        .select(
            pl.format("p{}", pl.int_range(pl.len())).alias("event_id"),
            customer_id(),
            pl.lit("purchase").alias("type"),
            utc("transaction_timestamp").alias("at"),
            pl.col("sales_value").alias("amount"),
            _where(pl.col("coupon_disc") > 0).alias("coupon"),
            _where(pl.col("brand") == "Private").alias("own_brand"),
        )
    )


def _where(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(True)


def _redeemed() -> pl.DataFrame:
    return redemptions().select(
        pl.format("r{}", pl.int_range(pl.len())).alias("event_id"),
        "customer_id",
        pl.lit("coupon.redeemed").alias("type"),
        "at",
        "campaign",
    )


def _received() -> pl.DataFrame:
    return mailings().select(
        pl.format("m-{}-{}", "campaign", "customer_id").alias("event_id"),
        "customer_id",
        pl.lit("campaign.received").alias("type"),
        pl.col("starts").alias("at"),
        "campaign",
        *PROMOTED,
    )
