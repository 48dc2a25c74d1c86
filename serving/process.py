"""How the supervisor starts a process of ours, and how that process says it is ready."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from nbo.settings import Settings
from serving.logs import configure_logs
from serving.stores import Stores

POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a process of ours is started with."""

    settings: Settings
    stores: Stores
    listen: str
    ready: Path


def prepared_file(settings: Settings) -> Path:
    """Appears when schema and catalogue are ready; processes load their libraries meanwhile."""
    return settings.state_dir / "prepared"


def command(module: str, settings: Settings, stores: Stores, listen: str, ready: Path) -> list[str]:
    """The command line that starts `module` with these arguments."""
    return [
        *(sys.executable, "-m", module, str(settings.directory)),
        *("--redis", stores.redis_url),
        *("--ledger", stores.ledger_url),
        *("--mlflow", stores.tracking_uri),
        *("--artifacts", str(stores.artifact_root)),
        *("--listen", listen),
        *("--ready", str(ready)),
    ]


def parse_arguments(description: str) -> Arguments:
    """Read what `command` wrote, set up the logs, and wait until the workspace is prepared."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workspace", type=Path)
    for name in ("redis", "ledger", "mlflow"):
        parser.add_argument(f"--{name}", required=True, help=f"URL of {name}")
    parser.add_argument("--artifacts", type=Path, required=True)
    parser.add_argument("--listen", required=True, help="address of the gRPC server")
    parser.add_argument("--ready", type=Path, required=True, help="file written when ready")
    given = parser.parse_args()
    configure_logs()
    _stop_with_parent()
    settings = Settings.load(given.workspace)
    while not prepared_file(settings).exists():
        time.sleep(POLL_SECONDS)
    return Arguments(
        settings=settings,
        stores=Stores(given.redis, given.ledger, given.mlflow, given.artifacts),
        listen=given.listen,
        ready=given.ready,
    )


def write_ready(ready: Path, text: str) -> None:
    """Say that this process is ready; the file appears whole."""
    draft = ready.with_suffix(f".{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(ready)


def leave() -> NoReturn:
    """End this process at once, once its work is done and durable.

    Python itself would wait for threads that are still importing, and take MLflow and Feast apart
    piece by piece, which takes seconds and keeps nothing.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _stop_with_parent() -> None:
    """Stop when the supervisor is gone, however it went: nobody would restart or stop us."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
