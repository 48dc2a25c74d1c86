"""Bundles in the screen: one candidate, made only where each member could be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.decision import Refusal
from nbo.decision.failures import all_failures
from nbo.decision.history import Contact, Outcome
from nbo.decision.limits import Caps, CapUse, Usage
from nbo.decision.request import Request
from nbo.decision.rule_text import RuleText
from nbo.decision.screen import screen

Ask = Callable[..., Request]


def bundled(compiled: CompiledCatalog, **changes: Any) -> CompiledCatalog:
    """`all-red` sells `red-1` and `red-2` as one."""
    catalog = compiled.catalog
    note = catalog.offers["blue-note"]
    both = replace(note, offer_id="all-red", service=False, bundle=("red-1", "red-2"), **changes)
    return compile_catalog(
        replace(catalog, offers={**catalog.offers, "all-red": both}), compiled.language
    )


def refusal(compiled: CompiledCatalog, request: Request) -> Refusal | None:
    activation = compiled.language.activate(request.facts)
    refusals = screen(request, compiled, activation, DEFAULT_ARM).refusals
    of_bundle = [r for r in refusals if r.offer_id == "all-red"]
    failures = all_failures(request, compiled, activation, DEFAULT_ARM)["all-red"]
    assert [r[1:4] for r in of_bundle] == [f[:3] for f in failures[:1]]
    return of_bundle[0] if of_bundle else None


def test_a_bundle_passes_with_its_members(ask: Ask, compiled: CompiledCatalog) -> None:
    assert refusal(bundled(compiled), ask()) is None


def test_a_member_that_falls_takes_its_bundle_along(ask: Ask, compiled: CompiledCatalog) -> None:
    found = refusal(bundled(compiled), ask(facts={"customer.has_red": True}))
    told = ("eligibility", "red-1: no red yet", "customer.has_red is true")
    assert found == Refusal("all-red", *told)
    found = refusal(bundled(compiled), ask(facts={"customer.tenure_months": 1.0}))
    assert found is not None
    assert (found.stage, found.rule) == ("suitability", "red-2: affordable")


def test_a_declined_member_silences_its_bundle(ask: Ask, compiled: CompiledCatalog) -> None:
    at = ask().at
    declined = Contact(at, "web", "i", "d", "red-2", "red", Outcome.DECLINED)
    found = refusal(bundled(compiled), ask(history=(declined,)))
    assert found is not None
    assert (found.stage, found.rule) == ("contact policy", "red-2: declined offer")


def test_who_took_a_bundle_is_not_offered_its_parts(ask: Ask, compiled: CompiledCatalog) -> None:
    """Not in the same interaction, nor while acceptances pause an offer or a group."""
    changed = bundled(compiled)
    policies = compiled.catalog.policies
    once = replace(policies.suppression[0], name="has it", outcome=Outcome.ACCEPTED)
    of_group = replace(once, name="of these", scope="group")
    answered = dict.fromkeys(["all-red", "red-1", "red-2"], "answered in this interaction")
    assert silenced(changed, ask, Outcome.ACCEPTED, interaction="i-now") == answered
    assert silenced(changed, ask, Outcome.ACCEPTED) == {}
    paused = silenced(changed, ask, Outcome.ACCEPTED, suppression=(once,))
    assert paused == dict.fromkeys(answered, "has it")
    grouped = silenced(changed, ask, Outcome.ACCEPTED, suppression=(of_group,))
    # The bundle's own group, blue, is paused, and that of its members.
    assert grouped == dict.fromkeys(changed.catalog.offers, "of these")


def test_any_other_answer_is_about_the_bundle_alone(ask: Ask, compiled: CompiledCatalog) -> None:
    changed = bundled(compiled)
    for outcome in (Outcome.DECLINED, Outcome.DEFERRED):
        assert set(silenced(changed, ask, outcome, interaction="i-now")) == {"all-red"}
    assert silenced(changed, ask, Outcome.DECLINED) == {"all-red": "declined offer"}


def test_a_bundle_taken_is_one_exposure_and_one_acceptance(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    changed = bundled(compiled)
    twice = replace(
        compiled.catalog.policies.suppression[0], outcome=Outcome.ACCEPTED, scope="all", count=2
    )
    in_group = replace(twice, scope="group")
    monthly = replace(compiled.catalog.policies.frequency[0], limit=2)
    policies: dict[str, Any] = {"suppression": (twice, in_group), "frequency": (monthly,)}
    assert silenced(changed, ask, Outcome.ACCEPTED, **policies) == {}


def silenced(
    compiled: CompiledCatalog, ask: Ask, outcome: Outcome, interaction: str = "i", **policies: Any
) -> dict[str, str]:
    """What contact policy refuses, and by which rule, after an answer to `all-red`."""
    contact = Contact(ask().at, "voice", interaction, "d", "all-red", "blue", outcome)
    request = ask(history=(contact,))
    catalog = compiled.catalog
    changed = compile_catalog(
        replace(catalog, policies=replace(catalog.policies, **policies)), compiled.language
    )
    activation = changed.language.activate(request.facts)
    refusals = screen(request, changed, activation, DEFAULT_ARM).refusals
    assert {r.stage for r in refusals} <= {"contact policy"}
    return {r.offer_id: r.rule for r in refusals}


def test_the_caps_of_the_members_count(ask: Ask, compiled: CompiledCatalog) -> None:
    offers = bundled(compiled).catalog.offers
    capped = replace(offers["red-2"], caps=Caps(daily=1))
    catalog = replace(bundled(compiled).catalog, offers={**offers, "red-2": capped})
    changed = compile_catalog(catalog, compiled.language)
    assert refusal(changed, ask()) is None
    found = refusal(changed, ask(usage=Usage({"red-2": CapUse(1, 1)})))
    assert found is not None
    assert (found.stage, found.rule) == ("caps", "red-2: daily cap")


def test_the_first_stage_counts_and_in_it_the_bundles_own_rule(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    long = RuleText("long", "customer.tenure_months > 99.0")
    late = bundled(compiled, suitability=(long,))
    found = refusal(late, ask(facts={"customer.has_red": True}))
    assert found is not None
    assert found.rule == "red-1: no red yet", "a member fell in an earlier stage"
    early = bundled(compiled, eligibility=(long,))
    found = refusal(early, ask(facts={"customer.has_red": True}))
    assert found is not None
    assert found.rule == "long"


def test_a_member_may_be_made_alone_when_its_bundle_may_not(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    request = ask(facts={"customer.tenure_months": 1.0})
    changed = bundled(compiled)
    activation = changed.language.activate(request.facts)
    rows = screen(request, changed, activation, DEFAULT_ARM).rows
    assert "red-1" in {changed.treatments[row].offer.offer_id for row in rows}
    assert "all-red" not in {changed.treatments[row].offer.offer_id for row in rows}


def test_an_incentive_a_member_cannot_have_does_not_matter_to_the_bundle(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    offers = bundled(compiled).catalog.offers
    sweet = replace(offers["red-1"], incentives=("discount",))
    catalog = replace(bundled(compiled).catalog, offers={**offers, "red-1": sweet})
    changed = compile_catalog(catalog, compiled.language)
    assert refusal(changed, ask(facts={"customer.tenure_months": 6.0})) is None
