"""What came of a slot: durable, and once, before anybody is told so.

In the usual case one statement, and so one round trip and one commit, checks the idempotency
key and the slot and writes the outcome, its money and the outbox row.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from nbo.decision.history import Outcome
from nbo.decision.record import IMPORTED, Record
from nbo.errors import BadInputError, ConflictError, UnavailableError
from nbo.ledger import decisions
from nbo.ledger.engine import in_one_statement, in_transaction
from nbo.ledger.storable import json_text, money, plain_text

# Returns no row when nothing was written; `_resolve` then finds out why.
_RECORD = """
WITH written AS (
    INSERT INTO outcome (outcome_id, idempotency_key, body_hash, decision_id, rank, kind, reason,
                         at, defer_until, margin, monthly_revenue)
    SELECT %(outcome_id)s, %(key)s, %(hash)s, s.decision_id, s.rank, %(kind)s, %(reason)s,
           %(at)s::timestamptz, %(defer_until)s::timestamptz, %(margin)s::numeric,
           %(monthly_revenue)s::numeric
    FROM slot s
    WHERE s.decision_id = %(decision_id)s AND s.rank = %(rank)s
    ON CONFLICT DO NOTHING
    RETURNING outcome_id
)
INSERT INTO outbox (payload) SELECT %(payload)s::json FROM written RETURNING id
"""

_BY_KEY = "SELECT outcome_id, body_hash, at FROM outcome WHERE idempotency_key = %s"

_SIGN = {Outcome.ACCEPTED: 1, Outcome.CANCELLED: -1}


@dataclass(frozen=True, slots=True)
class OutcomeInput:
    """What the caller reports about one slot.

    Attributes:
        idempotency_key: Same key and body: same receipt. Same key, other body: refused.
        decision_id: The decision that returned the slot.
        rank: Which slot, 1 first.
        kind: What came of it.
        reason: Why, for DECLINED and SKIPPED; may be empty.
        at: When, UTC.
        defer_until: When to offer again, for DEFERRED only.
        at_stated: Whether the caller named `at`; a time the server filled in is no part of the
            body, so that a repeated call is recognised.
        monthly_revenue: What the offer adds to the bill, per month; counted when accepted,
            taken back when cancelled. No part of the body either.
    """

    idempotency_key: str
    decision_id: str
    rank: int
    kind: Outcome
    reason: str
    at: datetime
    defer_until: datetime | None = None
    at_stated: bool = True
    monthly_revenue: float = 0.0

    @property
    def body_hash(self) -> str:
        """Hash of all that makes two reports the same."""
        stated = (self.at if self.at_stated else None, self.defer_until)
        times = [time.astimezone(UTC).isoformat() if time else "" for time in stated]
        body = json_text([self.decision_id, self.rank, self.kind, self.reason, *times])
        return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


class OutcomeReceipt(NamedTuple):
    """Proof that an outcome is durable.

    Attributes:
        outcome_id: Its id, the same however often it is reported.
        duplicate: Whether it was there before this call.
        payload: What the relay carries; see `nbo.ledger.outbox.Waiting`.
    """

    outcome_id: str
    duplicate: bool
    payload: dict[str, Any]


def record(engine: Engine, given: OutcomeInput, decision: Record) -> OutcomeReceipt:
    """Write one outcome, its money effect and its outbox row, all or nothing.

    Args:
        engine: The ledger.
        given: What is reported.
        decision: Record of the decision, written too when the ledger does not have it yet.

    Raises:
        BadInputError: no such slot, or times that can not be.
        ConflictError: the idempotency key was used for another report.
        UnavailableError: PostgreSQL does not answer; report again with the same key.
    """
    slot = check(given, decision)
    outcome_id = uuid.uuid4().hex
    parameters = _parameters(given, decision, slot, outcome_id)

    def quickly(connection: Connection) -> OutcomeReceipt | None:
        return _write(connection, given, decision, slot, parameters)

    def thoroughly(connection: Connection) -> OutcomeReceipt:
        return _resolve(connection, given, decision, slot, parameters)

    return in_one_statement(engine, quickly) or in_transaction(engine, thoroughly)


def check(given: OutcomeInput, decision: Record) -> Record:
    """Check a report against its decision.

    Returns:
        The slot it is about.

    Raises:
        BadInputError: no such slot, or times that can not be.
    """
    for field in ("at", "defer_until"):
        time = getattr(given, field)
        if time is not None and time.tzinfo is None:
            raise BadInputError(field, f"must have a time zone, was {time.isoformat()}")
    slots = {slot["rank"]: slot for slot in decision["slots"]}
    if given.rank not in slots:
        known = ", ".join(map(str, sorted(slots))) or "none, the decision is empty"
        raise BadInputError("rank", f"must be a slot of the decision ({known}), was {given.rank}")
    decided = datetime.fromisoformat(decision["request"]["at"])
    if given.at < decided:
        raise BadInputError(
            "at",
            f"must not be before the decision at {decided.isoformat()}, was {given.at.isoformat()}",
        )
    if (given.kind is Outcome.DEFERRED) != (given.defer_until is not None):
        raise BadInputError("defer_until", "is required for DEFERRED, and only then allowed")
    # Not compared with a time the server filled in: the same report must be judged the same
    # however late it is repeated.
    earliest = given.at if given.at_stated else decided
    if given.defer_until is not None and given.defer_until <= earliest:
        raise BadInputError("defer_until", f"must be after {earliest.isoformat()}")
    return dict(slots[given.rank])


def _write(
    connection: Connection,
    given: OutcomeInput,
    decision: Record,
    slot: Record,
    parameters: dict[str, Any],
) -> OutcomeReceipt | None:
    """Write the outcome and its outbox row; None when anything stands in the way."""
    row = connection.exec_driver_sql(_RECORD, parameters).one_or_none()
    if row is None:
        return None
    outcome_id = parameters["outcome_id"]
    return OutcomeReceipt(outcome_id, False, _payload(given, decision, slot, outcome_id))


def _resolve(
    connection: Connection,
    given: OutcomeInput,
    decision: Record,
    slot: Record,
    parameters: dict[str, Any],
) -> OutcomeReceipt:
    """Find out why nothing was written, and write what must be.

    Three things stand in the way of an outcome: its key is there already, the recorder has not
    brought the decision yet, or the slot's money was counted under another key.
    """
    known = _known(connection, given, decision, slot)
    if known is not None:
        return known
    decisions.insert(connection, [decision])
    without_money = {**parameters, "margin": None, "monthly_revenue": None}
    for attempt in (parameters, without_money):
        receipt = _write(connection, given, decision, slot, attempt)
        receipt = receipt or _known(connection, given, decision, slot)
        if receipt is not None:
            return receipt
    raise UnavailableError("ledger", f"decision {given.decision_id!r} could not be written")


def _known(
    connection: Connection, given: OutcomeInput, decision: Record, slot: Record
) -> OutcomeReceipt | None:
    """Find the receipt of an earlier report under the same key; None when there was none."""
    key = plain_text(given.idempotency_key)
    row = connection.exec_driver_sql(_BY_KEY, (key,)).one_or_none()
    if row is None:
        return None
    if row.body_hash != given.body_hash:
        raise ConflictError(
            f"idempotency_key {given.idempotency_key!r} was used for another report;"
            " use a new key for a new outcome"
        )
    payload = _payload(given, decision, slot, row.outcome_id) | {"at": _iso(row.at)}
    return OutcomeReceipt(row.outcome_id, True, payload)


def _parameters(
    given: OutcomeInput, decision: Record, slot: Record, outcome_id: str
) -> dict[str, Any]:
    sign = _SIGN.get(given.kind)
    return {
        "outcome_id": outcome_id,
        "key": plain_text(given.idempotency_key),
        "hash": given.body_hash,
        "decision_id": plain_text(given.decision_id),
        "rank": given.rank,
        "kind": given.kind.value,
        "reason": plain_text(given.reason),
        "at": given.at,
        "defer_until": given.defer_until,
        "margin": sign and sign * money(slot["value"]),
        "monthly_revenue": sign and sign * money(given.monthly_revenue),
        "payload": json_text(_payload(given, decision, slot, outcome_id)),
    }


def _payload(
    given: OutcomeInput, decision: Record, slot: Record, outcome_id: str
) -> dict[str, Any]:
    request = decision["request"]
    return {
        "outcome_id": outcome_id,
        "kind": given.kind.value,
        "at": _iso(given.at),
        "defer_until": _iso(given.defer_until) if given.defer_until else None,
        "customer_id": request["customer_id"],
        "interaction_id": request["interaction_id"],
        "channel": request["channel"],
        "decision_id": given.decision_id,
        "rank": given.rank,
        "offer_id": slot["offer_id"],
        "group_id": slot["group_id"],
        "incentive_id": slot["incentive_id"],
        "incentive_cost": slot.get("incentive_cost", 0.0),
        "bundle": list(slot.get("bundle", ())),
        "decided_at": request["at"],
        "imported": decision.get("versions", {}).get("engine") == IMPORTED,
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
