"""What a workspace's `demo.py` plays with: the same doors that real data would use."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import redis
from rich.console import Console

from features.schema import FeatureSchema
from features.stream import EventStream
from models.registry import preload
from nbo.cli.load import load_features, load_log
from nbo.cli.train import train_champion
from nbo.client import Client
from nbo.errors import NboError, UnavailableError

if TYPE_CHECKING:
    from serving.supervisor import Deployment

PATIENCE_SECONDS = 600.0


class DemoSession:
    """A running deployment and the doors into it.

    Attributes:
        client: Connected to the running server.
        workspace: The writable copy that is played.
        console: Where narration goes.
        seed: Seed of everything random.
        schema: The compiled feature schema.
    """

    def __init__(self, deployment: Deployment, console: Console, seed: int) -> None:
        self._deployment = deployment
        self._settings = deployment.settings
        self.console = console
        self.seed = seed
        self.workspace: Path = self._settings.directory
        self.schema = FeatureSchema.load(self._settings.schema_file)
        self.client = Client(deployment.target, timeout=30.0)
        self._live = redis.Redis.from_url(deployment.stores.redis_url)
        # Training needs them, and they take seconds: load them while the stores are filled.
        threading.Thread(target=preload, daemon=True).start()

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show that something is going on, and afterwards how long it took."""
        started = time.monotonic()
        with self.console.status(f"{title} ..."):
            yield
        seconds = time.monotonic() - started
        self.console.print(f"[green]✓[/green] {title} [dim]{seconds:.1f} s[/dim]")

    def materialize(self, upto: datetime) -> dict[str, int]:
        """Load the workspace's batch tables and identities through Feast; rows per table."""
        return load_features(self._settings, self._deployment.stores, upto)

    def import_log(self, path: Path) -> int:
        """Import past offers and outcomes into the ledger; returns how many decisions."""
        return load_log(self._deployment.stores, path)["decisions"]

    def train(self, upto: datetime) -> dict[str, Any]:
        """Train, register the champion, and wait until the server decides with it."""
        report = train_champion(self._settings, self._deployment.stores, upto)
        if not report.promoted:
            raise NboError(f"the model was not promoted: {report.reason}")
        self._wait("the server to take the champion", lambda: self._serves(report.version))
        figures: dict[str, Any] = report.to_dict()
        return figures

    def wait_for_events(self) -> None:
        """Return when every published event is in the windows."""
        stream = EventStream(self._live)
        self._wait("the events to be worked", lambda: stream.backlog() == 0)

    def _serves(self, version: str) -> bool:
        from serving.keys import CHAMPION_BASE

        base: Any = self._live.get(CHAMPION_BASE)
        return base is not None and base.decode().endswith(f"/{version}")

    def _wait(self, what: str, done: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise UnavailableError("worker", f"waited {PATIENCE_SECONDS:.0f} s for {what}")
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self._live.close()
