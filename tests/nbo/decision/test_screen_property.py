"""The screen against the plainest reading of its stages, offer by offer, rule by rule."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from nbo.decision.arms import DEFAULT_ARM, Arm
from nbo.decision.catalog import (
    NO_INCENTIVE,
    Catalog,
    Channel,
    Group,
    Incentive,
    Offer,
    Purpose,
)
from nbo.decision.compiled import compile_catalog
from nbo.decision.decision import Refusal
from nbo.decision.facts import INTERACTION_FACTS, Fact, FactSchema, FactType
from nbo.decision.failure import Failure
from nbo.decision.failures import all_failures
from nbo.decision.history import Contact, Outcome
from nbo.decision.limits import Budget, Caps, CapUse, Period, Usage
from nbo.decision.policies import Frequency, Policies, Suppression, Target
from nbo.decision.request import Request
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleLanguage
from nbo.decision.screen import screen

T = TypeVar("T")
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
IDS = ("o1", "o2", "o3", "o4")
GROUPS = {"g1": Group("g1", "grow"), "g2": Group("g2", "retain")}
FLAGS = ("customer.a", "customer.b", "customer.c")
LANGUAGE = RuleLanguage(
    FactSchema({**INTERACTION_FACTS, **dict.fromkeys((*FLAGS, "customer.dnc"), FactType.FLAG)})
)
PRODUCTS = {"pa": RuleText("pa", "customer.a"), "pb": RuleText("pb", "customer.b")}
PURPOSES = {
    "marketing": Purpose("marketing", {"voice": "customer.a"}, {"web": "customer.b"}),
    "service": Purpose("service"),
    "news": Purpose("news", {"mail": "customer.c"}),
}
PATTERNS = ("claim.*", "web.click", "*.click", "*")


@dataclass(frozen=True)
class Scene:
    """A catalogue and a customer in front of it."""

    catalog: Catalog
    request: Request
    arm: Arm


def some(values: tuple[str, ...], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True).map(tuple)


def rarely(values: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from(range(8)).flatmap(lambda n: values if n == 7 else st.just(()))


def seldom(usual: T, *others: T) -> st.SearchStrategy[T]:
    """Nine times in ten the usual, so that much passes and every stage has its turn."""
    return st.sampled_from((*[usual] * 9 * len(others), *others))


rules = rarely(some(("customer.a", "!customer.a", "customer.b", "!customer.c"))).map(
    lambda texts: tuple(RuleText(f"rule {text}", text) for text in texts)
)
caps = st.builds(
    Caps, total=st.sampled_from([None, None, 2, 3]), daily=st.sampled_from([None, None, 1, 2])
)
targets = st.builds(
    Target,
    issue=st.sampled_from(["", "", "grow"]),
    group_id=st.sampled_from(["", "", "g1"]),
    offer_id=st.sampled_from(["", "", "o1", "o2"]),
)


@st.composite
def offers(draw: st.DrawFn, offer_id: str) -> Offer:
    starts = draw(seldom(None, NOW - DAY, NOW, NOW + DAY))
    ends = draw(seldom(None, NOW - DAY, NOW, NOW + DAY))
    return Offer(
        offer_id,
        draw(st.sampled_from(["g1", "g2"])),
        {draw(seldom("en", "de")): offer_id},
        {},
        value=10.0,
        prior=0.1,
        channels=frozenset(draw(seldom(("voice", "web"), ("web",)))),
        starts=starts,
        ends=ends,
        eligibility=draw(rules),
        applicability=draw(rules),
        suitability=draw(rules),
        incentives=draw(st.sampled_from([("none",), ("none", "gift"), ("gift",)])),
        service=draw(st.booleans()),
        requires=draw(rarely(some(("pa", "pb")))),
        excludes=draw(rarely(some(("pa", "pb")))),
        sells=draw(seldom("", "pa", "pb")),
        purpose=draw(st.sampled_from(["", "", *PURPOSES])),
        triggers=draw(rarely(some(PATTERNS))),
        caps=draw(caps),
        bundle=draw(rarely(some(("o3", "o4")))) if offer_id < "o3" else (),
        variants=draw(seldom((), ("blue",))),
    )


outcomes = st.sampled_from(
    [Outcome.PRESENTED, Outcome.ACCEPTED, Outcome.DECLINED, Outcome.DEFERRED]
)


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    outcome = draw(outcomes)
    at = NOW - draw(st.integers(0, 12)) * DAY
    offer_id = draw(st.sampled_from(IDS))
    channel = draw(st.sampled_from(["voice", "web"]))
    until = at + draw(st.integers(1, 9)) * DAY if outcome is Outcome.DEFERRED else None
    decision = draw(st.sampled_from(["d1", "d2", "d3"]))
    interaction = draw(st.sampled_from(["now", "i1", "i2"]))
    group = draw(st.sampled_from(["g1", "g2"]))
    return Contact(at, channel, interaction, decision, offer_id, group, outcome, until)


suppressions = st.builds(
    Suppression,
    name=st.sampled_from(["s1", "s2"]),
    outcome=st.sampled_from([Outcome.DECLINED, Outcome.ACCEPTED]),
    scope=st.sampled_from(["offer", "group", "all"]),
    window=st.just(5 * DAY),
    count=st.integers(1, 2),
    pause=st.just(4 * DAY),
    channel=st.sampled_from(["", "voice"]),
    target=targets,
)
frequencies = st.builds(
    Frequency,
    name=st.just("f1"),
    limit=st.integers(1, 3),
    period=st.just(6 * DAY),
    channel=st.sampled_from(["", "voice", "web"]),
    target=targets,
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    policies = Policies(
        do_not_contact=draw(seldom("", "customer.dnc")),
        service_first=draw(seldom((), (RuleText("need", "!customer.a"),))),
        suppression=tuple(draw(st.lists(suppressions, max_size=2))),
        frequency=tuple(draw(st.lists(frequencies, max_size=1))),
    )
    gift_rules = draw(st.sampled_from([(), (RuleText("nice", "customer.b"),)]))
    budget = draw(st.sampled_from([None, Budget(10.0, Period.MONTH)]))
    gift = Incentive("gift", {}, "gift", 4.0, rules=gift_rules, budget=budget)
    catalog = Catalog(
        "v",
        "EUR",
        ("en",),
        {"voice": Channel("voice", "customer.c"), "web": Channel("web")},
        GROUPS,
        {"none": NO_INCENTIVE, "gift": gift},
        {offer_id: draw(offers(offer_id)) for offer_id in IDS},
        policies,
        products=PRODUCTS,
        purposes=PURPOSES,
    )
    values = {name: draw(st.sampled_from([True, True, True, False, None])) for name in FLAGS}
    values["customer.dnc"] = draw(st.sampled_from([False, False, False, True, None]))
    facts: dict[str, Fact] = {name: value for name, value in values.items() if value is not None}
    if event := draw(st.sampled_from(["", "claim.reported", "web.click"])):
        facts["event.type"] = event
    usage = Usage(
        {i: CapUse(draw(st.integers(0, 2)), draw(st.integers(0, 1))) for i in draw(some(IDS, 4))},
        {"gift": draw(st.sampled_from([0.0, 6.0, 6.5]))},
        known=draw(seldom(True, False)),
    )
    request = Request(
        decision_id="d",
        customer_id="c",
        interaction_id="now",
        at=NOW,
        channel=draw(st.sampled_from(["voice", "web"])),
        language="",
        slots=3,
        facts=facts,
        history=tuple(draw(st.lists(contacts(), max_size=5))),
        seed=1,
        usage=usage,
        history_known=draw(seldom(True, False)),
    )
    arm = replace(
        DEFAULT_ARM,
        variant=draw(st.sampled_from(["", "blue", "green"])),
        incentives=draw(st.sampled_from([True, True, False])),
    )
    return Scene(catalog, request, arm)


STAGES = (
    "availability",
    "consent",
    "service first",
    "eligibility",
    "applicability",
    "suitability",
    "contact policy",
    "caps",
)


def holds(rule: str, facts: Mapping[str, Fact]) -> bool | None:
    """True, false or None for unknown, of ``customer.x`` and ``!customer.x``."""
    value = facts.get(rule.lstrip("!"))
    return None if value is None else value is not rule.startswith("!")


def read(offer: Offer, scene: Scene) -> dict[str, set[str]]:
    """The failing rules of an offer by stage, members not looked at."""
    request, catalog, facts = scene.request, scene.catalog, scene.request.facts
    failing: dict[str, set[str]] = {stage: set() for stage in STAGES}
    if offer.starts and request.at < offer.starts:
        failing["availability"].add("starts")
    if offer.ends and request.at >= offer.ends:
        failing["availability"].add("ends")
    if request.channel not in offer.channels:
        failing["availability"].add("channel")
    if "en" not in offer.name:
        failing["availability"].add("language")
    if offer.variants and scene.arm.variant not in offer.variants:
        failing["availability"].add("variant")
    failing["consent"] = refused_consent(offer, scene)
    for need in catalog.policies.service_first:
        if not offer.service and not holds(need.when, facts):
            failing["service first"].add(need.name)
    held = {product: holds(rule.when, facts) for product, rule in PRODUCTS.items()}
    failing["eligibility"] = {
        *(f"requires {p}" for p in offer.requires if held[p] is not True),
        *(f"excludes {p}" for p in offer.excludes if held[p] is not False),
        *(f"holds {p} already" for p in [offer.sells] if p and held[p] is not False),
    }
    event = str(facts.get("event.type", ""))
    if offer.triggers and not any(event and fnmatchcase(event, p) for p in offer.triggers):
        failing["applicability"].add("trigger")
    for stage, own in (
        ("eligibility", offer.eligibility),
        ("applicability", offer.applicability),
        ("suitability", offer.suitability),
    ):
        failing[stage] |= {rule.name for rule in own if not holds(rule.when, facts)}
    failing["contact policy"] = contact_rules(offer, scene)
    failing["caps"] = cap_rules(offer, request.usage)
    return failing


def refused_consent(offer: Offer, scene: Scene) -> set[str]:
    facts, channel = scene.request.facts, scene.request.channel
    failing = set()
    if scene.catalog.policies.do_not_contact and facts.get("customer.dnc") is not False:
        failing.add("do not contact")
    own = {
        ("marketing", "voice"): ("marketing opt-in for voice", "customer.a"),
        ("marketing", "web"): ("marketing opt-out for web", "!customer.b"),
        ("", "voice"): ("consent for voice", "customer.c"),
        ("news", "voice"): ("consent for voice", "customer.c"),
    }
    needed = own.get((offer.purpose, channel))
    if needed and not holds(needed[1], facts):
        failing.add(needed[0])
    return failing


def within(target: Target, offer_id: str, group_id: str) -> bool:
    return (
        target.issue in ("", GROUPS[group_id].issue)
        and target.group_id in ("", group_id)
        and target.offer_id in ("", offer_id)
    )


def about(contact: Contact, catalog: Catalog) -> set[tuple[str, str]]:
    """The offers with their groups that a contact counts for: who takes a bundle takes each."""
    bundle = catalog.offers[contact.offer_id].bundle
    parts = bundle if contact.outcome is Outcome.ACCEPTED else ()
    own = {(contact.offer_id, contact.group_id)}
    return own | {(part, catalog.offers[part].group_id) for part in parts}


def contact_rules(offer: Offer, scene: Scene) -> set[str]:
    """Who cannot be asked what they were told may have been told anything.

    Silence and deferral concern every offer; the one exception are service messages.
    """
    request, policies = scene.request, scene.catalog.policies
    failing = set()
    if not request.history_known and not offer.service:
        failing |= {"answered in this interaction", "deferred by the customer"}
    deferrals: list[tuple[datetime, datetime]] = []
    for c in request.history:
        if offer.offer_id in {offer_id for offer_id, _ in about(c, scene.catalog)}:
            if c.interaction_id == "now" and c.outcome is not Outcome.PRESENTED:
                failing.add("answered in this interaction")
            if c.defer_until:
                deferrals.append((c.at, c.defer_until))
    if deferrals and max(deferrals)[1] > NOW:
        failing.add("deferred by the customer")
    for s in policies.suppression:
        if within(s.target, offer.offer_id, offer.group_id):
            unread = not request.history_known
            if unread or paused(s, offer, request.history, scene.catalog):
                failing.add(s.name)
    for f in policies.frequency:
        concerned = within(f.target, offer.offer_id, offer.group_id)
        blocks = not request.history_known or shown(f, request.history) >= f.limit
        if concerned and f.channel in ("", request.channel) and not offer.service and blocks:
            failing.add(f.name)
    return failing


def paused(s: Suppression, offer: Offer, history: tuple[Contact, ...], catalog: Catalog) -> bool:
    counted = [
        c
        for c in history
        if c.outcome is s.outcome
        and s.channel in ("", c.channel)
        and any(
            within(s.target, offer_id, group_id)
            and (s.scope != "offer" or offer_id == offer.offer_id)
            and (s.scope != "group" or group_id == offer.group_id)
            for offer_id, group_id in about(c, catalog)
        )
    ]
    return any(
        len({(c.decision_id, c.offer_id) for c in counted if last.at - s.window < c.at <= last.at})
        >= s.count
        and last.at + s.pause > NOW
        for last in counted
    )


def shown(f: Frequency, history: tuple[Contact, ...]) -> int:
    first: dict[tuple[str, str], Contact] = {}
    for c in sorted(history, key=lambda c: c.at):
        first.setdefault((c.decision_id, c.offer_id), c)
    return sum(
        NOW - f.period < c.at
        and f.channel in ("", c.channel)
        and within(f.target, c.offer_id, c.group_id)
        for c in first.values()
    )


def cap_rules(offer: Offer, usage: Usage) -> set[str]:
    used = usage.offers.get(offer.offer_id, CapUse())
    failing = set()
    if offer.caps.total is not None and (not usage.known or used.total >= offer.caps.total):
        failing.add("total cap")
    if offer.caps.daily is not None and (not usage.known or used.daily >= offer.caps.daily):
        failing.add("daily cap")
    return failing


def read_whole(scene: Scene) -> dict[str, dict[str, set[str]]]:
    """The failing rules of every offer by stage, those of a bundle's members included."""
    alone = {i: read(offer, scene) for i, offer in scene.catalog.offers.items()}
    return {
        i: {
            stage: failing | {f"{m}: {rule}" for m in offer.bundle for rule in alone[m][stage]}
            for stage, failing in alone[i].items()
        }
        for i, offer in scene.catalog.offers.items()
    }


