"""Entry point: the commands, and how errors become sentences and exit codes."""

from __future__ import annotations

import sys

import typer

from nbo import __version__
from nbo.cli import ask, catalog, decision, demo, doctor, init, load, train, up
from nbo.cli.scenarios import command as scenarios
from nbo.errors import (
    BadInputError,
    ConflictError,
    MissingExtraError,
    NboError,
    NotEnoughDataError,
    NotFoundError,
    UnavailableError,
    WorkspaceError,
)

EXIT_CODES: dict[type[NboError], int] = {
    BadInputError: 2,
    NotFoundError: 3,
    ConflictError: 4,
    UnavailableError: 5,
    WorkspaceError: 6,
    MissingExtraError: 7,
    NotEnoughDataError: 8,
}

app = typer.Typer(
    name="nbo",
    help="Real-time next-best-offer engine: what to offer to whom, now, and why.",
    epilog="Start here:  nbo demo telco   ·   nbo init telco my-nbo && cd my-nbo && nbo up",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for family in (demo, init, up, load, train, ask, catalog, decision, scenarios, doctor):
    family.register(app)


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(f"nbo {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command; errors of ours end in one sentence and a code that means something."""
    try:
        app(standalone_mode=True)
    except NboError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)


def exit_code(error: NboError) -> int:
    """The exit code of an error; 1 for those without a code of their own."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
