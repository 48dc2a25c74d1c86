"""What models learn from: every slot that was really presented, with its label, once.

Slots that a workspace's plug-in model chose are left out, see decision 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine

from nbo.decision.record import Record
from nbo.ledger.engine import our_errors

# An acceptance outweighs every other answer, whatever their order; an answer outweighs silence.
# Silence becomes a "no" at the end of the attribution window.
#
# A plug-in model may know what ours may not: what it chose would carry its knowledge into the
# training set. So only decisions of the engine's own models count, and those of an imported log.
_LABELLED = r"""
WITH labelled AS (
    SELECT decision_id, rank,
           min(at) FILTER (WHERE kind = 'ACCEPTED') AS accepted_at,
           min(at) FILTER (WHERE kind IN ('DECLINED', 'DEFERRED', 'NO_RESPONSE')) AS declined_at,
           min(at) FILTER (WHERE kind = 'PRESENTED') + %(attribution)s AS expired_at
    FROM outcome
    WHERE at <= %(upto)s
    GROUP BY decision_id, rank
)
SELECT d.record, l.rank, l.accepted_at IS NOT NULL AS accepted,
       COALESCE(l.accepted_at, l.declined_at, l.expired_at) AS outcome_at
FROM labelled l JOIN decision d USING (decision_id)
WHERE COALESCE(l.accepted_at, l.declined_at, l.expired_at) <= %(upto)s
  AND d.model_version ~ '^(imported$|prior($|\+)|champion/)'
ORDER BY d.at, d.decision_id, l.rank
"""

_CHUNK = 1_000


class Exposure(NamedTuple):
    """One presented slot whose label is known.

    Attributes:
        record: The decision; see `nbo.decision.record`. Imported ones may hold None for a
            slot's probability, propensity, batch and priority.
        rank: Which of its slots.
        accepted: The label.
        outcome_at: When the label became known: the answer, or the end of the attribution
            window for an exposure without one.
    """

    record: Record
    rank: int
    accepted: bool
    outcome_at: datetime


def labelled_exposures(
    engine: Engine, upto: datetime, attribution: timedelta
) -> Iterator[Exposure]:
    """Read the exposures whose label is known at `upto`, in the order of their decisions.

    Args:
        engine: The ledger.
        upto: Outcomes after it are not looked at.
        attribution: An exposure without an answer is a "no" after so long, and left out before.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    parameters = {"upto": upto, "attribution": attribution}
    streaming = {"yield_per": _CHUNK}
    with our_errors(), engine.connect() as connection:
        for row in connection.exec_driver_sql(_LABELLED, parameters, execution_options=streaming):
            record, rank, accepted, at = row
            yield Exposure(record, rank, accepted, at.astimezone(UTC))
