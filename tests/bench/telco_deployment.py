"""The telco workspace, set up and served as its demo does: what the benchmarks ask."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from nbo.cli.demo import free_address
from nbo.cli.demo_session import DemoSession
from nbo.cli.init import copy_workspace
from nbo.settings import Settings
from serving.plugins import load_attribute
from serving.supervisor import Deployment


class Served(NamedTuple):
    """A deployment that serves a trained model.

    Attributes:
        starts: The instant up to which the simulated customers have lived.
        scratch: A folder that goes away with the deployment.
    """

    deployment: Deployment
    session: DemoSession
    world: Any
    starts: datetime
    scratch: Path


@contextmanager
def telco_deployment() -> Iterator[Served]:
    """Start it, load it, train; stop it and remove all of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="nbo-bench-", ignore_cleanup_errors=True) as scratch:
        folder = copy_workspace("telco", Path(scratch) / "telco")
        load_attribute(folder, "demo.py:prepare")(folder)
        set_up = load_attribute(folder, "demo.py:set_up")
        settings = Settings.load(folder)
        with (
            Deployment(settings, listen=free_address(), quiet=True) as deployment,
            DemoSession(deployment, Console(stderr=True), seed=1) as session,
        ):
            world, _ = set_up(session)
            starts = load_attribute(folder, "world/calendar.py:PLAY_STARTS")
            yield Served(deployment, session, world, starts, Path(scratch))
