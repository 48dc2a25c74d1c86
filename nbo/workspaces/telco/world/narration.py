"""How the demo speaks: calm tables and panels on a rich console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nbo.measure.intervals import Estimate
from world.scoreboard import Scoreboard

ARM_NAMES: Mapping[str, str] = {
    "generic": "the best-margin promotion for everyone, no incentive",
    "propensity": "what this customer most likely takes, whatever it brings",
    "engine": "nbo: offer and incentive by expected money, learning as it goes",
    "oracle": "the same, told the simulation's hidden truth",
}
ABOUT_BILLS = (
    "of all customers who called, offered something or not, before and after the month; "
    "who left pays nothing. The change holds what would have happened anyway; the last column "
    "does not, as customers were divided by chance."
)
SHOWN_FACTS: Mapping[str, str] = {
    "tenure_months": "customer for",
    "contract": "contract",
    "mobile_plan": "mobile plan",
    "internet": "internet",
    "monthly_charges": "bill",
    "data_gb": "data last month",
    "video_hours": "video last month",
    "price_clicks_90d": "clicks on prices",
}
UNITS: Mapping[str, str] = {
    "tenure_months": " months",
    "monthly_charges": " EUR",
    "data_gb": " GB",
    "video_hours": " h",
}


def chapter(console: Console, title: str, text: str = "") -> None:
    """Open a part of the story."""
    console.print()
    console.rule(f"[bold]{title}[/bold]", align="left", style="dim")
    if text:
        console.print(Padding(Text(text, style="dim"), (0, 0, 1, 0)))


def say(console: Console, who: str, text: str) -> None:
    """One line of the call; what does not fit goes on under the text."""
    console.print(_labelled([(f"[bold cyan]{who}[/bold cyan]", text)], 9))


def show_caller(console: Console, facts: Mapping[str, Any]) -> None:
    """What the agent sees of the customer."""
    table = Table.grid(padding=(0, 3))
    entries = [
        f"[dim]{label}[/dim] {_fact(facts[name])}{UNITS.get(name, '')}"
        for name, label in SHOWN_FACTS.items()
        if name in facts
    ]
    for first in range(0, len(entries), 2):
        table.add_row(*entries[first : first + 2])
    console.print(Padding(table, (0, 0, 1, 12)))


def show_offers(console: Console, reply: Any, took_ms: float) -> None:
    """The answer on the agent's screen: ranked offers, and the words for the first."""
    parts: list[Any] = [part for slot in reply.slots for part in _slot(slot)]
    if reply.slots:
        parts.append(Text(f"\n“{reply.slots[0].script}”", style="italic"))
    else:
        parts = [Text("Nothing: an empty answer is an answer.", style="italic")]
    title = f"[dim]GetOffers · {took_ms:.1f} ms · {reply.versions.get('model', '')}[/dim]"
    box_ = Panel(Group(*parts), title=title, title_align="left", border_style="green")
    console.print(Padding(box_, (0, 0, 1, 2)))


def _slot(slot: Any) -> list[Any]:
    """One offer: name and worth in columns, incentive and reasons across the box."""
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column()
    line.add_column(ratio=1)
    line.add_column(justify="right", no_wrap=True)
    # Numbers of one width: every offer is a grid of its own, and they must still align.
    line.add_row(
        f"{slot.rank}",
        Text(slot.offer_name, style="bold green" if slot.rank == 1 else "bold"),
        f"[dim]accepts[/dim] {slot.propensity:>3.0%} [dim]×[/dim] {slot.value:>3.0f} € "
        f"[dim]=[/dim] {slot.expected_value:>3.0f} €",
    )
    why = "; ".join(slot.reasons[:2])
    # The weights of context and lever are the rest of the product.
    weight = slot.expected_value / (slot.propensity * slot.value)
    weighted = f" (×{weight:.2f})" if abs(weight - 1) > 0.005 else ""
    below = [Text(f"{why}{weighted}", style="dim")]
    if slot.incentive_id != "none":
        below.insert(0, Text(f"+ {slot.incentive_name}", style="yellow"))
    return [line, *(Padding(text, (0, 0, 0, 2)) for text in below)]


