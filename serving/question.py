"""What a client asks, and the facts it is decided by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from features.events import Event, event_facts
from nbo.decision.catalog import Catalog
from nbo.decision.facts import Fact
from nbo.decision.history import history_facts
from nbo.errors import BadInputError
from serving.ladder import Known


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


def answer_language(question: Question, catalog: Catalog) -> str:
    """The language to answer in; refuses channels and languages the catalogue lacks."""
    if question.channel not in catalog.channels:
        known = ", ".join(sorted(catalog.channels))
        raise BadInputError("channel", f"must be one of {known}, was {question.channel!r}")
    language = question.language or catalog.languages[0]
    if language not in catalog.languages:
        known = ", ".join(catalog.languages)
        raise BadInputError("language", f"must be one of {known}, was {language!r}")
    return language


def facts_of(question: Question, known: Known, trigger: timedelta) -> dict[str, Fact]:
    """Everything a rule or model may read; a history that is not known gives no facts.

    Args:
        question: What is asked.
        known: What is known of the customer.
        trigger: How long a published event stays the triggering one.
    """
    facts = dict(known.customer.facts)
    if known.history_known:
        facts.update(history_facts(known.customer.history, question.at))
    facts["interaction.channel"] = question.channel
    facts["interaction.hour"] = float(question.at.hour)
    facts["interaction.weekday"] = float(question.at.weekday())
    if question.intent:
        facts["interaction.intent"] = question.intent
    event = question.event
    latest = known.customer.last_event
    if event is None and latest is not None and question.at - latest.at <= trigger:
        event = latest
    if event is not None:
        facts.update(event_facts(event))
    facts.update(question.facts)
    return facts
