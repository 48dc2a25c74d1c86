"""Interaction histories, read back from the outcomes to rebuild them in Redis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from nbo.decision.history import Contact, Outcome
from nbo.errors import UnavailableError
from nbo.ledger.engine import in_one_statement
from nbo.ledger.storable import plain_text

_CONTACTS = """
SELECT d.customer_id, o.at, d.channel, d.interaction_id, d.decision_id, s.offer_id, s.group_id,
       o.kind, o.defer_until
FROM outcome o
JOIN slot s USING (decision_id, rank)
JOIN decision d USING (decision_id)
WHERE o.at >= %(since)s AND (%(customers)s::text[] IS NULL OR d.customer_id = ANY (%(customers)s))
ORDER BY d.customer_id, o.at, o.outcome_id
"""

# For one customer, by the indexes of decisions by customer and of outcomes by slot.
_ONE = """
SELECT o.at, d.channel, d.interaction_id, d.decision_id, s.offer_id, s.group_id, o.kind,
       o.defer_until
FROM decision d
JOIN outcome o USING (decision_id)
JOIN slot s USING (decision_id, rank)
WHERE d.customer_id = %s AND o.at BETWEEN %s AND %s
ORDER BY o.at, o.outcome_id
"""

_CHUNK = 1_000


class CustomerContact(NamedTuple):
    """A contact, and whose it is."""

    customer_id: str
    contact: Contact


def contacts(engine: Engine, since: datetime) -> Iterator[CustomerContact]:
    """Read what happened since an instant, customer by customer, oldest first.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    try:
        with engine.connect() as connection:
            yield from _read(connection, {"since": since, "customers": None})
    except DBAPIError as error:
        raise UnavailableError("ledger", " ".join(str(error.orig).split())) from error


def history_of(
    engine: Engine, customer_id: str, since: datetime, until: datetime
) -> tuple[Contact, ...]:
    """Read one customer's contacts between two instants, both included, oldest first.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    parameters = (plain_text(customer_id), since, until)
    return in_one_statement(
        engine,
        lambda connection: tuple(map(_contact, connection.exec_driver_sql(_ONE, parameters))),
    )


def latest(engine: Engine) -> datetime | None:
    """When the last thing happened to any customer; None when nothing did.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    query = "SELECT max(at) FROM outcome"
    at: datetime | None = in_one_statement(
        engine, lambda connection: connection.exec_driver_sql(query).scalar_one()
    )
    return at and at.astimezone(UTC)


def contacts_of(
    connection: Connection, customers: Sequence[str], since: datetime
) -> Iterator[CustomerContact]:
    """Read what happened to some customers, within the caller's transaction."""
    return _read(connection, {"since": since, "customers": list(customers)})


def _read(connection: Connection, parameters: dict[str, Any]) -> Iterator[CustomerContact]:
    streaming = {"yield_per": _CHUNK}
    for row in connection.exec_driver_sql(_CONTACTS, parameters, execution_options=streaming):
        customer_id, *fields = row
        yield CustomerContact(customer_id, _contact(fields))


def _contact(fields: Sequence[Any]) -> Contact:
    at, *where, kind, later = fields
    until = later.astimezone(UTC) if later else None
    return Contact._make((at.astimezone(UTC), *where, Outcome(kind), until))
