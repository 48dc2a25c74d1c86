"""Triggers: an offer that waits for an event is made on that event and on no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.decision import Refusal
from nbo.decision.request import Request
from nbo.decision.screen import screen
from nbo.decision.triggers import matches

Ask = Callable[..., Request]


def refusal(compiled: CompiledCatalog, request: Request, *triggers: str) -> Refusal | None:
    catalog = compiled.catalog
    note = replace(catalog.offers["blue-note"], triggers=triggers)
    changed = compile_catalog(
        replace(catalog, offers={**catalog.offers, "blue-note": note}), compiled.language
    )
    activation = changed.language.activate(request.facts)
    refusals = screen(request, changed, activation, DEFAULT_ARM).refusals
    assert {r.offer_id for r in refusals} <= {"blue-note"}, "others wait for nothing"
    return refusals[0] if refusals else None


@pytest.mark.parametrize(
    ("event", "made"),
    [
        ("claim.reported", True),
        ("web.form.closed", True),
        ("claim.reported.late", False),
        ("webshop", False),
        ("Claim.reported", False),
    ],
)
def test_any_of_its_triggers_will_do(
    ask: Ask, compiled: CompiledCatalog, event: str, made: bool
) -> None:
    request = ask(facts={"event.type": event})
    found = refusal(compiled, request, "claim.reported", "web.*")
    told = f"event.type is {event!r}, waits for claim.reported, web.*"
    expected = None if made else Refusal("blue-note", "applicability", "trigger", told)
    assert found == expected


def test_without_an_event_nothing_is_triggered(ask: Ask, compiled: CompiledCatalog) -> None:
    for facts in ({}, {"event.type": ""}):
        found = refusal(compiled, ask(facts=facts), "*")
        assert found is not None
        assert found.detail == "no event: event.type is unknown, waits for *"
    assert refusal(compiled, ask()) is None, "who waits for nothing needs no event"


words = st.text(alphabet="ab.*+?", max_size=6)


@given(pattern=words, event=st.text(alphabet="ab.+?\n", max_size=6))
def test_only_the_star_is_special(pattern: str, event: str) -> None:
    literal = pattern.replace("?", "[?]")
    assert matches(pattern, event) is fnmatchcase(event, literal)


def test_many_stars_take_no_longer() -> None:
    """Trying every place of every part would take longer than anybody lives."""
    assert not matches("*a" * 25 + "*b", "a" * 60)
    assert matches("*a" * 25 + "*b", "a" * 60 + "b")
    assert not matches("a*a", "a"), "no part stands in for two"
