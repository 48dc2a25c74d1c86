"""A customer's interaction history in Redis: a sorted set of contacts by time.

A contact's bytes hold everything about it, so adding the same one again changes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from features.keys import PREFIX, check_customer_id, history_key
from features.windows import from_us, to_us
from nbo.decision.history import Contact, Outcome

KEPT = timedelta(days=400)
"""How far back the history reaches; longer than any window or pause of a contact policy. An
offer deferred for longer than this is free again after it."""

STORED = 2 * KEPT
"""How far back contacts are stored, so that an instant up to `KEPT` ago can be asked for and
still has its whole history."""


def encode(contact: Contact) -> bytes:
    """Compact JSON list of the contact's fields, times in microseconds since 1970.

    `defer_until` stands there only when it is told: contacts stored before it existed keep
    their bytes.
    """
    at, *others, outcome, defer_until = contact
    later = [to_us(defer_until)] if defer_until else []
    fields = [to_us(at), *others, outcome.value, *later]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def decode(member: bytes) -> Contact:
    """Read what `encode` wrote, now or before contacts had a `defer_until`."""
    at_us, channel, interaction, decision, offer, group, outcome, *later = json.loads(member)
    return Contact(
        from_us(at_us),
        channel,
        interaction,
        decision,
        offer,
        group,
        Outcome(outcome),
        from_us(*later) if later else None,
    )


def append(pipe: Any, customer_id: str, contact: Contact, prefix: str = PREFIX) -> None:
    """Queue a contact on a Redis client or pipeline, sync or async; twice is once."""
    extend(pipe, customer_id, [contact], prefix)


def extend(pipe: Any, customer_id: str, contacts: Sequence[Contact], prefix: str = PREFIX) -> None:
    """Queue several contacts of one customer, and let go of what nobody will ask for.

    Contacts older than `STORED`, reckoned from the latest added here but never from the future,
    are removed: a replay of past years keeps its past. A customer who is not heard of for
    `STORED` loses the whole history.
    """
    if not contacts:
        return
    key = history_key(check_customer_id(customer_id), prefix)
    scores = {encode(contact): contact.at.timestamp() for contact in contacts}
    stored = STORED.total_seconds()
    oldest = min(time.time(), max(scores.values())) - stored
    pipe.zadd(key, scores)
    pipe.zremrangebyscore(key, "-inf", f"({oldest}")
    pipe.expire(key, int(stored))


def since(at: datetime) -> float:
    """Lowest score still read at `at`, epoch seconds."""
    return (at - KEPT).timestamp()
