"""Explaining: the funnel adds up, factors multiply, near misses are near."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.catalog_text import load_catalog
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World, decide
from nbo.decision.decision import SCREEN_STAGES, Decision, Refusal
from nbo.decision.explain import explain
from nbo.decision.explanation import ENDS, Contribution, NearMiss
from nbo.decision.facts import INTERACTION_FACTS, Fact, FactSchema, FactType
from nbo.decision.history import HISTORY_FACTS, Contact, Outcome
from nbo.decision.limits import CapUse, Usage
from nbo.decision.prior import PriorPropensity
from nbo.decision.record import from_record, to_record
from nbo.decision.request import Request
from nbo.decision.stages import SCREEN

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

SCHEMA = FactSchema(
    {
        **INTERACTION_FACTS,
        **HISTORY_FACTS,
        "customer.consent_voice": FactType.FLAG,
        "customer.refused_mail": FactType.FLAG,
        "customer.complaint_open": FactType.FLAG,
        "customer.has_mobile": FactType.FLAG,
        "customer.has_tv": FactType.FLAG,
        "customer.tenure_months": FactType.NUMBER,
        "customer.plan": FactType.TEXT,
    }
)

CATALOG = """\
currency: EUR
languages: [en, de]
channels:
  voice: {consent: customer.consent_voice, fallback: none}
  mail: {fallback: none}
products: {mobile: customer.has_mobile, tv: customer.has_tv}
purposes:
  - {id: marketing, opt_in: {voice: customer.consent_voice}, opt_out: {mail: customer.refused_mail}}
  - {id: service}
policies:
  service_first: [{name: open complaint, when: "!customer.complaint_open"}]
  smoothing_evidence: 50
  per_group: 2
  suppression:
    - {name: declined, outcome: DECLINED, scope: offer, window: 30d, count: 1, pause: 60d}
  frequency:
    - {name: two a week, channel: voice, limit: 2, period: 7d}
  context:
    - {name: moving, when: "event.type == 'address.changed'", group: net, weight: 50}
    - {name: asks for tv, when: "interaction.intent == 'tv'", group: media, weight: 25}
groups: [{id: net, issue: grow, lever: 10}, {id: media, issue: grow}]
issues: [{id: grow, lever: 0}]
incentives:
  - id: discount
    name: {en: Discount, de: Rabatt}
    kind: discount
    cost: 10
    rules: [{name: long with us, when: customer.tenure_months >= 24.0}]
    budget: {amount: 1000, period: month}
experiments:
  - id: weights
    salt: s1
    arms:
      - {id: all, share: 0.4}
      - {id: no-levers, share: 0.2, levers: false}
      - {id: no-model, share: 0.2, propensity: false, context: false}
      - {id: no-money, share: 0.1, value: false}
      - {id: holdout, share: 0.1, holdout: true}
offers:
  - {id: fibre, group: net, name: {en: Fibre, de: Glasfaser}, channels: [voice, mail], value: 100,
     prior: 0.3, purpose: marketing, incentives: [none, discount],
     eligibility: [{name: half a year, when: customer.tenure_months >= 6.0}]}
  - {id: dsl, group: net, name: {en: DSL}, channels: [voice], value: 60, prior: 0.2,
     requires: [mobile], excludes: [tv]}
  - {id: tv, group: media, name: {en: TV, de: TV}, channels: [voice, mail], value: 80, prior: 0.25,
     sells: tv, suitability: [{name: any plan, when: "customer.plan in ['M', 'L']"}]}
  - {id: early, group: net, name: {en: Early, de: Bald}, channels: [voice, mail], value: 50,
     prior: 0.2, starts: 2026-04-01}
  - {id: late, group: net, name: {en: Late, de: Spät}, channels: [voice, mail], value: 55,
     prior: 0.2, ends: 2026-03-01}
  - {id: mail-only, group: media, name: {en: Mail, de: Post}, channels: [mail], value: 30,
     prior: 0.1}
  - {id: moving, group: net, name: {en: Move, de: Umzug}, channels: [voice, mail], value: 40,
     prior: 0.4, triggers: ["address.*"]}
  - {id: capped, group: media, name: {en: Few, de: Wenige}, channels: [voice, mail], value: 45,
     prior: 0.2, caps: {total: 5, daily: 2}}
  - {id: complex, group: media, name: {en: Odd, de: Seltsam}, channels: [voice, mail], value: 20,
     prior: 0.1, suitability: [{name: odd, when: customer.tenure_months * 2.0 > 10.0}]}
  - {id: never, group: media, name: {en: Never, de: Nie}, channels: [voice, mail], value: 500,
     prior: 0.1, eligibility: [{name: new, when: customer.tenure_months < 2.0}],
     suitability: [{name: old, when: customer.tenure_months > 2.0}]}
