"""`nbo train`: from the ledger to a champion that servers pick up by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nbo.cli.output import console, print_json, print_table
from nbo.cli.workspace import JsonOption, WorkspaceOption
from nbo.settings import Settings

if TYPE_CHECKING:
    from serving.stores import Stores
    from training.train import TrainReport


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
    from serving.workspace_state import prepare_schema, read_catalog
    from training.grow import FitParams
    from training.train import train as fit_and_register

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
    """Print what was trained and how good it is, beside the baselines."""
    fitted = report.fit
    rows = [
        (name, *(f"{f.value:.3f} [{f.low:.3f}, {f.high:.3f}]" for f in figures[:4]))
        for name, figures in fitted.figures.items()
    ]
    columns = ["on the newest exposures", "AUC>", "log loss>", "calibration error>", "lift>"]
    print_table("", columns, rows)
    role = "champion" if report.promoted else "challenger only"
    console.print(
        f"{report.name} version {report.version}: {role} ({report.reason}). "
        f"{fitted.exposures:,} exposures, {fitted.trees} trees, {report.seconds:.1f} s."
    )
