"""Past offers from another system, made into decisions and outcomes of this one.

An imported decision knows what was asked, offered and answered, and nothing of how the offer
was scored: its slots hold no propensity, and no probability unless the log has one, so that no
`Decision` can be made of it. What the customer was offered before is taken from the log itself
and from the ledger, as a live request would have seen it.
"""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Engine

from nbo.decision.facts import Fact
from nbo.decision.history import Contact, Outcome, history_facts
from nbo.decision.record import Record, request_to_record
from nbo.decision.request import Request
from nbo.errors import Problem, WorkspaceError
from nbo.ledger import decisions
from nbo.ledger.contacts import CustomerContact, contacts_of
from nbo.ledger.engine import in_transaction
from nbo.ledger.log_file import FACT_ROOMS, MOST_PROBLEMS, ROW, read_log
from nbo.ledger.storable import money, plain_text

if TYPE_CHECKING:
    import polars as pl

Row = dict[str, Any]

_REACH = timedelta(days=400)
"""How far back a request's history goes; as far as the live history is read."""

_CHUNK = 1_000

_OUTCOMES = """
WITH written AS (
    INSERT INTO outcome (outcome_id, idempotency_key, body_hash, decision_id, rank, kind, reason,
                         at, margin)
    SELECT o.outcome_id, o.key, o.outcome_id, o.decision_id, o.rank, o.kind, '', o.at, o.margin
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::text[], %s::timestamptz[],
                %s::numeric[])
         AS o(outcome_id, key, decision_id, rank, kind, at, margin)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM written
"""


class ImportCounts(NamedTuple):
    """What an import added; importing the same log again adds nothing.

    Attributes:
        rows: Rows of the log.
        decisions: Decisions that were new.
        outcomes: Outcomes that were new; an answer given later than its offer is two, the
            exposure and the answer.
    """

    rows: int
    decisions: int
    outcomes: int


def import_log(engine: Engine, source: Path | str | pl.DataFrame) -> ImportCounts:
    """Import a log of past offers: all of it, or nothing.

    Args:
        engine: The ledger.
        source: Parquet or CSV file, or table; its columns stand in `nbo.ledger.log_file`.

    Raises:
        WorkspaceError: the log is wrong; each mistake with its row.
        UnavailableError: PostgreSQL does not answer; importing again is safe.
    """
    table = read_log(source)
    name = str(source) if isinstance(source, Path | str) else "log"
    rows = _with_facts(table, name)

    def write(connection: Connection) -> ImportCounts:
        past = _Past(rows, _earlier(connection, rows))
        written = sum(
            decisions.insert(connection, chunk, imported=True)
            for chunk in _chunks(_records(rows, past))
        )
        answered = sum(
            connection.exec_driver_sql(_OUTCOMES, _columns(chunk)).scalar_one()
            for chunk in _chunks(_outcomes(rows))
        )
        return ImportCounts(len(rows), written, answered)

    return in_transaction(engine, write)


class _Past:
    """What every customer was offered, from the log and from the ledger."""

    def __init__(self, rows: Iterable[Row], earlier: Iterable[CustomerContact]) -> None:
        self._contacts: dict[str, list[Contact]] = defaultdict(list)
        for customer_id, contact in earlier:
            self._contacts[customer_id].append(contact)
        for row in rows:
            self._contacts[row["customer_id"]].extend(_row_contacts(row))
        for contacts in self._contacts.values():
            contacts.sort(key=lambda contact: contact.at)

    def before(self, row: Row) -> tuple[Contact, ...]:
        """What was known of the row's customer just before it was decided, oldest first."""
        contacts = self._contacts[row["customer_id"]]
        start = bisect_left(contacts, row["at"] - _REACH, key=lambda contact: contact.at)
        # What happened at the same instant may be this decision's own outcome: left out.
        end = bisect_left(contacts, row["at"], key=lambda contact: contact.at)
        return tuple(contacts[start:end])


def _earlier(connection: Connection, rows: Sequence[Row]) -> Iterator[CustomerContact]:
    """Contacts the ledger has of these customers, without those the log repeats."""
    if not rows:
        return
    repeated = {row["decision_id"] for row in rows}
    customers = sorted({plain_text(row["customer_id"]) for row in rows})
    since = min(row["at"] for row in rows) - _REACH
    for found in contacts_of(connection, customers, since):
        if found.contact.decision_id not in repeated:
            yield found


