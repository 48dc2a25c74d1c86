"""`nbo up`: stores, server and worker in the foreground."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from nbo.cli.workspace import WorkspaceOption
from nbo.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up", epilog="Examples:  nbo up   ·   nbo up -w my-nbo --listen 127.0.0.1:50600")(
        up
    )


def up(
    workspace: WorkspaceOption = Path(),
    listen: Annotated[
        str,
        typer.Option(help="Address of the gRPC server, host:port.", show_default="as in nbo.toml"),
    ] = "",
) -> None:
    """Start the stores, the gRPC server and the worker; Ctrl-C stops them in order."""
    from serving.logs import configure_logs
    from serving.supervisor import Deployment

    configure_logs()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Deployment(Settings.load(workspace), listen or None) as deployment:
        typer.echo(f"Serving {deployment.settings.workspace.name} on {deployment.target}")
        typer.echo("Ctrl-C stops it.  In another terminal:  nbo doctor   ·   nbo offers CUSTOMER")
        deployment.watch(stop)
        typer.echo("Stopping ...")
    typer.echo("Stopped.")
