"""Where scenarios are told: a private copy of the workspace, running on stores of its own.

Profiles and identities are written as the very tables the feature definitions name and go
through Feast; past offers are imported as a log; events are published. Nothing reaches the
workspace's own stores, whatever its settings or the environment say.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from features.schema import FeatureSchema
from nbo.cli.demo import free_address
from nbo.cli.load import load_features, load_log
from nbo.cli.scenarios.change import File, without_chance
from nbo.cli.scenarios.reading import Workspace, read_scenarios
from nbo.cli.scenarios.story import Scenario
from nbo.cli.scenarios.tables import write_log, write_tables
from nbo.client import Client
from nbo.errors import Problem, UnavailableError, WorkspaceError
from nbo.settings import STATE, Settings

if TYPE_CHECKING:
    from features.events import Event
    from nbo.decision.catalog import Catalog

_OVERRIDES = {
    "NBO_SERVING__ACCEPT_REQUEST_TIME": "true",
    "NBO_STORES__REDIS": "embedded",
    "NBO_STORES__LEDGER": "embedded",
    "NBO_STORES__MLFLOW": "embedded",
    "NBO_LEARNING__ONLINE": "false",
}
"""Settings of the copy: scenarios name their instants, and one does not teach the next."""

_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", STATE, "data", "*.pyc")
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.005


class Stage:
    """A running copy of a workspace with the customers of its scenarios in it.

    Args:
        workspace: The workspace the scenarios are of.
        files: Scenario files; of none, those in its folder `scenarios`.
        keep: Whether the copy stays afterwards.

    Attributes:
        folder: The copy.
        scenarios: As read from the files.
        catalog: Files of the catalogue in force: the workspace's, without its element of chance.
        client: Connected to the running server.

    Raises:
        WorkspaceError: The workspace or a scenario is wrong; nothing was started.
    """

    folder: Path
    scenarios: Sequence[Scenario]
    catalog: Sequence[File]
    client: Client

    def __init__(self, workspace: Path, files: Sequence[Path], *, keep: bool = False) -> None:
        self._workspace = workspace
        self._files = files
        self._keep = keep
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self._open.close)
            self._enter()
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def publish(self, events: Sequence[Event]) -> None:
        """Publish events and return when they are in the windows."""
        if not events:
            return
        reply = self.client.publish(events)
        for error in reply.errors:
            raise WorkspaceError([Problem(error.event_id, 0, 0, error.description)])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._stream.backlog() > 0:
            if time.monotonic() > deadline:
                raise UnavailableError("worker", "events did not reach the windows")
            time.sleep(_POLL_SECONDS)

    def await_usage(self, version: str = "") -> None:
        """Return when what is used of caps and budgets is known, of this catalogue if it is named.

        Until then whatever has a cap or a budget is refused, which no scenario is about.

        Raises:
            UnavailableError: After a minute.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (self._in_force(version) and self.client.usage().known):
            if time.monotonic() > deadline:
                raise UnavailableError("redis", "what is used of caps and budgets is not known")
            time.sleep(_POLL_SECONDS)

    def _in_force(self, version: str) -> bool:
        return not version or self.client.catalog().publication.version == version

    def _enter(self) -> None:
        import redis

        from features.stream import EventStream
        from serving.supervisor import Deployment

        Settings.load(self._workspace)  # wrong settings are told by their own file
        self.folder = self._open.enter_context(_copy(self._workspace, keep=self._keep))
        self._open.enter_context(_environment(_OVERRIDES))
        settings = Settings.load(self.folder)
        schema, catalog = self._read(settings)
        write_tables(settings.feature_repo, schema, self.scenarios)
        deployment = self._open.enter_context(
            Deployment(settings, listen=free_address(), quiet=True)
        )
        self.client = self._open.enter_context(Client(deployment.target, timeout=30.0))
        live = self._open.enter_context(redis.Redis.from_url(deployment.stores.redis_url))
        self._stream = EventStream(live)
        load_features(settings, deployment.stores, datetime.now(UTC))
        log = write_log(self.folder, self.scenarios, catalog)
        if log is not None:
            load_log(deployment.stores, log)
        self.await_usage()
        self.publish(sorted((e for s in self.scenarios for e in s.events), key=lambda e: e.at))

    def _read(self, settings: Settings) -> tuple[FeatureSchema, Catalog]:
        """Read workspace and scenarios; leave the copy with the catalogue scenarios are told to."""
        from serving.workspace_state import catalog_files, prepare_schema, read_catalog

        settings.state_dir.mkdir(exist_ok=True)
        with _named(self.folder, self._workspace):
            schema = prepare_schema(settings)
            _, compiled = read_catalog(settings, schema)
        catalog = compiled.catalog
        self.scenarios = read_scenarios(
            self._files or scenario_files(self._workspace),
            Workspace(schema, catalog, settings.workspace.country),
        )
        self.catalog = without_chance(catalog_files(settings))
        for name, text in self.catalog:
            (self.folder / name).write_text(text, encoding="utf-8")
        return schema, catalog


def scenario_files(workspace: Path) -> list[Path]:
    """The scenario files of a workspace. Raises WorkspaceError when it has none."""
    folder = workspace / "scenarios"
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise WorkspaceError([Problem(str(folder), 0, 0, "holds no scenario file (*.yaml)")])
    return files


@contextlib.contextmanager
def _copy(workspace: Path, *, keep: bool) -> Iterator[Path]:
    """A copy of the workspace without its data and state; its path is short, for sockets."""
    root = Path(tempfile.mkdtemp(prefix="nbo-scenarios-"))
    folder = root / "w"
    try:
        shutil.copytree(workspace, folder, ignore=_LEFT_BEHIND)
        yield folder
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Set variables, for this process and those it starts, and put back what stood there."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _named(folder: Path, workspace: Path) -> Iterator[None]:
    """Tell mistakes found in the copy by the workspace's own paths."""
    try:
        yield
    except WorkspaceError as error:
        raise WorkspaceError(
            [
                Problem(p.file.replace(str(folder), str(workspace)), p.line, p.column, p.message)
                for p in error.problems
            ]
        ) from error
