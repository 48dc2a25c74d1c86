"""The outbox: outcomes committed here that Redis has yet to hear of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, func, select

from nbo.ledger import tables
from nbo.ledger.engine import in_one_statement


class Waiting(NamedTuple):
    """One outcome to carry on.

    Attributes:
        id: Rises with time, not without gaps.
        payload: outcome_id, kind, at and defer_until (ISO, UTC; the latter may be null),
            customer_id, interaction_id, channel, decision_id, rank, offer_id, group_id,
            incentive_id, incentive_cost, bundle, decided_at, imported (whether another system
            made the decision).
    """

    id: int
    payload: dict[str, Any]


def pending(engine: Engine, limit: int) -> list[Waiting]:
    """Read the oldest outcomes not carried on yet, at most `limit`."""
    query = select(tables.outbox.c.id, tables.outbox.c.payload)
    query = query.order_by(tables.outbox.c.id).limit(limit)
    return in_one_statement(engine, lambda c: [Waiting(*row) for row in c.execute(query)])


def done(engine: Engine, ids: Sequence[int]) -> None:
    """Forget outcomes that arrived; doing so twice is harmless."""
    if ids:
        gone = delete(tables.outbox).where(tables.outbox.c.id.in_(ids))
        in_one_statement(engine, lambda c: c.execute(gone))


def newest(engine: Engine) -> int | None:
    """The id of the last outcome that waits; None when none does."""
    query = select(func.max(tables.outbox.c.id))
    found: int | None = in_one_statement(engine, lambda c: c.execute(query).scalar_one())
    return found


def waits(engine: Engine, until: int) -> bool:
    """Whether any outcome up to this id still waits."""
    query = select(tables.outbox.c.id).where(tables.outbox.c.id <= until).limit(1)
    return in_one_statement(engine, lambda c: c.execute(query).first()) is not None


def backlog(engine: Engine) -> int:
    """How many outcomes wait."""
    query = select(func.count()).select_from(tables.outbox)
    return in_one_statement(engine, lambda c: int(c.execute(query).scalar_one()))
