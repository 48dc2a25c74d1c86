"""`nbo identify | customer | offers | event | outcome`: what an agent's desktop does."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from nbo.cli.output import console, print_json, print_table
from nbo.cli.workspace import JsonOption, WorkspaceOption, connect
from nbo.errors import BadInputError

AtOption = Annotated[
    str, typer.Option("--at", help="Instant, ISO 8601 with time zone.", show_default="now")
]
ChannelOption = Annotated[str, typer.Option(help="One of the catalogue's channels.")]
AttributeOption = Annotated[
    list[str], typer.Option("--set", help="Attribute of the event, name=value; may be repeated.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("identify", epilog="Example:  nbo identify '+49 30 5550100'")(identify)
    app.command("customer", epilog="Example:  nbo customer c-00017")(customer)
    app.command(
        "offers",
        epilog="Examples:  nbo offers c-00017   ·   "
        "nbo offers c-00017 --event billing.address_changed --refusals",
    )(offers)
    app.command("event", epilog="Example:  nbo event c-00017 web.clicked --set topic=internet")(
        event
    )
    app.command("outcome", epilog="Example:  nbo outcome DECISION_ID 1 DECLINED --reason PRICE")(
        outcome
    )


def identify(
    identity: Annotated[str, typer.Argument(help="Phone, e-mail, account number or id.")],
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Find the customers an identity may belong to, most likely first."""
    with connect(workspace) as client:
        matches = client.identify(identity)
    if as_json:
        print_json(
            [
                {"customer_id": m.customer_id, "kind": m.kind, "likelihood": m.likelihood}
                for m in matches
            ]
        )
        return
    rows = [(m.customer_id, m.kind, f"{m.likelihood:.0%}") for m in matches]
    print_table(f"{identity}: {len(rows)} found", ["customer", "by", "likelihood>"], rows)


