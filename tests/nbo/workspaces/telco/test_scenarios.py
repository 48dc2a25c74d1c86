"""The sentences of `scenarios/calls.yaml` hold."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from nbo.decision.decide import World, decide
from nbo.decision.history import Contact, Outcome
from nbo.decision.prior import PriorPropensity
from nbo.decision.request import Request

AT = datetime(2026, 9, 10, 12, tzinfo=UTC)
FILE = Path(__file__).parents[4] / "nbo" / "workspaces" / "telco" / "scenarios" / "calls.yaml"
TOLD = yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("told", TOLD["scenarios"], ids=lambda told: told["name"])
def test_scenario(told, compiled):
    asked = told.get("ask", {})
    facts = {**TOLD["profile"], **told.get("facts", {})}
    for name in told.get("without", []):
        del facts[name]
    request = Request(
        decision_id="d",
        customer_id="c-scenario",
        interaction_id="now",
        at=AT,
        channel=asked.get("channel", "voice"),
        language="en",
        slots=50,
        facts=facts,
        history=tuple(_contact(past, compiled) for past in told.get("history", [])),
        seed=1,
    )
    decision = decide(request, World(compiled, PriorPropensity()))
    offered = {slot.offer_id for slot in decision.slots}
    stages = {r.offer_id: r.stage for r in decision.refusals if not r.incentive_id}
    expected = told["expect"]
    assert set(expected.get("offered", [])) <= offered
    assert not set(expected.get("not_offered", [])) & offered
    assert not (expected.get("nothing") and offered)
    for offer, stage in expected.get("because", {}).items():
        assert stages[offer] == stage


def _contact(past, compiled):
    offer = compiled.catalog.offers[past["offer"]]
    at = AT - timedelta(days=past["days_ago"])
    return Contact(
        at,
        past["channel"],
        f"then-{past['days_ago']}",
        f"d-{past['days_ago']}",
        offer.offer_id,
        offer.group_id,
        Outcome(past["outcome"]),
    )
