"""Interaction histories, read back from the outcomes to rebuild them in Redis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from nbo.decision.history import Contact, Outcome
from nbo.errors import UnavailableError

_CONTACTS = """
SELECT d.customer_id, o.at, d.channel, d.interaction_id, d.decision_id, s.offer_id, s.group_id,
       o.kind
FROM outcome o
JOIN slot s USING (decision_id, rank)
JOIN decision d USING (decision_id)
WHERE o.at >= %(since)s AND (%(customers)s::text[] IS NULL OR d.customer_id = ANY (%(customers)s))
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
            yield from _read(connection, {"since": since, "customers": None})
    except DBAPIError as error:
        raise UnavailableError("ledger", " ".join(str(error.orig).split())) from error


def contacts_of(
    connection: Connection, customers: Sequence[str], since: datetime
) -> Iterator[CustomerContact]:
    """Read what happened to some customers, within the caller's transaction."""
    return _read(connection, {"since": since, "customers": list(customers)})


def _read(connection: Connection, parameters: dict[str, Any]) -> Iterator[CustomerContact]:
    streaming = {"yield_per": _CHUNK}
    for row in connection.exec_driver_sql(_CONTACTS, parameters, execution_options=streaming):
        customer_id, at, *rest, kind = row
        yield CustomerContact(
            customer_id, Contact._make((at.astimezone(UTC), *rest, Outcome(kind)))
        )
