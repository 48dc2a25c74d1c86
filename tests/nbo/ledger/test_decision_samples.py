from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from nbo.decision.record import Record
from nbo.ledger import decisions

Make = Callable[..., Record]


def ids(found: object) -> list[str]:
    return [logged.record["request"]["decision_id"] for logged in found]  # type: ignore[attr-defined]


def test_the_latest_come_first_and_only_so_many(
    engine: Engine, make_record: Make, at: datetime
) -> None:
    for n in (2, 0, 3, 1):
        decisions.append(engine, [make_record(f"d-{n}", at=at + timedelta(minutes=n))])
    decisions.append(engine, [make_record("d-4", at=at + timedelta(minutes=3))])
    assert ids(decisions.latest(engine, 3)) == ["d-4", "d-3", "d-2"]
    assert len(ids(decisions.latest(engine, 100))) == 5


def test_since_an_instant_the_oldest_come_first(
    engine: Engine, make_record: Make, at: datetime
) -> None:
    for n in range(4):
        decisions.append(engine, [make_record(f"d-{n}", at=at + timedelta(minutes=n))])
    assert ids(decisions.since(engine, at + timedelta(minutes=2))) == ["d-2", "d-3"]


def test_more_than_one_chunk_comes_back_whole(engine: Engine, make_record: Make) -> None:
    decisions.append(engine, [make_record(f"d-{n:05}") for n in range(1203)])
    assert len(set(ids(decisions.latest(engine, 10_000)))) == 1203


def test_several_are_found_by_id_and_imports_are_marked(engine: Engine, make_record: Make) -> None:
    decisions.append(engine, [make_record("d-1"), make_record("d-2")])
    with engine.begin() as connection:
        decisions.insert(connection, [make_record("d-3")], imported=True)
    found = decisions.several(engine, ["d-3", "d-1", "d-404", "d\0"])
    assert {key: logged.imported for key, logged in found.items()} == {"d-1": False, "d-3": True}
    assert found["d-1"].record == make_record("d-1")
