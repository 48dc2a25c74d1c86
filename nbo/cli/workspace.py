"""Which workspace a command is about, and how to reach what runs there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbo.errors import BadInputError, UnavailableError
from nbo.settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from nbo.client import Client

WorkspaceOption = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        envvar="NBO_WORKSPACE",
        help="The workspace folder.",
        show_default="this folder",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextlib.contextmanager
def naming_options(**options: str) -> Iterator[None]:
    """Tell a mistake by the option it was typed with, not by the field of a request.

    Args:
        options: Option by field, e.g. ``limit="--limit"``.
    """
    try:
        yield
    except BadInputError as error:
        if error.field not in options:
            raise
        raise BadInputError(options[error.field], error.constraint) from error


def connect(workspace: Path) -> Client:
    """A client of the workspace's running server; of its configured address if stores are shared.

    Raises:
        UnavailableError: nothing answers there.
    """
    from nbo.client import Client
    from serving.running import read_running

    settings = Settings.load(workspace)
    running = read_running(settings.state_dir)
    if running is None and settings.stores.redis == EMBEDDED:
        # Another workspace's engine may listen there: its catalogue is none of ours.
        raise UnavailableError("server", f"the engine of {workspace} does not run: nbo up")
    target = running.target if running else settings.serving.listen
    client = Client(target)
    if not client.ready(timeout=3.0):
        client.close()
        raise UnavailableError("server", f"nothing answers on {target}; start it with: nbo up")
    return client
