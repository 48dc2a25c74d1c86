"""The same facts as online, for many customers and instants at once, from tables.

Training sets and imported logs need the facts as they were at past instants. These functions
give, for every ask, exactly what `CustomerReader` would have answered then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.definitions import Kind, Window
from features.schema import FeatureSchema, View
from features.slices import Ints, bisect_right, group_bounds, slice_sums
from features.windows import matches

if TYPE_CHECKING:
    import polars as pl

_POLARS_TYPES = {
    "f4": "Float32",
    "f8": "Float64",
    "i8": "Int64",
    "bool": "Boolean",
    "text": "String",
}


def window_values(
    events: pl.DataFrame, asks: pl.DataFrame, windows: Sequence[Window]
) -> pl.DataFrame:
    """Values of windows for each ask.

    Args:
        events: Columns `customer_id`, `type`, `at` (UTC datetime), one column per attribute
            (null where an event has none), and optionally `event_id`: of rows with the same id
            the first counts. In any order.
        asks: Columns `customer_id` and `at` (UTC datetime), in any order; others are kept.
        windows: What to compute.

    Returns:
        The asks in their order with one column ``customer.<window>`` per window, null where
        unknown.
    """
    import polars as pl

    if "event_id" in events.columns:
        events = events.unique("event_id", keep="first", maintain_order=True)
    codes = asks.select("customer_id").unique().with_row_index("customer")
    events = (
        events.join(codes, on="customer_id")
        .with_columns(_us("at"), pl.col("customer").cast(pl.Int64))
        .sort("customer", "at")
    )
    coded = asks.select("customer_id", _us("at")).join(
        codes, on="customer_id", how="left", maintain_order="left"
    )
    asked = _Asks(
        customer=coded.get_column("customer").cast(pl.Int64).to_numpy(),
        at=coded.get_column("at").to_numpy(),
    )
    types = events.get_column("type").unique().to_list()
    columns = []
    for window in windows:
        mine = _counting(events, window, [name for name in types if matches(window, name)])
        values = (_distinct if window.kind == Kind.DISTINCT else _aggregate)(mine, asked, window)
        columns.append(values.alias(f"customer.{window.name}"))
    return asks.with_columns(columns)


def profile_as_of(schema: FeatureSchema, repo_path: Path, asks: pl.DataFrame) -> pl.DataFrame:
    """Profile facts for each ask: the latest row of every view at or before the instant.

    Equals Feast's `get_historical_features` on the same files, in a fraction of its time.

    Args:
        schema: Names the views and their files.
        repo_path: The feature repo; sources are relative to it.
        asks: Columns `customer_id` and `at` (UTC datetime); others are kept.

    Returns:
        The asks in their order with one column ``customer.<field>`` per field, null where unknown.
    """
    import polars as pl

    numbered = asks.select("customer_id", _us("at")).with_row_index("ask").sort("at")
    columns: list[pl.Series] = []
    for view in schema.views.values():
        rows = _view_rows(view, repo_path)
        found = numbered.join_asof(
            rows, left_on="at", right_on="row_at", by="customer_id", check_sortedness=False
        ).sort("ask")
        if view.ttl_seconds:
            fresh = pl.col("row_at") >= pl.col("at") - int(view.ttl_seconds * 1e6)
            names = [f"customer.{column.name}" for column in view.columns]
            found = found.with_columns(pl.when(fresh).then(pl.col(n)).alias(n) for n in names)
        columns += [found.get_column(f"customer.{column.name}") for column in view.columns]
    return asks.with_columns(columns)


class _Asks(NamedTuple):
    """The asks as arrays: number of the customer, microseconds since 1970."""

    customer: Ints
    at: Ints


def _us(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).dt.epoch("us").alias(name)


def _view_rows(view: View, repo_path: Path) -> pl.DataFrame:
    import polars as pl

    def fact(name: str, dtype: str) -> pl.Expr:
        if dtype == "time":
            return pl.col(name).dt.epoch("s").cast(pl.Float64).alias(f"customer.{name}")
        column = pl.col(name).cast(getattr(pl, _POLARS_TYPES[dtype]))
        if dtype in {"f4", "f8", "i8"}:
            column = column.cast(pl.Float64).fill_nan(None)
        return column.alias(f"customer.{name}")

    path = repo_path / view.source
    return (
        pl.read_parquet(path / "*.parquet" if path.is_dir() else path)
        .select(
            pl.col("customer_id").cast(pl.String),
            _us(view.timestamp).alias("row_at"),
            *(fact(column.name, column.dtype) for column in view.columns),
        )
        .sort("row_at")
    )


def _counting(events: pl.DataFrame, window: Window, types: Sequence[str]) -> pl.DataFrame:
    """Keep the events that count in a window at some instant, in their order."""
    import polars as pl

    mine = events.filter(pl.col("type").is_in(types))
    for name, wanted in window.where.items():
        mine = mine.filter(pl.col(name) == wanted) if name in mine.columns else mine.clear()
    if not window.attribute:
        return mine
    if window.attribute not in mine.columns:
        return mine.clear().with_columns(pl.lit(None, pl.Float64).alias(window.attribute))
    return mine.filter(pl.col(window.attribute).is_not_null())


def _first_us(at: Ints, window: Window) -> Ints:
    """First microsecond that counts at each instant, as `features.windows.earliest`."""
    return ((at - window.over_us) // window.width_us + 1) * window.width_us


def _aggregate(mine: pl.DataFrame, asks: _Asks, window: Window) -> pl.Series:
    import polars as pl

    if window.kind == Kind.LAST:
        mine = mine.sort("customer", "at", window.attribute)
    times = mine.get_column("at").to_numpy()
    low, high = group_bounds(mine.get_column("customer").to_numpy(), asks.customer)
    start = bisect_right(times, low, high, _first_us(asks.at, window) - 1)
    end = bisect_right(times, low, high, asks.at)
    count = end - start
    if window.kind == Kind.COUNT:
        return pl.Series(count.astype(np.float64))
    newest = pl.Series(np.where(count > 0, end - 1, -1)).replace(-1, None)
    if window.kind == Kind.LAST:
        values = mine.get_column(window.attribute)
        values = values.cast(pl.Float64) if values.dtype.is_numeric() else values
        return values.gather(newest)
    if window.kind == Kind.SECONDS_SINCE:
        return (pl.Series(asks.at) - mine.get_column("at").gather(newest)) / 1e6
    sums = slice_sums(mine.get_column(window.attribute).cast(pl.Float64).to_numpy(), start, end)
    if window.kind == Kind.SUM:
        return pl.Series(sums)
    return pl.Series(sums / np.maximum(count, 1)).set(pl.Series(count == 0), None)


def _distinct(mine: pl.DataFrame, asks: _Asks, window: Window) -> pl.Series:
    """Per ask, how many of the customer's values have their latest event inside the window."""
    import polars as pl

    points = mine.select("customer", "at", pl.col(window.attribute).alias("value"))
    pairs = points.select("customer", "value").unique().sort("customer").with_row_index("pair")
    points = points.join(pairs, on=["customer", "value"]).sort("pair", "at")
    times = points.get_column("at").to_numpy()
    # Every ask against every value of its customer: `ask` and `pair` are parallel.
    low, high = group_bounds(pairs.get_column("customer").to_numpy(), asks.customer)
    ask = np.repeat(np.arange(len(asks.at)), high - low)
    before = np.repeat(np.cumsum(high - low) - (high - low), high - low)
    pair = np.repeat(low, high - low) + np.arange(len(ask)) - before
    start, end = group_bounds(points.get_column("pair").cast(pl.Int64).to_numpy(), pair)
    newest = bisect_right(times, start, end, asks.at[ask]) - 1
    inside = newest >= start
    inside[inside] = times[newest[inside]] >= _first_us(asks.at, window)[ask[inside]]
    return pl.Series(np.bincount(ask[inside], minlength=len(asks.at)).astype(np.float64))
