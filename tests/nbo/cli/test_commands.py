"""The `nbo` command as its user meets it: help, sentences, exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
import typer
from typer.testing import CliRunner

from nbo.cli.main import EXIT_CODES, app, exit_code, main
from nbo.errors import BadInputError, NboError

NBO = str(Path(sys.executable).with_name("nbo"))
COMMANDS = typer.main.get_command(app).commands


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments):
    """Run the command in this process, as its entry point does."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["nbo", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            return Ended(end.code or 0, out.getvalue(), err.getvalue())
    return Ended(0, out.getvalue(), err.getvalue())


def leaves(commands=COMMANDS, path=()):
    for name, command in commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command.commands, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(leaves()), ids=" ".join)
def test_help_ends_with_an_example(path):
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert f"nbo {' '.join(path)}" in shown.output.strip().splitlines()[-1]


def test_help_loads_no_heavy_library():
    script = (
        "import sys; from typer.testing import CliRunner; from nbo.cli.main import app;"
        "CliRunner().invoke(app, ['--help']);"
        "print([m for m in ('feast', 'mlflow', 'lightgbm', 'river', 'pandas', 'sklearn')"
        " if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_every_error_has_its_own_exit_code():
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert exit_code(BadInputError("x", "y")) == 2
    assert exit_code(NboError("x")) == 1


def test_init_copies_a_workspace_and_refuses_to_overwrite(tmp_path):
    target = tmp_path / "mine"
    assert run("init", "telco", target).returncode == 0
    assert (target / "catalog.yaml").is_file()
    again = run("init", "telco", target)
    assert again.returncode == 2
    assert "must not exist or be empty" in again.stderr


def test_an_unknown_workspace_names_those_there_are(tmp_path):
    shown = run("init", "casino", tmp_path / "x")
    assert shown.returncode == 3
    assert "telco" in shown.stderr


def test_a_folder_that_is_no_workspace_is_named(tmp_path):
    shown = run("up", "-w", tmp_path)
    assert shown.returncode == 6
    assert "nbo.toml" in shown.stderr
    assert "nbo init" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_broken_setting_is_located(tmp_path):
    (tmp_path / "nbo.toml").write_text('[workspace]\nname = "x"\n[serving]\nlissten = "a:1"\n')
    shown = run("doctor", "-w", tmp_path)
    assert shown.returncode == 1
    assert "nbo.toml:4" in shown.stdout.replace("\n", "")
    assert "did you mean 'listen'" in shown.stdout


def test_a_broken_catalogue_is_located(make_corner):
    workspace = make_corner()
    catalog = workspace / "catalog.yaml"
    catalog.write_text(catalog.read_text().replace("!customer.has_card", "!customer.has_crad"))
    shown = run("up", "-w", workspace)
    assert shown.returncode == 6
    assert "catalog.yaml:" in shown.stderr
    assert "customer.has_card" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_nobody_answers_is_one_sentence(tmp_path):
    (tmp_path / "nbo.toml").write_text(
        '[workspace]\nname = "x"\n[serving]\nlisten = "localhost:1"\n'
    )
    shown = run("offers", "c-1", "-w", tmp_path)
    assert shown.returncode == 5
    assert "nbo up" in shown.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["offers", "c-1", "--at", "yesterday"],
        ["offers", "c-1", "--at", "2026-01-01T00:00"],
        ["event", "c-1", "shop.visited", "--set", "spent"],
    ],
)
def test_a_wrong_argument_is_named(arguments, tmp_path):
    (tmp_path / "nbo.toml").write_text('[workspace]\nname = "x"\n')
    shown = run(*arguments, "-w", tmp_path)
    assert shown.returncode == 2
    assert "--at" in shown.stderr or "--set" in shown.stderr


def test_up_serves_until_ctrl_c_and_leaves_nothing_running(make_corner, free_address):
    import signal

    workspace = make_corner()
    up = subprocess.Popen(
        [NBO, "up", "-w", workspace, "--listen", free_address],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert f"Serving corner on {free_address}" in up.stdout.readline()
        assert run("features", "materialize", "-w", workspace).returncode == 0
        asked = run("offers", "c-4", "-w", workspace, "--at", "2026-03-10T12:00Z")
        assert "Shop card" in asked.stdout, asked
        known = json.loads(run("identify", "030 5550001", "-w", workspace, "--json").stdout)
        assert [(m["customer_id"], m["likelihood"]) for m in known] == [("c-0", 0.5), ("c-1", 0.5)]
        doctor = run("doctor", "-w", workspace)
        assert doctor.returncode == 0, doctor.stdout
        second = run("up", "-w", workspace)
        assert second.returncode == 1
        assert "runs already" in second.stderr
    finally:
        up.send_signal(signal.SIGINT)
        rest, _ = up.communicate(timeout=60)
    assert up.returncode == 0
    assert rest.rstrip().endswith("Stopped.")
    assert not _left_over(workspace)


def test_a_port_in_use_is_one_sentence(make_corner, free_address):
    import socket

    host, _, port = free_address.partition(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        shown = run("up", "-w", make_corner(), "--listen", free_address)
    assert shown.returncode == 1
    assert f"cannot listen on {free_address}" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("listen", ["foo", "127.0.0.1:99999"])
def test_what_is_no_address_is_one_sentence(make_corner, listen):
    shown = run("up", "-w", make_corner(), "--listen", listen)
    assert shown.returncode == 2
    assert "listen: must be host:port with a port up to 65535" in shown.stderr
    assert "Traceback" not in shown.stderr


def _left_over(workspace):
    """Processes that still carry the workspace's path, a few seconds after the end."""
    import psutil

    for _ in range(50):
        left = [
            process.info["cmdline"]
            for process in psutil.process_iter(["cmdline"])
            if str(workspace) in " ".join(process.info["cmdline"] or [])
        ]
        if not left:
            break
        time.sleep(0.1)
    return left
