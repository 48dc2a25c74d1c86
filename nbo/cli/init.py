"""`nbo init`: a workspace of one's own, copied from a ready one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from nbo.errors import BadInputError, NotFoundError

READY = Path(__file__).resolve().parent.parent / "workspaces"
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".nbo", "*.pyc")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", epilog="Example:  nbo init telco my-nbo && cd my-nbo && nbo up")(init)


def init(
    workspace: Annotated[str, typer.Argument(help="telco, retail, insurance or bank.")],
    directory: Annotated[Path, typer.Argument(help="Where to; must not exist or be empty.")],
) -> None:
    """Copy a ready workspace into a new folder: settings, catalogue, features, scenarios."""
    copy_workspace(workspace, directory)
    typer.echo(f"{directory} is now a workspace ({workspace}); its README.md tells how to fill it.")
    typer.echo(f"Next:  cd {directory} && nbo up")


def copy_workspace(name: str, directory: Path) -> Path:
    """Copy the ready workspace `name` to `directory`; returns the directory."""
    source = READY / name
    if not (source / "nbo.toml").is_file():
        known = ", ".join(sorted(path.parent.name for path in READY.glob("*/nbo.toml")))
        raise NotFoundError("workspace", name, f"choose one of {known}")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadInputError("directory", f"must not exist or be empty, was {str(directory)!r}")
    shutil.copytree(source, directory, ignore=_LEFT_BEHIND, dirs_exist_ok=True)
    return directory
