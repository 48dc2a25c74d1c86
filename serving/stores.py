"""Where the stores of a workspace answer: the configured ones, or embedded ones we start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbo.settings import EMBEDDED, Settings
from serving.embedded_postgres import EmbeddedPostgres
from serving.embedded_redis import EmbeddedRedis


@dataclass(frozen=True, slots=True)
class Stores:
    """Addresses of all stores.

    Attributes:
        redis_url: For ``redis.from_url``.
        ledger_url: For ``nbo.ledger.engine.open_ledger``.
        tracking_uri: MLflow's.
        artifact_root: Where MLflow keeps artefacts, when the registry is the embedded one.
    """

    redis_url: str
    ledger_url: str
    tracking_uri: str
    artifact_root: Path


class RunningStores:
    """The stores of a workspace while somebody uses them.

    Attributes:
        addresses: Where they answer; does not change, whatever is restarted.
    """

    def __init__(self, settings: Settings) -> None:
        state = settings.state_dir
        state.mkdir(parents=True, exist_ok=True)
        stores = settings.stores
        self._redis = EmbeddedRedis(state) if stores.redis == EMBEDDED else None
        self._postgres = EmbeddedPostgres(state) if stores.ledger == EMBEDDED else None
        self.addresses = Stores(
            self._redis.start() if self._redis else stores.redis,
            self._postgres.start() if self._postgres else stores.ledger,
            *_mlflow(settings),
        )

    def ensure(self) -> None:
        """Start an embedded store again if it died; what it acknowledged is on its disk.

        Raises:
            UnavailableError: it does not start.
        """
        for store in (self._redis, self._postgres):
            if store is not None:
                store.start()

    def stop(self) -> None:
        """Stop the embedded stores we started."""
        for store in (self._redis, self._postgres):
            if store is not None:
                store.stop()


@contextlib.contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """Start or join the embedded stores; those we started stop at the end.

    Raises:
        UnavailableError: an embedded store does not start.
    """
    running = RunningStores(settings)
    try:
        yield running.addresses
    finally:
        running.stop()


def _mlflow(settings: Settings) -> tuple[str, Path]:
    folder = settings.state_dir / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    uri = settings.stores.mlflow
    if uri == EMBEDDED:
        uri = f"sqlite:///{folder / 'mlflow.db'}"
    return uri, folder / "artifacts"
