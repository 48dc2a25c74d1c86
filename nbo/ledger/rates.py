"""How often the offers of a group were accepted: the prior of offers that declare none."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from nbo.ledger.engine import in_one_statement

# An answer implies that the offer was presented, whether or not that was told as well. Younger
# exposures than the attribution window are left out, answered or not: of them the quick answers
# are known and silence is not yet a no.
_RATES = """
WITH exposed AS (
    SELECT decision_id, rank, bool_or(kind = 'ACCEPTED') AS accepted
    FROM outcome
    WHERE at >= %(since)s AND at <= %(upto)s
      AND kind IN ('PRESENTED', 'ACCEPTED', 'DECLINED', 'DEFERRED', 'NO_RESPONSE')
    GROUP BY decision_id, rank
    HAVING min(at) <= %(decided)s
)
SELECT s.group_id, avg(accepted::int)::float8 AS rate
FROM exposed JOIN slot s USING (decision_id, rank)
GROUP BY s.group_id
HAVING count(*) >= %(at_least)s
ORDER BY s.group_id
"""


def group_rates(
    engine: Engine, since: datetime, upto: datetime, attribution: timedelta, at_least: int
) -> dict[str, float]:
    """Accepted ÷ presented by group, in [0, 1], of what can be judged at `upto`.

    Args:
        engine: The ledger.
        since: Outcomes before it are not looked at.
        upto: Nor those after it.
        attribution: An acceptance may come so long after its exposure: exposures are counted
            once they are that old, with the answers until `upto`.
        at_least: Groups with fewer exposures are left out.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    parameters = {
        "since": since,
        "upto": upto,
        "decided": upto - attribution,
        "at_least": at_least,
    }
    rows = in_one_statement(engine, lambda c: c.exec_driver_sql(_RATES, parameters).all())
    return {row.group_id: row.rate for row in rows}
