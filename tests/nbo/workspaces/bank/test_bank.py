"""The bank: its sentences hold, told to a real engine, and its people fit its features."""

import json
import runpy
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.schema import compile_schema
from features.sources import check_sources
from nbo.cli.scenarios.command import scenarios_app

BANK = Path(__file__).parents[4] / "nbo" / "workspaces" / "bank"


def test_its_people_are_the_tables_its_features_read(tmp_path):
    import polars as pl

    folder = tmp_path / "bank"
    shutil.copytree(BANK, folder, ignore=shutil.ignore_patterns("__pycache__", ".nbo", "data"))
    runpy.run_path(str(folder / "people.py"), run_name="__main__")
    schema = compile_schema(folder / "feature_repo")
    check_sources(folder / "feature_repo", [], schema.identities)
    for view, table in (("profile", "customers"), ("money", "money")):
        written = pl.read_parquet(folder / "data" / f"{table}.parquet")
        assert {c.name for c in schema.views[view].columns} <= set(written.columns)
    events = pl.read_parquet(folder / "data" / "events.parquet")
    assert set(events["type"]) <= set(schema.events)
    attributes = set(events.columns) - {"event_id", "customer_id", "type", "at"}
    assert attributes <= {name for event in schema.events.values() for name in event.attributes}


@pytest.mark.slow
def test_every_scenario_holds():
    done = CliRunner().invoke(scenarios_app, ["run", "-w", str(BANK), "--json"])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["failed"], shown["held"]) == (0, 15)
    assert {one["name"].split()[0] for one in shown["scenarios"]} >= {"4", "8"}
