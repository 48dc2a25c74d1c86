"""Variants of the catalogue: an offer marked with one is for the customers of its arm alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.decision import Refusal
from nbo.decision.request import Request
from nbo.decision.screen import screen


@pytest.mark.parametrize(
    ("variant", "available"), [("", False), ("blue", True), ("green", True), ("grey", False)]
)
def test_an_offer_of_a_variant_is_available_in_it_alone(
    ask: Callable[..., Request], compiled: CompiledCatalog, variant: str, available: bool
) -> None:
    catalog = compiled.catalog
    note = replace(catalog.offers["blue-note"], variants=("green", "blue"))
    other = replace(note, offer_id="grey-note", variants=())
    offers = {**catalog.offers, "blue-note": note, "grey-note": other}
    changed = compile_catalog(replace(catalog, offers=offers), compiled.language)
    request = ask()
    arm = replace(DEFAULT_ARM, arm_id="a", variant=variant)
    refusals = screen(request, changed, changed.language.activate(request.facts), arm).refusals
    told = Refusal("blue-note", "availability", "variant", "only in variant blue, green")
    assert refusals == ([] if available else [told])