def customer(
    customer_id: Annotated[str, typer.Argument()],
    at: AtOption = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Show what is known about a customer: facts, recent contacts, latest event."""
    from nbo.client import outcome_name

    with connect(workspace) as client:
        reply = client.customer(customer_id, at=_instant("--at", at))
    if as_json:
        print_json(reply)
        return
    facts = sorted((name, _shown(value)) for name, value in reply.facts.items())
    print_table(customer_id, ["fact", "value>"], facts)
    contacts = [
        (
            c.at.ToDatetime(UTC).isoformat(" ", "seconds"),
            c.channel,
            c.offer_id,
            outcome_name(c.outcome),
        )
        for c in reply.contacts
    ]
    print_table("Recent contacts", ["at", "channel", "offer", "outcome"], contacts)


def offers(
    customer_id: Annotated[str, typer.Argument()],
    event: Annotated[str, typer.Option(help="Type of the triggering event.")] = "",
    attributes: AttributeOption = [],  # noqa: B006  # typer reads the default, nobody changes it
    channel: ChannelOption = "voice",
    slots: Annotated[int, typer.Option(help="At most so many offers.")] = 3,
    interaction: Annotated[
        str, typer.Option(help="Id of the contact.", show_default="a fresh one")
    ] = "",
    agent: Annotated[str, typer.Option(help="Id of the agent.")] = "",
    at: AtOption = "",
    refusals: Annotated[bool, typer.Option("--refusals", help="List what was refused.")] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Ask what to offer a customer now, with which incentive, and why."""
    instant = _instant("--at", at)
    trigger = None
    if event:
        trigger = _event(customer_id, event, attributes, instant or datetime.now(UTC), "")
    with connect(workspace) as client:
        reply = client.offers(
            customer_id,
            interaction_id=interaction or f"cli-{uuid.uuid4()}",
            channel=channel,
            agent_id=agent,
            event=trigger,
            slots=slots,
            at=instant,
            refusals=refusals or as_json,
        )
    if as_json:
        print_json(reply)
        return
    _show_offers(reply)
    if refusals:
        rows = [(r.offer_id, r.incentive_id, r.stage, r.rule, r.detail) for r in reply.refusals]
        print_table("Refused", ["offer", "incentive", "stage", "rule", "because"], rows)


def event(
    customer_id: Annotated[str, typer.Argument()],
    event_type: Annotated[str, typer.Argument(help="One of the workspace's event types.")],
    attributes: AttributeOption = [],  # noqa: B006  # typer reads the default, nobody changes it
    at: AtOption = "",
    event_id: Annotated[
        str, typer.Option("--id", help="Event id; a repeated one counts once.")
    ] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Publish an event of a customer."""
    instant = _instant("--at", at) or datetime.now(UTC)
    given = _event(customer_id, event_type, attributes, instant, event_id or str(uuid.uuid4()))
    with connect(workspace) as client:
        reply = client.publish([given])
    for error in reply.errors:
        raise BadInputError(error.field.removeprefix("events[0]."), error.description)
    if as_json:
        print_json(reply)
    else:
        typer.echo("accepted" if reply.accepted else "already known, counted once")


def outcome(
    decision_id: Annotated[str, typer.Argument(help="From `nbo offers`.")],
    rank: Annotated[int, typer.Argument(help="Position of the slot, 1 first.")],
    kind: Annotated[
        str, typer.Argument(help="PRESENTED, ACCEPTED, DECLINED, DEFERRED, NO_RESPONSE, SKIPPED …")
    ],
    reason: Annotated[str, typer.Option(help="PRICE, NOT_NEEDED, HAS_IT_ELSEWHERE …")] = "",
    until: Annotated[str, typer.Option(help="For DEFERRED: offer again then, ISO 8601.")] = "",
    at: AtOption = "",
    key: Annotated[
        str, typer.Option(help="Idempotency key, to repeat a call safely.", show_default="fresh")
    ] = "",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Record what came of a slot; durable when the command returns."""
    with connect(workspace) as client:
        reply = client.outcome(
            decision_id,
            rank,
            kind,
            at=_instant("--at", at),
            reason=reason,
            defer_until=_instant("--until", until),
            idempotency_key=key,
        )
    if as_json:
        print_json(reply)
    else:
        typer.echo(f"recorded as {reply.outcome_id}")


def _show_offers(reply: Any) -> None:
    rows = [
        (
            str(slot.rank),
            slot.offer_name or slot.offer_id,
            slot.incentive_name or "–",
            f"{slot.propensity:.1%}",
            f"{slot.value:,.2f}",
            f"{slot.expected_value:,.2f}",
            "; ".join(slot.reasons),
        )
        for slot in reply.slots
    ]
    columns = ["#>", "offer", "incentive", "propensity>", f"value {reply.currency}>", "expected>"]
    if rows:
        print_table("", [*columns, "why"], rows)
        console.print(f"Say: [italic]{reply.slots[0].script}[/italic]")
    else:
        console.print("Nothing to offer now; add --refusals to see why.")
    console.print(f"[dim]decision {reply.decision_id}  model {reply.versions['model']}[/dim]")
    for step in reply.degraded:
        console.print(f"[yellow]degraded: {step}[/yellow]")


def _event(
    customer_id: str, event_type: str, attributes: list[str], at: datetime, event_id: str
) -> Any:
    from features.stream import Event

    return Event(
        event_id=event_id,
        customer_id=customer_id,
        type=event_type,
        at=at,
        attributes=dict(_attribute(text) for text in attributes),
    )


def _attribute(text: str) -> tuple[str, float | str | bool]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInputError("--set", f"must read name=value, was {text!r}")
    if value in ("true", "false"):
        return name, value == "true"
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _instant(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(option, f"must be an ISO 8601 instant, was {text!r}") from error
    if at.tzinfo is None:
        raise BadInputError(option, f"must carry a time zone, e.g. {text}Z, was {text!r}")
    return at


def _shown(value: Any) -> str:
    kind = value.WhichOneof("kind")
    held = getattr(value, kind)
    return f"{held:,.6g}" if kind == "number" else str(held)
