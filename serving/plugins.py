"""Propensity models a workspace brings along, loaded by path."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbo.decision.propensity import Propensity
from nbo.errors import Problem, WorkspaceError


def load_attribute(workspace: Path, reference: str) -> Any:
    """What ``"folder/file.py:Name"`` names inside a workspace.

    The workspace folder is put on the import path, so its modules find each other.

    Raises:
        WorkspaceError: the reference is malformed, the file or the name is missing, or the
            module does not import.
    """
    path, _, name = reference.partition(":")
    file = workspace / path
    if not name or not path.endswith(".py"):
        raise _wrong(workspace / "nbo.toml", f"{reference!r} must read 'folder/file.py:Name'")
    if not file.is_file():
        raise _wrong(workspace / "nbo.toml", f"{reference!r}: there is no file {file}")
    if str(workspace) not in sys.path:
        sys.path.insert(0, str(workspace))
    module_name = path.removesuffix(".py").replace("/", ".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise _wrong(file, f"does not import: {error}") from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise _wrong(file, f"defines no {name!r}") from error


def load_models(workspace: Path, references: Mapping[str, str]) -> dict[str, Propensity]:
    """The workspace's own models by name, each constructed with the workspace's path."""
    return {
        name: load_attribute(workspace, reference)(workspace)
        for name, reference in references.items()
    }


def _wrong(file: Path, message: str) -> WorkspaceError:
    return WorkspaceError([Problem(str(file), 0, 0, message)])
