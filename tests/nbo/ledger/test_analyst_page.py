"""The query on the analysts' page counts exposures, not rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from nbo.ledger.importing import import_log

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "analyst.md"


def test_acceptance_is_accepted_of_presented(engine):
    outcomes = ["ACCEPTED", "DECLINED", "PRESENTED", "SKIPPED", None]
    log = pl.DataFrame(
        {
            "decision_id": [f"d-{i}" for i in range(5)],
            "at": [datetime(2026, 1, 1, i, tzinfo=UTC) for i in range(5)],
            "customer_id": [f"c-{i}" for i in range(5)],
            "channel": ["voice"] * 5,
            "offer_id": ["o-1"] * 5,
            "group_id": ["g"] * 5,
            "value": [1.0] * 5,
            "outcome": outcomes,
            "outcome_at": [datetime(2026, 1, 2, i, tzinfo=UTC) for i in range(5)],
        }
    )
    import_log(engine, log)
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with engine.connect() as connection:
        (row,) = connection.exec_driver_sql(query.rstrip().rstrip(";")).all()
    assert row.presented == 3
    assert float(row.acceptance) == pytest.approx(1 / 3)
