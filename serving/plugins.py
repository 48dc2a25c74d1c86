"""What a workspace brings along as Python: its own propensity models and its demo."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from features.python_file import located, module_name, run_file
from nbo.decision.propensity import Propensity
from nbo.errors import NboError, Problem, WorkspaceError

_workspaces: set[str] = set()
"""Folders that files were loaded from so far, in this process."""


def load_attribute(workspace: Path, reference: str) -> Any:
    """What ``"folder/file.py:Name"`` names inside a workspace.

    The file is found by its path, so its name may be that of any package; it is run once per
    process. Modules it imports are looked for in the workspace folder first.

    Raises:
        WorkspaceError: the reference is malformed, the file or the name is missing, or running
            the file failed; names the line.
    """
    path, _, name = reference.partition(":")
    file = workspace / path
    if not name or not path.endswith(".py"):
        raise _wrong(workspace / "nbo.toml", f"{reference!r} must read 'folder/file.py:Name'")
    if not file.is_file():
        raise _wrong(workspace / "nbo.toml", f"{reference!r}: there is no file {file}")
    module = sys.modules.get(module_name(file, "plugin"))
    if module is None:
        with _importing_from(workspace.resolve()):
            module = run_file(file, "plugin")
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise _wrong(file, f"defines no {name!r}") from error


def load_models(workspace: Path, references: Mapping[str, str]) -> dict[str, Propensity]:
    """The workspace's own models by name, each constructed with the workspace's path.

    Raises:
        WorkspaceError: a model cannot be loaded or constructed, or is no propensity model.
    """
    return {name: _model(workspace, reference) for name, reference in references.items()}


def _model(workspace: Path, reference: str) -> Propensity:
    make = load_attribute(workspace, reference)
    file = workspace / reference.partition(":")[0]
    try:
        model: Propensity = make(workspace)
    except NboError:
        raise
    except Exception as error:
        raise located(error, file) from error
    if not callable(getattr(model, "score", None)) or not hasattr(model, "version"):
        raise _wrong(file, f"{reference!r} is no propensity model: it needs version and score()")
    return model


@contextlib.contextmanager
def _importing_from(workspace: Path) -> Iterator[None]:
    """Look for modules in the workspace first, and in no other workspace at all.

    Afterwards the folder comes last on the import path: what the workspace imports later is
    still found, and nothing of the engine's or of Python's own is hidden by its files.
    """
    folder = str(workspace)
    for other in _workspaces - {folder}:
        _forget(Path(other), workspace)
    _workspaces.add(folder)
    importlib.invalidate_caches()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = [*(path for path in sys.path if path not in _workspaces), folder]


def _forget(other: Path, workspace: Path) -> None:
    """Drop the modules of another workspace that have the names of this one's."""
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        ours = (workspace / top).is_dir() or (workspace / f"{top}.py").is_file()
        if ours and _place(module).is_relative_to(other):
            del sys.modules[name]


def _place(module: ModuleType) -> Path:
    """Where a module was loaded from; a package without ``__init__.py`` has only a folder."""
    return Path(
        getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
    )


def _wrong(file: Path, message: str) -> WorkspaceError:
    return WorkspaceError([Problem(str(file), 0, 0, message)])
