"""The screen: each stage refuses for its own reason, the first that fails is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from nbo.decision.arms import DEFAULT_ARM, Arm
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Refusal
from nbo.decision.history import Contact, Outcome
from nbo.decision.request import Request
from nbo.decision.screen import screen

Ask = Callable[..., Request]
Change = Callable[..., CompiledCatalog]


def screened(
    request: Request, compiled: CompiledCatalog, arm: Arm = DEFAULT_ARM
) -> tuple[list[str], dict[str, Refusal]]:
    rows, refusals = screen(request, compiled, compiled.language.activate(request.facts), arm)
    passed = [
        f"{compiled.treatments[row].offer.offer_id}/{compiled.treatments[row].incentive.incentive_id}"
        for row in rows
    ]
    fallen = {"/".join(filter(None, (r.offer_id, r.incentive_id))): r for r in refusals}
    assert len(fallen) == len(refusals), "one refusal per candidate"
    return passed, fallen


def test_the_suited_customer_passes_everywhere(ask: Ask, compiled: CompiledCatalog) -> None:
    passed, fallen = screened(ask(), compiled)
    assert passed == ["blue-1/none", "blue-note/none", "red-1/discount", "red-1/none", "red-2/none"]
    assert fallen == {}


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "starts 2026-01-01 00:00 UTC"),
        (datetime(2026, 1, 1, tzinfo=UTC), ""),
        (datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC), ""),
        (datetime(2026, 4, 1, tzinfo=UTC), "ended 2026-04-01 00:00 UTC"),
    ],
)
def test_dates_hold_from_their_first_instant_to_before_their_last(
    ask: Ask, compiled: CompiledCatalog, at: datetime, told: str
) -> None:
    _, fallen = screened(ask(at=at), compiled)
    assert (fallen["red-2"].detail if "red-2" in fallen else "") == told


def test_an_offer_stays_on_its_channels_and_in_its_languages(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    passed, fallen = screened(ask(channel="web"), compiled)
    assert "red-1/none" in passed
    assert fallen["red-2"] == Refusal(
        "red-2", "availability", "channel", "not on 'web', only voice"
    )
    _, fallen = screened(ask(language="de"), compiled)
    assert fallen["red-2"] == Refusal("red-2", "availability", "language", "no text in 'de'")
    default, _ = screened(ask(language=""), compiled)
    assert "red-2/none" in default
    for nowhere in ({"channel": "fax"}, {"language": "fr"}):
        assert screened(ask(**nowhere), compiled)[0] == []


@pytest.mark.parametrize(
    ("facts", "stage", "rule", "detail"),
    [
        (
            {"customer.consent_voice": False},
            "consent",
            "consent for voice",
            "customer.consent_voice is false",
        ),
        (
            {"customer.consent_voice": None},
            "consent",
            "consent for voice",
            "customer.consent_voice is unknown",
        ),
        (
            {"customer.do_not_contact": True},
            "consent",
            "do not contact",
            "customer.do_not_contact is true",
        ),
        (
            {"customer.do_not_contact": None},
            "consent",
            "do not contact",
            "customer.do_not_contact is unknown",
        ),
        (
            {"customer.complaint_open": True},
            "service first",
            "open complaint",
            "customer.complaint_open is true",
        ),
        (
            {"customer.complaint_open": None},
            "service first",
            "open complaint",
            "customer.complaint_open is unknown",
        ),
    ],
)
def test_what_forbids_everything(
    ask: Ask, compiled: CompiledCatalog, facts: dict[str, bool], stage: str, rule: str, detail: str
) -> None:
    passed, fallen = screened(ask(facts=facts), compiled)
    assert all(compiled.catalog.offers[one.partition("/")[0]].service for one in passed)
    assert {(r.stage, r.rule, r.detail) for r in fallen.values()} == {(stage, rule, detail)}
    services = {o.offer_id for o in compiled.catalog.offers.values() if o.service}
    expected = set(compiled.catalog.offers) - (services if stage == "service first" else set())
    assert set(fallen) == expected, "service messages need consent too, and are no sale"


def test_consent_of_one_channel_is_not_asked_on_another(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    passed, _ = screened(ask(channel="web", facts={"customer.consent_voice": False}), compiled)
    assert passed


def test_the_first_failing_stage_is_named(ask: Ask, compiled: CompiledCatalog) -> None:
    late = ask(
        at=datetime(2026, 5, 1, tzinfo=UTC),
        facts={"customer.consent_voice": False, "customer.complaint_open": True},
    )
    _, fallen = screened(late, compiled)
    assert fallen["red-2"].stage == "availability"
    assert fallen["red-1"].stage == "consent"


@pytest.mark.parametrize(
    ("facts", "offer", "stage"),
    [
        ({"customer.has_red": True}, "red-1", "eligibility"),
        ({"interaction.intent": "moving"}, "blue-1", "applicability"),
        ({"customer.tenure_months": 1.0}, "red-2", "suitability"),
        ({"customer.has_red": None}, "red-1", "eligibility"),
        ({"interaction.intent": None}, "blue-1", "applicability"),
        ({"customer.tenure_months": None}, "red-2", "suitability"),
    ],
)
def test_an_offers_own_conditions(
    ask: Ask, compiled: CompiledCatalog, facts: dict[str, object], offer: str, stage: str
) -> None:
    passed, fallen = screened(ask(facts=facts), compiled)
    assert fallen[offer].stage == stage
    name = next(iter(facts))
    assert fallen[offer].detail.startswith(name)
    assert ("unknown" in fallen[offer].detail) == (facts[name] is None)
    assert not any(treatment.startswith(f"{offer}/") for treatment in passed)


def test_contact_policy_comes_after_the_conditions(ask: Ask, compiled: CompiledCatalog) -> None:
    declined = Contact(
        ask().at - timedelta(days=1), "web", "i0", "d0", "red-1", "red", Outcome.DECLINED
    )
    _, fallen = screened(ask(history=(declined,)), compiled)
    assert fallen["red-1"] == Refusal(
        "red-1",
        "contact policy",
        "declined offer",
        "1 × DECLINED, last 2026-03-09 12:00, paused until 2026-05-08 12:00",
    )
    _, fallen = screened(ask(history=(declined,), facts={"customer.has_red": True}), compiled)
    assert fallen["red-1"].stage == "eligibility"


def test_an_incentive_falls_alone(ask: Ask, compiled: CompiledCatalog) -> None:
    passed, fallen = screened(ask(facts={"customer.tenure_months": 6.0}), compiled)
    assert "red-1/none" in passed
    assert fallen == {
        "red-1/discount": Refusal(
            "red-1", "eligibility", "long with us", "customer.tenure_months is 6", "discount"
        )
    }


def test_an_offer_without_any_allowed_incentive_falls_whole(ask: Ask, changed: Change) -> None:
    sweet_only = changed(("[none, discount]", "[discount]"))
    _, fallen = screened(ask(facts={"customer.tenure_months": 6.0}), sweet_only)
    assert fallen["red-1"] == Refusal(
        "red-1", "eligibility", "long with us", "customer.tenure_months is 6"
    )
    _, fallen = screened(ask(), sweet_only, Arm("plain", 1.0, incentives=False))
    assert fallen["red-1"].detail == "arm 'plain' gives no incentives"


def test_an_arm_without_incentives_keeps_only_none(ask: Ask, compiled: CompiledCatalog) -> None:
    passed, fallen = screened(ask(), compiled, Arm("plain", 1.0, incentives=False))
    assert "red-1/none" in passed
    assert "red-1/discount" not in passed
    assert fallen == {}, "what the arm does not know is no candidate"