def gift_fails(scene: Scene) -> bool:
    gift, usage = scene.catalog.incentives["gift"], scene.request.usage
    poor = gift.budget is not None and (not usage.known or usage.budgets["gift"] + 4.0 > 10.0)
    rude = any(not holds(rule.when, scene.request.facts) for rule in gift.rules)
    return poor or rude or not scene.arm.incentives


@settings(max_examples=100, deadline=None)
@given(scenes())
def test_what_passes_and_what_falls_is_what_a_plain_reading_says(scene: Scene) -> None:
    compiled = compile_catalog(scene.catalog, LANGUAGE)
    request, arm = scene.request, scene.arm
    rows, refusals = screen(request, compiled, LANGUAGE.activate(request.facts), arm)
    told = {r.offer_id: r for r in refusals if not r.incentive_id}
    passed = {
        (compiled.treatments[row].offer.offer_id, compiled.treatments[row].incentive.incentive_id)
        for row in rows
    }
    expected = read_whole(scene)
    for offer_id, failing in expected.items():
        first = next((stage for stage in STAGES if failing[stage]), None)
        incentives = scene.catalog.offers[offer_id].incentives
        allowed = {i for i in incentives if i == "none" or not gift_fails(scene)}
        if first is not None:
            assert told[offer_id].stage == first
            assert told[offer_id].rule in failing[first]
            allowed = set()
        assert {i for o, i in passed if o == offer_id} == allowed
        assert (offer_id in told) is not bool(allowed)


