from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from nbo.decision.history import Outcome
from nbo.decision.record import Record
from nbo.errors import UnavailableError
from nbo.ledger import decisions, outcomes
from nbo.ledger.contacts import contacts, latest
from nbo.ledger.engine import open_ledger
from nbo.ledger.exposures import labelled_exposures
from nbo.ledger.outcomes import OutcomeInput

Make = Callable[..., Record]
DECIDED = datetime(2026, 3, 1, 10, tzinfo=UTC)
WEEK = timedelta(days=7)


def tell(engine: Engine, record: Record, kind: Outcome, minutes: float, rank: int = 1) -> None:
    decision_id = record["request"]["decision_id"]
    at = DECIDED + timedelta(minutes=minutes)
    given = OutcomeInput(f"{decision_id}-{rank}-{kind}", decision_id, rank, kind, "", at)
    if kind is Outcome.DEFERRED:
        given = dataclasses.replace(given, defer_until=at + WEEK)
    outcomes.record(engine, given, record)


def labels(engine: Engine, upto: datetime) -> list[tuple[int, bool, datetime]]:
    return [(e.rank, e.accepted, e.outcome_at) for e in labelled_exposures(engine, upto, WEEK)]


@pytest.mark.parametrize(
    ("kinds", "accepted", "known_after"),
    [
        (["ACCEPTED"], True, 1),
        (["DECLINED"], False, 1),
        (["DEFERRED"], False, 1),
        (["NO_RESPONSE"], False, 1),
        (["PRESENTED", "DECLINED"], False, 2),
        (["DECLINED", "ACCEPTED"], True, 2),
        (["ACCEPTED", "DECLINED"], True, 1),
        (["ACCEPTED", "PRESENTED"], True, 1),
        (["ACCEPTED", "FULFILLED", "CANCELLED"], True, 1),
    ],
)
def test_each_slot_is_one_label(
    engine: Engine, make_record: Make, kinds: list[str], accepted: bool, known_after: int
) -> None:
    for minutes, kind in enumerate(kinds, start=1):
        tell(engine, make_record(), Outcome(kind), minutes)
    known = DECIDED + timedelta(minutes=known_after)
    assert labels(engine, DECIDED + timedelta(hours=1)) == [(1, accepted, known)]


@pytest.mark.parametrize(
    ("model", "learnt"),
    [
        ("prior", True),
        ("prior+online/3", True),
        ("champion/1", True),
        ("champion/2+online/7", True),
        ("imported", True),
        ("oracle", False),
        ("priority/1", False),
        ("my-champion/1", False),
        ("", False),
    ],
)
def test_what_a_plug_in_chose_is_not_learnt_from(
    engine: Engine, make_record: Make, model: str, learnt: bool
) -> None:
    record = make_record()
    record["versions"]["model"] = model
    tell(engine, record, Outcome.ACCEPTED, 1)
    assert len(labels(engine, DECIDED + WEEK)) == learnt


@pytest.mark.parametrize("kind", [Outcome.SKIPPED, Outcome.FULFILLED, Outcome.CANCELLED])
def test_what_was_not_presented_is_no_exposure(
    engine: Engine, make_record: Make, kind: Outcome
) -> None:
    tell(engine, make_record(), kind, 1)
    assert labels(engine, DECIDED + timedelta(days=400)) == []


def test_silence_is_a_no_only_after_the_attribution_window(
    engine: Engine, make_record: Make
) -> None:
    tell(engine, make_record(), Outcome.PRESENTED, 1)
    expires = DECIDED + timedelta(minutes=1) + WEEK
    assert labels(engine, expires - timedelta(microseconds=1)) == []
    assert labels(engine, expires) == [(1, False, expires)]


def test_what_happens_later_is_not_looked_at(engine: Engine, make_record: Make) -> None:
    tell(engine, make_record(), Outcome.DECLINED, 1)
    tell(engine, make_record(), Outcome.ACCEPTED, 60)
    assert [a for _, a, _ in labels(engine, DECIDED + timedelta(minutes=59))] == [False]
    assert [a for _, a, _ in labels(engine, DECIDED + timedelta(minutes=60))] == [True]


def test_exposures_come_in_the_order_of_their_decisions(engine: Engine, make_record: Make) -> None:
    for n in (2, 0, 1):
        record = make_record(f"d-{9 - n}", at=DECIDED + timedelta(seconds=n))
        for rank in (2, 1):
            tell(engine, record, Outcome.DECLINED, 10 + n, rank)
    found = list(labelled_exposures(engine, DECIDED + WEEK, WEEK))
    assert [(e.record["request"]["decision_id"], e.rank) for e in found] == [
        (f"d-{9 - n}", rank) for n in range(3) for rank in (1, 2)
    ]


def test_thousands_are_streamed_whole(engine: Engine, make_record: Make) -> None:
    records = [make_record(f"d-{n:04}") for n in range(2500)]
    decisions.append(engine, records)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO outcome (outcome_id, idempotency_key, body_hash, decision_id, rank, kind,"
            " reason, at) SELECT decision_id, decision_id, '', decision_id, 1, 'DECLINED', '', at"
            " FROM decision"
        )
    found = [e.record for e in labelled_exposures(engine, DECIDED, WEEK)]
    assert found == records


def test_a_history_is_read_back_as_it_happened(engine: Engine, make_record: Make) -> None:
    tell(engine, make_record("d-1"), Outcome.PRESENTED, 1)
    tell(engine, make_record("d-1"), Outcome.DECLINED, 2)
    tell(engine, make_record("d-2", customer_id="c-2"), Outcome.ACCEPTED, 3, rank=2)
    found = list(contacts(engine, DECIDED))
    assert [(c, x.at - DECIDED, x.offer_id, x.outcome) for c, x in found] == [
        ("c-1", timedelta(minutes=1), "offer-1", Outcome.PRESENTED),
        ("c-1", timedelta(minutes=2), "offer-1", Outcome.DECLINED),
        ("c-2", timedelta(minutes=3), "offer-2", Outcome.ACCEPTED),
    ]
    first = found[0].contact
    assert (first.channel, first.interaction_id, first.decision_id) == ("voice", "i-1", "d-1")
    assert first.at.utcoffset() == timedelta(0)
    assert len(list(contacts(engine, DECIDED + timedelta(minutes=3)))) == 1


def test_a_deferral_is_read_back_with_its_time(engine: Engine, make_record: Make) -> None:
    assert latest(engine) is None
    again = DECIDED + timedelta(days=9)
    given = OutcomeInput(
        "k", "d-1", 1, Outcome.DEFERRED, "", DECIDED + timedelta(minutes=1), defer_until=again
    )
    receipt = outcomes.record(engine, given, make_record("d-1"))
    assert receipt.payload["defer_until"] == again.isoformat()
    tell(engine, make_record("d-2"), Outcome.PRESENTED, 2)
    found = [contact for _, contact in contacts(engine, DECIDED)]
    assert [contact.defer_until for contact in found] == [again, None]
    assert latest(engine) == DECIDED + timedelta(minutes=2)


def test_a_ledger_that_does_not_answer_is_unavailable() -> None:
    nowhere = open_ledger("postgresql://nbo@/nbo?host=/nowhere")
    with pytest.raises(UnavailableError):
        next(labelled_exposures(nowhere, DECIDED, WEEK))
    with pytest.raises(UnavailableError):
        next(contacts(nowhere, DECIDED))
