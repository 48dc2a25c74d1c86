"""Consent per purpose: what a customer agreed to hear of on one channel says nothing of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.catalog import Purpose
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.request import Request
from nbo.decision.screen import screen

Ask = Callable[..., Request]
PURPOSES = {
    "marketing": Purpose("marketing", {"voice": "customer.has_red"}, {"web": "customer.has_red"}),
    "both": Purpose("both", {"voice": "customer.has_red"}, {"voice": "customer.complaint_open"}),
    "service": Purpose("service"),
}


@pytest.fixture
def purposeful(compiled: CompiledCatalog) -> CompiledCatalog:
    """One offer per purpose, made from the plainest offer there is, and one without."""
    catalog = compiled.catalog
    note = replace(catalog.offers["blue-note"], channels=frozenset({"voice", "web"}))
    offers = {p: replace(note, offer_id=p, purpose=p) for p in PURPOSES}
    return compile_catalog(
        replace(
            catalog,
            offers={**offers, "none": replace(note, offer_id="none")},
            purposes=PURPOSES,
            policies=replace(catalog.policies, service_first=()),
        ),
        compiled.language,
    )


def refused(compiled: CompiledCatalog, request: Request) -> dict[str, tuple[str, str]]:
    activation = compiled.language.activate(request.facts)
    refusals = screen(request, compiled, activation, DEFAULT_ARM).refusals
    assert {r.stage for r in refusals} <= {"consent"}
    return {r.offer_id: (r.rule, r.detail) for r in refusals}


@pytest.mark.parametrize(
    ("value", "told"), [(True, None), (False, "is false"), (None, "is unknown")]
)
def test_an_opt_in_must_be_true(
    ask: Ask, purposeful: CompiledCatalog, value: bool | None, told: str | None
) -> None:
    found = refused(purposeful, ask(facts={"customer.has_red": value}))
    expected = told and ("marketing opt-in for voice", f"customer.has_red {told}")
    assert found.get("marketing") == expected
    assert "none" not in found


@pytest.mark.parametrize(
    ("value", "told"), [(True, "is true"), (False, None), (None, "is unknown")]
)
def test_an_opt_out_must_be_false(
    ask: Ask, purposeful: CompiledCatalog, value: bool | None, told: str | None
) -> None:
    found = refused(purposeful, ask(channel="web", facts={"customer.has_red": value}))
    expected = told and ("marketing opt-out for web", f"customer.has_red {told}")
    assert found.get("marketing") == expected


def test_opt_in_and_opt_out_of_one_channel_both_count(
    ask: Ask, purposeful: CompiledCatalog
) -> None:
    yes = {"customer.has_red": True}
    assert "both" not in refused(purposeful, ask(facts=yes))
    complaint = ask(facts={**yes, "customer.complaint_open": True})
    assert refused(purposeful, complaint)["both"][0] == "both opt-out for voice"


def test_a_purpose_with_its_own_consent_does_not_ask_the_channels(
    ask: Ask, purposeful: CompiledCatalog
) -> None:
    facts = {"customer.consent_voice": False, "customer.has_red": True}
    found = refused(purposeful, ask(facts=facts))
    assert found == {"none": ("consent for voice", "customer.consent_voice is false")}
    assert "service" not in found, "a purpose without any consent needs none"


def test_where_a_purpose_is_silent_on_this_channel_alone_the_channels_consent_counts(
    ask: Ask, purposeful: CompiledCatalog
) -> None:
    mail_only = {"marketing": Purpose("marketing", {"mail": "customer.has_red"})}
    catalog = replace(
        purposeful.catalog,
        purposes=mail_only,
        offers={"marketing": purposeful.catalog.offers["marketing"]},
    )
    changed = compile_catalog(catalog, purposeful.language)
    assert refused(changed, ask()) == {}
    found = refused(changed, ask(facts={"customer.consent_voice": None}))
    assert found["marketing"] == ("consent for voice", "customer.consent_voice is unknown")


def test_do_not_contact_silences_every_purpose(ask: Ask, purposeful: CompiledCatalog) -> None:
    for value in (True, None):
        facts = {"customer.do_not_contact": value, "customer.has_red": True}
        found = refused(purposeful, ask(facts=facts))
        assert set(found) == {*PURPOSES, "none"}
        assert {rule for rule, _ in found.values()} == {"do not contact"}
