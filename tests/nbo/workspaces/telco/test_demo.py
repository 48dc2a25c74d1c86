"""The demo from start to end: it runs, and shows what it promises."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_demo_closes_most_of_the_gap(tmp_path):
    command = [
        sys.executable,
        "-c",
        "from nbo.cli import main; main()",
        "demo",
        "telco",
        "--json",
        "--in",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    shown = json.loads(done.stdout)
    arms = shown["arms"]
    assert set(arms) == {"generic", "propensity", "engine", "oracle"}
    assert shown["simulated"] is True
    assert shown["gap_closed"] > 0.6
    assert shown["gap_closed_ci"][0] > 0.3
    assert arms["generic"]["acceptance"] == pytest.approx(0.35, abs=0.05)
    assert arms["engine"]["margin_ci"][0] > arms["generic"]["margin_ci"][1]
    assert arms["engine"]["arpu_against_generic"] > 0
    assert sum(arm["exposures"] for arm in arms.values()) > 6_000
