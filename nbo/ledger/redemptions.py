"""Slots that take something of a cap or budget: accepted, or returned and not answered yet.

What another system offered is left out: it was never reserved here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from nbo.ledger.engine import our_errors

# Bundles and costs are in the record alone; it is opened only for slots that may matter.
_SLOTS = """
SELECT s.decision_id, s.rank, d.at, s.offer_id, s.incentive_id,
       coalesce(told.slot -> 'bundle', '[]'::json),
       coalesce((told.slot ->> 'incentive_cost')::float8, 0)
FROM slot s
JOIN decision d USING (decision_id)
CROSS JOIN LATERAL (
    SELECT value AS slot FROM json_array_elements(d.record -> 'slots')
    WHERE (value ->> 'rank')::int = s.rank
) told
WHERE NOT d.imported
  AND (s.offer_id <> ALL (%(plain)s) OR s.incentive_id = ANY (%(budgeted)s))
"""

_ACCEPTED = (
    _SLOTS
    + """
  AND EXISTS (SELECT FROM outcome o WHERE o.decision_id = s.decision_id AND o.rank = s.rank
              AND o.kind = 'ACCEPTED')
"""
)

_WAITING = (
    _SLOTS
    + """
  AND d.at > %(since)s
  AND NOT EXISTS (SELECT FROM outcome o WHERE o.decision_id = s.decision_id AND o.rank = s.rank
                  AND o.kind IN ('ACCEPTED', 'DECLINED', 'DEFERRED', 'NO_RESPONSE', 'SKIPPED'))
"""
)

_CHUNK = 1_000


class Redemption(NamedTuple):
    """A slot, and what it takes.

    Attributes:
        decided_at: When it was decided, UTC.
        bundle: The offers sold as one under `offer_id`; empty for an ordinary offer.
        incentive_cost: In the catalogue's currency, as when it was decided.
    """

    decision_id: str
    rank: int
    decided_at: datetime
    offer_id: str
    incentive_id: str
    bundle: tuple[str, ...]
    incentive_cost: float


def accepted(
    engine: Engine, plain: Collection[str], budgeted: Collection[str]
) -> Iterator[Redemption]:
    """Read every slot that was ever accepted, each once, in no order.

    Args:
        engine: The ledger.
        plain: Offers to leave out, unless their incentive is budgeted.
        budgeted: Incentives with a budget.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    return _read(engine, _ACCEPTED, plain, budgeted)


def waiting(
    engine: Engine, plain: Collection[str], budgeted: Collection[str], since: datetime
) -> Iterator[Redemption]:
    """Read the slots decided after an instant that were not answered; see `accepted`."""
    return _read(engine, _WAITING, plain, budgeted, since=since)


def _read(
    engine: Engine, query: str, plain: Collection[str], budgeted: Collection[str], **more: Any
) -> Iterator[Redemption]:
    parameters = {"plain": list(plain), "budgeted": list(budgeted), **more}
    options = {"yield_per": _CHUNK}
    with our_errors(), engine.connect() as connection:
        for row in connection.exec_driver_sql(query, parameters, execution_options=options):
            decision_id, rank, at, offer_id, incentive_id, bundle, cost = row
            yield Redemption(
                decision_id, rank, at.astimezone(UTC), offer_id, incentive_id, tuple(bundle), cost
            )
