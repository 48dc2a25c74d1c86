"""Reports without a time of their own: the server fills it in, and never refuses what it filled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nbo.errors import BadInputError


def test_a_decision_ahead_of_the_clock_can_be_answered(client):
    ahead = datetime.now(UTC) + timedelta(minutes=4)
    reply = client.offers("c-94", interaction_id="i-ahead", at=ahead)
    first = client.outcome(reply.decision_id, 1, "PRESENTED", idempotency_key="ahead-1")
    again = client.outcome(reply.decision_id, 1, "PRESENTED", idempotency_key="ahead-1")
    assert first.outcome_id == again.outcome_id
    (contact,) = client.customer("c-94", at=ahead + timedelta(seconds=30)).contacts
    assert abs(contact.at.ToDatetime(UTC) - ahead) < timedelta(milliseconds=1)


def test_a_stated_time_is_still_checked(client, now):
    reply = client.offers("c-95", interaction_id="i-stated", at=now)
    for at in (now - timedelta(seconds=1), datetime.now(UTC) + timedelta(minutes=6)):
        with pytest.raises(BadInputError, match="at"):
            client.outcome(reply.decision_id, 1, "PRESENTED", at=at)
