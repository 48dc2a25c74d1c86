"""The fallback: one offer alone, screened like any other, and replayed from its record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nbo.decision.decide import World, decide
from nbo.decision.decision import Refusal
from nbo.decision.record import request_from_record, to_record
from nbo.decision.request import Request

Ask = Callable[..., Request]


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
    assert not decide(ask(only=""), world).slots


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
