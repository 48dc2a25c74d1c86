from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select

from nbo.decision.record import Record, from_record
from nbo.errors import BadInputError
from nbo.ledger import decisions, tables

Make = Callable[..., Record]


def rows(engine: Engine, table: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table)))


def test_a_decision_comes_back_as_it_was(engine: Engine, make_record: Make) -> None:
    record = make_record("d-1")
    assert decisions.append(engine, [record]) == 1
    found = decisions.get(engine, "d-1")
    assert found == record
    assert from_record(found) == from_record(record)


def test_columns_repeat_what_reports_ask_for(
    engine: Engine, make_record: Make, at: datetime
) -> None:
    decisions.append(engine, [make_record("d-1")])
    (row,) = rows(engine, tables.decision)
    assert (row.customer_id, row.channel, row.agent_id) == ("c-1", "voice", "a-1")
    assert row.at == at
    assert row.arms == {"policy": "engine"}
    assert (row.catalog_version, row.model_version) == ("abc", "champion/1+online/5")
    assert row.imported is False
    slots = rows(engine, tables.slot)
    assert [(s.rank, s.offer_id, float(s.value)) for s in sorted(slots, key=lambda s: s.rank)] == [
        (1, "offer-1", 120.25),
        (2, "offer-2", 120.25),
    ]


def test_twice_is_once(engine: Engine, make_record: Make) -> None:
    first, second = make_record("d-1"), make_record("d-2")
    assert decisions.append(engine, [first, first]) == 1
    assert decisions.append(engine, [second, first]) == 1
    assert len(rows(engine, tables.decision)) == 2
    assert len(rows(engine, tables.slot)) == 4


def test_numbers_keep_every_bit(engine: Engine, make_record: Make) -> None:
    record = make_record("d-1")
    record["request"]["facts"] = {"a": 0.1 + 0.2, "b": 1e300, "c": 5e-324, "d": 1e16, "e": -0.0}
    decisions.append(engine, [record])
    found = decisions.get(engine, "d-1")
    assert found is not None
    assert [value.hex() for value in found["request"]["facts"].values()] == [
        value.hex() for value in record["request"]["facts"].values()
    ]


def test_odd_characters_and_numbers_do_not_lose_a_decision(
    engine: Engine, make_record: Make
) -> None:
    record = make_record("d-1", customer_id="c\0\ud800'\"\\{},\n")
    record["request"]["facts"]["customer.plan"] = "\0\ud800\x1e"
    record["request"]["facts"]["customer.odd"] = float("nan")
    assert decisions.append(engine, [record, make_record("d-2")]) == 2
    found = decisions.get(engine, "d-1")
    assert found is not None
    assert found["request"]["facts"]["customer.plan"] == "\0\ud800\x1e"
    assert found["request"]["facts"]["customer.odd"] is None


def test_an_empty_decision_is_kept_too(engine: Engine, make_record: Make) -> None:
    record = make_record("d-1")
    record["slots"] = []
    assert decisions.append(engine, [record]) == 1
    assert decisions.append(engine, []) == 0
    assert decisions.get(engine, "d-1") == record


def test_unknown_decision_is_none(engine: Engine) -> None:
    assert decisions.get(engine, "d-404") is None


@pytest.mark.parametrize("missing", ["request", "slots", "versions"])
def test_what_is_no_record_is_refused_whole(
    engine: Engine, make_record: Make, missing: str
) -> None:
    broken = copy.deepcopy(make_record("d-2"))
    del broken[missing]
    with pytest.raises(BadInputError, match=missing):
        decisions.append(engine, [make_record("d-1"), broken])
    assert rows(engine, tables.decision) == []


def test_overlapping_batches_from_threads_never_deadlock(engine: Engine, make_record: Make) -> None:
    records = [make_record(f"d-{n:04}") for n in range(2000)]
    barrier = threading.Barrier(4)
    errors: list[BaseException] = []
    added: list[int] = []

    def write(order: list[Record]) -> None:
        barrier.wait()
        try:
            added.append(decisions.append(engine, order))
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=write, args=(records if n % 2 else records[::-1],))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(added) == 2000
