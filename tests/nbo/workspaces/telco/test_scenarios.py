"""The sentences of `scenarios/` hold, told to a real engine."""

import json

import pytest
from typer.testing import CliRunner

from nbo.cli.scenarios.command import scenarios_app


@pytest.mark.slow
def test_every_scenario_holds(telco):
    done = CliRunner().invoke(scenarios_app, ["run", "-w", str(telco), "--json"])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["failed"], shown["held"]) == (0, 20)
    scenes = {one["name"].split()[0] for one in shown["scenarios"]}
    assert scenes >= {"2", "3", "5", "6", "7", "8"}
