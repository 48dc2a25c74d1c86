"""A decision as a record: plain JSON values, compact, and back without loss.

Field names are those of the dataclasses. What comes by the hundred is a row in the order of
its fields: a contact of the history, a refusal. Instants are ISO 8601 in UTC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from nbo.decision.decision import Decision, Refusal, ScoredTreatment, Slot
from nbo.decision.history import Contact, Outcome
from nbo.decision.limits import CapUse, Usage
from nbo.decision.request import Request
from nbo.errors import BadInputError

Record = dict[str, Any]

IMPORTED = "imported"
"""Engine version of decisions that another system made; they make no `Decision`."""

_SLOT_FIELDS = tuple(field.name for field in fields(Slot))


def to_record(decision: Decision) -> Record:
    """Turn a decision into JSON-able values.

    Facts that are not finite are left out: JSON has no word for them, and rules and models
    treat them as unknown.
    """
    return {
        "request": request_to_record(decision.request),
        "arms": dict(decision.arms),
        "slots": [
            {name: _plain(getattr(slot, name)) for name in _SLOT_FIELDS} for slot in decision.slots
        ],
        "refusals": [list(refusal) for refusal in decision.refusals],
        "versions": dict(decision.versions),
        "degraded": list(decision.degraded),
        "scores": [list(scored) for scored in decision.scores],
        "rates": dict(decision.rates),
    }


def from_record(record: Mapping[str, Any]) -> Decision:
    """Rebuild the decision a record was made of.

    Raises:
        BadInputError: A field is missing or of the wrong kind.
    """
    try:
        return Decision(
            request=request_from_record(record["request"]),
            arms=dict(record["arms"]),
            slots=tuple(_slot(slot) for slot in record["slots"]),
            refusals=tuple(Refusal(*row) for row in record["refusals"]),
            versions=dict(record["versions"]),
            degraded=tuple(record["degraded"]),
            scores=tuple(ScoredTreatment(*row) for row in record.get("scores", ())),
            rates=dict(record.get("rates", {})),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError("record", f"is not a decision record: {error!r}") from error


def request_to_record(request: Request) -> Record:
    """Turn a request into JSON-able values."""
    return {
        "decision_id": request.decision_id,
        "customer_id": request.customer_id,
        "interaction_id": request.interaction_id,
        "at": _iso(request.at),
        "channel": request.channel,
        "language": request.language,
        "slots": request.slots,
        "facts": {
            name: value
            for name, value in request.facts.items()
            if not isinstance(value, float) or math.isfinite(value)
        },
        "history": [_row(contact) for contact in request.history],
        "seed": request.seed,
        "agent_id": request.agent_id,
        "usage": _usage_to_record(request.usage),
        "history_known": request.history_known,
        "degraded": list(request.degraded),
        "only": request.only,
    }


def request_from_record(record: Mapping[str, Any]) -> Request:
    """Rebuild the request a record was made of.

    Raises:
        KeyError, TypeError, ValueError: A field is missing or of the wrong kind.
    """
    return Request(
        decision_id=record["decision_id"],
        customer_id=record["customer_id"],
        interaction_id=record["interaction_id"],
        at=datetime.fromisoformat(record["at"]),
        channel=record["channel"],
        language=record["language"],
        slots=record["slots"],
        facts=dict(record["facts"]),
        history=tuple(_contact(row) for row in record["history"]),
        seed=record["seed"],
        agent_id=record["agent_id"],
        usage=_usage(record.get("usage", {})),
        history_known=record.get("history_known", True),
        degraded=tuple(record.get("degraded", ())),
        only=record.get("only"),
    )


def _usage_to_record(usage: Usage) -> Record:
    """List what is used; what is not known only where there is any, as in records of old."""
    unknown = {
        "unknown_offers": sorted(usage.unknown_offers),
        "unknown_budgets": sorted(usage.unknown_budgets),
    }
    return {
        "offers": {offer_id: list(use) for offer_id, use in usage.offers.items()},
        "budgets": dict(usage.budgets),
        "known": usage.known,
        **{name: ids for name, ids in unknown.items() if ids},
    }


def _usage(record: Mapping[str, Any]) -> Usage:
    return Usage(
        offers={offer_id: CapUse(*use) for offer_id, use in record.get("offers", {}).items()},
        budgets=dict(record.get("budgets", {})),
        known=record.get("known", True),
        unknown_offers=frozenset(record.get("unknown_offers", ())),
        unknown_budgets=frozenset(record.get("unknown_budgets", ())),
    )


def _slot(record: Mapping[str, Any]) -> Slot:
    """Rebuild a slot; records of old lack the fields that came later."""
    lists = {name: tuple(record[name]) for name in ("reasons", "bundle") if name in record}
    return Slot(**{**record, **lists})


def _row(contact: Contact) -> list[Any]:
    """List a contact's fields; the last only where there is one, as in records of old."""
    at, *others, defer_until = contact
    return [_iso(at), *others, *([_iso(defer_until)] if defer_until else [])]


def _contact(row: Sequence[Any]) -> Contact:
    at, channel, interaction_id, decision_id, offer_id, group_id, outcome, *later = row
    return Contact(
        datetime.fromisoformat(at),
        channel,
        interaction_id,
        decision_id,
        offer_id,
        group_id,
        Outcome(outcome),
        datetime.fromisoformat(*later) if later else None,
    )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
