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
from nbo.errors import NotFoundError
from world.calendar import PLAY_STARTS
from world.create import World
from world.files import identities
from world.history import History
from world.narration import say, show_caller, show_offers, show_refusals

CALLS_AT = PLAY_STARTS - timedelta(hours=2)  # the evening before the month that is measured
CHANNEL, AGENT, INTERACTION = "voice", "agent-07", "story-1"
FAVOURED = "internet"  # the group that the catalogue favours after a move
REHEARSED = 400  # callers at most; milliseconds each, and most stop earlier
CHOSEN = 0.5  # a first offer less probable than this was drawn to explore, not chosen as the best


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

    The engine is asked about callers with and without the event until it changes the first
    offer to one of the favoured group; else any change is taken. The telling is not staged.
    """
    best, most = None, (False, False, False)
    for caller in _candidates(world, history)[:REHEARSED]:
        telling = _telling(session, caller)
        if best is None or telling > most:
            best, most = caller, telling
        if all(telling):
            break
    if best is None:
        raise NotFoundError("caller", "any", "nobody in this world may be called")
    return best


def _telling(session: Any, caller: Caller) -> tuple[bool, bool, bool]:
    """How much the move changes; compares as a rank, most important first.

    Whether the first offer changes at all, whether to the favoured group, and whether there is
    another one behind it.
    """
    ask = _Asker(session, caller, "rehearsal")
    before, after = ask.offers(CALLS_AT), ask.offers(_after(3), event=_move(caller))
    if not (before.slots and after.slots):
        return False, False, False
    old, new = before.slots[0], after.slots[0]
    if min(old.probability, new.probability) < CHOSEN or old.offer_id == new.offer_id:
        return False, False, False
    return True, new.group_id == FAVOURED != old.group_id, len(after.slots) > 1


def _candidates(world: World, history: History) -> list[Caller]:
    """Customers of the engine's arm whom an internet offer would fit; shared phones come first.

    Reads only what a telecom knows.
    """
    phones = identities(world).filter(pl.col("kind") == "phone")
    phones = phones.with_columns(holders=pl.len().over("value")).filter(pl.col("score") == 1.0)
    named = phones.sort("holders", descending=True, maintain_order=True)
    p = history.profile
    fits = (
        _in_engine_arm(world)
        & (p["consent_voice"] & ~p["do_not_contact"])
        & ~np.isin(world.ids, _complained(world))
        & ((p["internet"] != "fibre") | ~p["has_gigabit"])
        & ((p["internet"] != "dsl") | p["fibre_available"])
    )
    row_of = {str(world.ids[row]): int(row) for row in np.flatnonzero(fits)}
    return [
        Caller(row_of[name], name, number)
        for name, number in named["customer_id", "value"].iter_rows()
        if name in row_of
    ]


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
    several = f"{len(matches)} customers use this number: {known}, likeliest first"
    say(console, "nbo", several if len(matches) > 1 else f"this is the number of {known}")
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
