"""decide(): what always holds, whoever asks, and the ways an arm changes the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbo.decision.catalog import Catalog, Treatment
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision, Slot
from nbo.decision.facts import Fact, FactType
from nbo.decision.history import Contact, Outcome
from nbo.decision.limits import Usage
from nbo.decision.propensity import Scores
from nbo.decision.request import Request

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
Ask = Callable[..., Request]
Change = Callable[..., CompiledCatalog]

ARMS = """
experiments:
  - id: policy
    salt: s
    arms: [{{id: only, share: 1, {overrides}}}]
"""


class Scattered:
    """A propensity that differs between treatments but never between requests or orders."""

    version = "scattered/1"

    def score(self, request: Request, treatments: tuple[Treatment, ...]) -> Scores:
        p = np.array([len(t.offer.offer_id + t.incentive.kind) % 7 / 7 + 0.05 for t in treatments])
        return Scores(p, np.full(len(p), 200.0), p / 2)


def offers(decision: Decision) -> list[str]:
    return [slot.offer_id for slot in decision.slots]


def with_arm(changed: Change, overrides: str, *replacements: tuple[str, str]) -> World:
    return World(changed(*replacements, append=ARMS.format(overrides=overrides)), Scattered())


def test_the_best_of_each_group_with_its_best_incentive(ask: Ask, world: World) -> None:
    decision = decide(ask(), world)
    assert offers(decision) == ["red-2", "blue-1"]
    first = decision.slots[0]
    assert (first.rank, first.group_id, first.incentive_id) == (1, "red", "none")
    assert first.propensity == pytest.approx(0.4)
    assert first.value == 80
    assert first.priority == pytest.approx(0.4 * 80 * 1.1)
    assert (first.context, first.lever, first.probability) == (1.0, pytest.approx(1.1), 1.0)
    assert first.reasons == ("Fits: affordable", "Accepted about as often as usual: 40%")
    assert decision.versions == {
        "catalog": world.compiled.catalog.version,
        "model": "prior",
        "engine": "test",
    }
    assert (decision.refusals, decision.arms) == ((), {})
    assert decision.degraded == ("prior propensity",)


def test_an_event_changes_what_is_said_first_and_why(ask: Ask, changed: Change) -> None:
    even = World(changed(("value: 80", "value: 70")), Scattered())
    event = ask(facts={"event.type": "address.changed"})
    slot = next(s for s in decide(event, even).slots if s.group_id == "red")
    assert slot.context == 1.5
    assert slot.reasons[:2] == ("Just happened: address.changed", "Favoured now: moving")
    unmoved = next(s for s in decide(ask(), even).slots if s.group_id == "red")
    assert slot.priority == pytest.approx(1.5 * unmoved.priority)


def test_reasons_follow_the_request_and_else_the_catalogue(ask: Ask, changed: Change) -> None:
    world = World(
        changed(
            ("languages: [en, de]", "languages: [de, en]"),
            ("{en: Red two}", "{de: Rot zwei}"),
            ("{en: A note}", "{de: Notiz}"),
        ),
        Scattered(),
    )
    german = decide(ask(language=""), world).slots[0].reasons
    assert german == decide(ask(language="de"), world).slots[0].reasons
    assert german[-1].startswith("Zusage")
    english = decide(ask(language="en"), world).slots[0].reasons
    assert not any(sentence.startswith(("Passt", "Zusage")) for sentence in english)


def test_no_more_slots_than_asked_for(ask: Ask, world: World) -> None:
    assert len(decide(ask(slots=1), world).slots) == 1


def test_silence_is_an_answer(ask: Ask, world: World) -> None:
    silent = decide(ask(facts={"customer.consent_voice": False}), world)
    assert silent.slots == ()
    assert {refusal.stage for refusal in silent.refusals} == {"consent"}


def test_a_holdout_is_offered_nothing_and_still_logged(ask: Ask, changed: Change) -> None:
    held_out = decide(ask(facts={"customer.has_red": True}), with_arm(changed, "holdout: true"))
    assert held_out.slots == ()
    assert held_out.arms == {"policy": "only"}
    stages = {refusal.offer_id: refusal.stage for refusal in held_out.refusals}
    assert stages == {
        "red-1": "eligibility",
        "red-2": "holdout",
        "blue-1": "holdout",
        "blue-note": "holdout",
    }


def test_an_arm_can_switch_factors_off(ask: Ask, changed: Change) -> None:
    off = "propensity: false, levers: false, context: false, incentives: false"
    moved = ask(facts={"event.type": "address.changed"})
    decision = decide(moved, with_arm(changed, off))
    assert offers(decision) == ["blue-1", "red-1"]
    assert [slot.priority for slot in decision.slots] == [180.0, 100.0]
    assert not any("Favoured" in reason for slot in decision.slots for reason in slot.reasons)


def test_an_arm_can_ask_for_another_model(ask: Ask, changed: Change) -> None:
    plain = with_arm(changed, "model: other")
    missing = decide(ask(), plain)
    assert missing.degraded == ("model other missing",)
    assert missing.versions["model"] == "scattered/1"
    other = Scattered()
    other.version = "other/7"
    found = decide(ask(), replace(plain, models={"other": other}))
    assert (found.degraded, found.versions["model"]) == ((), "other/7")


def test_a_broken_model_degrades_to_priors_and_the_decision_says_why(
    ask: Ask, world: World
) -> None:
    class Broken(Scattered):
        def score(self, request: Request, treatments: tuple[Treatment, ...]) -> Scores:
            raise RuntimeError("weights are lost")

    decision = decide(ask(), replace(world, propensity=Broken()))
    assert decision.degraded == (
        "model scattered/1 failed: RuntimeError: weights are lost",
        "prior propensity",
    )
    assert decision.slots == decide(ask(), world).slots


def test_a_random_arm_logs_the_chance_of_offer_and_incentive(ask: Ask, changed: Change) -> None:
    world = with_arm(changed, "random: true", ("per_group: 1", "per_group: 9"))
    firsts = [decide(ask(seed=seed), world).slots[0] for seed in range(300)]
    assert {(s.offer_id, s.incentive_id): s.probability for s in firsts} == pytest.approx(
        {
            ("red-1", "none"): 1 / 8,
            ("red-1", "discount"): 1 / 8,
            ("red-2", "none"): 1 / 4,
            ("blue-1", "none"): 1 / 4,
            ("blue-note", "none"): 1 / 4,
        }
    )


MUST = ("    service: true", "    service: true\n    mandatory: true")
WORTHLESS = ("value: 5\n", "value: 0\n")
FLOOR = ("per_group: 1", "per_group: 1\n  propensity_floor: 0.99")


def test_what_is_mandatory_comes_first_whatever_it_is_worth(ask: Ask, changed: Change) -> None:
    usual = decide(ask(), World(changed(WORTHLESS), Scattered()))
    assert "blue-note" not in offers(usual)
    must = decide(ask(), World(changed(WORTHLESS, MUST), Scattered()))
    assert offers(must) == ["blue-note", "red-1"], "it takes the place of the other blue one"
    assert [slot.mandatory for slot in must.slots] == [True, False]
    assert (must.slots[0].priority, must.slots[0].probability) == (0.0, 1.0)
    floored = decide(ask(), World(changed(FLOOR, MUST), Scattered()))
    assert offers(floored) == ["blue-note"]
    assert {refusal.stage for refusal in floored.refusals} == {"propensity floor"}


def test_a_refusal_names_the_holdout_itself_beside_other_experiments(
    ask: Ask, changed: Change
) -> None:
    experiments = (
        "experiments:\n"
        "  - {id: one, salt: s, arms: [{id: plain, share: 1}]}\n"
        "  - {id: two, salt: t, arms: [{id: silent, share: 1, holdout: true}]}\n"
    )
    made = decide(ask(), World(changed(append=experiments), Scattered()))
    assert {r.rule for r in made.refusals if r.stage == "holdout"} == {"silent"}


def test_what_is_mandatory_is_said_in_random_arms_too_but_not_in_a_holdout(
    ask: Ask, changed: Change
) -> None:
    random = with_arm(changed, "random: true", MUST)
    for seed in range(20):
        first = decide(ask(seed=seed), random).slots[0]
        assert (first.offer_id, first.probability) == ("blue-note", 1.0)
    assert offers(decide(ask(), with_arm(changed, "holdout: true", MUST))) == []


def test_what_is_mandatory_is_screened_like_all_else(ask: Ask, changed: Change) -> None:
    world = World(changed(MUST), Scattered())
    assert offers(decide(ask(facts={"customer.do_not_contact": True}), world)) == []


def test_a_scarce_budget_makes_its_incentive_dearer(ask: Ask, changed: Change) -> None:
    budget = ("cost: 30", "cost: 30\n    budget: {amount: 1000, period: month}")
    sweet = World(
        changed(budget, ("incentives: [none, discount]", "incentives: [discount]")), Scattered()
    )
    march_10 = 9.5 / 31

    def red(spent: float) -> Slot:
        usage = Usage(budgets={"discount": spent})
        slots = decide(ask(usage=usage, channel="web"), sweet).slots
        return next(slot for slot in slots if slot.offer_id == "red-1")

    frugal, scarce = red(100.0), red(500.0)
    price = (0.5 - march_10) / 0.5
    assert frugal.shadow_price == 0.0
    assert scarce.shadow_price == pytest.approx(price)
    assert frugal.value == scarce.value == 70
    factors = scarce.propensity * scarce.lever
    assert frugal.priority == pytest.approx(factors * 70)
    assert scarce.priority == pytest.approx(factors * (100 - 30 * (1 + price)))
    assert scarce.monthly_revenue == 7.5
    beyond = decide(ask(usage=Usage(budgets={"discount": 960.0}), channel="web"), sweet)
    fallen = {refusal.offer_id: refusal for refusal in beyond.refusals}["red-1"]
    assert fallen.stage == "value"
    assert "value 70.00 - scarce budget " in fallen.detail


def test_every_score_is_logged_in_the_order_of_offer_and_incentive(
    ask: Ask, changed: Change
) -> None:
    decision = decide(ask(slots=1), World(changed(), Scattered()))
    named = [(one.offer_id, one.incentive_id) for one in decision.scores]
    assert named == [
        ("blue-1", "none"),
        ("blue-note", "none"),
        ("red-1", "discount"),
        ("red-1", "none"),
        ("red-2", "none"),
    ]
    assert all(
        one.evidence == 200.0 and one.batch == one.probability / 2 for one in decision.scores
    )


def test_steps_taken_before_the_decision_come_first(ask: Ask, world: World) -> None:
    decision = decide(ask(degraded=("last known customer vector",)), world)
    assert decision.degraded == ("last known customer vector", "prior propensity")


def test_a_catalogue_without_offers_stays_silent(ask: Ask, compiled: CompiledCatalog) -> None:
    nothing: Catalog = replace(compiled.catalog, offers={})
    world = World(compile_catalog(nothing, compiled.language), Scattered())
    assert decide(ask(), world).slots == ()


def test_an_answer_in_chat_is_not_asked_again_on_the_phone(ask: Ask, world: World) -> None:
    before = decide(ask(), world)
    declined = Contact(
        ask().at - timedelta(hours=1), "chat", "i-chat", "d0", "red-2", "red", Outcome.DECLINED
    )
    after = decide(ask(history=(declined,)), world)
    assert "red-2" in offers(before)
    assert "red-2" not in offers(after)
    assert "red-1" in offers(after), "the next best of the group takes its place"


facts = st.fixed_dictionaries(
    {},
    optional={
        "customer.consent_voice": st.booleans(),
        "customer.do_not_contact": st.booleans(),
        "customer.complaint_open": st.booleans(),
        "customer.has_red": st.booleans(),
        "customer.tenure_months": st.floats(0, 40),
        "interaction.intent": st.sampled_from(["billing", "moving"]),
        "event.type": st.sampled_from(["address.changed", "other"]),
    },
)
good = {"customer.consent_voice": True, "customer.do_not_contact": False}
mostly_allowed = st.one_of(
    facts, facts.map(lambda given: {**given, **good, "customer.complaint_open": False})
)
contacts = st.builds(
    lambda days, offer, outcome, decision: Contact(
        NOW - timedelta(days=days),
        "voice",
        f"i{days}",
        f"d{decision}",
        offer,
        "blue" if offer.startswith("blue") else "red",
        outcome,
    ),
    st.integers(0, 100),
    st.sampled_from(["red-1", "red-2", "blue-1", "blue-note"]),
    st.sampled_from([Outcome.PRESENTED, Outcome.DECLINED, Outcome.ACCEPTED]),
    st.integers(0, 9),
)
policies = st.sampled_from(
    ["random: true", "model: none", "propensity: false", "value: false", "incentives: false"]
)


@pytest.fixture(scope="module")
def worlds(changed: Change) -> dict[str, World]:
    """A world per kind of arm, exploring."""
    explore = ("per_group: 1", "per_group: 1\n  selection: {policy: epsilon, epsilon: 0.4}")
    kinds = ["random: true", "model: none", "propensity: false", "value: false"]
    return {kind: with_arm(changed, kind, explore) for kind in [*kinds, "incentives: false"]}


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    known=mostly_allowed,
    history=st.lists(contacts, max_size=6),
    channel=st.sampled_from(["voice", "voice", "web"]),
    language=st.sampled_from(["en", "de"]),
    slots=st.integers(1, 5),
    seed=st.integers(0, 2**63),
    kind=policies,
    order=st.randoms(use_true_random=False),
)
def test_what_always_holds(
    ask: Ask,
    worlds: dict[str, World],
    compiled: CompiledCatalog,
    known: dict[str, Fact],
    history: list[Contact],
    channel: str,
    language: str,
    slots: int,
    seed: int,
    kind: str,
    order: object,
) -> None:
    world = worlds[kind]
    nothing: dict[str, Fact | None] = dict.fromkeys(ask().facts)
    request = ask(
        facts={**nothing, **known},
        history=tuple(sorted(history)),
        channel=channel,
        language=language,
        slots=slots,
        seed=seed,
    )
    decision = decide(request, world)

    refused = {refusal.offer_id for refusal in decision.refusals if not refusal.incentive_id}
    shown = offers(decision)
    assert len(shown) == len(set(shown)) <= slots
    assert not refused & set(shown), "what was refused is not returned"
    groups = [slot.group_id for slot in decision.slots]
    assert len(groups) == len(set(groups)), "per_group is kept"
    for slot in decision.slots:
        offer = compiled.catalog.offers[slot.offer_id]
        assert eligible(offer.offer_id, slot.incentive_id, request)
        assert slot.priority > 0.0
        assert slot.incentive_id == "none" or kind != "incentives: false"

    assert decide(request, world) == decision, "same request, same answer"
    shuffled = list(request.facts.items())
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    backwards = replace(request, facts=dict(shuffled), history=request.history[::-1])
    assert decide(backwards, reverse(world)).slots == decision.slots, "order does not matter"


def eligible(offer_id: str, incentive_id: str, request: Request) -> bool:
    """The catalogue's rules again, by hand, unknown refusing."""
    known = request.facts
    months = known.get("customer.tenure_months", -1.0)
    assert isinstance(months, (int, float))
    if request.channel == "voice" and known.get("customer.consent_voice") is not True:
        return False
    if known.get("customer.do_not_contact") is not False:
        return False
    if offer_id != "blue-note" and known.get("customer.complaint_open") is not False:
        return False  # a service message is no sale
    declined = any(
        contact.offer_id == offer_id
        and contact.outcome is Outcome.DECLINED
        and contact.at > request.at - timedelta(days=60)
        for contact in request.history
    )
    own = {
        "red-1": known.get("customer.has_red") is False,
        "red-2": request.channel == "voice"
        and request.language == "en"
        and (months > 2.0 or known.get("customer.has_red") is True),
        "blue-1": known.get("interaction.intent") == "billing",
        "blue-note": request.channel == "voice" and request.language == "en",
    }[offer_id]
    sweet = incentive_id == "none" or (offer_id == "red-1" and months >= 12.0)
    return own and sweet and not declined


def reverse(world: World) -> World:
    """The same world, its catalogue written in the opposite order."""
    catalog = world.compiled.catalog
    turned = replace(
        catalog,
        offers=dict(reversed(catalog.offers.items())),
        incentives=dict(reversed(catalog.incentives.items())),
        groups=dict(reversed(catalog.groups.items())),
    )
    return replace(world, compiled=compile_catalog(turned, world.compiled.language))


def test_facts_of_the_test_are_in_the_schema(compiled: CompiledCatalog, ask: Ask) -> None:
    types = compiled.language.schema.types
    kinds = {FactType.FLAG: bool, FactType.NUMBER: float, FactType.TEXT: str}
    assert all(isinstance(value, kinds[types[name]]) for name, value in ask().facts.items())
