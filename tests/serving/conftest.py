"""A real deployment of a small workspace: stores, gRPC server and worker, as `nbo up` runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nbo.cli.demo import free_address
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.settings import Settings
from serving.supervisor import Deployment

LOADED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """An instant at which the corner's customers are known."""
    return datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def deployment(make_corner: Callable[[], Path]) -> Iterator[Deployment]:
    """A running corner with its customers loaded."""
    settings = Settings.load(make_corner())
    with Deployment(settings, listen=free_address(), quiet=True) as running:
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
