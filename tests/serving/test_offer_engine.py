"""The engine between the wire and the decision: what it tells the operator."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from serving.bootstrap import build_application
from serving.question import Question


def test_a_step_down_is_told_once_not_with_every_answer(deployment, now):
    settings = deployment.settings

    async def ask_twice():
        application = await build_application(settings, deployment.stores)
        try:
            for customer in ("c-30", "c-31"):
                decision, _ = await application.engine.decide(
                    Question(customer, "i-12", "voice", now, 1)
                )
                assert decision.degraded == ("prior propensity",)
        finally:
            await application.close()

    with capture_logs() as told:
        asyncio.run(ask_twice())
    steps = [entry["step"] for entry in told if entry["event"] == "answers are degraded"]
    assert steps == ["prior propensity"]


def test_a_consent_is_not_taken_from_memory(deployment, now):
    """It may have been withdrawn since Redis was last asked; unknown refuses."""

    async def ask(application):
        decision, _ = await application.engine.decide(Question("c-32", "i-13", "voice", now, 3))
        return decision

    async def ask_before_and_after():
        application = await build_application(deployment.settings, deployment.stores)
        try:
            before = await ask(application)
            application.health.redis.usable = False
            return before, await ask(application)
        finally:
            await application.close()

    before, after = asyncio.run(ask_before_and_after())
    assert "shop-card" in {slot.offer_id for slot in before.slots}
    assert after.degraded[0] == "last known customer vector"
    assert "customer.years" in after.request.facts
    assert not after.slots
    details = {(refusal.stage, refusal.detail) for refusal in after.refusals}
    assert details == {("consent", "customer.consent_voice is unknown")}
