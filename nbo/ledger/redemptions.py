"""Slots that take something of a cap or budget: accepted, or returned and not answered yet.

What another system offered is left out: it was never reserved here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from nbo.ledger.engine import in_one_statement, our_errors

# Bundles and costs are in the record alone; it is opened only for slots that may matter. The
# conditions are told apart so that an offer's slots are found by their index.
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
  AND ({may_matter})
  AND (s.offer_id = ANY (%(offers)s) OR s.incentive_id = ANY (%(incentives)s) OR EXISTS (
      SELECT FROM json_array_elements_text(coalesce(told.slot -> 'bundle', '[]'::json)) part
      WHERE part = ANY (%(offers)s)
  ))
  AND (%(since)s::timestamptz IS NULL OR d.at >= %(since)s)
"""

_ACCEPTED = """
  AND EXISTS (SELECT FROM outcome o WHERE o.decision_id = s.decision_id AND o.rank = s.rank
              AND o.kind = 'ACCEPTED')
"""

_WAITING = """
  AND NOT EXISTS (SELECT FROM outcome o WHERE o.decision_id = s.decision_id AND o.rank = s.rank
                  AND o.kind IN ('ACCEPTED', 'DECLINED', 'DEFERRED', 'NO_RESPONSE', 'SKIPPED'))
"""

# Only a text that knows bundles and names an offer sells it within one. A backslash may spell
# any word otherwise.
_BUNDLING = r"""
SELECT DISTINCT version FROM catalogue_version
WHERE strpos(text, 'bundle') > 0
      AND EXISTS (SELECT FROM unnest(%(offers)s::text[]) one WHERE strpos(text, one) > 0)
   OR strpos(text, E'\\') > 0
"""

_CHUNK = 1_000


class Sought(NamedTuple):
    """Which slots.

    Attributes:
        offers: Those that hold one of these, alone or within a bundle.
        incentives: Those made with one of these.
        since: Decided at this instant or later; None for all there are.
    """

    offers: Collection[str]
    incentives: Collection[str]
    since: datetime | None = None


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


def accepted(engine: Engine, sought: Sought) -> Iterator[Redemption]:
    """Read the slots that were accepted, each once, in no order.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    return _read(engine, sought, _ACCEPTED)


def waiting(engine: Engine, sought: Sought) -> Iterator[Redemption]:
    """Read the slots that were not answered; see `accepted`."""
    return _read(engine, sought, _WAITING)


def _read(engine: Engine, sought: Sought, condition: str) -> Iterator[Redemption]:
    parameters: dict[str, Any] = {
        "offers": list(sought.offers),
        "incentives": list(sought.incentives),
        "bundling": _bundling(engine, sought.offers),
        "since": sought.since,
    }
    conditions = {
        "offers": "s.offer_id = ANY (%(offers)s)",
        "incentives": "s.incentive_id = ANY (%(incentives)s)",
        "bundling": "d.catalog_version = ANY (%(bundling)s)",
    }
    may_matter = " OR ".join(sql for name, sql in conditions.items() if parameters[name])
    if not may_matter:
        return
    query = _SLOTS.format(may_matter=may_matter) + condition
    options = {"yield_per": _CHUNK}
    with our_errors(), engine.connect() as connection:
        for row in connection.exec_driver_sql(query, parameters, execution_options=options):
            decision_id, rank, at, offer_id, incentive_id, bundle, cost = row
            yield Redemption(
                decision_id, rank, at.astimezone(UTC), offer_id, incentive_id, tuple(bundle), cost
            )


def _bundling(engine: Engine, offers: Collection[str]) -> list[str]:
    """The catalogue versions that may sell one of these offers within a bundle."""
    if not offers:
        return []
    parameters = {"offers": list(offers)}
    return in_one_statement(
        engine, lambda c: list(c.exec_driver_sql(_BUNDLING, parameters).scalars())
    )
