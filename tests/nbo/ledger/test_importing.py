from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, select

from nbo.decision.history import Outcome
from nbo.decision.record import Record, from_record, request_from_record
from nbo.errors import BadInputError, WorkspaceError
from nbo.ledger import decisions, outcomes, tables
from nbo.ledger.exposures import labelled_exposures
from nbo.ledger.importing import ImportCounts, import_log
from nbo.ledger.outcomes import OutcomeInput

DAY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)  # a Monday
Make = Callable[..., Record]


def row(n: int = 1, **changes: Any) -> dict[str, Any]:
    at = changes.pop("at", DAY + timedelta(days=n))
    return {
        "decision_id": f"p-{n}",
        "at": at,
        "customer_id": "c-1",
        "interaction_id": f"i-{n}",
        "channel": "voice",
        "agent_id": "a-1",
        "offer_id": "tv",
        "group_id": "tv",
        "incentive_id": "none",
        "probability": 0.25,
        "value": 80.5,
        "outcome": "DECLINED",
        "outcome_at": at,
        **changes,
    }


def log(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)


def found(engine: Engine, table: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table)))


def record_of(engine: Engine, decision_id: str) -> Record:
    record = decisions.get(engine, decision_id)
    assert record is not None
    return record


def test_a_row_becomes_a_decision_a_slot_and_an_outcome(engine: Engine) -> None:
    assert import_log(engine, log(row(outcome="ACCEPTED"))) == ImportCounts(1, 1, 1)
    (decision,) = found(engine, tables.decision)
    assert decision.imported is True
    assert (decision.customer_id, decision.agent_id, decision.model_version) == (
        "c-1",
        "a-1",
        "imported",
    )
    (slot,) = found(engine, tables.slot)
    assert (slot.rank, slot.probability, slot.propensity, float(slot.value)) == (
        1,
        0.25,
        None,
        80.5,
    )
    (outcome,) = found(engine, tables.outcome)
    assert (outcome.kind, float(outcome.margin)) == ("ACCEPTED", 80.5)
    assert found(engine, tables.outbox) == []


def test_twice_is_once(engine: Engine) -> None:
    table = log(row(1), row(2, outcome="ACCEPTED", outcome_at=DAY + timedelta(days=4)))
    assert import_log(engine, table) == ImportCounts(2, 2, 3)
    assert import_log(engine, table) == ImportCounts(2, 0, 0)
    assert len(found(engine, tables.outcome)) == 3


def test_answers_that_came_later_are_added_by_the_next_import(engine: Engine) -> None:
    import_log(engine, log(row(1, outcome="PRESENTED")))
    again = import_log(engine, log(row(1, outcome="ACCEPTED", outcome_at=DAY + timedelta(days=9))))
    assert again == ImportCounts(1, 0, 1)
    (exposure,) = labelled_exposures(engine, DAY + timedelta(days=30), timedelta(days=7))
    assert exposure.accepted


def test_an_unknown_probability_stays_unknown(engine: Engine) -> None:
    import_log(engine, log(row(probability=None)))
    assert found(engine, tables.slot)[0].probability is None
    record = record_of(engine, "p-1")
    assert request_from_record(record["request"]).customer_id == "c-1"
    with pytest.raises(BadInputError):
        from_record(record)


def test_facts_come_from_json_and_from_columns(engine: Engine) -> None:
    given = row(facts='{"customer.age": 41, "customer.plan": "S", "customer.vip": true}')
    given |= {"customer.gb": 2, "customer.nothing": None, "event.type": "moved"}
    import_log(engine, log(given))
    facts = record_of(engine, "p-1")["request"]["facts"]
    assert facts == {
        "customer.age": 41.0,
        "customer.plan": "S",
        "customer.vip": True,
        "customer.gb": 2.0,
        "event.type": "moved",
        "interaction.channel": "voice",
        "interaction.hour": 9.0,
        "interaction.weekday": 1.0,
        "history.exposures_7d": 0.0,
        "history.exposures_30d": 0.0,
        "history.exposures_90d": 0.0,
        "history.accepted_365d": 0.0,
        "history.declined_90d": 0.0,
    }
    assert isinstance(facts["customer.age"], float)


def test_a_request_knows_what_happened_before_it_and_nothing_later(engine: Engine) -> None:
    late = DAY + timedelta(days=2, hours=12)
    import_log(
        engine,
        log(
            row(3),
            row(2, outcome="ACCEPTED", outcome_at=DAY + timedelta(days=9)),
            row(1, outcome_at=late),
            row(0, customer_id="c-2"),
            row(4, outcome=None),
        ),
    )
    histories = {
        f"p-{n}": [
            (c.decision_id, c.outcome.value)
            for c in request_from_record(record_of(engine, f"p-{n}")["request"]).history
        ]
        for n in range(5)
    }
    assert histories == {
        "p-0": [],
        "p-1": [],
        "p-2": [("p-1", "PRESENTED")],
        "p-3": [("p-1", "PRESENTED"), ("p-2", "PRESENTED"), ("p-1", "DECLINED")],
        "p-4": [
            ("p-1", "PRESENTED"),
            ("p-2", "PRESENTED"),
            ("p-1", "DECLINED"),
            ("p-3", "DECLINED"),
        ],
    }
    facts = record_of(engine, "p-4")["request"]["facts"]
    assert facts["history.exposures_7d"] == 3.0
    assert facts["history.declined_90d"] == 2.0