@settings(max_examples=100, deadline=None)
@given(scenes())
def test_explaining_tells_every_failure_and_the_screens_first(scene: Scene) -> None:
    compiled = compile_catalog(scene.catalog, LANGUAGE)
    request, arm = scene.request, scene.arm
    _, refusals = screen(request, compiled, LANGUAGE.activate(request.facts), arm)
    told = {r.offer_id: r for r in refusals if not r.incentive_id}
    found = all_failures(request, compiled, LANGUAGE.activate(request.facts), arm)
    assert set(found) == set(IDS)
    for offer_id, failing in read_whole(scene).items():
        of_offer = [f for f in found[offer_id] if f.rule not in ("nice", "budget", "incentives")]
        assert {(f.stage, f.rule) for f in of_offer} == {
            (stage, rule) for stage, names in failing.items() for rule in names
        }
        places = [STAGES.index(f.stage) for f in of_offer]
        assert places == sorted(places), "in the order of the screen"
        first = next(iter(found[offer_id]), None)
        refusal = told.get(offer_id)
        assert (first and first[:3]) == (refusal and (refusal.stage, refusal.rule, refusal.detail))
        assert all(f.until is None or f.until > NOW for f in found[offer_id])


@settings(max_examples=40, deadline=None)
@given(scene=scenes(), seed=st.integers(0, 99))
def test_the_order_of_input_is_irrelevant(scene: Scene, seed: int) -> None:
    """What passes, and every reason to the letter; of two policies the first is named first."""
    order = random.Random(seed)

    def shuffled(values: Iterable[T]) -> list[T]:
        return order.sample(several := list(values), len(several))

    catalog = scene.catalog
    policies = replace(
        catalog.policies,
        suppression=tuple(shuffled(catalog.policies.suppression)),
        frequency=tuple(shuffled(catalog.policies.frequency)),
    )
    mixed = replace(
        catalog,
        offers=dict(shuffled(catalog.offers.items())),
        incentives=dict(shuffled(catalog.incentives.items())),
        groups=dict(shuffled(catalog.groups.items())),
        purposes=dict(shuffled(catalog.purposes.items())),
        products=dict(shuffled(catalog.products.items())),
    )
    past = replace(scene.request, history=tuple(shuffled(scene.request.history)))
    assert screened(catalog, scene.request, scene.arm) == screened(mixed, past, scene.arm)
    rows, refused, failures = screened(replace(mixed, policies=policies), past, scene.arm)
    expected_rows, expected_refused, expected = screened(catalog, scene.request, scene.arm)
    assert rows == expected_rows
    assert [(r.offer_id, r.stage, r.incentive_id) for r in refused] == [
        (r.offer_id, r.stage, r.incentive_id) for r in expected_refused
    ]
    assert {i: set(found) for i, found in failures.items()} == {
        i: set(found) for i, found in expected.items()
    }


def screened(
    catalog: Catalog, request: Request, arm: Arm
) -> tuple[list[tuple[str, str]], list[Refusal], dict[str, tuple[Failure, ...]]]:
    compiled = compile_catalog(catalog, LANGUAGE)
    activation = LANGUAGE.activate(request.facts)
    rows, refusals = screen(request, compiled, activation, arm)
    passed = [compiled.treatments[row] for row in rows]
    return (
        [(one.offer.offer_id, one.incentive.incentive_id) for one in passed],
        refusals,
        dict(all_failures(request, compiled, activation, arm)),
    )
