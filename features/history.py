"""A customer's interaction history in Redis: a sorted set of contacts by time.

A contact's bytes hold everything about it, so adding the same one again changes nothing.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from features.keys import PREFIX, check_customer_id, history_key
from features.windows import from_us, to_us
from nbo.decision.history import Contact, Outcome

KEPT = timedelta(days=400)
"""How far back the history reaches; longer than any window or pause of a contact policy."""


def encode(contact: Contact) -> bytes:
    """Compact JSON list of the contact's fields, time in microseconds since 1970."""
    fields = [to_us(contact.at), *contact[1:-1], contact.outcome.value]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def decode(member: bytes) -> Contact:
    """Read what `encode` wrote."""
    at_us, channel, interaction, decision, offer, group, outcome = json.loads(member)
    return Contact(from_us(at_us), channel, interaction, decision, offer, group, Outcome(outcome))


def append(pipe: Any, customer_id: str, contact: Contact, prefix: str = PREFIX) -> None:
    """Queue a contact on a Redis client or pipeline, sync or async; twice is once."""
    key = history_key(check_customer_id(customer_id), prefix)
    pipe.zadd(key, {encode(contact): contact.at.timestamp()})


def since(at: datetime) -> float:
    """Lowest score still read at `at`, epoch seconds."""
    return (at - KEPT).timestamp()
