"""A log of past offers as a checked table: every mistake named with its row, or none left.

Columns, one row per offer that was returned:

| column | meaning |
|---|---|
| decision_id | rows of one decision share it |
| at | when it was decided, with time zone |
| customer_id | whom it was about |
| channel | where it was made |
| offer_id, group_id | what was offered |
| value | expected margin if accepted, less the incentive's cost |
| interaction_id | default: the decision_id |
| agent_id | default: empty |
| incentive_id | default: none |
| rank | 1 to 1,000; default: the order of the rows of a decision |
| probability | with which the policy chose it, in (0, 1]; empty when nobody knows |
| outcome | empty when it was returned and never presented |
| outcome_at | default: at |
| facts | JSON object of facts by dotted name |
| customer.x, event.x, interaction.x, history.x | one fact each; empty is unknown |

The ids of decisions, customers, interactions and offers are 1 to 128 letters, digits or
``._:@+-``, as everywhere in the engine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbo.decision.history import Outcome
from nbo.errors import Problem, WorkspaceError

if TYPE_CHECKING:
    import polars as pl

FACT_ROOMS = ("customer.", "event.", "interaction.", "history.")

ROW = "_row"
MOST_PROBLEMS = 50
MOST_SLOTS = 1_000
"""Highest rank taken."""

_REQUIRED = ("decision_id", "at", "customer_id", "channel", "offer_id", "group_id", "value")
_TEXTS = ("decision_id", "customer_id", "channel", "offer_id", "group_id")
_IDS = ("decision_id", "customer_id", "interaction_id", "offer_id")
_ID = r"^[A-Za-z0-9._:@+\-]{1,128}$"
_DEFAULTS = {"interaction_id": "", "agent_id": "", "incentive_id": "none"}
_OF_DECISION = ("at", "customer_id", "channel", "interaction_id", "agent_id")


def read_log(source: Path | str | pl.DataFrame) -> pl.DataFrame:
    """Read and check a log.

    Args:
        source: A Parquet or CSV file, or the table itself.

    Returns:
        All columns of the module's table, typed, defaults filled in, in the order of time;
        facts stay as they were. Column `ROW` numbers the rows as the user counts them.

    Raises:
        WorkspaceError: something is wrong with it; the first fifty mistakes, each with its row
            (in a CSV file its line).
    """
    import polars as pl

    if isinstance(source, pl.DataFrame):
        return _Check(source, "log", first_row=1).run()
    path = Path(source)
    if not path.exists():
        raise WorkspaceError([Problem(str(path), 0, 0, "not found")])
    try:
        if path.suffix == ".csv":
            # An id like 007 is a text, whatever it looks like.
            texts = {column: pl.String() for column in (*_TEXTS, *_DEFAULTS)}
            table = pl.read_csv(path, schema_overrides=texts, infer_schema_length=None)
            return _Check(table, str(path), first_row=2).run()
        return _Check(pl.read_parquet(path), str(path), first_row=1).run()
    except pl.exceptions.PolarsError as error:
        raise WorkspaceError([Problem(str(path), 0, 0, str(error))]) from error


class _Check:
    """One log under examination; collects mistakes column by column."""

    def __init__(self, table: pl.DataFrame, name: str, first_row: int) -> None:
        self._table = table.with_row_index(ROW, offset=first_row)
        self._name = name
        self._problems: list[Problem] = []
        self._reported: set[tuple[int, str]] = set()

    def run(self) -> pl.DataFrame:
        missing = [column for column in _REQUIRED if column not in self._table.columns]
        if missing:
            message = "column {!r} is missing; the columns are described in nbo.ledger.log_file"
            raise WorkspaceError(
                [Problem(self._name, 0, 0, message.format(column)) for column in missing]
            )
        self._identify()
        self._time()
        self._judge()
        self._refuse_if_wrong()
        self._rank()
        self._refuse_if_wrong()
        return self._table.sort("at", "decision_id", "rank")

    def _identify(self) -> None:
        import polars as pl

        for column in _TEXTS:
            self._cast(column, pl.String())
            self._flag(column, pl.col(column).fill_null("") == "", "must not be empty")
        for column, default in _DEFAULTS.items():
            self._default(column, pl.lit(default))
            self._cast(column, pl.String())
        own = pl.when(pl.col("interaction_id") == "").then("decision_id")
        self._table = self._table.with_columns(
            own.otherwise("interaction_id").alias("interaction_id")
        )
        # What the engine does not take at its other doors would be stuck behind this one.
        for column in _IDS:
            strange = ~pl.col(column).str.contains(_ID)
            self._flag(column, strange, "must be 1 to 128 letters, digits or ._:@+-")

    def _time(self) -> None:
        import polars as pl

        self._instant("at")
        self._default("outcome_at", pl.col("at"))
        self._instant("outcome_at")
        self._flag("at", pl.col("at").is_null(), "must not be empty")
        self._flag("outcome_at", pl.col("outcome_at") < pl.col("at"), "must not be before at")

    def _judge(self) -> None:
        import polars as pl

        self._cast("value", pl.Float64())
        self._flag("value", ~pl.col("value").is_finite().fill_null(value=False), "must be a number")
        self._default("probability", pl.lit(None))
        self._cast("probability", pl.Float64())
        sure = pl.col("probability")
        self._flag("probability", ~((sure > 0) & (sure <= 1)), "must be in (0, 1], or empty")
        self._default("outcome", pl.lit(None))
        self._cast("outcome", pl.String())
        known = [outcome.value for outcome in Outcome]
        unknown = ~pl.col("outcome").is_in(known)
        self._flag("outcome", unknown, f"must be one of {', '.join(known)}, or empty")

    def _rank(self) -> None:
        import polars as pl

        self._default("rank", pl.int_range(1, pl.len() + 1).over("decision_id"))
        self._cast("rank", pl.Int64())
        within = pl.col("rank").is_between(1, MOST_SLOTS)
        self._flag("rank", ~within, f"must be between 1 and {MOST_SLOTS}")
        twice = ~pl.struct("decision_id", "rank").is_first_distinct()
        self._flag("rank", twice, "must differ within a decision")
        for column in _OF_DECISION:
            differs = pl.col(column) != pl.col(column).first().over("decision_id")
            self._flag(column, differs, "must be the same in all rows of a decision")

    def _default(self, column: str, value: pl.Expr) -> None:
        import polars as pl

        if column in self._table.columns:
            value = pl.coalesce(pl.col(column), value)
        self._table = self._table.with_columns(value.alias(column))

    def _cast(self, column: str, kind: pl.DataType) -> None:
        import polars as pl

        before = self._table
        self._table = before.with_columns(pl.col(column).cast(kind, strict=False))
        broken = self._table[column].is_null() & before[column].is_not_null()
        if broken.any():
            given = before.with_columns(pl.lit(broken).alias("_broken"))
            expected = "a whole number" if kind.is_integer() else "a number"
            self._report(given, column, pl.col("_broken"), f"must be {expected}")

    def _instant(self, column: str) -> None:
        import polars as pl

        kind = self._table.schema[column]
        if isinstance(kind, pl.String):
            parsed = pl.col(column).str.to_datetime(
                "%+", time_unit="us", time_zone="UTC", strict=False
            )
            before = self._table
            self._table = before.with_columns(parsed)
            broken = self._table[column].is_null() & before[column].is_not_null()
            given = before.with_columns(pl.lit(broken).alias("_broken"))
            example = "must be a time like 2026-03-01T10:00:00Z"
            self._report(given, column, pl.col("_broken"), example)
        elif isinstance(kind, pl.Datetime) and kind.time_zone:
            utc = pl.col(column).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
            self._table = self._table.with_columns(utc)
        else:
            message = f"column {column!r} must be a time with time zone, was {kind}"
            raise WorkspaceError([Problem(self._name, 0, 0, message)])

    def _flag(self, column: str, wrong: pl.Expr, message: str) -> None:
        self._report(self._table, column, wrong, message)

    def _report(self, table: pl.DataFrame, column: str, wrong: pl.Expr, message: str) -> None:
        found = table.filter(wrong.fill_null(value=False)).select(ROW, column)
        for row, value in found.head(MOST_PROBLEMS).iter_rows():
            # One mistake per cell: what could not be read is also missing later.
            if (row, column) not in self._reported:
                self._reported.add((row, column))
                text = f"{column}: {message}, was {value!r}"
                self._problems.append(Problem(self._name, row, 0, text))

    def _refuse_if_wrong(self) -> None:
        if self._problems:
            self._problems.sort(key=lambda problem: problem.line)
            raise WorkspaceError(self._problems[:MOST_PROBLEMS])
