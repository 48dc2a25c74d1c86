"""For which instants the use of caps and budgets may be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nbo.errors import BadInputError
from serving.request_checks import LAST_COUNTED, countable


def test_an_instant_nobody_plans_for_is_refused_with_the_limits(client):
    for at in (datetime(1969, 12, 31, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        with pytest.raises(BadInputError, match="at: must be an instant from 1970 until 2200"):
            client.usage(at=at)
    assert client.usage(at=datetime(2199, 12, 31, tzinfo=UTC)).known


def test_the_limits_themselves():
    assert countable("at", datetime(1970, 1, 1, tzinfo=UTC))
    assert countable("at", LAST_COUNTED - timedelta(microseconds=1))
    with pytest.raises(BadInputError):
        countable("at", LAST_COUNTED)
