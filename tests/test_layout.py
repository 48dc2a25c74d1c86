"""The house stands as designed: packages listed, names not taken, nothing left lying about."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("nbo", "features", "models", "serving", "training")


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_every_package_is_listed_for_the_wheel():
    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    )
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for init in (ROOT / room).rglob("__init__.py")
        if "workspaces" not in init.parts
    }
    assert found - listed == set()
    assert {name for name in listed if not (ROOT / name.replace(".", "/")).is_dir()} == set()


def test_nothing_imports_a_workspace():
    """Workspaces are no package: they are loaded by path, like a user's own."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            if "workspaces" not in file.parts:
                text = file.read_text(encoding="utf-8")
                assert not re.search(r"(from|import) nbo\.workspaces", text), file


def test_proto_is_no_package_and_tests_have_no_init():
    assert not (ROOT / "proto" / "__init__.py").exists()
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_generated_code_belongs_to_the_protos():
    generate = subprocess.run(
        [str(ROOT / ".venv/bin/python"), "proto/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert generate.returncode == 0, generate.stderr


def test_no_registry_host_or_path_of_a_machine_is_committed():
    address = re.compile(r"https?://[^\s\"']+/(simple|packages)/")
    for path in _tracked("*.txt", "*.toml", "*.cfg", "*.json", "*.lock"):
        assert not address.search(path.read_text(encoding="utf-8")), path


def test_every_field_of_the_api_is_commented():
    for proto in sorted((ROOT / "proto/nbo/v1").glob("*.proto")):
        previous = ""
        for line in map(str.strip, proto.read_text(encoding="utf-8").splitlines()):
            if re.search(r"= \d+;", line) and "OUTCOME" not in line and not line.isupper():
                commented = "//" in line or previous.startswith("//")
                assert commented or re.match(r"[A-Z_]+ = ", line), f"{proto.name}: {line}"
            previous = line
