"""`nbo train`: from the ledger to a champion that servers pick up by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich import box
from rich.table import Table

from nbo.cli.output import console, print_json
from nbo.cli.workspace import JsonOption, WorkspaceOption
from nbo.settings import Settings

if TYPE_CHECKING:
    from serving.stores import Stores
    from training.train import TrainReport

MOST_USED = 8
"""Inputs that the report names, those with the largest loss reduction."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", epilog="Examples:  nbo train   ·   nbo train -w my-nbo --json")(train)


def train(workspace: WorkspaceOption = Path(), as_json: JsonOption = False) -> None:
    """Fit the propensity model on the ledger's outcomes and register it as champion."""
    from serving.stores import open_stores

    settings = Settings.load(workspace)
    with open_stores(settings) as stores:
        report = train_champion(settings, stores, datetime.now(UTC))
    if as_json:
        print_json(report.to_dict())
    else:
        show_report(report)


def train_champion(settings: Settings, stores: Stores, upto: datetime) -> TrainReport:
    """Train on what the ledger knew at `upto`; returns the report."""
    from nbo.ledger.engine import migrate, open_ledger
    from serving.bootstrap import open_registry
    from serving.workspace_state import prepare_schema, read_catalog, require_served_features
    from training.grow import FitParams
    from training.train import train as fit_and_register

    require_served_features(settings)
    ledger = open_ledger(stores.ledger_url)
    try:
        migrate(ledger)
        schema = prepare_schema(settings)
        _, compiled = read_catalog(settings, schema)
        return fit_and_register(
            ledger,
            open_registry(stores),
            schema.fact_schema(),
            compiled.catalog,
            name=settings.workspace.name,
            attribution=settings.attribution,
            now=upto,
            params=FitParams(
                trees=settings.learning.trees,
                leaves=settings.learning.leaves,
                rate=settings.learning.rate,
            ),
        )
    finally:
        ledger.dispose()


def show_report(report: TrainReport) -> None:
    """Print what was trained, how good it is beside the baselines, and what it reads."""
    fitted = report.fit
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("on the newest exposures")
    for name in ("AUC", "log loss", "calib.\nerror", "lift"):
        # Only the names may take a second line: an interval broken in two is hard to read.
        table.add_column(name, justify="right", no_wrap=True)
    for name, one in fitted.figures.items():
        short = (f"{one.ece.value:.3f}", f"{one.lift.value:.2f}")
        table.add_row(name, str(one.auc), str(one.log_loss), *short)
    console.print(table)
    role = "champion" if report.promoted else "challenger only"
    console.print(
        f"{report.name} version {report.version}: {role} ({report.reason}). "
        f"{fitted.exposures:,} exposures, {fitted.trees} trees, {report.seconds:.1f} s.",
        markup=False,
    )
    most_used = list(fitted.importance)[:MOST_USED] or ["none"]
    _print_names("most used inputs", most_used)
    if fitted.never_observed:
        _print_names("never observed in the log", fitted.never_observed)


def _print_names(title: str, names: Sequence[str]) -> None:
    """Print a list in one line, however long: names are to be found and copied whole."""
    console.print(f"{title}: {', '.join(names)}", markup=False, highlight=False, soft_wrap=True)
