"""The tables a scenario's facts, identities and past offers go in by: what real data would use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.feast_views import JOIN_KEY
from features.schema import FeatureSchema, View
from nbo.cli.scenarios.story import Past, Scenario
from nbo.decision.catalog import Catalog
from nbo.errors import Problem, WorkspaceError

if TYPE_CHECKING:
    import polars as pl

_LOG = Path("data") / "scenario-history.parquet"


def write_tables(repo: Path, schema: FeatureSchema, scenarios: Sequence[Scenario]) -> None:
    """Write every table the feature definitions read, with the scenarios' customers alone.

    Args:
        repo: Feature repo of a private copy of the workspace; tables are relative to it.

    Raises:
        WorkspaceError: A view reads no file, or one outside of the workspace.
    """
    import polars as pl

    for view in schema.views.values():
        _write(_table(view, scenarios), _inside(repo, view.source, view.name))
    if schema.identities:
        rows = [
            identity for s in scenarios for person in s.people for identity in person.identities
        ]
        columns = {"customer_id": pl.String(), "kind": pl.String(), "value": pl.String()}
        frame = pl.DataFrame(
            [row._asdict() for row in rows], schema={**columns, "score": pl.Float64()}
        )
        _write(frame, _inside(repo, schema.identities, "identities"))


def write_log(workspace: Path, scenarios: Sequence[Scenario], catalog: Catalog) -> Path | None:
    """Write what was offered before the scenarios begin as a log; None when nothing was."""
    import polars as pl

    rows = [row for scenario in scenarios for row in _past(scenario, catalog)]
    if not rows:
        return None
    _write(pl.DataFrame(rows), workspace / _LOG)
    return workspace / _LOG


def _past(scenario: Scenario, catalog: Catalog) -> Iterator[dict[str, Any]]:
    for number, past in enumerate(scenario.history, start=1):
        yield _row(past, f"{past.customer_id}-past-{number}", catalog)


def _row(past: Past, decision_id: str, catalog: Catalog) -> dict[str, Any]:
    offer, incentive = catalog.offers[past.offer_id], catalog.incentives[past.incentive_id]
    return {
        "decision_id": decision_id,
        "at": past.at,
        "customer_id": past.customer_id,
        "channel": past.channel,
        "offer_id": offer.offer_id,
        "group_id": offer.group_id,
        "incentive_id": incentive.incentive_id,
        "value": offer.value - incentive.cost,
        "outcome": past.outcome,
        "outcome_at": past.answered_at,
    }


def _table(view: View, scenarios: Sequence[Scenario]) -> pl.DataFrame:
    """One row per customer, as of the instant its scenario begins; what is not told is null."""
    import polars as pl

    kinds: dict[str, Any] = {
        "f4": pl.Float32(),
        "f8": pl.Float64(),
        "i8": pl.Int64(),
        "bool": pl.Boolean(),
        "text": pl.String(),
        "time": pl.Float64(),
    }
    people = [(person, scenario.begins) for scenario in scenarios for person in scenario.people]
    columns = [
        pl.Series(
            c.name, [_known(p.facts.get(f"customer.{c.name}"), c.dtype) for p, _ in people]
        ).cast(kinds[c.dtype])
        for c in view.columns
    ]
    seconds = [c.name for c in view.columns if c.dtype == "time"]
    return pl.DataFrame(
        [
            pl.Series(JOIN_KEY, [person.customer_id for person, _ in people]),
            pl.Series(view.timestamp, [begins for _, begins in people]),
            *columns,
        ]
    ).with_columns(pl.from_epoch(pl.col(seconds)).dt.replace_time_zone("UTC") if seconds else [])


def _known(fact: object, dtype: str) -> object:
    """A fact as its column holds it; whole numbers as such."""
    return int(fact) if dtype == "i8" and isinstance(fact, float) else fact


def _inside(repo: Path, source: str, name: str) -> Path:
    path = (repo / source).resolve()
    if not source or "://" in source or not path.is_relative_to(repo.parent.resolve()):
        message = f"{name}: scenarios write its table, so it must be a file of the workspace, "
        raise WorkspaceError(
            [Problem(str(repo / "definitions.py"), 0, 0, message + f"was {source!r}")]
        )
    return path


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
