"""From a question about a customer to a logged decision: facts, decide, log.

The way through: one Redis round trip for everything known, `decide()` on plain values, one
round trip to take what the answer uses of caps and budgets, if it uses any, and one to log the
decision before the reply.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from features.events import Event, event_facts
from features.reader import Beside, CustomerFacts, CustomerReader
from nbo.decision.decide import World
from nbo.decision.decision import Decision
from nbo.decision.facts import Fact
from nbo.decision.history import history_facts
from nbo.decision.request import Request
from nbo.errors import BadInputError, NotFoundError
from serving.caps import CapCounters, UsageQuestion, decide_within
from serving.decision_log import DecisionLog
from serving.live_world import LiveWorld

log = structlog.get_logger()

_STEPS_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks, checked but not yet joined with what is known.

    Attributes:
        at: The instant decided for, UTC.
        event: The triggering event the client holds; None to use the latest published one.
        facts: Declared `interaction.*` and `event.*` facts from the desktop.
    """

    customer_id: str
    interaction_id: str
    channel: str
    at: datetime
    slots: int
    language: str = ""
    agent_id: str = ""
    intent: str = ""
    event: Event | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


class OfferEngine:
    """Answers questions; one per process.

    Args:
        reader: Everything known about a customer, in one round trip.
        world: Catalogue and models in force.
        caps: What is used of caps and budgets.
        log: Where decisions are logged before they are told.
        trigger: How long a published event stays the triggering one.
    """

    def __init__(
        self,
        reader: CustomerReader,
        world: LiveWorld,
        caps: CapCounters,
        log: DecisionLog,
        trigger: timedelta,
    ) -> None:
        self._reader = reader
        self._world = world
        self._caps = caps
        self._log = log
        self._trigger = trigger
        # Thousands of answers may take the same step down: each is told once.
        self._warn = lru_cache(maxsize=_STEPS_REMEMBERED)(_warn)

    @property
    def world(self) -> World:
        """What decisions are made with now."""
        return self._world.current

    async def known(
        self, customer_id: str, at: datetime, beside: Beside | None = None
    ) -> CustomerFacts:
        """Everything known about a customer. Raises NotFoundError for one never loaded."""
        known = await self._reader.read(customer_id, at, beside)
        if not known.known:
            raise NotFoundError(
                "customer", customer_id, "load customers with: nbo features materialize"
            )
        return known

    async def decide(self, question: Question) -> tuple[Decision, World]:
        """Decide and log; returns the decision and the world it was made with."""
        world = self._world.current
        language = _checked(question, world)
        used = UsageQuestion(world.compiled.catalog, question.at)
        known = await self.known(question.customer_id, question.at, used)
        decision_id = new_decision_id(question.at)
        request = Request(
            decision_id=decision_id,
            customer_id=question.customer_id,
            interaction_id=question.interaction_id,
            at=question.at,
            channel=question.channel,
            language=language,
            slots=question.slots,
            facts=self._facts(question, known),
            history=known.history,
            seed=seed_of(decision_id),
            agent_id=question.agent_id,
            usage=used.usage,
        )
        decision = await decide_within(self._caps, request, world)
        for step in decision.degraded:
            self._warn(step)
        await self._log.append(decision)
        return decision, world

    def _facts(self, question: Question, known: CustomerFacts) -> dict[str, Fact]:
        facts = dict(known.facts)
        facts.update(history_facts(known.history, question.at))
        facts["interaction.channel"] = question.channel
        facts["interaction.hour"] = float(question.at.hour)
        facts["interaction.weekday"] = float(question.at.weekday())
        if question.intent:
            facts["interaction.intent"] = question.intent
        facts.update(self._event_facts(question, known))
        facts.update(question.facts)
        return facts

    def _event_facts(self, question: Question, known: CustomerFacts) -> dict[str, Fact]:
        event = question.event
        latest = known.last_event
        if event is None and latest is not None and question.at - latest.at <= self._trigger:
            event = latest
        return event_facts(event) if event else {}


def _warn(step: str) -> None:
    log.warning("answers are degraded", step=step)


def _checked(question: Question, world: World) -> str:
    """The language to answer in; refuses channels and languages the catalogue lacks."""
    catalog = world.compiled.catalog
    if question.channel not in catalog.channels:
        known = ", ".join(sorted(catalog.channels))
        raise BadInputError("channel", f"must be one of {known}, was {question.channel!r}")
    language = question.language or catalog.languages[0]
    if language not in catalog.languages:
        known = ", ".join(catalog.languages)
        raise BadInputError("language", f"must be one of {known}, was {language!r}")
    return language


def new_decision_id(at: datetime) -> str:
    """A fresh id that sorts by time: milliseconds since 1970, then 80 random bits, in hex."""
    return f"{int(at.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def seed_of(decision_id: str) -> int:
    """The seed of a decision's draws: 63 bits of a hash of its id."""
    digest = hashlib.blake2b(decision_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
