"""Data in bulk: one thing that cannot be loaded keeps nothing else out."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
import redis

from features.keys import history_key
from nbo.cli.load import load_log
from nbo.decision.decision import Decision, Slot
from nbo.decision.history import Outcome
from nbo.decision.record import to_record
from nbo.decision.request import Request
from nbo.errors import WorkspaceError
from nbo.ledger import outbox, outcomes
from nbo.ledger.engine import open_ledger
from nbo.ledger.outcomes import OutcomeInput


def past(at, customer_id, n=1):
    return pl.DataFrame(
        {
            "decision_id": [f"load-{n}"],
            "at": [at],
            "customer_id": [customer_id],
            "channel": ["voice"],
            "offer_id": ["shop-card"],
            "group_id": ["loyalty"],
            "value": [5.0],
            "outcome": ["PRESENTED"],
        }
    )


@pytest.fixture
def stray(deployment, now):
    """An outcome in the ledger of a customer whose id no key can hold, as an older import left."""
    request = Request("stray", "Ada {1}", "i", now, "voice", "en", 1, {}, (), 1)
    slot = Slot(1, "shop-card", "loyalty", "none", 1.0, 0.5, 0.5, 5.0, 2.5, 1.0, 1.0, ())
    record = to_record(Decision(request, {}, (slot,), (), {"model": "imported"}))
    ledger = open_ledger(deployment.stores.ledger_url)
    given = OutcomeInput("stray", "stray", 1, Outcome.PRESENTED, "", now)
    outcomes.record(ledger, given, record)
    yield ledger
    with ledger.begin() as connection:
        for table in ("outcome", "slot", "decision"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE decision_id = 'stray'")
    ledger.dispose()


def test_a_customer_that_cannot_be_loaded_keeps_no_other_out(deployment, stray, now, tmp_path):
    file = tmp_path / "past.parquet"
    past(now - timedelta(days=3), "c-97").write_parquet(file)
    counts = load_log(deployment.stores, file)
    assert counts["decisions"] == 1
    assert counts["contacts_left_out"] == 1
    with redis.Redis.from_url(deployment.stores.redis_url) as live:
        assert live.zcard(history_key("c-97")) == 1
    assert load_log(deployment.stores, file)["decisions"] == 0


def test_nor_does_it_hold_up_the_relay(stray, eventually):
    eventually(lambda: outbox.backlog(stray), lambda waiting: waiting == 0)


def test_a_log_with_such_a_customer_is_refused_before_anything_is_written(
    deployment, now, tmp_path
):
    file = tmp_path / "past.parquet"
    rows = [past(now, "c-98", 2), past(now, "Bo {2}", 3)]
    pl.concat(rows).write_parquet(file)
    with pytest.raises(WorkspaceError, match="customer_id: must be 1 to 128 letters"):
        load_log(deployment.stores, file)
    good = rows[0]
    good.write_parquet(file)
    assert load_log(deployment.stores, file)["decisions"] == 1
