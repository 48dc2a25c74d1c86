"""`nbo decision explain | replay`: why a decision is as it is, and that it would be again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from nbo.cli.instants import typed_instant
from nbo.cli.output import console, print_json, print_table
from nbo.cli.workspace import JsonOption, WorkspaceOption, connect, naming_options
from nbo.errors import BadInputError, NotFoundError
from nbo.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from nbo.ledger.decisions import Logged
    from serving.replaying import Replayed

MOST_DIFFERENCES = 50
"""Lines printed; `--json` has them all."""

decision_app = typer.Typer(help="Logged decisions: explain one, decide them again.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    decision_app.command(
        "explain",
        epilog="Examples:  nbo decision explain DECISION_ID   ·   "
        "nbo decision explain DECISION_ID --all --near 20",
    )(explain)
    decision_app.command(
        "replay",
        epilog="Examples:  nbo decision replay DECISION_ID   ·   "
        "nbo decision replay --since 2026-03-01T00:00Z   ·   nbo decision replay --last 10000",
    )(replay)
    app.add_typer(decision_app, name="decision")


def explain(
    decision_id: Annotated[str, typer.Argument(help="From `nbo offers`.")],
    near: Annotated[int, typer.Option(help="Near misses at most, 0 to 50.")] = 5,
    every: Annotated[
        bool, typer.Option("--all", help="List every failing rule, by stage.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Take a decision apart: where offers fell, what each priority is made of, what was near."""
    from nbo.cli.explanation import show

    with connect(workspace) as client, naming_options(near_misses="--near"):
        reply = client.explain(decision_id, near)
    if as_json:
        print_json(reply)
    else:
        show(reply, every=every)


def replay(
    decision_ids: Annotated[
        list[str] | None, typer.Argument(help="From `nbo offers`.", show_default="none")
    ] = None,
    last: Annotated[
        int | None, typer.Option(min=1, help="The latest so many.", show_default="none")
    ] = None,
    since: Annotated[
        str,
        typer.Option(help="All from an instant on, ISO 8601 with time zone.", show_default="none"),
    ] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Decide logged decisions again, from the ledger; exit code 1 when any comes out otherwise."""
    from nbo import __version__
    from serving.past_catalogs import PastCatalogs
    from serving.replaying import replay_all

    typed_instant("--since", since)
    if sum((bool(decision_ids), last is not None, bool(since))) != 1:
        raise BadInputError("replay", "name decisions, or give one of --last N and --since INSTANT")
    settings = Settings.load(workspace)
    # Drawn only on a terminal, and never into what is piped on.
    busy = Console(stderr=True).status("Deciding again ...")
    with busy, _ledger(settings) as ledger:
        logged = _wanted(ledger, decision_ids or [], last, since)
        past = PastCatalogs(ledger, _schema(settings).fact_schema())
        found = _Found(replay_all(logged, past, __version__))
    if as_json:
        print_json(found.as_json())
    else:
        found.show()
    if found.differing:
        raise typer.Exit(1)


_COLUMNS = ("decision_id", "field", "logged", "again")


class _Found:
    """What came of a replay, counted."""

    def __init__(self, replayed: Iterable[Replayed]) -> None:
        self.same = 0
        self.differing = 0
        self.skipped: Counter[str] = Counter()
        self.engines: Counter[str] = Counter()
        self.differences: list[dict[str, Any]] = []
        for one in replayed:
            self._count(one)

    def _count(self, one: Replayed) -> None:
        if one.skipped:
            self.skipped[one.skipped] += 1
            return
        if one.engine:
            self.engines[one.engine] += 1
        self.same += not one.differences
        self.differing += bool(one.differences)
        self.differences += [
            {"decision_id": one.decision_id, "field": different.path, **different.values()}
            for different in one.differences
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "replayed": self.same + self.differing,
            "same": self.same,
            "differing": self.differing,
            "skipped": dict(self.skipped),
            "other_engines": dict(self.engines),
            "differences": self.differences,
        }

    def show(self) -> None:
        if self.differences:
            rows = [
                tuple(escape(str(one.get(key, "absent"))) for key in _COLUMNS)
                for one in self.differences[:MOST_DIFFERENCES]
            ]
            print_table("Differences", ["decision", "field", "logged", "again"], rows)
            left = len(self.differences) - len(rows)
            if left:
                console.print(f"… and {left:,} more; --json lists them all")
        total = self.same + self.differing
        verdict = f"{self.differing:,} came out otherwise" if self.differing else "0 differences"
        console.print(f"{total:,} decided again: {verdict}")
        for engine, count in self.engines.items():
            console.print(f"[dim]{count:,} of them were made by version {escape(engine)}[/dim]")
        for reason, count in self.skipped.items():
            console.print(f"[yellow]{count:,} skipped: {escape(reason)}[/yellow]")


def _wanted(
    ledger: Engine, decision_ids: list[str], last: int | None, since: str
) -> Iterable[Logged]:
    from nbo.ledger import decisions

    if last is not None:
        return decisions.latest(ledger, last)
    start = typed_instant("--since", since)
    if start is not None:
        return decisions.since(ledger, start)
    found = decisions.several(ledger, decision_ids)
    for decision_id in decision_ids:
        if decision_id not in found:
            remedy = "a new one takes a second to reach the ledger"
            raise NotFoundError("decision", decision_id, remedy)
    return [found[decision_id] for decision_id in decision_ids]


def _schema(settings: Settings) -> Any:
    """The facts that catalogues were checked against: of the running engine, if one ever ran."""
    from features.schema import FeatureSchema
    from serving.workspace_state import prepare_schema

    if settings.schema_file.is_file():
        return FeatureSchema.load(settings.schema_file)
    return prepare_schema(settings)


@contextmanager
def _ledger(settings: Settings) -> Iterator[Engine]:
    """The workspace's ledger: joined while an engine runs, else started for as long as needed."""
    from nbo.ledger.engine import migrate, open_ledger
    from serving.stores import open_stores

    with open_stores(settings) as stores:
        ledger = open_ledger(stores.ledger_url)
        try:
            migrate(ledger)
            yield ledger
        finally:
            ledger.dispose()
