"""The fallback: one offer alone, screened like any other, and replayed from its record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision, Refusal
from nbo.decision.prior import PriorPropensity
from nbo.decision.record import request_from_record, to_record
from nbo.decision.request import Request

Ask = Callable[..., Request]
Change = Callable[..., CompiledCatalog]

BY_PLAN = """
experiments:
  - id: yardstick
    salt: s
    unit: customer.plan
    arms: [{id: offered, share: 0.5}, {id: silent, share: 0.5, holdout: true}]
"""


def test_only_the_offer_named_is_considered(ask: Ask, world: World) -> None:
    decision = decide(ask(only="blue-note"), world)
    assert [slot.offer_id for slot in decision.slots] == ["blue-note"]
    said = "nothing is known of the customer: only 'blue-note' is considered"
    aside = [r for r in decision.refusals if r.rule == "fallback only"]
    assert aside == [
        Refusal(offer_id, "eligibility", "fallback only", said)
        for offer_id in ("blue-1", "red-1", "red-2")
    ]


def test_it_passes_the_screen_like_any_other(ask: Ask, world: World) -> None:
    stranger: dict[str, Any] = {"only": "blue-note", "facts": {"customer.consent_voice": None}}
    decision = decide(ask(**stranger), world)
    assert not decision.slots
    refusal = next(r for r in decision.refusals if r.offer_id == "blue-note")
    assert refusal.stage == "consent"


def test_a_channel_without_a_fallback_is_offered_nothing(ask: Ask, world: World) -> None:
    decision = decide(ask(only=""), world)
    assert not decision.slots
    said = "nothing is known of the customer: the channel has no fallback"
    assert {(r.stage, r.rule, r.detail) for r in decision.refusals} == {
        ("eligibility", "fallback only", said)
    }


def test_the_steps_taken_before_come_first(ask: Ask, world: World) -> None:
    steps = ("customer unknown", "fallback offer")
    decision = decide(ask(only="blue-note", degraded=steps), world)
    assert decision.degraded == (*steps, "prior propensity")


def test_the_record_says_so_and_decides_again_alike(ask: Ask, world: World) -> None:
    decision = decide(ask(only="blue-note", history_known=False, degraded=("x",)), world)
    record = json.loads(json.dumps(to_record(decision)))
    again = request_from_record(record["request"])
    assert again == decision.request
    assert decide(again, world) == decision


@pytest.fixture
def by_plan(changed: Change) -> Callable[[Request], Decision]:
    """Decides with a holdout of every second plan."""
    world = World(changed(append=BY_PLAN), PriorPropensity())
    return lambda request: decide(request, world)


def test_who_may_be_in_a_holdout_is_offered_nothing(
    ask: Ask, by_plan: Callable[[Request], Decision]
) -> None:
    """Of the plan's two arms one forbids every offer, and which one it is cannot be read."""
    decision = by_plan(ask(only="blue-note"))
    assert not decision.slots
    assert decision.arms == {}
    said = "customer.plan is unknown: they may be of this arm, which is offered nothing"
    assert decision.refusals[-1] == Refusal("blue-note", "holdout", "silent", said)


def test_the_arm_is_the_one_of_the_unit_wherever_it_is_known(
    ask: Ask, by_plan: Callable[[Request], Decision]
) -> None:
    seen: set[str] = set()
    for plan in "abcdefgh":
        facts = {"customer.plan": plan}
        seeing, blind = by_plan(ask(facts=facts)), by_plan(ask(facts=facts, only="blue-note"))
        assert blind.arms == seeing.arms
        assert bool(blind.slots) is (seeing.arms["yardstick"] == "offered")
        seen.update(seeing.arms.values())
    assert seen == {"offered", "silent"}


def test_only_a_holdout_by_fact_forbids_what_is_said_blindly(
    ask: Ask, changed: Change, by_plan: Callable[[Request], Decision]
) -> None:
    assert by_plan(ask()).slots, "the facts were read, and hold no plan: no arm, no holdout"
    customers = World(changed(append=BY_PLAN.replace("unit: customer.plan", "")), PriorPropensity())
    blind = [decide(ask(only="blue-note", customer_id=f"c-{n}"), customers) for n in range(20)]
    assert all(bool(one.slots) is (one.arms["yardstick"] == "offered") for one in blind)
    open_to_all = World(changed(append=BY_PLAN.replace(", holdout: true", "")), PriorPropensity())
    assert decide(ask(only="blue-note"), open_to_all).slots
