"""One customer's history from the ledger: the same as from the whole of it, by the indexes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from nbo.decision.history import Outcome
from nbo.decision.record import Record
from nbo.ledger import contacts, decisions, outcomes
from nbo.ledger.outcomes import OutcomeInput

Make = Callable[..., Record]
DECIDED = datetime(2026, 3, 1, 10, tzinfo=UTC)
KINDS = (Outcome.PRESENTED, Outcome.DECLINED, Outcome.DEFERRED)


def tell(engine: Engine, record: Record, kind: Outcome, minutes: float) -> None:
    decision_id = record["request"]["decision_id"]
    at = DECIDED + timedelta(minutes=minutes)
    later = at + timedelta(days=9) if kind is Outcome.DEFERRED else None
    given = OutcomeInput(f"{decision_id}-{kind}", decision_id, 1, kind, "", at, later)
    outcomes.record(engine, given, record)


def test_it_holds_this_customers_contacts_between_two_instants(
    engine: Engine, make_record: Make
) -> None:
    for n, customer in enumerate(("c-1", "c-2", "c-1")):
        record = make_record(f"d-{n}", customer_id=customer)
        for minutes, kind in enumerate(KINDS, start=1):
            tell(engine, record, kind, minutes + n)
    minute = timedelta(minutes=1)
    since, until = DECIDED + 2 * minute, DECIDED + 4 * minute
    whole = [c for customer, c in contacts.contacts(engine, since) if customer == "c-1"]
    found = contacts.history_of(engine, "c-1", since, until)
    assert list(found) == [contact for contact in whole if contact.at <= until]
    assert [contact.at - DECIDED for contact in found] == [n * minute for n in (2, 3, 3, 4)]
    assert contacts.history_of(engine, "nobody\0", since, until) == ()


def test_it_is_found_by_the_indexes(engine: Engine, make_record: Make) -> None:
    records = [make_record(f"d-{n:05}", customer_id=f"c-{n % 2000}") for n in range(10_000)]
    decisions.append(engine, records)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO outcome (outcome_id, idempotency_key, body_hash, decision_id, rank, kind,"
            " reason, at) SELECT decision_id, decision_id, '', decision_id, 1, 'DECLINED', '', at"
            " FROM decision"
        )
        connection.exec_driver_sql("ANALYZE decision, slot, outcome")
        plan = connection.exec_driver_sql(
            "EXPLAIN " + contacts._ONE, ("c-7", DECIDED, DECIDED + timedelta(days=1))
        )
        steps = "\n".join(row[0] for row in plan)
    assert "Seq Scan" not in steps, steps
    assert len(contacts.history_of(engine, "c-7", DECIDED, DECIDED)) == 5
