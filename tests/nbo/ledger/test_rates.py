from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from nbo.decision.history import Outcome
from nbo.decision.record import Record
from nbo.ledger import outcomes
from nbo.ledger.outcomes import OutcomeInput
from nbo.ledger.rates import group_rates

Make = Callable[..., Record]
DECIDED = datetime(2026, 3, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def tell(engine: Engine, make_record: Make) -> Callable[..., None]:
    """Records what came of both slots of a decision of its own, a minute after it."""

    def write(number: int, *kinds: str, after: timedelta = timedelta(minutes=1)) -> None:
        record = make_record(f"d-{number}")
        for kind in kinds:
            key = f"{number}-{kind}"
            at = DECIDED + after
            given = OutcomeInput(key, f"d-{number}", 1, Outcome(kind), "", at)
            outcomes.record(engine, given, record)

    return write


def rates(
    engine: Engine,
    at_least: int = 1,
    since: datetime = DECIDED,
    attribution: timedelta = timedelta(0),
) -> dict[str, float]:
    return group_rates(engine, since, DECIDED + DAY, attribution, at_least)


def test_a_rate_is_accepted_of_presented(engine: Engine, tell: Callable[..., None]) -> None:
    tell(1, "PRESENTED", "ACCEPTED")
    tell(2, "PRESENTED")
    tell(3, "DECLINED")  # an answer implies that it was presented
    tell(4, "SKIPPED")  # the agent did not voice it
    tell(5, "ACCEPTED", "CANCELLED")
    assert rates(engine) == {"internet": 0.5}


def test_a_group_with_few_exposures_has_no_rate(engine: Engine, tell: Callable[..., None]) -> None:
    for number in range(4):
        tell(number, "PRESENTED")
    assert rates(engine, at_least=4) == {"internet": 0.0}
    assert rates(engine, at_least=5) == {}


def test_only_outcomes_of_the_window_count(engine: Engine, tell: Callable[..., None]) -> None:
    tell(1, "ACCEPTED", after=timedelta(hours=2))
    tell(2, "DECLINED", after=timedelta(hours=1))
    tell(3, "DECLINED", after=2 * DAY)
    assert rates(engine, since=DECIDED + timedelta(hours=2)) == {"internet": 1.0}
    assert rates(engine) == {"internet": 0.5}


def test_what_may_still_be_accepted_is_not_counted_yet(
    engine: Engine, tell: Callable[..., None]
) -> None:
    """Silence of an hour is no "no", and the quick answers alone would be no rate either."""
    tell(1, "PRESENTED", after=timedelta(0))
    tell(2, "PRESENTED", after=timedelta(hours=12))
    for number in (3, 4, 5):
        tell(number, "PRESENTED", after=timedelta(hours=13))
    tell(6, "ACCEPTED", after=timedelta(hours=13))
    assert rates(engine, attribution=DAY / 2) == {"internet": 0.0}
    tell(2, "ACCEPTED", after=timedelta(hours=23))  # within the window, as late as that may be
    assert rates(engine, attribution=DAY / 2) == {"internet": 0.5}
    assert rates(engine, attribution=DAY) == {"internet": 0.0}
    assert rates(engine, attribution=2 * DAY) == {}


def test_nothing_presented_has_no_rates(engine: Engine) -> None:
    assert rates(engine) == {}