def show_refusals(console: Console, refusals: Sequence[Any], most: int = 4) -> None:
    """What is not offered, and why; the telling ones first."""
    order = {"contact policy": 0, "applicability": 1, "suitability": 1, "eligibility": 2}
    whole = [r for r in refusals if not r.incentive_id]
    whole = sorted(whole, key=lambda r: order.get(r.stage, 1))
    if not whole:
        return
    table = Table.grid(padding=(0, 2))
    for refusal in whole[:most]:
        table.add_row(f"[dim]✗[/dim] {refusal.offer_id}", f"[dim]{_why(refusal)}[/dim]")
    if len(whole) > most:
        table.add_row(f"[dim]  and {len(whole) - most} more[/dim]", "")
    console.print(Padding(table, (0, 0, 1, 12)))


def _why(refusal: Any) -> str:
    return f"{refusal.stage}: {refusal.rule} – {refusal.detail}"


def show_model(console: Console, report: Mapping[str, Any]) -> None:
    """How good the first model is, beside the simplest baselines, if the report says so."""
    figures = report.get("figures", {})
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="dim")
    table.add_column("judged on the latest exposures")
    for header in ("AUC", "log loss", "calibration", "lift"):
        table.add_column(header, justify="right")
    for name, figure in figures.items():
        keys = ("auc", "log_loss", "ece", "lift")
        table.add_row(name, *(_figure(figure.get(key)) for key in keys))
    if figures:
        console.print(table)


def show_scoreboard(console: Console, board: Scoreboard) -> None:
    """The month, arm by arm: what was offered, and what became of the bills."""
    table = _by_arm("offers", "accepted, %", "margin, € per offer")
    for arm, figures in board.arms.items():
        table.add_row(
            arm,
            f"{figures.exposures:,}",
            _with_range(figures.acceptance, 100, ".0f"),
            _with_range(figures.margin, 1, ".1f"),
            style=_style(arm),
        )
    console.print(table)
    bills = _by_arm("customers", "change of bill, € a month", "more than generic")
    for arm, figures in board.arms.items():
        gain = board.bill_gain.get(arm)
        bills.add_row(
            arm,
            f"{figures.customers:,}",
            _with_range(figures.bill_change, 1, "+.1f"),
            _with_range(gain, 1, "+.1f") if gain else "–",
            style=_style(arm),
        )
    console.print(bills)
    notes = [*ARM_NAMES.items(), ("bills", ABOUT_BILLS)]
    console.print(
        _labelled([(f"[dim]{name}[/dim]", f"[dim]{note}[/dim]") for name, note in notes], 11)
    )
    console.print()


def show_verdict(console: Console, board: Scoreboard) -> None:
    """One panel to remember."""
    low, mid = board.arms["generic"], board.arms["engine"]
    gap = board.gap_closed
    uplift = mid.margin.value / low.margin.value - 1
    bill = board.bill_gain["engine"]
    lines = (
        f"[bold green]{gap.value:.0%}[/bold green] of the way from generic to perfect knowledge "
        f"[dim]({gap.low:.0%} to {gap.high:.0%})[/dim]\n"
        f"[bold]{uplift:+.0%}[/bold] margin per offer, acceptance "
        f"[bold]{low.acceptance.value:.0%} → {mid.acceptance.value:.0%}[/bold]\n"
        f"[bold]{bill.value:+.1f} €[/bold] a month on a caller's bill, more than generic "
        f"[dim]({bill.low:+.1f} to {bill.high:+.1f})[/dim]\n"
        f"GetOffers as the client saw it, under load: p50 [bold]{board.p50_ms:.1f} ms[/bold], "
        f"p99 [bold]{board.p99_ms:.1f} ms[/bold]\n"
        "[dim]All figures are simulated. Brackets: 95 % intervals, by customer.[/dim]"
    )
    console.print(Panel(lines, border_style="green", padding=(1, 2)))


def _labelled(lines: Sequence[tuple[str, str]], width: int) -> Padding:
    """Labels of `width` characters with their texts beside them, wrapped under themselves."""
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=width, no_wrap=True)
    table.add_column()
    for label, text in lines:
        table.add_row(label, text)
    return Padding(table, (0, 0, 0, 2))


def _by_arm(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="dim")
    table.add_column("arm", no_wrap=True)
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def _style(arm: str) -> str:
    return "bold green" if arm == "engine" else ""


def _with_range(estimate: Estimate, scale: float, form: str) -> str:
    value, low, high = (format(part * scale, form) for part in estimate)
    return f"{value} [dim]({low}–{high})[/dim]"


def _figure(value: Any) -> str:
    """A figure of a report, plain or with an interval."""
    if isinstance(value, Mapping):
        value = value.get("value")
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        value = value[0]
    return f"{value:.3f}" if isinstance(value, int | float) else "–"


def _fact(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) or value >= 10 else f"{value:.1f}"
    return str(value).replace("_", " ")
