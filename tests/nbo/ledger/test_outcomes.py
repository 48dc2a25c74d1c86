from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, select

from nbo.decision.history import Outcome
from nbo.decision.record import Record
from nbo.errors import BadInputError, ConflictError, UnavailableError
from nbo.ledger import decisions, outbox, outcomes, tables
from nbo.ledger.engine import open_ledger
from nbo.ledger.outcomes import OutcomeInput, OutcomeReceipt

Make = Callable[..., Record]
LATER = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


def accepted(key: str = "k-1", **changes: Any) -> OutcomeInput:
    given = OutcomeInput(key, "d-1", 1, Outcome.ACCEPTED, "", LATER)
    return dataclasses.replace(given, **changes)


def rows(engine: Engine, table: Any = tables.outcome) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table)))


def in_threads(work: Callable[[int], OutcomeReceipt], n: int) -> tuple[list[Any], list[Any]]:
    done: list[Any] = []
    failed: list[Any] = []
    barrier = threading.Barrier(n)

    def run(number: int) -> None:
        barrier.wait()
        try:
            done.append(work(number))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, failed


def test_an_outcome_is_written_with_its_money_and_its_outbox_row(
    engine: Engine, make_record: Make
) -> None:
    record = make_record()
    decisions.append(engine, [record])
    receipt = outcomes.record(engine, accepted(monthly_revenue=9.99), record)
    assert not receipt.duplicate
    (row,) = rows(engine)
    assert row.outcome_id == receipt.outcome_id
    assert (row.margin, row.monthly_revenue) == (Decimal("120.25"), Decimal("9.99"))
    (waiting,) = outbox.pending(engine, 10)
    assert waiting.payload == receipt.payload
    assert receipt.payload == {
        "outcome_id": receipt.outcome_id,
        "kind": "ACCEPTED",
        "at": "2026-03-01T10:05:00+00:00",
        "defer_until": None,
        "customer_id": "c-1",
        "interaction_id": "i-1",
        "channel": "voice",
        "decision_id": "d-1",
        "rank": 1,
        "offer_id": "offer-1",
        "group_id": "internet",
        "incentive_id": "none",
        "incentive_cost": 0.0,
        "imported": False,
        "bundle": [],
        "decided_at": "2026-03-01T10:00:00+00:00",
    }


def test_the_decision_is_written_when_the_recorder_is_behind(
    engine: Engine, make_record: Make
) -> None:
    record = make_record()
    assert not outcomes.record(engine, accepted(), record).duplicate
    assert decisions.get(engine, "d-1") == record
    assert decisions.append(engine, [record]) == 0
    assert [row.margin for row in rows(engine)] == [Decimal("120.25")]


@pytest.mark.parametrize("drained", [True, False])
def test_same_key_and_body_same_receipt(engine: Engine, make_record: Make, drained: bool) -> None:
    record = make_record()
    if drained:
        decisions.append(engine, [record])
    first = outcomes.record(engine, accepted(), record)
    same_instant = LATER.astimezone(timezone(timedelta(hours=2)))
    again = outcomes.record(engine, accepted(at=same_instant), record)
    assert again == first._replace(duplicate=True)
    assert len(rows(engine)) == 1
    assert outbox.backlog(engine) == 1


def test_a_time_the_server_filled_in_is_no_part_of_the_body(
    engine: Engine, make_record: Make
) -> None:
    first = outcomes.record(engine, accepted(at_stated=False), make_record())
    much_later = LATER + timedelta(seconds=30)
    again = outcomes.record(engine, accepted(at=much_later, at_stated=False), make_record())
    assert again.duplicate
    assert again.payload == first.payload


@pytest.mark.parametrize(
    "other",
    [
        {"rank": 2},
        {"kind": Outcome.DECLINED},
        {"reason": "PRICE"},
        {"at": LATER + timedelta(seconds=1)},
        {"kind": Outcome.DEFERRED, "defer_until": LATER + timedelta(days=1)},
    ],
)
def test_same_key_other_body_is_refused(
    engine: Engine, make_record: Make, other: dict[str, Any]
) -> None:
    outcomes.record(engine, accepted(), make_record())
    with pytest.raises(ConflictError, match="'k-1'"):
        outcomes.record(engine, accepted(**other), make_record())
    assert len(rows(engine)) == 1
    assert outbox.backlog(engine) == 1


@pytest.mark.parametrize("drained", [True, False])
def test_a_race_for_one_key_has_one_effect(
    engine: Engine, make_record: Make, drained: bool
) -> None:
    for n in range(20):
        record = make_record(f"d-{n}")
        if drained:
            decisions.append(engine, [record])
        given = accepted(f"k-{n}", decision_id=f"d-{n}")
        done, failed = in_threads(lambda _, g=given, r=record: outcomes.record(engine, g, r), 8)
        assert failed == []
        assert len({receipt.outcome_id for receipt in done}) == 1
        assert sum(not receipt.duplicate for receipt in done) == 1
    assert len(rows(engine)) == 20
    assert outbox.backlog(engine) == 20


