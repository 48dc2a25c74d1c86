"""A running workspace: its stores, the gRPC server and the worker, started, watched, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

from nbo.errors import NboError
from nbo.ledger.engine import migrate, open_ledger
from nbo.settings import Settings
from serving.process import command, prepared_file
from serving.stores import RunningStores, Stores
from serving.workspace_state import (
    Running,
    prepare_schema,
    publish_catalog,
    read_catalog,
    read_running,
    running_file,
    write_running,
)

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
        WorkspaceError: the workspace is wrong.
        NboError: it runs already, or a process does not start.
    """

    target: str
    stores: Stores

    def __init__(self, settings: Settings, listen: str | None = None, quiet: bool = False) -> None:
        self.settings = settings
        self._listen = listen or settings.serving.listen
        self._quiet = quiet
        self._running = contextlib.ExitStack()
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        if (other := read_running(self.settings)) is not None:
            raise NboError(
                f"this workspace runs already: process {other.pid} serves {other.target}"
            )
        _require_free(self._listen)
        with contextlib.ExitStack() as undo:
            undo.callback(self._running.close)
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
            publish_catalog(ledger, text, compiled, author=os.environ.get("USER", "nbo"))
        finally:
            ledger.dispose()

    def _start_children(self) -> None:
        for name in ("server", "worker"):
            child = self._spawn(name)
            self._running.callback(child.stop)
            self._children.append(child)

    def _await_children(self) -> None:
        self.target = self.child("server").wait_ready()
        self.child("worker").wait_ready()
        self._running.callback(running_file(self.settings).unlink, missing_ok=True)
        write_running(self.settings, Running(self.target, os.getpid()))

    def _spawn(self, name: str) -> Child:
        state = self.settings.state_dir
        output = None
        if self._quiet:
            (state / "logs").mkdir(exist_ok=True)
            output = state / "logs" / f"{name}.log"
            output.unlink(missing_ok=True)
        ready = state / f"{name}.ready"
        line = command(f"serving.{name}", self.settings, self.stores, self._listen, ready)
        child = Child(name, line, ready, output)
        child.start()
        return child


def _require_free(listen: str) -> None:
    """Say so at once when somebody else listens there. Raises NboError."""
    host, _, port = listen.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise NboError(
                f"cannot listen on {listen} ({error.strerror}): stop what listens there, "
                "or choose another address with --listen or serving.listen in nbo.toml"
            ) from error
