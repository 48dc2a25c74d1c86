"""`nbo features import-events`: events in bulk, through the same door as every other event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbo.cli.output import print_json
from nbo.cli.workspace import JsonOption, WorkspaceOption, connect
from nbo.errors import BadInputError, Problem, WorkspaceError

if TYPE_CHECKING:
    import polars as pl

    from features.stream import Event

COLUMNS = ("event_id", "customer_id", "type", "at")
MOST_ERRORS = 20


def register(features: typer.Typer) -> None:
    """Add the command to the `nbo features` family."""
    features.command(
        "import-events", epilog="Example:  nbo features import-events data/events.parquet"
    )(import_events)


def import_events(
    file: Annotated[
        Path,
        typer.Argument(
            help="Parquet or CSV: event_id, customer_id, type, at (with time zone), "
            "and a column per attribute; empty ones are left out."
        ),
    ],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Publish the events of a file to the running engine; each event id counts once."""
    table = _read(file)
    with connect(workspace) as client:
        reply = client.publish(_events(table))
    counts = {
        "accepted": reply.accepted,
        "duplicates": reply.duplicates,
        "refused": len(reply.errors),
    }
    if as_json:
        print_json(counts)
    else:
        typer.echo("  ".join(f"{name}: {count:,}" for name, count in counts.items()))
    if reply.errors:
        raise WorkspaceError(
            [
                Problem(str(file), error.index + 1, 0, f"{error.field}: {error.description}")
                for error in reply.errors[:MOST_ERRORS]
            ]
        )


def _read(file: Path) -> pl.DataFrame:
    import polars as pl

    try:
        if file.suffix == ".csv":
            table = pl.read_csv(file, schema_overrides={"event_id": pl.String()})
            table = table.with_columns(pl.col("at").str.to_datetime(time_zone="UTC"))
        else:
            table = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise WorkspaceError([Problem(str(file), 0, 0, str(error))]) from error
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise BadInputError(str(file), f"must have the columns {', '.join(COLUMNS)}; no {missing}")
    dtype = table.schema["at"]
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
        raise BadInputError(str(file), f"column 'at' must carry a time zone, was {dtype}")
    return table


def _events(table: pl.DataFrame) -> Iterator[Event]:
    from features.stream import Event

    names = [column for column in table.columns if column not in COLUMNS]
    for row in table.iter_rows(named=True):
        attributes = {name: row[name] for name in names if row[name] is not None}
        yield Event(
            event_id=str(row["event_id"]),
            customer_id=str(row["customer_id"]),
            type=str(row["type"]),
            at=row["at"],
            attributes=attributes,
        )
