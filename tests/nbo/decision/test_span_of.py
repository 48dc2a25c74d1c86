"""Calendar periods, for every instant there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nbo.decision.limits import Period, span_of

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@given(period=st.sampled_from(Period), at=st.datetimes(timezones=st.just(UTC)))
@example(Period.YEAR, LAST)
@example(Period.WEEK, FIRST)
def test_every_instant_lies_in_its_period(period: Period, at: datetime) -> None:
    start, end = span_of(period, at)
    assert start <= at <= end
    assert span_of(period, start) == (start, end)
    assert 0.0 <= span_of(period, at).elapsed(at) <= 1.0


@pytest.mark.parametrize("period", Period)
def test_the_last_period_ends_with_the_calendar(period: Period) -> None:
    assert span_of(period, LAST).end == LAST
    assert span_of(period, LAST - timedelta(days=400)).end < LAST
