"""The learner: every answer moves the online model, and servers see its weights within a second.

One writer. State, published weights, marks of the slots learnt and the acknowledgement are one
Redis transaction: an answer is learnt exactly once, whenever the process dies.

A slot is learnt once, from its first answer. A later one (accepted after all, or the same told
under another key) would teach a second exposure that never was; it is in the ledger, where an
acceptance outweighs every other answer of its slot at the next batch training.

An answer is learnt against the batch probability its own decision logged, beside the base model
in force: the champion, or before the first one the offers' priors. Decisions made with an older
champion are left to the next batch training, those of a plug-in are never learnt from.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import redis
import structlog
from sqlalchemy import Engine

from models.online import OnlineLearner
from nbo.decision.history import Outcome
from nbo.decision.prior import PriorPropensity
from nbo.decision.record import request_from_record
from nbo.ledger import decisions
from serving.keys import (
    CHAMPION_BASE,
    OUTCOME_STREAM,
    WEIGHTS,
    WEIGHTS_VERSION,
    decision_key,
    learnt_key,
)
from serving.stream_group import Entry, StreamGroup

log = structlog.get_logger()

BATCH = 200
REMEMBERED = timedelta(days=90)
"""How long a slot is known as learnt; its base model is rarely in force for so long."""

NO_CHAMPION = PriorPropensity().version
"""Base model until servers announce a champion."""

Slot = tuple[str, int]
"""Decision id and rank."""


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
            self._commit([entry_id for entry_id, _ in entries], learnt)
        except Exception:
            # What was learnt but not committed is forgotten and learnt again.
            self._learner = self._restore()
            self._group.retry()
            raise
        return len(entries)

    def _learn(self, entries: Sequence[Entry]) -> set[Slot]:
        """Learn the first answers among the entries; returns the slots learnt."""
        outcomes = [json.loads(fields[b"e"]) for _, fields in entries]
        first: dict[Slot, Any] = {}
        for outcome in outcomes:
            if Outcome(outcome["kind"]).is_answer:
                first.setdefault((outcome["decision_id"], outcome["rank"]), outcome)
        for slot in self._learnt_before(list(first)):
            del first[slot]
        records = self._records({decision_id for decision_id, _ in first})
        return {slot for slot, answer in first.items() if self._learn_one(answer, records)}

    def _learnt_before(self, slots: Sequence[Slot]) -> list[Slot]:
        if not slots:
            return []
        marks: Any = self._live.mget([learnt_key(*slot) for slot in slots])
        return [slot for slot, mark in zip(slots, marks, strict=True) if mark is not None]

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

    def _commit(self, entry_ids: list[bytes], learnt: Collection[Slot]) -> None:
        pipe = self._live.pipeline(transaction=True)
        if learnt:
            self._publish(pipe)
        for slot in learnt:
            pipe.set(learnt_key(*slot), b"", ex=REMEMBERED)
        self._group.done(pipe, entry_ids)
        pipe.execute()

    def _publish(self, pipe: Any) -> None:
        weights = self._learner.weights()
        pipe.set(WEIGHTS, weights.to_json())
        pipe.set(WEIGHTS_VERSION, f"{weights.base}+online/{weights.learnt}")

    def _restore(self) -> OnlineLearner:
        """Go on from the published weights: they are the learner's whole memory."""
        state: Any = self._live.get(WEIGHTS)
        return OnlineLearner.restore(state.decode()) if state else OnlineLearner(NO_CHAMPION)

    def _follow_champion(self) -> None:
        """Start afresh when the servers took another champion: it has learnt the past itself."""
        base: Any = self._live.get(CHAMPION_BASE)
        if base is not None and base.decode() != self._learner.base:
            self._learner = OnlineLearner(base.decode())
            log.info("online learning starts afresh", base=self._learner.base)
