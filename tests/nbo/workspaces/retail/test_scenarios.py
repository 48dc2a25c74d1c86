"""The sentences of `scenarios/` hold, told to a real engine."""

import json

import pytest
from typer.testing import CliRunner

from nbo.cli.scenarios.command import scenarios_app


@pytest.mark.slow
def test_every_scenario_holds(retail):
    done = CliRunner().invoke(scenarios_app, ["run", "-w", str(retail), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["held"] == 6
