"""`nbo demo`: a ready workspace played from start to end on embedded stores."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from nbo.cli.init import copy_workspace
from nbo.cli.workspace import JsonOption
from nbo.errors import BadInputError, NotFoundError, WorkspaceError
from nbo.settings import FILE, STATE, Settings

PLAYGROUND = Path(STATE) / "demo"
MARK = ".nbo-demo"
"""File in every folder a demo made; no other folder is ever removed."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog="Examples:  nbo demo telco   ·   nbo demo retail --json")(demo)


def demo(
    workspace: Annotated[str, typer.Argument(help="telco (simulated) or retail (real).")] = "telco",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    directory: Annotated[
        Path, typer.Option("--in", help="Where played workspaces are kept; each is made anew.")
    ] = PLAYGROUND,
    as_json: JsonOption = False,
) -> None:
    """Play a workspace: load its data, train, answer calls over gRPC, and measure."""
    from nbo.cli.demo_session import DemoSession
    from serving.plugins import load_attribute
    from serving.supervisor import Deployment

    started = time.monotonic()
    # With --json, standard output holds the object alone; progress goes to standard error.
    console = Console(stderr=as_json, highlight=False)
    folder = (directory / workspace).resolve()
    _make_room(folder)
    copy_workspace(workspace, folder)
    (folder / MARK).write_text("Made by `nbo demo`, which removes this folder to play again.\n")
    if not (folder / "demo.py").is_file():
        raise NotFoundError("demo", workspace, "this workspace brings no demo.py")
    run = load_attribute(folder, "demo.py:run")
    _prepare(folder)
    settings = Settings.load(folder)
    with contextlib.ExitStack() as running:
        with console.status("Starting Redis, PostgreSQL, the gRPC server and the worker ..."):
            deployment = running.enter_context(
                Deployment(settings, listen=free_address(), quiet=True)
            )
        console.print(
            f"[green]✓[/green] engine serving on {deployment.target} "
            f"[dim]{time.monotonic() - started:.1f} s[/dim]"
        )
        with DemoSession(deployment, console, seed) as session:
            result = run(session)
    result["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        print(json.dumps(result, indent=2))
    else:
        console.print(
            f"\nDone in {result['seconds']:.0f} s. Everything is kept; serve it again with"
        )
        # On a line of its own and never wrapped, so that it can be copied.
        console.print(f"  [bold]{escape(_again(folder))}[/bold]", soft_wrap=True)


def _prepare(folder: Path) -> None:
    """Let the workspace add to its copy what only the demo needs, if its demo.py says how.

    Comes after ``run`` was loaded: whatever is wrong with the file was reported there.
    """
    from serving.plugins import load_attribute

    try:
        prepare = load_attribute(folder, "demo.py:prepare")
    except WorkspaceError:
        return
    prepare(folder)


def _make_room(folder: Path) -> None:
    """Remove the workspace of an earlier demo; refuses while it runs, or if it is not ours."""
    from serving.running import only_deployment

    if not (folder / MARK).is_file():
        if (folder / FILE).is_file():
            raise BadInputError(
                "--in", f"{folder} is a workspace no demo made; move it, or choose another folder"
            )
        return
    with only_deployment(folder / STATE):
        shutil.rmtree(folder)


def free_address() -> str:
    """An address of this machine nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _nearby(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _again(folder: Path) -> str:
    """The command that serves a played workspace, as it can be typed where the user stands."""
    called = sys.argv[0]
    program = called if shutil.which("nbo") is None and Path(called).name == "nbo" else "nbo"
    return shlex.join([program, "up", "-w", str(_nearby(folder))])