def _row_events(row: Row) -> list[tuple[datetime, Outcome]]:
    """When the row's offer was presented and answered."""
    if row["outcome"] is None:
        return []
    outcome = Outcome(row["outcome"])
    answer = (row["outcome_at"], outcome)
    if outcome.is_exposure and outcome is not Outcome.PRESENTED and row["outcome_at"] > row["at"]:
        return [(row["at"], Outcome.PRESENTED), answer]
    return [answer]


def _row_contacts(row: Row) -> Iterator[Contact]:
    for at, outcome in _row_events(row):
        yield Contact(
            at,
            row["channel"],
            row["interaction_id"],
            row["decision_id"],
            row["offer_id"],
            row["group_id"],
            outcome,
        )


def _records(rows: Iterable[Row], past: _Past) -> Iterator[Record]:
    for _, group in groupby(rows, key=lambda row: row["decision_id"]):
        slots = list(group)
        yield {
            "request": request_to_record(_request(slots, past.before(slots[0]))),
            "arms": {},
            "slots": [_slot(row) for row in slots],
            "refusals": [],
            "versions": {"catalog": "", "model": "imported", "engine": "imported"},
            "degraded": [],
        }


def _request(slots: Sequence[Row], history: tuple[Contact, ...]) -> Request:
    first = slots[0]
    at: datetime = first["at"]
    facts: dict[str, Fact] = {
        "interaction.channel": first["channel"],
        "interaction.hour": float(at.hour),
        "interaction.weekday": float(at.weekday()),
        **history_facts(history, at),
        **first["facts"],
    }
    return Request(
        decision_id=first["decision_id"],
        customer_id=first["customer_id"],
        interaction_id=first["interaction_id"],
        at=at,
        channel=first["channel"],
        language="",
        slots=len(slots),
        facts=facts,
        history=history,
        seed=0,
        agent_id=first["agent_id"],
    )


def _slot(row: Row) -> Record:
    return {
        "rank": row["rank"],
        "offer_id": row["offer_id"],
        "group_id": row["group_id"],
        "incentive_id": row["incentive_id"],
        "probability": row["probability"],
        "propensity": None,
        "batch": None,
        "value": row["value"],
        "priority": None,
        "context": 1.0,
        "lever": 1.0,
        "reasons": [],
    }


def _with_facts(table: pl.DataFrame, name: str) -> list[Row]:
    """The rows, each with its facts, of the JSON column and of the dotted ones, as one mapping."""
    dotted = [column for column in table.columns if column.startswith(FACT_ROOMS)]
    others = [column for column in table.columns if column not in dotted]
    problems: list[Problem] = []
    rows: list[Row] = []
    for row in table.iter_rows(named=True):
        try:
            facts = _facts_of_json(row.get("facts"))
            facts.update({column: row[column] for column in dotted})
            rows.append({column: row[column] for column in others} | {"facts": _known(facts)})
        except ValueError as error:
            problems.append(Problem(name, row[ROW], 0, str(error)))
    if problems:
        raise WorkspaceError(problems[:MOST_PROBLEMS])
    return rows


def _facts_of_json(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise ValueError(f"facts: must be a JSON object, was {text!r}")  # noqa: TRY004
    for fact in facts:
        if not fact.startswith(FACT_ROOMS):
            raise ValueError(f"facts: {fact!r} must start with one of {', '.join(FACT_ROOMS)}")
    return facts


def _known(facts: dict[str, Any]) -> dict[str, Fact]:
    """The facts that are known, numbers as doubles."""
    known: dict[str, Fact] = {}
    for name, value in facts.items():
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        if isinstance(value, bool | str):
            known[name] = value
        elif isinstance(value, int | float | Decimal):
            known[name] = float(value)
        else:
            raise ValueError(f"{name}: must be a number, text or flag, was {value!r}")  # noqa: TRY004
    return known


def _outcomes(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        for at, kind in _row_events(row):
            key = f"import:{row['decision_id']}:{row['rank']}:{kind}"
            outcome_id = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
            margin = money(row["value"]) if kind is Outcome.ACCEPTED else None
            decision_id = plain_text(row["decision_id"])
            yield outcome_id, plain_text(key), decision_id, row["rank"], kind.value, at, margin


def _chunks(items: Iterator[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
