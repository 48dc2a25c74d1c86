"""`nbo catalog usage`: how much of every cap and budget is used up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbo.cli.ask import AtOption
from nbo.cli.instants import typed_instant
from nbo.cli.output import console, print_json, print_table
from nbo.cli.workspace import JsonOption, WorkspaceOption, connect

UNKNOWN = "?"


def usage(
    at: AtOption = "", workspace: WorkspaceOption = Path(), as_json: JsonOption = False
) -> None:
    """Show what is used of caps and budgets: accepted, or offered and still open."""
    with connect(workspace) as client:
        reply = client.usage(at=typed_instant("--at", at))
    if as_json:
        print_json(reply)
        return
    if not reply.caps and not reply.budgets:
        console.print("The catalogue in force has no caps and no budgets.")
        return
    if not reply.known:
        console.print("[yellow]Being counted: what shows no number yet is not offered.[/yellow]")
    if reply.caps:
        columns = ["offer", "used>", "of>", "that day>", "of>"]
        print_table("Caps", columns, [_cap(cap) for cap in reply.caps])
    if reply.budgets:
        columns = ["incentive", "spent>", "of>", "per", "period over>", "shadow price>"]
        rows = [_budget(budget) for budget in reply.budgets]
        print_table(f"Budgets, {reply.currency}", columns, rows)


def _cap(cap: Any) -> list[str]:
    return [
        cap.offer_id,
        _shown(cap, "total_used", UNKNOWN if cap.HasField("total") else ""),
        _shown(cap, "total", "no limit"),
        _shown(cap, "daily_used", UNKNOWN if cap.HasField("daily") else ""),
        _shown(cap, "daily", "no limit"),
    ]


def _budget(budget: Any) -> list[str]:
    known = budget.HasField("spent")
    return [
        budget.incentive_id,
        f"{budget.spent:,.2f}" if known else UNKNOWN,
        f"{budget.amount:,.2f}",
        budget.period,
        f"{budget.elapsed:.0%}",
        f"{budget.shadow_price:.2f}" if known else UNKNOWN,
    ]


def _shown(cap: Any, field: str, absent: str = UNKNOWN) -> str:
    return f"{getattr(cap, field):,}" if cap.HasField(field) else absent
