from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from nbo.errors import UnavailableError
from serving import embedded_redis
from serving.embedded_redis import EmbeddedRedis


def until(condition: Callable[[], bool], patience_s: float = 10) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def pid_of(url: str) -> int:
    with redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def server(fresh_dir: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(fresh_dir)
    yield server
    server.stop()


def test_it_keeps_what_was_written_over_a_stop(server: EmbeddedRedis) -> None:
    url = server.start()
    pid = pid_of(url)
    with redis.from_url(url) as client:
        client.set("a", 1)
    server.stop()
    assert not alive(pid)
    with redis.from_url(server.start()) as client:
        assert client.get("a") == b"1"
        assert pid_of(url) != pid


def test_it_survives_being_killed(server: EmbeddedRedis) -> None:
    url = server.start()
    pid = pid_of(url)
    with redis.from_url(url) as client:
        for n in range(1000):
            client.rpush("list", n)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    assert server.start() == url
    with redis.from_url(url) as client:
        assert client.llen("list") == 1000
    new_pid = pid_of(url)
    server.stop()
    assert not alive(new_pid)


def test_no_network_port_and_a_private_socket(server: EmbeddedRedis) -> None:
    url = server.start()
    with redis.from_url(url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    assert (server.folder / "redis.sock").stat().st_mode & 0o077 == 0


def test_a_running_one_is_joined_and_left_running(server: EmbeddedRedis, fresh_dir: Path) -> None:
    url = server.start()
    assert server.start() == url
    with EmbeddedRedis(fresh_dir) as other:
        assert other.start() == url
    assert redis.from_url(url).ping()


def test_a_long_path_gets_a_short_socket(fresh_dir: Path) -> None:
    deep = fresh_dir / ("x" * 60) / ("y" * 60)
    server = EmbeddedRedis(deep)
    url = server.start()
    try:
        assert url.startswith("unix:///tmp/nbo-")
        assert redis.from_url(url).ping()
        assert EmbeddedRedis(deep).start() == url
    finally:
        server.stop()
    Path(url.removeprefix("unix://")).parent.rmdir()


def test_odd_characters_in_the_path(fresh_dir: Path) -> None:
    with EmbeddedRedis(fresh_dir / 'my nbo\'s "état" 100%') as server:
        assert redis.from_url(server.start()).ping()


def test_it_ends_with_the_process_that_started_it(fresh_dir: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from serving.embedded_redis import EmbeddedRedis\n"
        "print(EmbeddedRedis(Path(sys.argv[1])).start(), flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(fresh_dir)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    pid = pid_of(url)
    starter.kill()
    starter.wait()
    until(lambda: not alive(pid))
    starter.stdout.close()


def test_a_start_that_fails_says_why(fresh_dir: Path) -> None:
    (fresh_dir / "redis").mkdir()
    (fresh_dir / "redis" / "appendonly.aof").write_bytes(b"*1\r\n$4\r\nnonsense\r\n" * 100)
    with pytest.raises(UnavailableError, match="append only file"):
        EmbeddedRedis(fresh_dir).start()


def test_an_older_server_does_not_start_empty_on_newer_files(
    fresh_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fresh_dir / "redis" / "appendonlydir").mkdir(parents=True)
    monkeypatch.setattr(embedded_redis, "_major", lambda program: 6)
    with pytest.raises(UnavailableError, match="Redis 7 or later"):
        EmbeddedRedis(fresh_dir).start()
    monkeypatch.undo()
    (fresh_dir / "redis" / "appendonlydir").rmdir()
    with EmbeddedRedis(fresh_dir) as server:  # the failed start left no lock behind
        server.start()
