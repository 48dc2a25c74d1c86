"""An explained decision on a terminal, for someone from marketing."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.padding import Padding

from nbo.cli.output import console, print_table

_WORDS = {
    "outranked": "passed, others ranked higher",
    "offered": "offered",
    "holdout": "held out by the experiment",
}


def show(reply: Any, *, every: bool) -> None:
    """Print an ExplainDecisionResponse; `every` failing rule too if asked for."""
    _show_head(reply)
    _show_funnel(reply.funnel)
    for slot in reply.slots:
        _show_slot(slot, reply.currency)
    if reply.slots and reply.without_reasons:
        _indented(f"[dim]{escape(reply.without_reasons)}[/dim]", 0)
    _show_near_misses(reply.near_misses)
    if every:
        _show_refusals(reply)


def _show_head(reply: Any) -> None:
    at = reply.at.ToDatetime(UTC)
    console.print(f"[bold]Decision {reply.decision_id}[/bold]  {at:%Y-%m-%d %H:%M:%S} UTC")
    parts = [f"{name} {version}" for name, version in sorted(reply.versions.items())]
    parts += [f"{name}: {arm}" for name, arm in sorted(reply.arms.items())]
    console.print(f"[dim]{escape('  ·  '.join(parts))}[/dim]")
    for step in reply.degraded:
        console.print(f"[yellow]degraded: {escape(step)}[/yellow]")


def _show_funnel(funnel: Any) -> None:
    left = sum(stage.offers for stage in funnel)
    rows = [("in the catalogue", "", str(left))]
    for stage in funnel:
        if stage.stage in ("outranked", "offered"):
            rows.append((_WORDS[stage.stage], "", str(stage.offers)))
            continue
        left -= stage.offers
        fell = str(stage.offers) if stage.offers else "·"
        rows.append((_WORDS.get(stage.stage, stage.stage), fell, str(left)))
    print_table("Where the offers ended", ["stage", "fell>", "left>"], rows)


def _show_slot(slot: Any, currency: str) -> None:
    sweetener = "" if slot.incentive_id == "none" else f" + {slot.incentive_id}"
    must = "  must be said" if slot.mandatory else ""
    console.print(
        f"\n[bold]{slot.rank}  {escape(slot.offer_id + sweetener)}[/bold]{must}"
        f"  [dim]chosen with probability {slot.probability:.4g}[/dim]"
    )
    _indented(f"{slot.priority:,.2f} {currency} = {escape(_formula(slot))}")
    _indented(escape(_propensity(slot)))
    if slot.context_rules:
        _indented(f"context: {escape(', '.join(slot.context_rules))}")
    if slot.switched_off:
        off = ", ".join(slot.switched_off)
        _indented(f"left out by the experiment, so counted as 1: {escape(off)}")
    for reason in slot.propensity_reasons:
        arrow = "[green]▲[/green]" if reason.contribution > 0 else "[red]▼[/red]"
        told = f"{abs(reason.contribution):.2f}  {reason.input}: {reason.value}"
        _indented(f"{arrow} {escape(told)}")


def _formula(slot: Any) -> str:
    """The priority as a product, e.g. ``30.5% × (20.00 - 0.01) × context 1.5 × lever 1.1``."""
    off = slot.switched_off
    charged = slot.cost * (1.0 + slot.shadow_price)
    money = f"({slot.value:,.2f} - {charged:,.2f})" if slot.cost else f"{slot.value:,.2f}"
    if slot.shadow_price:
        money = (
            f"({slot.value:,.2f} - {slot.cost:,.2f} × {1.0 + slot.shadow_price:.3g} scarce budget)"
        )
    return " × ".join(
        (
            "1" if "propensity" in off else f"{slot.propensity:.2%}",
            "1" if "value" in off else money,
            f"context {slot.context:.4g}",
            f"lever {slot.lever:.4g}",
        )
    )


def _propensity(slot: Any) -> str:
    prior = f"the usual {slot.prior:.2%}"
    if not slot.HasField("model_probability"):
        return f"{slot.propensity:.2%}: {prior} and the model's, which was not logged"
    if not slot.evidence:
        return f"{slot.propensity:.2%}: {prior}, nothing was learnt of it yet"
    seen = f"{slot.model_probability:.2%} from {slot.evidence:,.0f} outcomes"
    return f"{slot.propensity:.2%}: {prior} and the model's {seen}"


def _show_near_misses(misses: Any) -> None:
    if not misses:
        return
    console.print("\n[bold]Near misses[/bold]  one condition away, the most valuable first")
    for miss in misses:
        console.print(f"{escape(miss.offer_id)}  [dim]{miss.stage}: {escape(miss.rule)}[/dim]")
        _indented(escape(miss.needed))


def _show_refusals(reply: Any) -> None:
    place = {stage.stage: at for at, stage in enumerate(reply.funnel)}
    ordered = sorted(reply.refusals, key=lambda refusal: place[refusal.stage])
    for stage, several in groupby(ordered, key=lambda refusal: refusal.stage):
        rows = [
            (
                escape(" + ".join(filter(None, (one.offer_id, one.incentive_id)))),
                escape(one.rule),
                escape(one.detail),
            )
            for one in several
        ]
        console.print()
        print_table(f"Refused: {stage}", ["offer", "rule", "why"], rows)


def _indented(text: str, by: int = 3) -> None:
    console.print(Padding(text, (0, 0, 0, by)))
