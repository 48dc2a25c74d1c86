"""The recorder: decisions from the Redis stream into the ledger, in batches.

At least once, keyed by decision id in the ledger: twice is once. An entry leaves the stream
only after the ledger committed it.
"""

from __future__ import annotations

import json

import redis
from sqlalchemy import Engine

from nbo.ledger import decisions
from serving.keys import DECISION_STREAM, decision_key
from serving.stream_group import Entry, StreamGroup

BATCH = 500


class Recorder:
    """Drains decisions; one runs per deployment."""

    def __init__(self, live: redis.Redis, ledger: Engine) -> None:
        self._live = live
        self._ledger = ledger
        self._group = StreamGroup(live, DECISION_STREAM, "recorder")

    def step(self) -> int:
        """Record one batch; returns how many decisions, 0 when there is nothing to do."""
        entries = self._group.read(BATCH)
        if not entries:
            return 0
        try:
            return self._record(entries)
        except Exception:
            self._group.retry()
            raise

    def _record(self, entries: list[Entry]) -> int:
        records = [json.loads(fields[b"d"]) for _, fields in entries]
        decisions.append(self._ledger, records)
        pipe = self._live.pipeline(transaction=False)
        self._group.done(pipe, [entry_id for entry_id, _ in entries])
        for record in records:
            pipe.unlink(decision_key(record["request"]["decision_id"]))
        pipe.execute()
        return len(records)
