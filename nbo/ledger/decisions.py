"""Decisions: appended once, in batches, and found again by id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, select

from nbo.decision.record import Record
from nbo.errors import BadInputError
from nbo.ledger import tables
from nbo.ledger.engine import in_one_statement, our_errors
from nbo.ledger.storable import json_text, money, plain_text

# A repeated decision adds nothing, and neither do its slots: both commit in one statement.
# JSON travels as one string cut at a character that JSON text never holds: as an array, each
# of its many quotes would be escaped in Python, which takes longer than everything else.
_APPEND = """
WITH added AS (
    INSERT INTO decision (decision_id, at, customer_id, interaction_id, channel, agent_id, arms,
                          catalog_version, model_version, degraded, record, imported)
    SELECT d.decision_id, d.at, d.customer_id, d.interaction_id, d.channel, d.agent_id,
           d.arms::jsonb, d.catalog_version, d.model_version, d.degraded::jsonb, d.record::json,
           %s::boolean
    FROM unnest(%s::text[], %s::text[]::timestamptz[], %s::text[], %s::text[], %s::text[],
                %s::text[], %s::text[], %s::text[], string_to_array(%s, chr(30)),
                string_to_array(%s, chr(30)), string_to_array(%s, chr(30)))
         AS d(decision_id, at, customer_id, interaction_id, channel, agent_id, catalog_version,
              model_version, arms, degraded, record)
    ON CONFLICT DO NOTHING
    RETURNING decision_id
), filled AS (
    INSERT INTO slot (decision_id, rank, offer_id, group_id, incentive_id, probability,
                      propensity, value, priority)
    SELECT s.*
    FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[], %s::text[], %s::float8[],
                %s::float8[], %s::numeric[], %s::float8[])
         AS s(decision_id, rank, offer_id, group_id, incentive_id, probability, propensity,
              value, priority)
    JOIN added USING (decision_id)
)
SELECT count(*) FROM added
"""

_CUT = chr(30)
_CHUNK = 500


class Logged(NamedTuple):
    """A decision as the ledger has it.

    Attributes:
        record: See `nbo.decision.record`; one that was imported makes no `Decision`.
        imported: Whether it came from another system's log.
    """

    record: Record
    imported: bool


def append(engine: Engine, records: Sequence[Record]) -> int:
    """Write decisions that the ledger does not have yet.

    Args:
        engine: The ledger.
        records: As made by `nbo.decision.record.to_record`.

    Returns:
        How many were new.

    Raises:
        BadInputError: a record lacks a field; nothing is written.
        UnavailableError: PostgreSQL does not answer; nothing is lost by trying again.
    """
    if not records:
        return 0
    return in_one_statement(engine, lambda connection: insert(connection, records))


def insert(connection: Connection, records: Iterable[Record], *, imported: bool = False) -> int:
    """Append within the caller's transaction; see `append`."""
    # In one order in every process, so that two batches never wait for each other in a circle.
    once = {_decision_id(record): record for record in records}
    ordered = [once[decision_id] for decision_id in sorted(once)]
    try:
        decisions = [_decision_row(record) for record in ordered]
        slots = [_slot_row(record, slot) for record in ordered for slot in record["slots"]]
    except (KeyError, TypeError) as error:
        raise BadInputError("record", f"is not a decision record: {error!r}") from error
    *columns, arms, degraded, texts = _columns(decisions, 11)
    cut = [_CUT.join(texts) for texts in (arms, degraded, texts)]
    parameters = (imported, *columns, *cut, *_columns(slots, 9))
    return int(connection.exec_driver_sql(_APPEND, parameters).scalar_one())


def get(engine: Engine, decision_id: str) -> Record | None:
    """Find the record of one decision; None when the ledger does not have it."""
    query = select(tables.decision.c.record).where(
        tables.decision.c.decision_id == plain_text(decision_id)
    )
    return in_one_statement(engine, lambda c: c.execute(query).scalar_one_or_none())


def several(engine: Engine, decision_ids: Sequence[str]) -> dict[str, Logged]:
    """Find decisions by id; those the ledger does not have are left out.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    wanted = [plain_text(decision_id) for decision_id in decision_ids]
    query = _logged().where(tables.decision.c.decision_id.in_(wanted))
    found = in_one_statement(engine, lambda c: [Logged(*row) for row in c.execute(query)])
    return {_decision_id(logged.record): logged for logged in found}


def latest(engine: Engine, n: int, *, imported: bool = True) -> Iterator[Logged]:
    """Read the last `n` decisions, latest first, without holding them all.

    Args:
        engine: The ledger.
        n: At most so many.
        imported: Whether those of other systems' logs are among them.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    at, decision_id = tables.decision.c.at, tables.decision.c.decision_id
    query = _logged() if imported else _logged().where(~tables.decision.c.imported)
    return _stream(engine, query.order_by(at.desc(), decision_id.desc()).limit(n))


def since(engine: Engine, start: datetime) -> Iterator[Logged]:
    """Read the decisions from an instant on, oldest first, without holding them all.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    at, decision_id = tables.decision.c.at, tables.decision.c.decision_id
    return _stream(engine, _logged().where(at >= start).order_by(at, decision_id))


def _logged() -> Select[tuple[Any, bool]]:
    return select(tables.decision.c.record, tables.decision.c.imported)


def _stream(engine: Engine, query: Select[tuple[Any, bool]]) -> Iterator[Logged]:
    with our_errors(), engine.connect() as connection:
        for row in connection.execution_options(yield_per=_CHUNK).execute(query):
            yield Logged(*row)


def _decision_id(record: Record) -> str:
    try:
        return str(record["request"]["decision_id"])
    except (KeyError, TypeError) as error:
        raise BadInputError("record", f"is not a decision record: {error!r}") from error


def _decision_row(record: Record) -> tuple[Any, ...]:
    request, versions = record["request"], record["versions"]
    return (
        plain_text(request["decision_id"]),
        request["at"],
        plain_text(request["customer_id"]),
        plain_text(request["interaction_id"]),
        plain_text(request["channel"]),
        plain_text(request["agent_id"]),
        versions.get("catalog", ""),
        versions.get("model", ""),
        json_text(record["arms"]),
        json_text(record["degraded"]),
        json_text(record),
    )


def _slot_row(record: Record, slot: Record) -> tuple[Any, ...]:
    return (
        plain_text(record["request"]["decision_id"]),
        slot["rank"],
        slot["offer_id"],
        slot["group_id"],
        slot["incentive_id"],
        slot["probability"],
        slot["propensity"],
        money(slot["value"]),
        slot["priority"],
    )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
