"""Decision records as the engine writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from nbo.decision.decision import Decision, Refusal, Slot
from nbo.decision.history import Contact, Outcome
from nbo.decision.record import Record, to_record
from nbo.decision.request import Request

DECIDED = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def at() -> datetime:
    return DECIDED


@pytest.fixture
def make_record() -> Callable[..., Record]:
    def make(
        decision_id: str = "d-1", *, customer_id: str = "c-1", at: datetime = DECIDED
    ) -> Record:
        contact = Contact(at, "web", "i-0", "", "tv", "tv", Outcome.DECLINED)
        request = Request(
            decision_id=decision_id,
            customer_id=customer_id,
            interaction_id="i-1",
            at=at,
            channel="voice",
            language="en",
            slots=3,
            facts={"customer.tenure_months": 7.0, "customer.plan": "S", "customer.vip": False},
            history=(contact,),
            seed=7,
            agent_id="a-1",
        )
        slots = tuple(
            Slot(
                rank,
                f"offer-{rank}",
                "internet",
                "none",
                0.95,
                0.3,
                0.31,
                120.25,
                36.1,
                1.2,
                1.0,
                ("r",),
            )
            for rank in (1, 2)
        )
        refusals = (Refusal("tv", "contact policy", "declined offer", "paused"),)
        versions = {"catalog": "abc", "model": "champion/1+online/5", "engine": "0.1"}
        return to_record(Decision(request, {"policy": "engine"}, slots, refusals, versions))

    return make
