"""Real stores for the tests, started once per session and emptied per test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from nbo.cli import demo
from nbo.ledger.engine import migrate, open_ledger
from serving.embedded_postgres import EmbeddedPostgres

CORNER = Path(__file__).parent / "workspaces" / "corner"
LOADED = datetime(2026, 3, 1, tzinfo=UTC)


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


@pytest.fixture
def free_address() -> str:
    """An address nobody listens on."""
    return demo.free_address()


def write_data(workspace: Path) -> None:
    """A hundred customers; c-0 and c-1 share a phone, c-2 may not be called."""
    (workspace / "data").mkdir()
    n = 100
    pl.DataFrame(
        {
            "customer_id": [f"c-{i}" for i in range(n)],
            "event_timestamp": [LOADED] * n,
            "years": [float(i % 20) for i in range(n)],
            "district": ["north" if i % 2 else "south" for i in range(n)],
            "has_card": [i % 3 == 0 for i in range(n)],
            "consent_voice": [i != 2 for i in range(n)],
        }
    ).write_parquet(workspace / "data" / "customers.parquet")
    phones = [f"+49305550{max(i, 1):03d}" for i in range(n)]
    pl.DataFrame(
        {
            "customer_id": [f"c-{i}" for i in range(n)] * 2,
            "kind": ["phone"] * n + ["account"] * n,
            "value": phones + [f"DE-{i:05d}" for i in range(n)],
        }
    ).write_parquet(workspace / "data" / "identities.parquet")


@pytest.fixture(scope="session")
def make_corner() -> Iterator[Callable[[], Path]]:
    """Makes fresh corner workspaces.

    Not in pytest's own folder, which is closed to PostgreSQL's account when we are root.
    """
    with tempfile.TemporaryDirectory(prefix="nbo-corner-", ignore_cleanup_errors=True) as root:
        numbers = itertools.count()

        def make() -> Path:
            folder = Path(root) / str(next(numbers))
            shutil.copytree(CORNER, folder)
            write_data(folder)
            return folder

        yield make