"""
COMPILED = load_catalog(CATALOG, "catalog.yaml", SCHEMA)
WORLD = World(COMPILED, PriorPropensity(), engine_version="test")

FACTS: dict[str, Fact] = {
    "customer.consent_voice": True,
    "customer.refused_mail": False,
    "customer.complaint_open": False,
    "customer.has_mobile": True,
    "customer.has_tv": False,
    "customer.tenure_months": 30.0,
    "customer.plan": "L",
    "interaction.channel": "voice",
    "event.type": "address.changed",
}
SUITED = "c-1"
"""Whose arm changes nothing."""


def request(facts: Mapping[str, Fact | None] | None = None, **changes: object) -> Request:
    merged = {**FACTS, **(facts or {})}
    known = {name: value for name, value in merged.items() if value is not None}
    given: dict[str, object] = {
        "decision_id": "d-1",
        "customer_id": SUITED,
        "interaction_id": "i-now",
        "at": NOW,
        "channel": "voice",
        "language": "en",
        "slots": 3,
        "history": (),
        "seed": 1,
        "facts": known,
        **changes,
    }
    return Request(**given)  # type: ignore[arg-type]


def decided(facts: Mapping[str, Fact | None] | None = None, **changes: object) -> Decision:
    return decide(request(facts, **changes), WORLD)


def misses(decision: Decision, most: int = 50) -> dict[str, NearMiss]:
    found = explain(decision, COMPILED, most_near_misses=most).near_misses
    return {miss.offer_id: miss for miss in found}


def said(offer_id: str, outcome: Outcome, at: datetime, **more: object) -> Contact:
    group = COMPILED.catalog.offers[offer_id].group_id
    contact = Contact(at, "voice", f"i-{at:%d%H%M}", "", offer_id, group, outcome)
    return contact._replace(**more)  # type: ignore[arg-type]


contacts = st.lists(
    st.builds(
        said,
        st.sampled_from(sorted(COMPILED.catalog.offers)),
        st.sampled_from([Outcome.PRESENTED, Outcome.DECLINED, Outcome.ACCEPTED]),
        st.integers(0, 90).map(lambda days: NOW - timedelta(days=days, hours=1)),
    ),
    max_size=4,
).map(lambda several: tuple(sorted(several, key=lambda contact: contact.at)))
flags = st.sampled_from([True, False, None])
requests = st.builds(
    request,
    st.fixed_dictionaries(
        {
            "customer.consent_voice": st.sampled_from([True, True, None]),
            "customer.complaint_open": st.sampled_from([False, False, True]),
            "customer.has_mobile": flags,
            "customer.has_tv": flags,
            "customer.tenure_months": st.sampled_from([1.0, 3.0, 8.0, 30.0, None]),
            "customer.plan": st.sampled_from(["S", "M", None]),
            "event.type": st.sampled_from(["address.changed", "web.clicked", None]),
        }
    ),
    customer_id=st.integers(0, 30).map("c-{}".format),
    channel=st.sampled_from(["voice", "voice", "mail"]),
    language=st.sampled_from(["en", "de"]),
    history=contacts,
    usage=st.builds(
        Usage,
        offers=st.builds(CapUse, st.integers(0, 6), st.integers(0, 3)).map(
            lambda use: {"capped": use}
        ),
        budgets=st.sampled_from([{}, {"discount": 600.0}, {"discount": 1000.0}]),
        known=st.sampled_from([True, True, False]),
    ),
    history_known=st.sampled_from([True, True, False]),
)


def test_every_stage_of_the_screen_is_an_end_in_its_order() -> None:
    assert ENDS[: len(SCREEN)] == SCREEN_STAGES


@given(requests)
def test_every_offer_ends_somewhere(asked: Request) -> None:
    decision = decide(asked, WORLD)
    funnel = explain(decision, COMPILED).funnel
    assert sum(stage.offers for stage in funnel) == len(COMPILED.offers)
    assert [stage.stage for stage in funnel] == [
        stage for stage in ENDS if stage in {one.stage for one in funnel}
    ]
    assert dict(funnel)["offered"] == len(decision.slots)


@given(requests)
def test_the_first_failure_is_the_one_that_was_logged(asked: Request) -> None:
    decision = decide(asked, WORLD)
    first: dict[tuple[str, str], Refusal] = {}
    for refusal in explain(decision, COMPILED).refusals:
        first.setdefault((refusal.offer_id, refusal.incentive_id), refusal)
    for logged in decision.refusals:
        assert first[logged.offer_id, logged.incentive_id] == logged
    told = explain(decision, COMPILED).refusals
    assert len(told) == len(set(told))
    assert {offer for offer, incentive in first if not incentive} == {
        refusal.offer_id for refusal in decision.refusals if not refusal.incentive_id
    }


@given(requests)
def test_priority_is_the_product_of_what_is_shown(asked: Request) -> None:
    decision = decide(asked, WORLD)
    shown = explain(decision, COMPILED).slots
    assert [one.rank for one in shown] == [slot.rank for slot in decision.slots]
    for one in shown:
        assert one.product == pytest.approx(one.priority, rel=1e-12)
        prior, evidence = one.prior, one.evidence
        assert one.model_probability is not None
        assert evidence is not None
        smoothed = (50 * prior + evidence * one.model_probability) / (50 + evidence)
        assert one.propensity == pytest.approx(smoothed, rel=1e-12)


@given(requests)
def test_a_near_miss_with_a_date_is_offered_from_then_on_and_not_before(asked: Request) -> None:
    decision = decide(asked, WORLD)
    for miss in explain(decision, COMPILED, most_near_misses=50).near_misses:
        if miss.allowed_from is None:
            continue
        for at, allowed in (
            (miss.allowed_from - timedelta(microseconds=1), False),
            (miss.allowed_from, True),
        ):
            day = at.date() == asked.at.date()
            usage = Usage(
                {k: use if day else CapUse(use.total) for k, use in asked.usage.offers.items()},
                asked.usage.budgets if at.month == asked.at.month else {},
                asked.usage.known,
            )
            later = decide(replace(asked, at=at, interaction_id="i-later", usage=usage), WORLD)
            fallen = {r.offer_id for r in later.refusals if not r.incentive_id}
            assert (miss.offer_id not in fallen) is allowed, (miss, at)


@pytest.mark.parametrize(
    ("offer", "facts", "rule", "needed", "mended"),
    [
        (
            "fibre",
            {"customer.tenure_months": 3.0},
            "half a year",
            "customer.tenure_months is 3, needs customer.tenure_months >= 6.0",
            {"customer.tenure_months": 6.0},
        ),
        (
            "fibre",
            {"customer.tenure_months": None},
            "half a year",
            "customer.tenure_months is unknown, needs customer.tenure_months >= 6.0",
            {"customer.tenure_months": 6.0},
        ),
        (
            "dsl",
            {"customer.has_mobile": False},
            "requires mobile",
            "customer.has_mobile is false, needs true",
            {"customer.has_mobile": True},
        ),
        (
            "dsl",
            {"customer.has_tv": True},
            "excludes tv",
            "customer.has_tv is true, needs false",
            {"customer.has_tv": False},
        ),
        (
            "tv",
            {"customer.has_tv": True},
            "holds tv already",
            "customer.has_tv is true, needs false",
            {"customer.has_tv": False},
        ),
        (
            "tv",
            {"customer.plan": "S"},
            "any plan",
            "customer.plan is 'S', needs customer.plan in ['M', 'L']",
            {"customer.plan": "M"},
        ),
        (
            "tv",
            {"customer.complaint_open": True},
            "open complaint",
            "customer.complaint_open is true, needs false",
            {"customer.complaint_open": False},
        ),
        (
            "fibre",
            {"customer.consent_voice": False},
            "marketing opt-in for voice",
            "customer.consent_voice is false, needs true",
            {"customer.consent_voice": True},
        ),
        (
            "moving",
            {"event.type": "web.clicked"},
            "trigger",
            "event.type is 'web.clicked', needs address.*",
            {"event.type": "address.changed"},
        ),
        (
            "complex",
            {"customer.tenure_months": 3.0},
            "odd",
            "customer.tenure_months is 3, needs customer.tenure_months * 2.0 > 10.0",
            {"customer.tenure_months": 5.5},
        ),
    ],
)
def test_a_near_miss_names_what_would_have_to_differ(
    offer: str,
    facts: Mapping[str, Fact | None],
    rule: str,
    needed: str,
    mended: Mapping[str, Fact],
) -> None:
    miss = misses(decided(facts))[offer]
    assert (miss.rule, miss.needed, miss.allowed_from) == (rule, needed, None)
    again = decided({**facts, **mended})
    assert offer not in {r.offer_id for r in again.refusals if not r.incentive_id}


def test_an_opt_out_needs_the_opposite() -> None:
    mail: dict[str, Fact | None] = {"interaction.channel": "mail", "customer.refused_mail": True}
    miss = misses(decided(mail, channel="mail"))["fibre"]
    assert miss.needed == "customer.refused_mail is true, needs false"


def test_two_conditions_away_is_no_near_miss() -> None:
    both = {"customer.has_mobile": False, "customer.has_tv": True}
    assert "dsl" not in misses(decided(both))


def test_what_no_change_of_one_fact_can_mend_is_no_near_miss() -> None:
    assert "never" not in misses(decided())


def test_another_channel_or_language_would_have_done() -> None:
    assert misses(decided())["mail-only"].needed == "asked on voice, needs mail"
    german = misses(decided(language="de"))
    assert german["dsl"].needed == "no text in 'de', needs one or to be asked in en"


def test_time_alone_heals_dates_pauses_wishes_and_frequency() -> None:
    until = NOW + timedelta(days=3)
    history = (
        said("tv", Outcome.PRESENTED, NOW - timedelta(days=6)),
        said("tv", Outcome.PRESENTED, NOW - timedelta(days=2)),
        said("dsl", Outcome.DECLINED, NOW - timedelta(days=1)),
        said("fibre", Outcome.DEFERRED, NOW - timedelta(days=8), defer_until=until),
    )
    found = misses(decided(history=history))
    assert found["early"].allowed_from == datetime(2026, 4, 1, tzinfo=UTC)
    assert found["dsl"].allowed_from == NOW + timedelta(days=59)
    assert found["dsl"].rule == "declined"
    # Three exposures within the week: below two again when the second of them is a week old.
    assert found["tv"].allowed_from == NOW + timedelta(days=5)
    assert found["fibre"].allowed_from == NOW + timedelta(days=5)
    assert found["tv"].rule == found["fibre"].rule == "two a week"
    assert found["tv"].needed.endswith("allowed from 2026-03-15 12:00 UTC")


def test_what_was_answered_just_now_waits_for_another_interaction() -> None:
    declined = said("tv", Outcome.DECLINED, NOW, interaction_id="i-now")
    miss = misses(decided(history=(declined,)))["tv"]
    assert miss.allowed_from == NOW + timedelta(days=60)
    assert miss.needed.endswith("in another interaction")
    accepted = said("tv", Outcome.ACCEPTED, NOW, interaction_id="i-now")
    miss = misses(decided(history=(accepted,)))["tv"]
    assert (miss.allowed_from, miss.rule) == (None, "answered in this interaction")
    assert miss.needed.endswith("needs another interaction")


def test_caps_need_another_day_or_a_higher_cap() -> None:
    daily = misses(decided(usage=Usage({"capped": CapUse(3, 2)})))["capped"]
    assert daily.allowed_from == datetime(2026, 3, 11, tzinfo=UTC)
    total = misses(decided(usage=Usage({"capped": CapUse(5, 0)})))["capped"]
    assert total.allowed_from is None
    assert total.needed == "5 taken or reserved, limit 5, needs a higher cap"
    assert "capped" not in misses(decided(usage=Usage(known=False)))


def test_a_spent_budget_waits_for_its_next_period() -> None:
    only = load_catalog(
        CATALOG.replace("incentives: [none, discount]", "incentives: [discount]"), "c", SCHEMA
    )
    asked = request(usage=Usage(budgets={"discount": 1000.0}))
    decision = decide(asked, World(only, PriorPropensity()))
    found = {miss.offer_id: miss for miss in explain(decision, only).near_misses}
    assert (found["fibre"].stage, found["fibre"].rule) == ("caps", "budget")
    assert found["fibre"].allowed_from == datetime(2026, 4, 1, tzinfo=UTC)


def test_a_bundle_names_the_member_that_lacks_something() -> None:
    bundle = """\
  - {id: both, group: media, name: {en: Both, de: Beide}, channels: [voice, mail], value: 300,
     prior: 0.2, bundle: [fibre, dsl]}
