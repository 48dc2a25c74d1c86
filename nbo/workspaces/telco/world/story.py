"""One call, told in full: who calls, what just happened, what is offered, what is answered."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.stream import Event
from nbo.decision.experiments import assign
from world.calendar import PLAY_STARTS
from world.create import World
from world.files import identities
from world.history import History
from world.narration import say, show_caller, show_offers, show_refusals

CALLS_AT = PLAY_STARTS - timedelta(hours=2)  # the evening before the month that is measured
CHANNEL, AGENT, INTERACTION = "voice", "agent-07", "story-1"


REHEARSED = 25


class Caller(NamedTuple):
    """Whom the story is about.

    Attributes:
        phone: Number the call comes from, known for two customers.
    """

    row: int
    customer_id: str
    phone: str


def choose_caller(session: Any, world: World, history: History) -> Caller:
    """A customer whose story says something: a move that changes the best offer.

    The engine is asked about a few customers with and without the event, and the first whose
    answer it changes is taken; the telling itself is not staged.
    """
    callers = _candidates(world, history)[:REHEARSED]
    for caller in callers:
        ask = _Asker(session, caller, "rehearsal")
        before, after = ask.offers(CALLS_AT), ask.offers(_after(3), event=_move(caller))
        if not (before.slots and len(after.slots) > 1):
            continue
        first = after.slots[0]
        sweetened = first.incentive_id != "none"
        if first.group_id == "internet" != before.slots[0].group_id and sweetened:
            return caller
    return callers[0]


def _candidates(world: World, history: History) -> list[Caller]:
    """Customers of the engine's arm who share a phone and could buy fibre, most suited first.

    Reads only what a telecom knows; a wish that nobody fulfils is given up.
    """
    named = identities(world).filter(pl.col("kind") == "phone")
    shared = named.filter(pl.len().over("value") == 2).filter(pl.col("score") == 1.0)
    row_of = {name: row for row, name in enumerate(world.ids)}
    phones = {row_of[name]: number for name, number in shared["customer_id", "value"].iter_rows()}
    p, past = history.profile, history.past
    idle = (past.day < world.calls["day"].min() - 60).all(axis=1)
    wishes = [
        _in_engine_arm(world) & p["consent_voice"] & ~p["do_not_contact"],
        ~np.isin(world.ids, _complained(world)) & idle,
        p["internet"] != "none",
        (p["internet"] == "fibre") | p["fibre_available"],
        p["has_mobile"],
    ]
    rows = np.array(sorted(phones))
    for wish in wishes:
        rows = rows[wish[rows]] if wish[rows].any() else rows
    return [Caller(int(row), str(world.ids[row]), phones[int(row)]) for row in rows]


def _in_engine_arm(world: World) -> NDArray[np.bool_]:
    """Which customers the experiment gives to the engine; a salted hash, known beforehand."""
    (policy,) = world.catalog.experiments
    return np.array([assign(policy, name).arm_id == "engine" for name in world.ids])


def tell(session: Any, caller: Caller) -> None:
    """Play the call over gRPC and show what the agent sees."""
    client, console = session.client, session.console
    say(console, "phone", f"a call from [bold]{caller.phone}[/bold]")
    matches = client.identify(caller.phone)
    known = " or ".join(f"[bold]{match.customer_id}[/bold]" for match in matches)
    say(console, "nbo", f"{len(matches)} customers use this number: {known}, likeliest first")
    say(console, "agent", f"“Am I speaking with {caller.customer_id}?” – “Yes.”")
    facts = _facts(client.customer(caller.customer_id, at=CALLS_AT))
    show_caller(console, facts)
    ask = _Asker(session, caller, INTERACTION)
    say(console, "nbo", "if nothing had happened, it would suggest:")
    ask.shown(CALLS_AT)

    say(console, "event", "[bold yellow]billing.address_changed[/bold yellow] arrives: a new home")
    client.publish([_move(caller)])
    session.wait_for_events()
    say(console, "nbo", "the same question, three minutes later:")
    reply = ask.shown(_after(3), refusals=True)
    show_refusals(console, reply.refusals)
    if not reply.slots:
        return
    first = reply.slots[0]
    say(console, "customer", "“Too expensive, thank you.”")
    say(console, "agent", f"records [bold]DECLINED[/bold] for {first.offer_name}, reason price")
    client.outcome(reply.decision_id, 1, "DECLINED", at=_after(4), reason="PRICE")
    _wait_until_known(client, caller.customer_id, first.offer_id)
    say(console, "nbo", "what was declined is not repeated, in this call or in any channel:")
    again = ask.shown(_after(5), refusals=True)
    show_refusals(console, [r for r in again.refusals if r.offer_id == first.offer_id])


class _Asker:
    """Asks for offers to one customer in one interaction."""

    def __init__(self, session: Any, caller: Caller, interaction_id: str) -> None:
        self._session = session
        self._caller = caller
        self._interaction_id = interaction_id

    def offers(self, at: datetime, *, refusals: bool = False, event: Event | None = None) -> Any:
        """The engine's reply."""
        return self._session.client.offers(
            self._caller.customer_id,
            interaction_id=self._interaction_id,
            channel=CHANNEL,
            agent_id=AGENT,
            intent="question",
            event=event,
            slots=3,
            at=at,
            refusals=refusals,
        )

    def shown(self, at: datetime, *, refusals: bool = False) -> Any:
        """The engine's reply, shown with the time it took."""
        started = time.perf_counter()
        reply = self.offers(at, refusals=refusals)
        show_offers(self._session.console, reply, 1000 * (time.perf_counter() - started))
        return reply


def _move(caller: Caller) -> Event:
    return Event("e-story", caller.customer_id, "billing.address_changed", _after(2))


def _after(minutes: int) -> datetime:
    return CALLS_AT + timedelta(minutes=minutes)


def _wait_until_known(client: Any, customer_id: str, offer_id: str) -> None:
    """The outcome is safe when the call returns; its way into the history takes milliseconds."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        contacts = client.customer(customer_id, at=_after(5)).contacts
        if any(c.offer_id == offer_id and c.interaction_id == INTERACTION for c in contacts):
            return
        time.sleep(0.01)


def _facts(reply: Any) -> dict[str, Any]:
    """Facts of the profile and the windows by their short names."""
    return {
        name.removeprefix("customer."): getattr(value, value.WhichOneof("kind"))
        for name, value in reply.facts.items()
        if name.startswith("customer.")
    }


def _complained(world: World) -> list[str]:
    since = world.events["type"].str.starts_with("care.complaint")
    recent = world.events.filter(since & (pl.col("at") >= CALLS_AT - timedelta(days=60)))
    return recent["customer_id"].unique().to_list()
