"""Real stores for the tests, started once per session and emptied per test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from nbo.ledger.engine import migrate, open_ledger
from serving.embedded_postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def short_dir() -> Iterator[Path]:
    """A folder whose path is short enough for a unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="nbo-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def fresh_dir() -> Iterator[Path]:
    """An empty folder whose path is short enough for a unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="nbo-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def ledger_url(short_dir: Path) -> Iterator[str]:
    """SQLAlchemy URL of a migrated ledger in a real PostgreSQL."""
    server = EmbeddedPostgres(short_dir)
    url = server.start()
    try:
        engine = open_ledger(url)
        migrate(engine)
        engine.dispose()
        yield url
    finally:
        server.stop()


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    """An engine on the ledger, with every table empty."""
    engine = open_ledger(ledger_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "TRUNCATE catalogue_version, decision, slot, outcome, outbox RESTART IDENTITY"
        )
    yield engine
    engine.dispose()
