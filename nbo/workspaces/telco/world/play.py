"""Thirty days of calls: ask, present the first offer, answer from the truth, remember.

The play knows nothing of the engine but one function: a call in, a suggestion out. Every
customer's own world moves on with what was offered and bought, whoever suggested it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import NamedTuple

import numpy as np

from features.stream import Event
from world.behaviour import AGENTS, INTENTS, churn, probability
from world.create import World
from world.eligibility import buy
from world.history import History
from world.past import situation
from world.population import Array, take


class Call(NamedTuple):
    """One customer calling.

    Attributes:
        index: Row in `World.calls`.
        row: Of the customer.
        interaction_id: Of this call.
        event: What just happened to the customer; None for an ordinary call.
    """

    index: int
    row: int
    customer_id: str
    interaction_id: str
    at: datetime
    agent_id: str
    intent: str
    event: Event | None


class Suggestion(NamedTuple):
    """What the engine said first.

    Attributes:
        arm: Of the experiment.
        offer_id: Empty when the engine stayed silent.
        record: Tells the engine the outcome; called with ``"ACCEPTED"`` etc.
    """

    arm: str
    offer_id: str
    incentive_id: str
    record: Callable[[str], None]


class Answer(NamedTuple):
    """What came of one call.

    Attributes:
        truth: Probability with which the customer accepts; NaN when nothing was offered.
        margin: V - cost of what was offered, EUR.
        outcome: ``"ACCEPTED"``, ``"DECLINED"``, ``"NO_RESPONSE"``; empty when nothing was offered.
    """

    row: int
    arm: str
    offer_id: str
    truth: float
    margin: float
    outcome: str


class Play:
    """The simulated month; each customer's calls must come in order, customers may overlap."""

    def __init__(self, world: World, history: History) -> None:
        self.world = world
        self.profile = {name: column.copy() for name, column in history.profile.items()}
        self.past = history.past.take(np.arange(len(world.ids)))
        self.first_bill = self.profile["monthly_charges"].copy()
        draw = np.random.default_rng([world.seed, 30])
        self._luck = draw.random((world.calls.height, 2))
        self._leaving = draw.random(len(world.ids))

    def days(self) -> Iterator[list[Call]]:
        """The calls day by day, in order of time."""
        events = {row["event_id"]: row for row in self.world.events.to_dicts()}
        calls = self.world.calls.with_row_index("index")
        for _, day in calls.group_by(calls["day"].floor(), maintain_order=True):
            yield [self._call(row, events) for row in day.to_dicts()]

    def answer(self, call: Call, ask: Callable[[Call], Suggestion]) -> Answer:
        """Let one call happen."""
        said = ask(call)
        if not said.offer_id:
            return Answer(call.row, said.arm, "", np.nan, 0.0, "")
        terms, rows = self.world.terms, np.array([call.row])
        offer = terms.offers.index(said.offer_id)
        incentive = terms.incentives.index(said.incentive_id)
        truth = float(self.truth(call)[offer, incentive])
        accepts, answers = self._luck[call.index]
        no = "NO_RESPONSE" if answers < 1 / 7 else "DECLINED"
        outcome = "ACCEPTED" if accepts < truth else no
        said.record(outcome)
        day = self.world.calls["day"][call.index]
        self.past.add(rows, np.array([day]), np.array([offer]), np.array([outcome]))
        if outcome == "ACCEPTED":
            buy(self.profile, rows, np.array([offer]), terms)
        margin = float(terms.margin[offer, incentive])
        return Answer(call.row, said.arm, said.offer_id, truth, margin, outcome)

    def truth(self, call: Call) -> Array:
        """(offers, incentives) true acceptance probability on this call."""
        rows = np.array([call.row])
        here = situation(self.world.calls[call.index], self.past.take(rows))
        people, profile = self.world.people.take(rows), take(self.profile, rows)
        return probability(people, profile, here, self.world.terms)[0]

    def bill_change(self, rows: Sequence[int]) -> Array:
        """EUR a month by which these customers' bills moved; those who left pay nothing."""
        first_day = self.world.calls["day"].min()
        in_month = self.past.day >= first_day
        declined = (in_month & self.past.declined).sum(axis=1).astype(float)
        risk = churn(declined, self._dropped_calls(), self.profile["contract"] == "two_years")
        bill = np.where(self._leaving < risk, 0.0, self.profile["monthly_charges"])
        change: Array = (bill - self.first_bill)[list(rows)]
        return change

    def _dropped_calls(self) -> Array:
        month = self.world.events.filter(
            (self.world.events["type"] == "network.dropped_call")
            & (self.world.events["day"] >= self.world.calls["day"].min())
        )
        return np.bincount(month["row"].to_numpy(), minlength=len(self.world.ids)).astype(float)

    def _call(self, row: dict, events: dict[str, dict]) -> Call:
        event = events[row["event_id"]] if row["event_id"] else None
        return Call(
            index=row["index"],
            row=row["row"],
            customer_id=row["customer_id"],
            interaction_id=f"call-{row['index']:05d}",
            at=row["at"],
            agent_id=AGENTS[row["agent"]],
            intent=list(INTENTS)[row["intent"]],
            event=as_event(event) if event else None,
        )


def as_event(row: dict) -> Event:
    """An event of the world as the engine takes it; attributes it does not have are left out."""
    names = ("gb", "video_hours", "abroad_minutes", "weak_signal_hours", "topic")
    attributes = {name: row[name] for name in names if row[name] is not None}
    return Event(row["event_id"], row["customer_id"], row["type"], row["at"], attributes)


def run_day(
    play: Play, calls: Sequence[Call], ask: Callable[[Call], Suggestion], desks: int, pool: Executor
) -> list[Answer]:
    """One day's calls on several desks at once; a customer always reaches the same desk."""
    queues = [[call for call in calls if call.row % desks == desk] for desk in range(desks)]
    answered = pool.map(lambda queue: [play.answer(call, ask) for call in queue], queues)
    return [answer for queue in answered for answer in queue]
