"""The engine between the wire and the decision: what it tells the operator."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from features.reader import CustomerReader
from features.schema import FeatureSchema
from serving.bootstrap import build_application
from serving.caps import CapCounters
from serving.decision_log import DecisionLog
from serving.offer_engine import OfferEngine, Question


def test_a_step_down_is_told_once_not_with_every_answer(deployment, now):
    settings = deployment.settings

    async def ask_twice():
        application = await build_application(settings, deployment.stores)
        live, schema = application.live, FeatureSchema.load(settings.schema_file)
        log = DecisionLog(live, application.ledger, application.threads)
        reader = CustomerReader(live, schema)
        caps = CapCounters(live, settings.reservation)
        engine = OfferEngine(reader, application.world, caps, log, settings.trigger)
        try:
            for customer in ("c-30", "c-31"):
                decision, _ = await engine.decide(Question(customer, "i-12", "voice", now, 1))
                assert decision.degraded == ("prior propensity",)
        finally:
            await application.close()

    with capture_logs() as told:
        asyncio.run(ask_twice())
    steps = [entry["step"] for entry in told if entry["event"] == "answers are degraded"]
    assert steps == ["prior propensity"]
