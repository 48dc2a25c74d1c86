"""Libraries that take seconds load when asked for, not with the first model."""

import subprocess
import sys

LOADED = "[name in sys.modules for name in ('lightgbm', 'mlflow')]"


def test_preload_loads_what_a_model_needs_and_nothing_did_before():
    script = f"import sys; from models.registry import preload; print({LOADED}); preload(); "
    shown = subprocess.run(
        [sys.executable, "-c", script + f"print({LOADED})"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.splitlines() == ["[False, False]", "[True, True]"]
