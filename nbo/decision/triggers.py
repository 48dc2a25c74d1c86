"""Triggers: offers that are made only on certain events."""

from __future__ import annotations

from collections.abc import Iterator

from nbo.decision.facts import Facts
from nbo.decision.failure import Asked, Failure, Finding, Lacking

EVENT_TYPE = "event.type"
MOST_STARS = 5
"""Stars in one trigger of a catalogue."""


def matches(pattern: str, event_type: str) -> bool:
    """Whether an event's type fits a pattern: ``*`` stands for any text, all else for itself.

    >>> matches("web.*", "web.form.closed"), matches("web.*", "webshop")
    (True, False)
    """
    first, *others = pattern.split("*")
    if not others:
        return first == event_type
    *middle, last = others
    if len(first) + len(last) > len(event_type):
        return False
    if not (event_type.startswith(first) and event_type.endswith(last)):
        return False
    # The earliest place of each part leaves the most for the parts after it, so that none needs
    # to be tried anywhere else.
    place, end = len(first), len(event_type) - len(last)
    for part in middle:
        found = event_type.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def trigger_findings(asked: Asked) -> Iterator[Finding]:
    """Find the offers that wait for another event; without an event, all that wait for any."""
    columns = asked.compiled.screen
    if not columns.triggered_by:
        return
    happened = _happened(asked.activation.facts)
    failing = columns.waiting.copy()
    for pattern, waiting in columns.triggered_by.items():
        if happened and matches(pattern, happened):
            failing &= ~waiting
    told = what_happened(asked.activation.facts)
    yield Finding(failing, lambda position: _failure(asked, position, told))


def what_happened(facts: Facts) -> str:
    """Say which event there was, if any, for people."""
    happened = _happened(facts)
    return f"{EVENT_TYPE} is {happened!r}" if happened else f"no event: {EVENT_TYPE} is unknown"


def _happened(facts: Facts) -> str:
    event = facts.get(EVENT_TYPE)
    return event if isinstance(event, str) else ""


def _failure(asked: Asked, position: int, told: str) -> Failure:
    waits_for = ", ".join(asked.compiled.offers[position].offer.triggers)
    detail = f"{told}, waits for {waits_for}"
    return Failure("applicability", "trigger", detail, lacking=Lacking.EVENT)
