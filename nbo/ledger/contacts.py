"""Interaction histories, read back from the outcomes to rebuild them in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from nbo.decision.history import Contact, Outcome
from nbo.errors import UnavailableError

_CONTACTS = """
SELECT d.customer_id, o.at, d.channel, d.interaction_id, d.decision_id, s.offer_id, s.group_id,
       o.kind
FROM outcome o
JOIN slot s USING (decision_id, rank)
JOIN decision d USING (decision_id)
WHERE o.at >= %(since)s
ORDER BY o.at, o.outcome_id
"""

_CHUNK = 1_000


class CustomerContact(NamedTuple):
    """A contact, and whose it is."""

    customer_id: str
    contact: Contact


def contacts(engine: Engine, since: datetime) -> Iterator[CustomerContact]:
    """Read what happened to every customer since an instant, oldest first.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    try:
        with engine.connect() as connection:
            streaming = connection.execution_options(yield_per=_CHUNK)
            for row in streaming.exec_driver_sql(_CONTACTS, {"since": since}):
                customer_id, at, *rest, kind = row
                contact = Contact._make((at.astimezone(UTC), *rest, Outcome(kind)))
                yield CustomerContact(customer_id, contact)
    except DBAPIError as error:
        raise UnavailableError("ledger", " ".join(str(error.orig).split())) from error
