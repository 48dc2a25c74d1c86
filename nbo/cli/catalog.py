"""`nbo catalog …`: check, compare, preview, publish and roll back what may be offered."""

from __future__ import annotations

import getpass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from nbo.cli.catalog_compare import PathArgument, diff, preview
from nbo.cli.output import console, print_json, print_table
from nbo.cli.usage import usage
from nbo.cli.workspace import JsonOption, WorkspaceOption, connect, naming_options
from nbo.errors import BadInputError, Problem, WorkspaceError
from nbo.settings import Settings

if TYPE_CHECKING:
    from serving.catalog_files import CatalogFile

catalog_app = typer.Typer(help="The catalogue: check, compare, preview, publish, roll back.")

AuthorOption = Annotated[
    str,
    typer.Option("--author", envvar="NBO_AUTHOR", help="Who.", show_default="your account"),
]
CommentOption = Annotated[str, typer.Option("--comment", "-m", help="Why.", show_default="none")]

_SIGNED = {"author": "--author", "comment": "--comment"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command, name, epilog in (
        (validate, "validate", "nbo catalog validate   ·   nbo catalog validate --json"),
        (diff, "diff", "nbo catalog diff   ·   nbo catalog diff --version VERSION"),
        (
            preview,
            "preview",
            "nbo catalog preview   ·   nbo catalog preview --by customer.internet",
        ),
        (
            publish,
            "publish",
            "nbo catalog publish   ·   nbo catalog publish -m 'gigabit: more value'",
        ),
        (rollback, "rollback", "nbo catalog rollback   ·   nbo catalog rollback VERSION"),
        (usage, "usage", "nbo catalog usage   ·   nbo catalog usage --json"),
        (history, "history", "nbo catalog history   ·   nbo catalog history --limit 5 --json"),
        (show, "show", "nbo catalog show   ·   nbo catalog show VERSION > was.yaml"),
        (schema, "schema", "nbo catalog schema > catalog.schema.json"),
    ):
        catalog_app.command(name, epilog=f"Examples:  {epilog}")(command)
    app.add_typer(catalog_app, name="catalog")


def validate(
    path: PathArgument = None, workspace: WorkspaceOption = Path(), as_json: JsonOption = False
) -> None:
    """Check a catalogue against the workspace's facts; exit code 6 when it is wrong.

    Needs no running engine. With one, rules that are true for no sampled customer are told too.
    """
    settings = Settings.load(workspace)
    files = read_files(settings, path)
    reply = _checked(settings, files)
    if as_json:
        print_json(reply)
    else:
        for warning in reply["warnings"]:
            console.print(f"[yellow]{escape(str(Problem(**warning)))}[/yellow]")
        if not reply["problems"]:
            _say_valid(reply)
    if reply["problems"]:
        if as_json:
            raise typer.Exit(6)
        raise WorkspaceError([Problem(**problem) for problem in reply["problems"]])


def publish(
    path: PathArgument = None,
    author: AuthorOption = "",
    comment: CommentOption = "",
    based_on: Annotated[
        str,
        typer.Option(
            "--based-on",
            help="The version the change was made on: another one in force refuses it.",
            show_default="whatever is in force",
        ),
    ] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Put a catalogue in force on every server, within a second and without a restart."""
    files = read_files(Settings.load(workspace), path)
    author = author_of(author)
    with connect(workspace) as client, naming_options(**_SIGNED, based_on="--based-on"):
        reply = client.publish_catalog(files, author=author, comment=comment, based_on=based_on)
    _say_in_force(reply, as_json)


def rollback(
    version: Annotated[
        str, typer.Argument(help="See `nbo catalog history`.", show_default="the one before")
    ] = "",
    author: AuthorOption = "",
    comment: CommentOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Put an earlier version in force again; the workspace's files stay as they are."""
    author = author_of(author)
    with connect(workspace) as client, naming_options(**_SIGNED):
        reply = client.rollback_catalog(version, author=author, comment=comment)
    _say_in_force(reply, as_json)


def history(
    limit: Annotated[int, typer.Option(help="At most so many, 1 to 1,000.")] = 20,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """List what was published, by whom, when and why; the first is in force."""
    with connect(workspace) as client, naming_options(limit="--limit"):
        found = client.publications(limit)
    if as_json:
        print_json([_plain(publication) for publication in found])
        return
    rows = [
        (
            str(p.number),
            p.version,
            p.at.ToDatetime(UTC).isoformat(" ", "seconds"),
            escape(p.author),
            escape(p.comment),
        )
        for p in found
    ]
    print_table("Publications", ["number>", "version", "at", "author", "comment"], rows)


def show(
    version: Annotated[
        str, typer.Argument(help="See `nbo catalog history`.", show_default="the one in force")
    ] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Print the text of a published version."""
    with connect(workspace) as client:
        reply = client.catalog(version)
    if as_json:
        print_json(reply)
        return
    several = len(reply.files) > 1
    for file in reply.files:
        if several:
            typer.echo(f"--- # file: {file.name}")
        typer.echo(file.text, nl=not file.text.endswith("\n"))


def schema(workspace: WorkspaceOption = Path()) -> None:
    """Print the JSON Schema of catalogues, by which editors complete and check them.

    In a workspace it completes the names of its facts too.
    """
    from nbo.decision.catalog_schema import catalog_schema
    from nbo.settings import FILE
    from serving.workspace_state import read_schema

    inside = (workspace / FILE).is_file()
    facts = read_schema(Settings.load(workspace)).fact_schema() if inside else None
    print_json(catalog_schema(facts))


def author_of(given: str) -> str:
    """Who publishes: as given, else the account this runs under.

    Raises:
        BadInputError: neither is known; an account in a container often has no name.
    """
    try:
        return given or getpass.getuser()
    except (KeyError, OSError) as error:
        told = "this account has no name: say who publishes with --author or NBO_AUTHOR"
        raise BadInputError("--author", told) from error


def read_files(settings: Settings, path: Path | None) -> list[CatalogFile]:
    """The files of a catalogue, as they stand."""
    from serving.workspace_state import catalog_files

    return catalog_files(settings, path)


def _checked(settings: Settings, files: list[CatalogFile]) -> dict[str, Any]:
    """What is to be said of a catalogue: by the running engine, else by the files alone."""
    from serving.running import read_running
    from serving.workspace_state import compile_files, read_schema

    try:
        _, compiled = compile_files(settings, files, read_schema(settings))
    except WorkspaceError as error:
        problems = [_problem(problem) for problem in error.problems]
        return {"problems": problems, "warnings": [], "version": "", "sampled": 0}
    said = {
        "problems": [],
        "warnings": [_problem(warning) for warning in compiled.warnings],
        "version": compiled.catalog.version,
        "sampled": 0,
    }
    if read_running(settings.state_dir) is None:
        return said
    with connect(settings.directory) as client:
        reply = client.validate_catalog(files)
    return said | {
        "problems": [_problem(problem) for problem in reply.problems],
        "warnings": [_problem(warning) for warning in reply.warnings],
        "sampled": reply.sampled,
    }


def _problem(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("file", "line", "column", "message")}


def _say_valid(reply: dict[str, Any]) -> None:
    sampled = reply["sampled"]
    looked = f"rules looked at with the facts of {sampled:,} customers" if sampled else ""
    console.print(
        "; ".join(filter(None, (f"valid, version [bold]{reply['version']}[/bold]", looked)))
    )


def _say_in_force(reply: Any, as_json: bool) -> None:
    if as_json:
        print_json(reply)
        return
    publication = reply.publication
    if reply.changed:
        typer.echo(f"in force: {publication.version}, publication {publication.number}")
    else:
        typer.echo(f"{publication.version} is in force already; nothing changed")


def _plain(publication: Any) -> dict[str, Any]:
    return {
        "number": publication.number,
        "version": publication.version,
        "author": publication.author,
        "comment": publication.comment,
        "at": publication.at.ToDatetime(UTC).isoformat(),
    }
