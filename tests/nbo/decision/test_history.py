"""History facts and counts, small enough to verify by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nbo.decision.history import (
    HISTORY_FACTS,
    Contact,
    Outcome,
    exposures,
    history_facts,
    offer_histories,
)

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def contact(days: float, outcome: Outcome, offer: str = "o1", decision: str = "") -> Contact:
    at = NOW - timedelta(days=days)
    return Contact(at, "voice", f"i{days}", decision or f"d{days}", offer, "g", outcome)


HISTORY = (
    contact(95, Outcome.DECLINED),
    contact(20, Outcome.PRESENTED, decision="d"),
    contact(19.5, Outcome.ACCEPTED, decision="d"),
    contact(7, Outcome.PRESENTED),
    contact(2, Outcome.DECLINED, offer="o2"),
    contact(1, Outcome.SKIPPED),
    contact(-1, Outcome.PRESENTED),
)


def test_facts_by_hand() -> None:
    assert history_facts(HISTORY, NOW) == {
        "history.exposures_7d": 1.0,
        "history.exposures_30d": 3.0,
        "history.exposures_90d": 3.0,
        "history.accepted_365d": 1.0,
        "history.declined_90d": 1.0,
        "history.days_since_exposure": pytest.approx(2.0),
    }
    assert set(history_facts(HISTORY, NOW)) == set(HISTORY_FACTS)


def test_without_an_exposure_its_age_is_unknown() -> None:
    assert "history.days_since_exposure" not in history_facts((), NOW)
    assert history_facts((), NOW)["history.exposures_90d"] == 0.0


def test_an_exposure_counts_once_from_its_first_instant() -> None:
    assert exposures(HISTORY)["d", "o1"] == NOW - timedelta(days=20)
    assert exposures(HISTORY[::-1])["d", "o1"] == NOW - timedelta(days=20)


def test_counts_per_offer_and_group_by_hand() -> None:
    found = offer_histories(HISTORY, NOW)
    assert found["o1"] == (2.0, 0.0, 3.0)
    assert found["o2"] == (1.0, 1.0, 3.0)
    assert found["group:g"] == (0.0, 0.0, 3.0)
