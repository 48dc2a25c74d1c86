"""The learner: every answer moves the online model, and servers see its weights within a second.

One writer. State, published weights and the acknowledgement of what was learnt are one Redis
transaction: an outcome is learnt exactly once, whenever the process dies.

An outcome is learnt against the batch probability its own decision logged. Decisions made with
another base model (an older champion, a plug-in) are left to the next batch training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis
import structlog
from sqlalchemy import Engine

from models.online import OnlineLearner
from nbo.decision.history import Outcome
from nbo.decision.record import request_from_record
from nbo.ledger import decisions
from serving.keys import (
    CHAMPION_BASE,
    OUTCOME_STREAM,
    WEIGHTS,
    WEIGHTS_VERSION,
    decision_key,
)
from serving.stream_group import Entry, StreamGroup

log = structlog.get_logger()

BATCH = 200


class Learner:
    """Learns outcomes from the stream the relay fills."""

    def __init__(self, live: redis.Redis, ledger: Engine) -> None:
        self._live = live
        self._ledger = ledger
        self._group = StreamGroup(live, OUTCOME_STREAM, "learner")
        self._learner = self._restore()

    def step(self) -> int:
        """Learn one batch; returns how many outcomes were read, 0 when there is nothing to do."""
        self._follow_champion()
        entries = self._group.read(BATCH)
        if not entries:
            return 0
        try:
            learnt = self._learn(entries)
            self._commit([entry_id for entry_id, _ in entries], publish=learnt > 0)
        except Exception:
            # What was learnt but not committed is forgotten and learnt again.
            self._learner = self._restore()
            self._group.retry()
            raise
        return len(entries)

    def _learn(self, entries: Sequence[Entry]) -> int:
        answers = [json.loads(fields[b"e"]) for _, fields in entries]
        answers = [answer for answer in answers if Outcome(answer["kind"]).is_answer]
        records = self._records({answer["decision_id"] for answer in answers})
        return sum(self._learn_one(answer, records) for answer in answers)

    def _learn_one(self, answer: Mapping[str, Any], records: Mapping[str, Any]) -> bool:
        record = records.get(answer["decision_id"])
        if record is None or record["versions"]["model"].split("+")[0] != self._learner.base:
            return False
        batch = next(s["batch"] for s in record["slots"] if s["rank"] == answer["rank"])
        self._learner.learn(
            request_from_record(record["request"]),
            answer["offer_id"],
            answer["incentive_id"],
            batch_probability=batch,
            accepted=answer["kind"] == Outcome.ACCEPTED,
        )
        return True

    def _records(self, wanted: set[str]) -> dict[str, Any]:
        """Decision records by id, from Redis while they wait there, else from the ledger."""
        ids = sorted(wanted)
        if not ids:
            return {}
        pipe = self._live.pipeline(transaction=False)
        for decision_id in ids:
            pipe.get(decision_key(decision_id))
        waiting = zip(ids, pipe.execute(), strict=True)
        found = {decision_id: json.loads(text) for decision_id, text in waiting if text}
        for decision_id in ids:
            if decision_id not in found:
                record = decisions.get(self._ledger, decision_id)
                if record is not None:
                    found[decision_id] = record
        return found

    def _commit(self, entry_ids: list[bytes], *, publish: bool) -> None:
        pipe = self._live.pipeline(transaction=True)
        if publish:
            self._publish(pipe)
        self._group.done(pipe, entry_ids)
        pipe.execute()

    def _publish(self, pipe: Any) -> None:
        weights = self._learner.weights()
        pipe.set(WEIGHTS, weights.to_json())
        pipe.set(WEIGHTS_VERSION, f"{weights.base}+online/{weights.learnt}")

    def _restore(self) -> OnlineLearner:
        """Go on from the published weights: they are the learner's whole memory."""
        state: Any = self._live.get(WEIGHTS)
        return OnlineLearner.restore(state.decode() if state else None)

    def _follow_champion(self) -> None:
        """Start afresh when the servers took another champion: it has learnt the past itself."""
        base: Any = self._live.get(CHAMPION_BASE)
        if base is not None and base.decode() != self._learner.base:
            self._learner = OnlineLearner(base.decode())
            log.info("online learning starts afresh", base=self._learner.base)
