"""The README's "Your own", typed line by line as it stands."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def _blocks() -> list[list[str]]:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Your own")[1]
    return [
        [line.split("  #")[0].strip() for line in block.strip().splitlines()]
        for block in re.findall(r"```sh\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    ]


@pytest.fixture
def shell(free_address):
    """Runs one line in a folder, with the project's commands on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NBO_SERVING__LISTEN": free_address}

    def run(line: str, folder: Path) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run.environment = environment
    return run


@pytest.mark.slow
def test_your_own_works_as_typed(shell):
    first, second = _blocks()
    assert first[0] == "source .venv/bin/activate"
    assert first[-1] == "nbo up"
    with tempfile.TemporaryDirectory(prefix="nbo-readme-", ignore_cleanup_errors=True) as scratch:
        shell(first[1].partition("&&")[0], Path(scratch))
        workspace = Path(scratch) / "my-nbo"
        for line in first[2:-1]:
            shell(line, workspace)
        up = subprocess.Popen(
            ["nbo", "up"],
            cwd=workspace,
            env=shell.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert "Serving telco" in up.stdout.readline()
            for line in second:
                if "DECISION_ID" in line:
                    asked = json.loads(shell("nbo offers c-00042 --json", workspace))
                    line = line.replace("DECISION_ID", asked["decision_id"])  # noqa: PLW2901
                shell(line, workspace)
        finally:
            up.send_signal(signal.SIGINT)
            up.communicate(timeout=60)
        assert up.returncode == 0
