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


@contextlib.contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """Start or join the embedded stores; those we started stop at the end.

    Raises:
        UnavailableError: an embedded store does not start.
    """
    state = settings.state_dir
    state.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as running:
        redis_url, ledger_url = settings.stores.redis, settings.stores.ledger
        if redis_url == EMBEDDED:
            embedded_redis = EmbeddedRedis(state)
            running.callback(embedded_redis.stop)
            redis_url = embedded_redis.start()
        if ledger_url == EMBEDDED:
            embedded_postgres = EmbeddedPostgres(state)
            running.callback(embedded_postgres.stop)
            ledger_url = embedded_postgres.start()
        yield Stores(redis_url, ledger_url, *_mlflow(settings))


def _mlflow(settings: Settings) -> tuple[str, Path]:
    folder = settings.state_dir / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    uri = settings.stores.mlflow
    if uri == EMBEDDED:
        uri = f"sqlite:///{folder / 'mlflow.db'}"
    return uri, folder / "artifacts"
