"""`nbo scenarios run`: the sentences of a workspace, told to a real engine."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from nbo.cli.workspace import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from nbo.cli.scenarios.play import Told

_EXAMPLE = "Examples:  nbo scenarios run   ·   nbo scenarios run scenarios/calls.yaml --json"
scenarios_app = typer.Typer(help="Scenarios: what must hold, as sentences.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    scenarios_app.command("run", epilog=_EXAMPLE)(run)
    scenarios_app.callback()(_family)
    app.add_typer(scenarios_app, name="scenarios")


def _family() -> None:
    """Keep `run` a command of a family although it is alone."""


def run(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Scenario files.", show_default="scenarios/*.yaml of the workspace"),
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the copy they were told to, with its stores.")
    ] = False,
) -> None:
    """Tell every scenario to a copy of the workspace on stores of its own; time stands still.

    Ends with 1 when a scenario does not hold.
    """
    from nbo.cli.scenarios.play import tell
    from nbo.cli.scenarios.stage import Stage

    started = time.monotonic()
    # With --json, standard output holds the object alone; progress goes to standard error.
    console = Console(stderr=as_json, highlight=False)
    told: list[Told] = []
    with console.status("Starting Redis, PostgreSQL, the gRPC server and the worker ..."):
        stage = Stage(workspace, files or [], keep=keep)
        stage.__enter__()
    try:
        for scenario in stage.scenarios:
            told.append(tell(stage, scenario))
            if not as_json:
                _show(console, told[-1])
    finally:
        stage.__exit__(None, None, None)
    seconds = time.monotonic() - started
    if as_json:
        print(json.dumps(_summary(told, seconds), indent=2, ensure_ascii=False))
    else:
        _show_summary(console, told, seconds)
    if keep:
        console.print(f"Kept: {stage.folder}", soft_wrap=True)
    if any(one.differences for one in told):
        raise typer.Exit(1)


def _show(console: Console, told: Told) -> None:
    mark = "[red]✗[/red]" if told.differences else "[green]✓[/green]"
    console.print(f"{mark} {escape(told.scenario.name)}", soft_wrap=True)
    for line, message in told.differences:
        place = f"{told.scenario.file}:{line}"
        console.print(f"    [red]{escape(place)}[/red]  {escape(message)}", soft_wrap=True)


def _show_summary(console: Console, told: Sequence[Told], seconds: float) -> None:
    failed = sum(bool(one.differences) for one in told)
    verdict = f"{failed} of {len(told)} do not hold" if failed else f"all {len(told)} hold"
    console.print(f"{verdict}  [dim]{seconds:.1f} s[/dim]")


def _summary(told: Sequence[Told], seconds: float) -> dict[str, Any]:
    failed = sum(bool(one.differences) for one in told)
    return {
        "held": len(told) - failed,
        "failed": failed,
        "seconds": round(seconds, 1),
        "scenarios": [
            {
                "name": one.scenario.name,
                "file": str(one.scenario.file),
                "line": one.scenario.line,
                "holds": not one.differences,
                "differences": [
                    {"line": line, "message": message} for line, message in one.differences
                ],
                "seconds": round(one.seconds, 2),
            }
            for one in told
        ],
    }
