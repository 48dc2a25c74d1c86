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
    assert shown["failed"] == 0
    assert shown["held"] >= 12
