"""The insurer: its sentences hold, told to a real engine, and its people fit its features."""

import json
import runpy
import shutil
from pathlib import Path

from typer.testing import CliRunner

from features.schema import compile_schema
from features.sources import check_sources
from nbo.cli.scenarios.command import scenarios_app

INSURANCE = Path(__file__).parents[4] / "nbo" / "workspaces" / "insurance"


def test_its_people_are_the_tables_its_features_read(tmp_path):
    import polars as pl

    folder = tmp_path / "insurance"
    shutil.copytree(INSURANCE, folder, ignore=shutil.ignore_patterns("__pycache__", ".nbo", "data"))
    runpy.run_path(str(folder / "people.py"), run_name="__main__")
    schema = compile_schema(folder / "feature_repo")
    check_sources(folder / "feature_repo", [], schema.identities)
    people = pl.read_parquet(folder / "data" / "customers.parquet")
    assert {c.name for c in schema.views["profile"].columns} <= set(people.columns)
    events = pl.read_parquet(folder / "data" / "events.parquet")
    assert set(events["type"]) <= set(schema.events)
    attributes = set(events.columns) - {"event_id", "customer_id", "type", "at"}
    assert attributes <= {name for event in schema.events.values() for name in event.attributes}


def test_every_scenario_holds():
    done = CliRunner().invoke(scenarios_app, ["run", "-w", str(INSURANCE), "--json"])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["failed"], shown["held"]) == (0, 13)
    assert {one["name"].split()[0] for one in shown["scenarios"]} >= {"1", "7"}
