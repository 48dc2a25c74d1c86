"""The relay: what the ledger committed, carried on to Redis.

Each outbox row goes to the customer's history, to caps and budgets and to the learner's stream,
then leaves the outbox. A crash in between repeats the row; every destination takes it once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import redis
import structlog
from sqlalchemy import Engine

from features import history
from features.stream import SEEN_FOR, append_once
from nbo.decision.history import Contact, Outcome
from nbo.errors import BadInputError
from nbo.ledger import outbox
from serving.caps import report_late, settle
from serving.keys import OUTCOME_STREAM, outcome_seen_key

log = structlog.get_logger()

BATCH = 500


def contact_of(payload: Mapping[str, Any]) -> Contact:
    """The history entry an outbox row stands for."""
    later = payload.get("defer_until")  # rows written by an older server do not have it
    return Contact(
        at=datetime.fromisoformat(payload["at"]),
        channel=payload["channel"],
        interaction_id=payload["interaction_id"],
        decision_id=payload["decision_id"],
        offer_id=payload["offer_id"],
        group_id=payload["group_id"],
        outcome=Outcome(payload["kind"]),
        defer_until=datetime.fromisoformat(later) if later else None,
    )


def remember(pipe: Any, payload: Mapping[str, Any]) -> None:
    """Queue an outbox row's history entry on a Redis pipeline, sync or async.

    An id that can not stand in a key, from a ledger older than the checks of ids, is logged and
    passed over: it has no history, and must not hold up everybody else's.
    """
    try:
        history.append(pipe, payload["customer_id"], contact_of(payload))
    except BadInputError as error:
        log.warning("no history kept", outcome_id=payload["outcome_id"], reason=str(error))


class Relay:
    """Moves the outbox to Redis, in order, at least once; the effect is exactly once."""

    def __init__(self, live: redis.Redis, ledger: Engine) -> None:
        self._live = live
        self._ledger = ledger

    def step(self) -> int:
        """Carry one batch; returns how many rows, 0 when there is nothing to do."""
        rows = outbox.pending(self._ledger, BATCH)
        if not rows:
            return 0
        pipe = self._live.pipeline(transaction=False)
        for _, payload in rows:
            remember(pipe, payload)
        settled = [payload for _, payload in rows if settle(pipe, payload)]
        replies = pipe.execute()
        for payload, reply in zip(settled, replies[len(replies) - len(settled) :], strict=True):
            report_late(payload, reply)
        append_once(
            self._live,
            OUTCOME_STREAM,
            marks=[outcome_seen_key(payload["outcome_id"]) for _, payload in rows],
            entries=[json.dumps(payload).encode() for _, payload in rows],
            keep=SEEN_FOR,
        )
        outbox.done(self._ledger, [row_id for row_id, _ in rows])
        return len(rows)
