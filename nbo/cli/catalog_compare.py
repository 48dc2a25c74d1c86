"""`nbo catalog diff | preview`: what a catalogue would change, in words and in decisions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding

from nbo.cli.output import console, print_json, print_table
from nbo.cli.workspace import JsonOption, WorkspaceOption, connect, naming_options
from nbo.errors import BadInputError
from nbo.settings import Settings

PathArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A catalogue: a file, or a folder of *.yaml files.",
        show_default="the workspace's catalog.yaml or catalog/",
    ),
]
_MARKS = {
    "added": "[green]+[/green]",
    "removed": "[red]-[/red]",
    "changed": "[yellow]~[/yellow]",
}


def diff(
    path: PathArgument = None,
    version: Annotated[
        str, typer.Option("--version", help="Compare a published version instead of files.")
    ] = "",
    against: Annotated[
        str,
        typer.Option(help="The version compared with.", show_default="the one in force"),
    ] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Tell what differs in a catalogue from what is in force."""
    from serving.workspace_state import catalog_files

    if path and version:
        raise BadInputError("--version", "compares a published version: leave the path out")
    files = [] if version else catalog_files(Settings.load(workspace), path)
    with connect(workspace) as client, naming_options(version="--version", against="--against"):
        changes = client.diff_catalog(files, version=version, against=against)
    if as_json:
        print_json([_plain(change) for change in changes])
        return
    for change in changes:
        line = f"{_MARKS[change.change]} {change.kind} [bold]{escape(change.id)}[/bold]"
        if len(change.fields) == 1:
            console.print(f"{line}: {escape(change.fields[0])}")
            continue
        console.print(line + ("" if change.fields else f"  {change.change}"))
        for told in change.fields:
            console.print(Padding(escape(told), (0, 0, 0, 4)))
    if not changes:
        console.print("no difference")


def preview(
    path: PathArgument = None,
    sample: Annotated[
        int, typer.Option(help="Decide so many of the latest decisions again, 1 to 10,000.")
    ] = 500,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            help="Fact that groups customers, e.g. customer.internet.",
            show_default="the channel",
        ),
    ] = "",
    examples: Annotated[int, typer.Option(help="At most so many examples, 0 to 50.")] = 5,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Decide the latest decisions again under a catalogue: who gains and loses which offers.

    Same customers, facts, histories, draws and model; nothing is logged or counted.
    """
    from serving.workspace_state import catalog_files

    files = catalog_files(Settings.load(workspace), path)
    named = {"sample": "--sample", "by": "--by", "examples": "--examples"}
    with connect(workspace) as client, naming_options(**named):
        reply = client.preview_catalog(files, sample=sample, by=by, examples=examples)
    if as_json:
        print_json(reply)
        return
    console.print(f"[bold]{reply.changed:,} of {reply.decisions:,} decisions change[/bold]")
    if not reply.changed:
        return
    _print_counts("By offer: decisions that hold it", "offer", reply.offers)
    _print_counts(f"By {by or 'channel'}: offers made", by or "channel", reply.groups)
    for example in reply.examples:
        change = f"{_listed(example.before)} → {_listed(example.after)}"
        console.print(f"[bold]{escape(example.customer_id)}[/bold]  {escape(change)}")
        console.print(Padding(escape(example.reason), (0, 0, 0, 4)))
        console.print(Padding(f"decision {escape(example.decision_id)}", (0, 0, 0, 4)), style="dim")


def _print_counts(title: str, what: str, counts: Iterable[Any]) -> None:
    rows = [
        (escape(c.key), f"{c.before:,}", f"{c.after:,}", f"+{c.gained:,}", f"-{c.lost:,}")
        for c in counts
    ]
    if rows:
        print_table(title, [what, "before>", "after>", "gained>", "lost>"], rows)


def _listed(offer_ids: Iterable[str]) -> str:
    return ", ".join(offer_ids) or "nothing"


def _plain(change: Any) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "id": change.id,
        "change": change.change,
        "fields": list(change.fields),
    }
