"""`nbo identify | customer | offers | event | outcome`: what an agent's desktop does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding

from nbo.cli.instants import typed_instant
from nbo.cli.output import console, print_json, print_table
from nbo.cli.workspace import JsonOption, WorkspaceOption, connect, naming_options
from nbo.decision.facts import Fact, FactType
from nbo.errors import BadInputError
from nbo.settings import Settings

AtOption = Annotated[
    str, typer.Option("--at", help="Instant, ISO 8601 with time zone.", show_default="now")
]
ChannelOption = Annotated[str, typer.Option(help="One of the catalogue's channels.")]
AttributeOption = Annotated[
    list[str], typer.Option("--set", help="Attribute of the event, name=value; may be repeated.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "identify", epilog="Example:  nbo identify DE-00042   ·   nbo identify '+49 30 1234567'"
    )(identify)
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
        reply = client.customer(customer_id, at=typed_instant("--at", at))
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
    instant = typed_instant("--at", at)
    if attributes and not event:
        raise BadInputError("--set", "belongs to a triggering event: give --event TYPE too")
    trigger = None
    if event:
        known = _declared(workspace, event)
        moment = instant or datetime.now(UTC)
        trigger = _event(customer_id, event, attributes, moment, "", known)
    with (
        connect(workspace) as client,
        naming_options(interaction_id="--interaction", agent_id="--agent", slots="--slots"),
    ):
        reply = client.offers(
            customer_id,
            interaction_id=interaction or f"cli-{uuid.uuid4()}",
            channel=channel,
            agent_id=agent,
            event=trigger,
            slots=slots,
            at=instant,
            refusals=refusals,
        )
    if as_json:
        print_json(reply)
        return
    _show_offers(reply)
    if refusals:
        for refusal in reply.refusals:
            what = " + ".join(filter(None, (refusal.offer_id, refusal.incentive_id)))
            console.print(f"[red]✗[/red] {escape(what)}  {refusal.stage}: {escape(refusal.rule)}")
            console.print(Padding(escape(refusal.detail), (0, 0, 0, 4)), style="dim")


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
    instant = typed_instant("--at", at) or datetime.now(UTC)
    known = _declared(workspace, event_type)
    event_id = event_id or str(uuid.uuid4())
    given = _event(customer_id, event_type, attributes, instant, event_id, known)
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
            at=typed_instant("--at", at),
            reason=reason,
            defer_until=typed_instant("--until", until),
            idempotency_key=key,
        )
    if as_json:
        print_json(reply)
    else:
        typer.echo(f"recorded as {reply.outcome_id}")


def _worth(slot: Any, currency: str) -> str:
    worth = f"{slot.value:,.2f} {currency} if accepted, by {slot.propensity:.0%}"
    return f"{worth}; {slot.expected_value:,.2f} {currency} expected with context and levers"


def _show_offers(reply: Any) -> None:
    for slot in reply.slots:
        name = slot.offer_name or slot.offer_id
        sweetener = f"  + {slot.incentive_name}" if slot.incentive_name else ""
        console.print(f"[bold]{slot.rank}  {escape(name)}[/bold]{escape(sweetener)}")
        money = "must be said" if slot.mandatory else _worth(slot, reply.currency)
        for line in (money, "; ".join(slot.reasons), f"“{slot.script}”" if slot.script else ""):
            if line:
                console.print(Padding(escape(line), (0, 0, 0, 3)))
    if not reply.slots:
        why = "" if reply.refusals else "; add --refusals to see why"
        console.print(f"Nothing to offer now{why}.")
    arms = ", ".join(f"{name}: {arm}" for name, arm in reply.arms.items())
    console.print(
        f"[dim]decision {reply.decision_id}  model {reply.versions['model']}"
        + (f"  experiment {arms}" if arms else "")
        + "[/dim]"
    )
    for step in reply.degraded:
        console.print(f"[yellow]degraded: {escape(step)}[/yellow]")


def _declared(workspace: Path, event_type: str) -> Mapping[str, FactType]:
    """Attributes of an event type and their kinds; empty when the workspace was never compiled."""
    from features.schema import FeatureSchema

    settings = Settings.load(workspace)
    if not settings.schema_file.is_file():
        return {}
    declared = FeatureSchema.load(settings.schema_file).events.get(event_type)
    return declared.types if declared else {}


def _event(
    customer_id: str,
    event_type: str,
    attributes: list[str],
    at: datetime,
    event_id: str,
    known: Mapping[str, FactType],
) -> Any:
    from features.stream import Event

    return Event(
        event_id=event_id,
        customer_id=customer_id,
        type=event_type,
        at=at,
        attributes=dict(_attribute(text, known) for text in attributes),
    )


def _attribute(text: str, known: Mapping[str, FactType]) -> tuple[str, Fact]:
    """One ``name=value``, read as its declared kind; the server judges what is not declared."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInputError("--set", f"must read name=value, was {text!r}")
    kind = known.get(name, FactType.TEXT)
    if kind is FactType.FLAG:
        if value not in ("true", "false"):
            raise BadInputError("--set", f"{name} must be true or false, was {value!r}")
        return name, value == "true"
    if kind is FactType.NUMBER:
        try:
            return name, float(value)
        except ValueError as error:
            raise BadInputError("--set", f"{name} must be a number, was {value!r}") from error
    return name, value


def _shown(value: Any) -> str:
    kind = value.WhichOneof("kind")
    held = getattr(value, kind)
    return f"{held:,.6g}" if kind == "number" else str(held)
