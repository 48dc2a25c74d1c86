"""The demo's last line: a command that runs as typed."""

import sys

import pytest

from nbo.cli.demo import _again


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".nbo" / "demo" / "telco"


def test_by_name_where_the_shell_finds_it(folder, tmp_path, monkeypatch):
    (tmp_path / "nbo").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [".venv/bin/nbo"])
    assert _again(folder) == "nbo up -w .nbo/demo/telco"


def test_by_path_where_it_does_not(folder, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", [".venv/bin/nbo"])
    assert _again(folder) == ".venv/bin/nbo up -w .nbo/demo/telco"


def test_a_folder_elsewhere_is_named_in_full_and_quoted(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", ["./nbo"])
    elsewhere = tmp_path.parent / "my demo"
    assert _again(elsewhere) == f"./nbo up -w '{elsewhere}'"
