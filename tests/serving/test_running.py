"""One deployment per workspace: "runs" means that its lock is held, whatever a file says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from nbo.errors import NboError
from serving import running
from serving.running import Running, only_deployment, read_running, write_running

HERE = Running("127.0.0.1:1", os.getpid())


def test_it_runs_until_it_ends(tmp_path):
    assert read_running(tmp_path) is None
    with only_deployment(tmp_path):
        assert read_running(tmp_path) is None  # it starts
        write_running(tmp_path, HERE)
        assert read_running(tmp_path) == HERE
    assert read_running(tmp_path) is None


def test_a_note_left_by_a_killed_deployment_blocks_nothing(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from serving import running;"
        "place = Path(sys.argv[1]); running.only_deployment(place).__enter__();"
        f"running.write_running(place, running.Running('x:1', {os.getpid()})); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    left = json.loads((tmp_path / "running.json").read_text())
    assert left["pid"] == os.getpid()  # a process that lives, and is none of it
    assert read_running(tmp_path) is None
    with only_deployment(tmp_path):
        assert read_running(tmp_path) is None


def test_two_that_start_at_once_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "CLAIM_SECONDS", 0.1)
    with only_deployment(tmp_path):
        with pytest.raises(NboError, match="runs already: another process is starting"):
            only_deployment(tmp_path).__enter__()
        write_running(tmp_path, HERE)
        with pytest.raises(NboError, match=f"process {HERE.pid} serves {HERE.target}"):
            only_deployment(tmp_path).__enter__()
        assert read_running(tmp_path) == HERE


def test_looking_keeps_nobody_from_starting(tmp_path):
    with only_deployment(tmp_path):
        pass
    stop = threading.Event()

    def look():
        while not stop.is_set():
            read_running(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(20):
            with only_deployment(tmp_path):
                pass
    finally:
        stop.set()
        for looker in lookers:
            looker.join()
