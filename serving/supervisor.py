"""A running workspace: its stores, the gRPC server and the worker, started, watched, stopped."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import structlog

from features.schema import FeatureSchema
from nbo.errors import BadInputError, NboError, Problem, WorkspaceError
from nbo.ledger.catalogs import Publication
from nbo.ledger.engine import migrate, open_ledger
from nbo.settings import Address, Settings, parse_listen
from serving.catalog_loading import load_undisturbed
from serving.process import command, prepared_file
from serving.running import Running, only_deployment, write_running
from serving.stores import RunningStores, Stores
from serving.workspace_state import feature_source, prepare_schema, publish_catalog, read_catalog

log = structlog.get_logger()

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
RESTART_SECONDS = 1.0
POLL_SECONDS = 0.05


class Child:
    """One process of ours, restarted when it dies."""

    def __init__(self, name: str, command_line: list[str], ready: Path, output: Path | None):
        self.name = name
        self._command_line = command_line
        self._ready = ready
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; its output goes to a file, or to ours."""
        self._ready.unlink(missing_ok=True)
        with contextlib.ExitStack() as files:
            sink: IO[bytes] | None = None
            if self._output is not None:
                sink = files.enter_context(self._output.open("ab"))
            # Its own session: Ctrl-C reaches the supervisor alone, which stops it in order.
            self._process = subprocess.Popen(
                self._command_line, stdout=sink, stderr=sink, start_new_session=True
            )

    def wait_ready(self) -> str:
        """What it says when ready. Raises NboError if it dies or takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._ready.is_file():
                return self._ready.read_text(encoding="utf-8")
            if not self.alive:
                raise NboError(f"the {self.name} did not start: {self._last_words()}")
            time.sleep(POLL_SECONDS)
        raise NboError(f"the {self.name} was not ready within {READY_SECONDS:.0f} s")

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id, 0 when it was never started."""
        return self._process.pid if self._process else 0

    def restart_with(self, command_line: list[str]) -> None:
        """Use this command line from the next start on."""
        self._command_line = command_line

    def stop(self) -> None:
        """Ask it to finish; kill it if it does not."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        if self._output is None or not self._output.is_file():
            return "see above"
        lines = self._output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class Deployment:
    """Everything `nbo up` runs, as a context manager.

    Args:
        settings: The workspace.
        listen: Address of the gRPC server; by default the configured one.
        quiet: Send the processes' logs to `.nbo/logs` instead of our own output.

    Attributes:
        target: Where the server answers, once started.
        stores: Where the stores answer, once started.

    Raises:
        BadInputError: `listen` is no address.
        WorkspaceError: the workspace is wrong.
        NboError: it runs already, the address is taken, or a process does not start.
    """

    target: str
    stores: Stores

    def __init__(self, settings: Settings, listen: str | None = None, quiet: bool = False) -> None:
        self.settings = settings
        self._listen = _address(listen or settings.serving.listen)
        self._quiet = quiet
        self._running = contextlib.ExitStack()
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self._running.close)
            self._running.enter_context(only_deployment(self.settings.state_dir))
            _require_free(self._listen)
            self._stores = RunningStores(self.settings)
            self._running.callback(self._stores.stop)
            self.stores = self._stores.addresses
            prepared = prepared_file(self.settings)
            prepared.unlink(missing_ok=True)
            self._start_children()
            self._prepare()
            prepared.touch()
            self._await_children()
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def child(self, name: str) -> Child:
        """The ``"server"`` or the ``"worker"``."""
        return next(child for child in self._children if child.name == name)

    def watch(self, stop: threading.Event) -> None:
        """Restart what dies, until `stop` is set."""
        while not stop.wait(RESTART_SECONDS):
            try:
                self._stores.ensure()
            except NboError as error:
                log.warning("a store is down, trying again", reason=str(error))
            for child in self._children:
                if not child.alive:
                    log.warning("restarting", process=child.name)
                    child.start()

    def _prepare(self) -> None:
        ledger = open_ledger(self.stores.ledger_url)
        try:
            migrate(ledger)
            schema = prepare_schema(self.settings)
            text, compiled = read_catalog(self.settings, schema)
            author = os.environ.get("USER", "nbo")
            in_force = publish_catalog(ledger, text, compiled, author)
            self._tell_if_other(in_force, compiled.catalog.version, schema)
            self._features = feature_source(self.settings.feature_repo)
        finally:
            ledger.dispose()

    def _tell_if_other(self, in_force: Publication, version: str, schema: FeatureSchema) -> None:
        """Say so when the catalogue in force is not the workspace's.

        Raises:
            WorkspaceError: it does not fit the workspace's facts, so no server would start.
        """
        if in_force.version == version:
            return
        name = f"catalogue {in_force.version} (in force)"
        try:
            load_undisturbed(in_force.text, name, schema.fact_schema())
        except WorkspaceError as error:
            remedy = "it no longer fits the features: change the catalogue of the workspace; "
            remedy += "what was never published is published at the start"
            raise WorkspaceError([Problem(name, 0, 0, remedy), *error.problems]) from error
        log.warning(
            "the workspace's catalogue was published before and is not in force: it stays out "
            "until `nbo catalog publish`",
            workspace=version,
            in_force=in_force.version,
            published_by=in_force.author,
        )

    def _start_children(self) -> None:
        for name in ("server", "worker"):
            child = self._spawn(name)
            self._running.callback(child.stop)
            self._children.append(child)

    def _await_children(self) -> None:
        self.target = self.child("server").wait_ready()
        self.child("worker").wait_ready()
        if self._listen.port == 0:  # chosen by the system once: a restart must not move it
            self._listen = parse_listen(self.target)
            self.child("server").restart_with(self._line("server"))
        running = Running(self.target, os.getpid(), self._features)
        write_running(self.settings.state_dir, running)

    def _spawn(self, name: str) -> Child:
        state = self.settings.state_dir
        output = None
        if self._quiet:
            (state / "logs").mkdir(exist_ok=True)
            output = state / "logs" / f"{name}.log"
            output.unlink(missing_ok=True)
        child = Child(name, self._line(name), self._ready_file(name), output)
        child.start()
        return child

    def _line(self, name: str) -> list[str]:
        ready = self._ready_file(name)
        return command(f"serving.{name}", self.settings, self.stores, str(self._listen), ready)

    def _ready_file(self, name: str) -> Path:
        return self.settings.state_dir / f"{name}.ready"


def _address(listen: str) -> Address:
    try:
        return parse_listen(listen)
    except ValueError as error:
        raise BadInputError("listen", str(error)) from error


def _require_free(listen: Address) -> None:
    """Say so at once when somebody else listens there. Raises NboError."""
    try:
        found = socket.getaddrinfo(*listen, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise _cannot_listen(listen, error) from error
    failures = [failed for family, *_, place in found if (failed := _probe(family, place))]
    # A name may stand for addresses this machine lacks, such as IPv6's; one is enough.
    taken = [failed for failed in failures if failed.errno in (errno.EADDRINUSE, errno.EACCES)]
    if taken or len(failures) == len(found):
        raise _cannot_listen(listen, (taken or failures)[0])


def _probe(family: int, place: Any) -> OSError | None:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        return error
    return None


def _cannot_listen(listen: Address, error: Exception) -> NboError:
    reason = getattr(error, "strerror", None) or error
    return NboError(
        f"cannot listen on {listen} ({reason}): stop what listens there, "
        "or choose another address with --listen or serving.listen in nbo.toml"
    )