"""
    bundled = load_catalog(CATALOG + bundle, "c", SCHEMA)
    world = World(bundled, PriorPropensity())
    decision = decide(request({"customer.has_tv": True}), world)
    found = {miss.offer_id: miss for miss in explain(decision, bundled).near_misses}
    assert found["both"].rule == "dsl: excludes tv"
    assert found["both"].needed == "customer.has_tv is true, needs false"
    mended = decide(request({"customer.has_tv": False}), world)
    assert "both" not in {r.offer_id for r in mended.refusals if not r.incentive_id}


def explained(compiled: CompiledCatalog, asked: Request) -> tuple[Decision, list[Refusal]]:
    decision = decide(asked, World(compiled, PriorPropensity()))
    return decision, list(explain(decision, compiled).refusals)


def test_suppressions_of_one_name_are_both_told() -> None:
    second = "name: declined, outcome: NO_RESPONSE, scope: offer, window: 30d, count: 1, pause: 9d"
    twice = CATALOG.replace("  frequency:\n", f"    - {{{second}}}\n  frequency:\n", 1)
    history = (
        said("tv", Outcome.DECLINED, NOW - timedelta(days=2)),
        said("tv", Outcome.NO_RESPONSE, NOW - timedelta(days=1)),
    )
    decision, told = explained(load_catalog(twice, "c", SCHEMA), request(history=history))
    of_tv = [refusal for refusal in told if refusal[:3] == ("tv", "contact policy", "declined")]
    assert [r.detail.partition(",")[0] for r in of_tv] == ["1 × DECLINED", "1 × NO_RESPONSE"]
    assert of_tv[0] in decision.refusals


def test_conditions_of_one_name_are_both_told() -> None:
    second = "when: customer.tenure_months >= 6.0}, {name: half a year, when: customer.has_mobile}"
    twice = CATALOG.replace("when: customer.tenure_months >= 6.0}", second, 1)
    facts = {"customer.tenure_months": 3.0, "customer.has_mobile": False}
    _, told = explained(load_catalog(twice, "c", SCHEMA), request(facts))
    assert [r.detail for r in told if r[:3] == ("fibre", "eligibility", "half a year")] == [
        "customer.tenure_months is 3",
        "customer.has_mobile is false",
    ]


def test_each_incentive_is_told_by_its_id() -> None:
    gift = "{id: gift, name: {en: G}, kind: gift, cost: 7, budget: {amount: 20, period: day}}"
    text = CATALOG.replace("experiments:\n", f"  - {gift}\nexperiments:\n", 1).replace(
        "incentives: [none, discount]", "incentives: [discount, gift]"
    )
    asked = request(usage=Usage(budgets={"discount": 1000.0, "gift": 20.0}))
    decision, told = explained(load_catalog(text, "c", SCHEMA), asked)
    discount = ("fibre", "caps", "budget", "1000 of 1000 spent this month, costs 10")
    assert [refusal for refusal in told if refusal.offer_id == "fibre"] == [
        Refusal(*discount),  # as logged: the offer fell as a whole
        Refusal(*discount, "discount"),
        Refusal("fibre", "caps", "budget", "20 of 20 spent this day, costs 7", "gift"),
    ]
    assert set(decision.refusals) <= set(told)


def test_who_is_held_out_misses_nothing() -> None:
    held = next(
        decision
        for n in range(200)
        if (decision := decided(customer_id=f"c-{n}")).arms == {"weights": "holdout"}
    )
    told = explain(held, COMPILED)
    assert told.near_misses == ()
    assert dict(told.funnel)["holdout"] > 0


def test_the_most_valuable_come_first_and_only_so_many() -> None:
    without = {"customer.consent_voice": None, "customer.has_mobile": None}
    every = explain(decided(without), COMPILED, most_near_misses=50).near_misses
    worth = [miss.worth for miss in every]
    assert worth == sorted(worth, reverse=True)
    assert explain(decided(without), COMPILED, most_near_misses=2).near_misses == every[:2]
    assert explain(decided(without), COMPILED, most_near_misses=0).near_misses == ()


def test_context_rules_are_named_where_they_held() -> None:
    facts = {"interaction.intent": "tv"}
    shown = {one.offer_id: one for one in explain(decided(facts, slots=5), COMPILED).slots}
    assert shown["fibre"].context_rules == ("moving",)
    assert shown["tv"].context_rules == ("asks for tv",)
    assert shown["fibre"].context == 1.5


def test_contributions_stand_with_their_slot() -> None:
    part = Contribution("customer.plan", "L", 0.7)
    shown = explain(decided(), COMPILED, {2: [part]}).slots
    assert [one.reasons for one in shown][:2] == [(), (part,)]


def test_what_came_back_from_the_log_is_explained_alike() -> None:
    decision = decided({"customer.plan": "S"})
    logged = from_record(json.loads(json.dumps(to_record(decision))))
    assert explain(logged, COMPILED) == explain(decision, COMPILED)


def test_a_decision_logged_without_scores_has_no_model_probability() -> None:
    shown = explain(replace(decided(), scores=()), COMPILED).slots
    assert all(one.model_probability is None and one.evidence is None for one in shown)


def miss_of(offer_id: str, text: str, asked: Request) -> NearMiss:
    compiled = load_catalog(text, "c", SCHEMA)
    decision = decide(asked, World(compiled, PriorPropensity()))
    found = explain(decision, compiled, most_near_misses=50).near_misses
    return next(miss for miss in found if miss.offer_id == offer_id)


def test_what_is_lacking_does_not_depend_on_how_a_policy_is_called() -> None:
    text = CATALOG.replace("name: two a week", "name: answered in this interaction", 1)
    recent = tuple(said("dsl", Outcome.PRESENTED, NOW - timedelta(days=n)) for n in (2, 1))
    miss = miss_of("tv", text, request(history=recent))
    assert miss.allowed_from == NOW + timedelta(days=5)
    assert "another interaction" not in miss.needed


def test_a_trigger_may_hold_any_text() -> None:
    text = CATALOG.replace('triggers: ["address.*"]', 'triggers: ["moved, or said so"]')
    miss = miss_of("moving", text, request({"event.type": None}))
    assert miss.needed == "no event: event.type is unknown, needs moved, or said so"


def test_a_bundle_needs_a_channel_of_the_member_that_has_none_here() -> None:
    bundle = """\
  - {id: both, group: media, name: {en: Both}, channels: [voice, mail], value: 300, prior: 0.2,
     bundle: [fibre, dsl]}
"""
    asked = request({"interaction.channel": "mail"}, channel="mail")
    miss = miss_of("both", CATALOG + bundle, asked)
    assert (miss.rule, miss.needed) == ("dsl: channel", "asked on mail, needs voice")