def test_a_race_of_different_bodies_has_one_winner(engine: Engine, make_record: Make) -> None:
    record = make_record()
    kinds = [Outcome.ACCEPTED, Outcome.DECLINED, Outcome.SKIPPED, Outcome.NO_RESPONSE]
    done, failed = in_threads(
        lambda n: outcomes.record(engine, accepted(kind=kinds[n]), record), len(kinds)
    )
    assert len(done) == 1
    assert [type(error) for error in failed] == [ConflictError] * 3
    assert [row.outcome_id for row in rows(engine)] == [done[0].outcome_id]


def test_one_acceptance_is_paid_for_once_whatever_the_keys(
    engine: Engine, make_record: Make
) -> None:
    record = make_record()
    done, failed = in_threads(lambda n: outcomes.record(engine, accepted(f"k-{n}"), record), 8)
    assert failed == []
    assert sum(not receipt.duplicate for receipt in done) == 8
    assert [row.margin for row in rows(engine) if row.margin is not None] == [Decimal("120.25")]


def test_a_cancellation_takes_the_money_back(engine: Engine, make_record: Make) -> None:
    cancelled = accepted("k-2", kind=Outcome.CANCELLED, at=LATER + timedelta(days=30))
    for given in (accepted(), cancelled, dataclasses.replace(cancelled, idempotency_key="k-3")):
        outcomes.record(engine, given, make_record())
    assert sum(row.margin for row in rows(engine) if row.margin is not None) == 0


@pytest.mark.parametrize("kind", [Outcome.PRESENTED, Outcome.DECLINED, Outcome.SKIPPED])
def test_other_outcomes_move_no_money(engine: Engine, make_record: Make, kind: Outcome) -> None:
    outcomes.record(engine, accepted(kind=kind, monthly_revenue=5.0), make_record())
    assert [(row.margin, row.monthly_revenue) for row in rows(engine)] == [(None, None)]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("rank", {"rank": 3}),
        ("rank", {"rank": 0}),
        ("at", {"at": datetime(2026, 3, 1, 9, 59, tzinfo=UTC)}),
        ("at", {"at": datetime(2026, 3, 1, 11)}),  # noqa: DTZ001
        ("defer_until", {"kind": Outcome.DEFERRED}),
        ("defer_until", {"defer_until": LATER + timedelta(days=1)}),
        ("defer_until", {"kind": Outcome.DEFERRED, "defer_until": LATER}),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_written(
    engine: Engine, make_record: Make, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(BadInputError) as refused:
        outcomes.record(engine, accepted(**changes), make_record())
    assert refused.value.field == field
    assert rows(engine) == []
    assert rows(engine, tables.decision) == []


def test_a_deferral_without_a_time_is_answered_alike_however_late_it_is_repeated(
    engine: Engine, make_record: Make
) -> None:
    until = LATER + timedelta(days=1)
    given = accepted(kind=Outcome.DEFERRED, defer_until=until, at_stated=False)
    first = outcomes.record(engine, given, make_record())
    after = dataclasses.replace(given, at=until + timedelta(days=30))
    again = outcomes.record(engine, after, make_record())
    assert again == first._replace(duplicate=True)
    early = dataclasses.replace(given, idempotency_key="k-2", defer_until=LATER - WEEK)
    with pytest.raises(BadInputError, match="defer_until"):
        outcomes.record(engine, early, make_record())


def test_an_outbox_row_leaves_when_done(engine: Engine, make_record: Make) -> None:
    for n in range(3):
        outcomes.record(engine, accepted(f"k-{n}", kind=Outcome.PRESENTED), make_record())
    first, second, third = outbox.pending(engine, 10)
    assert [row.id for row in outbox.pending(engine, 2)] == [first.id, second.id]
    outbox.done(engine, [first.id, third.id])
    outbox.done(engine, [first.id, third.id])
    outbox.done(engine, [])
    assert outbox.pending(engine, 10) == [second]


def test_a_ledger_that_does_not_answer_is_unavailable(make_record: Make) -> None:
    nowhere = open_ledger("postgresql://nbo@/nbo?host=/nowhere")
    with pytest.raises(UnavailableError, match="ledger is not available"):
        outcomes.record(nowhere, accepted(), make_record())


def test_a_connection_that_died_in_the_pool_is_replaced(engine: Engine, make_record: Make) -> None:
    outcomes.record(engine, accepted("k-1"), make_record())
    other = open_ledger(engine.url.render_as_string(hide_password=False))
    with other.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND application_name = 'nbo'"
        )
    other.dispose()
    assert not outcomes.record(engine, accepted("k-2"), make_record()).duplicate
