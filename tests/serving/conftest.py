"""A real deployment of a small workspace: stores, gRPC server and worker, as `nbo up` runs them."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nbo.cli.demo import _free_address
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.settings import Settings
from serving.supervisor import Deployment

CORNER = Path(__file__).parent.parent / "workspaces" / "corner"
LOADED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """An instant at which the corner's customers are known."""
    return datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


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
        {"customer_id": [f"c-{i}" for i in range(n)], "kind": ["phone"] * n, "value": phones}
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


@pytest.fixture(scope="session")
def deployment(make_corner: Callable[[], Path]) -> Iterator[Deployment]:
    """A running corner with its customers loaded."""
    settings = Settings.load(make_corner())
    with Deployment(settings, listen=_free_address(), quiet=True) as running:
        load_features(settings, running.stores, LOADED)
        yield running


@pytest.fixture
def client(deployment: Deployment) -> Iterator[Client]:
    with Client(deployment.target) as connected:
        yield connected


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Polls until a condition holds; fails with the last answer after ten seconds."""
    import time

    def wait(ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + 10.0
        while not holds(answer := ask()):
            assert time.monotonic() < deadline, f"still {answer!r} after 10 s"
            time.sleep(0.02)
        return answer

    return wait
