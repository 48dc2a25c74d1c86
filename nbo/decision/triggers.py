"""Triggers: offers that are made only on certain events."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbo.decision.failure import Asked, Failure, Finding

EVENT_TYPE = "event.type"


def matches(pattern: str, event_type: str) -> bool:
    """Whether an event's type fits a pattern: ``*`` stands for any text, all else for itself.

    >>> matches("web.*", "web.form.closed"), matches("web.*", "webshop")
    (True, False)
    """
    literal = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(literal), event_type, re.DOTALL) is not None


def trigger_findings(asked: Asked) -> Iterator[Finding]:
    """Find the offers that wait for another event; without an event, all that wait for any."""
    columns = asked.compiled.screen
    if not columns.triggered_by:
        return
    event = asked.activation.facts.get(EVENT_TYPE)
    happened = event if isinstance(event, str) else ""
    failing = columns.waiting.copy()
    for pattern, waiting in columns.triggered_by.items():
        if happened and matches(pattern, happened):
            failing &= ~waiting
    told = f"{EVENT_TYPE} is {happened!r}" if happened else f"no event: {EVENT_TYPE} is unknown"
    yield Finding(failing, lambda position: _failure(asked, position, told))


def _failure(asked: Asked, position: int, told: str) -> Failure:
    waits_for = ", ".join(asked.compiled.offers[position].offer.triggers)
    return Failure("applicability", "trigger", f"{told}, waits for {waits_for}")
