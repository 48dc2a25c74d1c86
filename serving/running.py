"""Whether a workspace is being served, and where it answers.

A deployment holds a lock on a file of the state folder for as long as it lives, however it
ends. "Locked" means "runs": a process id would lie after a crash, a reboot or in a container.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nbo.errors import NboError
from serving.embedded_process import claim

CLAIM_SECONDS = 1.0
"""How long a claim is tried: who only looks whether a workspace runs holds the lock briefly."""

POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Running:
    """Where the running deployment of a workspace answers.

    Attributes:
        target: Address of the gRPC server.
        pid: Process id of the supervisor, as seen by itself.
        features: Fingerprint of the feature repo it was started with.
    """

    target: str
    pid: int
    features: str = ""


@contextlib.contextmanager
def only_deployment(state_dir: Path) -> Iterator[None]:
    """Be the one deployment of a workspace.

    Raises:
        NboError: it runs already, or is being started or stopped.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + CLAIM_SECONDS
    while (lock := claim(_lock_file(state_dir))) is None:
        if time.monotonic() > deadline:
            raise NboError(f"{state_dir.parent} runs already: {_who(state_dir)}")
        time.sleep(POLL_SECONDS)
    try:
        _running_file(state_dir).unlink(missing_ok=True)  # left by one that was killed
        yield
    finally:
        _running_file(state_dir).unlink(missing_ok=True)
        os.close(lock)


def write_running(state_dir: Path, running: Running) -> None:
    """Say where the deployment answers; it is forgotten when the deployment ends."""
    draft = state_dir / "running.json.new"
    draft.write_text(json.dumps(asdict(running)), encoding="utf-8")
    draft.replace(_running_file(state_dir))


def read_running(state_dir: Path) -> Running | None:
    """Where the workspace's deployment answers; None when it does not run, or not yet."""
    return _read(state_dir) if _locked(_lock_file(state_dir)) else None


def _read(state_dir: Path) -> Running | None:
    try:
        return Running(**json.loads(_running_file(state_dir).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _who(state_dir: Path) -> str:
    other = _read(state_dir)
    if other is None:
        return "another process is starting or stopping it"
    return f"process {other.pid} serves {other.target}"


def _locked(file: Path) -> bool:
    try:
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return True  # another account's, which removes its note when it ends
    except OSError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False


def _running_file(state_dir: Path) -> Path:
    return state_dir / "running.json"


def _lock_file(state_dir: Path) -> Path:
    return state_dir / "deployment.lock"