def test_a_request_knows_what_the_ledger_knew(engine: Engine, make_record: Make) -> None:
    live = make_record("d-1", at=DAY)
    given = OutcomeInput("k", "d-1", 1, Outcome.DECLINED, "", DAY + timedelta(minutes=1))
    outcomes.record(engine, given, live)
    import_log(engine, log(row(1)))
    (contact,) = request_from_record(record_of(engine, "p-1")["request"]).history
    assert (contact.decision_id, contact.offer_id) == ("d-1", "offer-1")


def test_several_slots_of_one_decision(engine: Engine) -> None:
    import_log(
        engine, log(row(1), row(1, offer_id="mobile"), row(1, offer_id="fixed", outcome=None))
    )
    slots = record_of(engine, "p-1")["slots"]
    assert [(slot["rank"], slot["offer_id"]) for slot in slots] == [
        (1, "tv"),
        (2, "mobile"),
        (3, "fixed"),
    ]
    assert len(found(engine, tables.outcome)) == 2


def test_what_is_optional_has_defaults(engine: Engine) -> None:
    needed = ("decision_id", "at", "customer_id", "channel", "offer_id", "group_id", "value")
    import_log(engine, log({key: row(1)[key] for key in needed}))
    record = record_of(engine, "p-1")
    assert record["request"]["interaction_id"] == "p-1"
    assert record["slots"][0]["incentive_id"] == "none"
    assert found(engine, tables.outcome) == []


def test_csv_and_parquet_say_the_same(engine: Engine, tmp_path: Path) -> None:
    table = log(
        row(1, customer_id="007"), row(2, probability=None, value=3, **{"customer.gb": 1.5})
    )
    table.write_parquet(tmp_path / "log.parquet")
    table.write_csv(tmp_path / "log.csv")
    import_log(engine, tmp_path / "log.parquet")
    by_parquet = [record_of(engine, f"p-{n}") for n in (1, 2)]
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE decision, slot, outcome")
    import_log(engine, tmp_path / "log.csv")
    assert [record_of(engine, f"p-{n}") for n in (1, 2)] == by_parquet


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"decision_id": ""}, "decision_id: must not be empty"),
        ({"customer_id": None}, "customer_id: must not be empty"),
        ({"at": None}, "at: must not be empty"),
        ({"customer_id": "Ada {1}"}, "customer_id: must be 1 to 128 letters, digits or ._:@+-"),
        ({"customer_id": "c" * 129}, "customer_id: must be 1 to 128"),
        ({"customer_id": "c-1\n"}, "customer_id: must be 1 to 128"),
        ({"decision_id": "p 3"}, "decision_id: must be 1 to 128"),
        ({"interaction_id": "i/3"}, "interaction_id: must be 1 to 128"),
        ({"offer_id": "tv\0"}, "offer_id: must be 1 to 128"),
        ({"rank": 0}, "rank: must be between 1 and 1000"),
        ({"rank": 2**40}, "rank: must be between 1 and 1000"),
        ({"outcome_at": DAY}, "outcome_at: must not be before at"),
        ({"value": float("inf")}, "value: must be a number"),
        ({"probability": 0.0}, "probability: must be in (0, 1]"),
        ({"probability": 1.5}, "probability: must be in (0, 1]"),
        ({"outcome": "SOLD"}, "outcome: must be one of PRESENTED, ACCEPTED"),
        (
            {"decision_id": "p-1", "interaction_id": "i-1"},
            "at: must be the same in all rows of a decision",
        ),
        ({"facts": "[1]"}, "facts: must be a JSON object"),
        ({"facts": '{"age": 1}'}, "facts: 'age' must start with"),
        ({"facts": '{"customer.x": [1]}'}, "customer.x: must be a number, text or flag"),
    ],
)
def test_a_mistake_is_located_and_nothing_imported(
    engine: Engine, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(WorkspaceError) as refused:
        import_log(engine, log(row(1), row(2), row(3, **changes), row(4)))
    (problem,) = refused.value.problems
    assert problem.line == 3
    assert expected in problem.message
    assert found(engine, tables.decision) == []


def test_csv_mistakes_name_the_line_of_the_file(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [row(n, value=n, outcome_at="2026-02-01T00:00:00Z") for n in (1, 2, 3)]
    text = log(*rows).write_csv()
    text = text.replace(",2,DECLINED,", ",cheap,DECLINED,")
    path.write_text(text.replace(",3,DECLINED,2026", ",3,DECLINED,yesterday", 1))
    with pytest.raises(WorkspaceError) as refused:
        import_log(engine, path)
    assert [(p.file, p.line) for p in refused.value.problems] == [(str(path), 3), (str(path), 4)]
    assert "'cheap'" in refused.value.problems[0].message


def test_a_missing_column_or_file_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="'value' is missing"):
        import_log(engine, log(row(1)).drop("value"))
    with pytest.raises(WorkspaceError, match="not found"):
        import_log(engine, tmp_path / "none.parquet")
    (tmp_path / "log.parquet").write_bytes(b"not parquet")
    with pytest.raises(WorkspaceError, match=r"log\.parquet"):
        import_log(engine, tmp_path / "log.parquet")


def test_a_time_without_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(WorkspaceError, match="time zone"):
        import_log(engine, log(row(1)).with_columns(pl.col("at").dt.replace_time_zone(None)))


def test_an_empty_log_is_no_mistake(engine: Engine) -> None:
    assert import_log(engine, log(row(1)).clear()) == ImportCounts(0, 0, 0)
