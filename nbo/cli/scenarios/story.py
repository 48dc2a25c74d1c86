"""A scenario once it is read: every instant, customer and contact is settled, nothing is open.

The engine is told all of it through its ordinary doors; see `nbo.cli.scenarios.play`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import yaml

from features.events import Event
from features.identity import Identity
from nbo.decision.facts import Fact


class Person(NamedTuple):
    """One customer of one scenario.

    Attributes:
        customer_id: Of this scenario alone.
        facts: ``customer.*`` facts of the profile; what is left out is unknown.
        identities: Phone numbers, e-mails and account numbers.
    """

    customer_id: str
    facts: Mapping[str, Fact]
    identities: Sequence[Identity]


class Past(NamedTuple):
    """An offer made before the scenario begins, imported like any log of past offers.

    Attributes:
        at: When it was made.
        answered_at: When the customer answered.
    """

    customer_id: str
    at: datetime
    channel: str
    offer_id: str
    incentive_id: str
    outcome: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer must and must not hold; what is not told is not looked at.

    Attributes:
        offered: All of these are in the answer.
        not_offered: None of these is.
        only: The answer holds exactly these, in any order.
        first: Stands in slot 1.
        nothing: The answer is empty.
        incentive: Offer to the incentive it comes with.
        because: Offer to the stage at which it fell, and after a colon a text that the rule or
            its detail holds.
        reason: Offer to a text that one of its reasons holds.
        script: Offer to a text that its script holds.
        immediate_use: Offers whose incentive can be used at once.
        mandatory: Offers that stand there because they must be said.
        bundle: Offer to the offers sold as one under it.
        degraded: Steps down the answer is made with. Any other is a difference, told or not,
            save "prior propensity": scenarios have no trained model.
    """

    offered: tuple[str, ...] = ()
    not_offered: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    first: str = ""
    nothing: bool = False
    incentive: Mapping[str, str] = field(default_factory=dict)
    because: Mapping[str, str] = field(default_factory=dict)
    reason: Mapping[str, str] = field(default_factory=dict)
    script: Mapping[str, str] = field(default_factory=dict)
    immediate_use: tuple[str, ...] = ()
    mandatory: tuple[str, ...] = ()
    bundle: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """Whether anything is expected at all."""
        return self != Expectation()


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the engine, what to offer now."""

    line: int
    at: datetime
    customer_id: str
    channel: str
    interaction_id: str
    slots: int
    intent: str
    language: str
    agent_id: str
    facts: Mapping[str, Fact]
    expect: Expectation


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an offer of the last question.

    Attributes:
        until: When to offer it again, for DEFERRED.
    """

    line: int
    at: datetime
    offer_id: str
    outcome: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happens to a customer."""

    line: int
    event: Event


@dataclass(frozen=True, slots=True)
class Identify:
    """Whose number this is.

    Attributes:
        expected: Customers, most likely first; None when anybody will do.
        names: What the file calls them, by id.
    """

    line: int
    value: str
    expected: tuple[str, ...] | None
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Screen:
    """What the agent sees of a customer.

    Attributes:
        facts: These, with these values.
        contacts: Latest first, as (offer, outcome); None when it does not matter.
        latest_event: Type of the last event; empty when it does not matter.
    """

    line: int
    at: datetime
    customer_id: str
    facts: Mapping[str, Fact]
    contacts: tuple[tuple[str, str], ...] | None
    latest_event: str


@dataclass(frozen=True, slots=True)
class Publish:
    """A changed catalogue is put in force.

    Attributes:
        change: Sections of a catalogue; see `nbo.cli.scenarios.change`.
    """

    line: int
    change: yaml.Node


Step = Ask | Answer | Happening | Identify | Screen | Publish


@dataclass(frozen=True, slots=True)
class Scenario:
    """One sentence and what tells whether it holds.

    Attributes:
        number: Among all that are run together, 1 first.
        begins: The instant from which its steps are told.
        people: Its customers; nobody else's scenario touches them.
        events: What happened before it begins.
        history: What was offered before it begins.
        steps: In order.
    """

    number: int
    name: str
    file: Path
    line: int
    begins: datetime
    people: Sequence[Person]
    events: Sequence[Event]
    history: Sequence[Past]
    steps: Sequence[Step]
