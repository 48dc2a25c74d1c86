"""Histories in the live store: as far back as anybody may ask, and no further."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import redis

from features import history
from features.keys import history_key
from nbo.cli.load import load_log


def test_an_import_loads_only_what_may_still_be_asked_for(deployment, now, tmp_path):
    times = [now - history.STORED - timedelta(days=2), now - timedelta(days=2), now]
    file = tmp_path / "past.parquet"
    pl.DataFrame(
        {
            "decision_id": [f"reach-{n}" for n in range(3)],
            "at": times,
            "customer_id": ["c-95"] * 3,
            "channel": ["voice"] * 3,
            "offer_id": ["shop-card"] * 3,
            "group_id": ["loyalty"] * 3,
            "value": [5.0] * 3,
            "outcome": ["PRESENTED"] * 3,
        }
    ).write_parquet(file)
    assert load_log(deployment.stores, file)["decisions"] == 3
    with redis.Redis.from_url(deployment.stores.redis_url) as live:
        members = live.zrange(history_key("c-95"), 0, -1)
    assert [history.decode(member).at for member in members] == times[1:]
