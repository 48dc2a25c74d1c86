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
