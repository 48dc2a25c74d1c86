"""A private server process that lives as long as we do, and no longer.

The server is the child of a three-line shell that holds the read end of a pipe from us. When
we close the pipe, or die in any way, the shell tells the server to stop. A lock file is held
by the server's own processes through an inherited descriptor, so that "locked" means exactly
"something of that server still runs", whatever became of the process that started it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbo.errors import UnavailableError

_SHELL = """
trap '' HUP INT TERM
signal=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( read -r _ <&3; kill -"$signal" "$server" ) &
watch=$!
exec 3<&- </dev/null
wait "$server"; status=$?
kill -KILL "$watch" 2>/dev/null
exit "$status"
"""

_SOCKET_LIMIT = 107
"""Longest path of a unix socket on Linux, in bytes."""

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Account:
    """The system account a server runs as, where that is not our own."""

    uid: int
    gid: int


class ServerProcess:
    """A running server that stops when we say so or die."""

    def __init__(self, shell: subprocess.Popen[bytes]) -> None:
        self._shell = shell

    @classmethod
    def spawn(
        cls,
        command: Sequence[str],
        *,
        stop_signal: signal.Signals,
        lock: int,
        log: Path,
        account: Account | None = None,
    ) -> ServerProcess:
        """Start `command` in its own session, writing to `log`.

        Args:
            command: Program and arguments; must stay in the foreground.
            stop_signal: What makes the server end in good order.
            lock: Descriptor from `claim`, which the server inherits.
            log: Receives what the server prints, appended.
            account: Whom to run as; None for ourselves.
        """
        with log.open("ab") as out:
            shell = subprocess.Popen(
                ["/bin/sh", "-c", _SHELL, "nbo-embedded", stop_signal.name[3:], *command],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                pass_fds=[lock],
                # Ctrl-C in a terminal must not stop a store before what writes to it.
                start_new_session=True,
                cwd="/",
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        return cls(shell)

    @property
    def running(self) -> bool:
        """Whether the server has not ended yet."""
        return self._shell.poll() is None

    def stop(self, patience_s: float) -> None:
        """End the server in good order; by force once `patience_s` has passed."""
        assert self._shell.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._shell.stdin.close()
        try:
            self._shell.wait(patience_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._shell.pid, signal.SIGKILL)
            self._shell.wait()


def claim(path: Path) -> int | None:
    """Lock `path` for one server; None while another server (or what is left of it) holds it."""
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    # Above 9, where the supervising shell does not reach.
    lock = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(opened)
    return lock


def start_or_join(
    *,
    store: str,
    lock_path: Path,
    log: Path,
    spawn: Callable[[int], ServerProcess],
    answers: Callable[[], bool],
    patience_s: float,
) -> ServerProcess | None:
    """Start a server unless one of the same state folder already answers.

    Args:
        store: ``"redis"`` or ``"ledger"``, for errors.
        lock_path: Lock that the server holds while it lives.
        log: Where the server writes; its last lines explain a failed start.
        spawn: Starts the server, handing it the lock's descriptor.
        answers: Whether a server answers at the known address.
        patience_s: How long a start, or the end of a previous server, may take.

    Returns:
        The server that was started; None when a running one was joined.

    Raises:
        UnavailableError: the server ended or did not answer in time.
    """
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        lock = claim(lock_path)
        if lock is not None:
            try:
                server = spawn(lock)
            finally:
                os.close(lock)
            _await_answer(server, store, log, answers, deadline)
            return server
        if answers():
            return None
        time.sleep(_POLL_S)
    raise UnavailableError(
        store, f"the embedded server that holds {lock_path} has not answered for {patience_s:g} s"
    )


def _await_answer(
    server: ServerProcess, store: str, log: Path, answers: Callable[[], bool], deadline: float
) -> None:
    while not answers():
        if not server.running:
            raise UnavailableError(store, f"its server ended at once; end of {log}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            server.stop(patience_s=5)
            raise UnavailableError(store, f"its server did not answer; end of {log}:\n{_tail(log)}")
        time.sleep(_POLL_S)


def _tail(log: Path, lines: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def socket_folder(wanted: Path, socket_name: str, account: Account | None = None) -> Path:
    """Make a private folder for a unix socket: `wanted`, or a short one when it is too long.

    The short folder lies under /tmp and is named after `wanted`, so that every process using
    the same state folder finds the same socket.

    Raises:
        UnavailableError: the short folder exists and belongs to somebody else.
    """
    folder = wanted
    if len(os.fsencode(folder / socket_name)) > _SOCKET_LIMIT:
        name = hashlib.blake2b(os.fsencode(wanted.resolve()), digest_size=8).hexdigest()
        folder = Path("/tmp") / f"nbo-{os.geteuid()}-{name}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = account.uid if account else os.geteuid()
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in (owner, os.geteuid()):
        raise UnavailableError(wanted.name, f"{folder} belongs to uid {seen.st_uid}, not to us")
    if account:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder
