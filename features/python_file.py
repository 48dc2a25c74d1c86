"""Run a Python file of a workspace; whatever is wrong in it is told with its line."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from nbo.errors import NboError, Problem, WorkspaceError


def run_file(file: Path, kind: str) -> ModuleType:
    """Execute a file as a module of a name of its own, so that two files never mix.

    The module stays in `sys.modules`, where dataclasses and pickles look for it, until the same
    file is run again.

    Args:
        file: A file of a workspace, e.g. its ``definitions.py``.
        kind: Begins the module's name, e.g. ``"definitions"``.

    Raises:
        WorkspaceError: there is no such file, or running it failed, with the line.
        NboError: what the file itself raised of our errors.
    """
    if not file.is_file():
        raise WorkspaceError([Problem(str(file), 0, 0, "there is no such file")])
    name = module_name(file, kind)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, NboError) or not isinstance(error, Exception):
            raise
        raise located(error, file) from error
    return module


def module_name(file: Path, kind: str) -> str:
    """The name under which `run_file` keeps a file's module: by its whole path."""
    digest = hashlib.blake2b(str(file.resolve()).encode()).hexdigest()
    return f"nbo_{kind}_{digest[:12]}"


def located(error: Exception, file: Path) -> WorkspaceError:
    """What went wrong in a workspace's file, at the last of its lines on the error's way."""
    if isinstance(error, SyntaxError):
        where = error.filename or str(file)
        return WorkspaceError([Problem(where, error.lineno or 0, error.offset or 0, error.msg)])
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if Path(frame.filename) == file.absolute()]
    message = f"{type(error).__name__}: {error}"
    return WorkspaceError([Problem(str(file), lines[-1] if lines else 0, 0, message)])
