"""What differs between two catalogues is told in the words of the catalogue."""

from __future__ import annotations

import random
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbo.decision.catalog import Catalog, Offer
from nbo.decision.catalog_diff import Change, diff
from nbo.decision.catalog_diff_wording import LONGEST_TEXT
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema, FactType
from nbo.decision.rule_text import RuleText

SCHEMA = FactSchema(
    {
        "customer.years": FactType.NUMBER,
        "customer.card": FactType.FLAG,
        "customer.ok": FactType.FLAG,
    }
)
BEFORE = """
currency: EUR
languages: [en]
channels:
  voice: {fallback: none}
  web: {fallback: none}
products: {card: customer.card}
purposes: [{id: marketing, opt_in: {voice: customer.ok}}]
issues: [{id: grow, lever: 10}]
groups: [{id: g, issue: grow}, {id: h, issue: grow}]
incentives: [{id: gift, name: {en: Gift}, kind: gift, cost: 3}]
offers:
  - id: gigabit
    group: g
    name: {en: Gigabit}
    script: {en: "May I?"}
    channels: [voice, web]
    purpose: marketing
    value: 120
    prior: 0.2
    eligibility: [{name: long enough, when: customer.years >= 2.0}]
    incentives: [none, gift]
policies:
  suppression:
    - {name: no twice, outcome: DECLINED, scope: offer, window: 30d, count: 1, pause: 60d}
  context: [{name: loyal, when: customer.years > 5.0, group: g, weight: 20}]
experiments: [{id: e, salt: s, arms: [{id: a, share: 0.5}, {id: b, share: 0.5}]}]
"""


def read(text):
    return load_catalog(text, "catalog.yaml", SCHEMA).catalog


@pytest.fixture(scope="module")
def changed():
    """Replaces one piece of the catalogue and tells the difference."""

    def change(old, new):
        assert old in BEFORE
        return diff(read(BEFORE), read(BEFORE.replace(old, new)))

    return change


def test_nothing_differs_from_itself_wherever_it_stands():
    moved = "# a comment\n\n" + BEFORE.replace("channels: [voice, web]", "channels: [web, voice]")
    assert diff(read(BEFORE), read(moved)) == []


@pytest.mark.parametrize(
    ("old", "new", "kind", "key", "told"),
    [
        ("value: 120", "value: 150", "offer", "gigabit", "value: 120 → 150"),
        ("channels: [voice, web]", "channels: [web]", "offer", "gigabit", "channels: - voice"),
        ("    value: 120", "    ends: 2027-01-01\n    value: 120", "offer", "gigabit",
         "ends: none → 2027-01-01 00:00"),
        ("years >= 2.0", "years >= 3.0", "offer", "gigabit",
         "eligibility.long enough: customer.years >= 2.0 → customer.years >= 3.0"),
        ("    eligibility: [{name: long enough, when: customer.years >= 2.0}]\n", "", "offer",
         "gigabit", "eligibility.long enough: customer.years >= 2.0 → none"),
        ("    prior: 0.2\n", "    caps: {daily: 20}\n    prior: 0.2\n", "offer", "gigabit",
         "caps.daily: none → 20"),
        ("    prior: 0.2\n", "", "offer", "gigabit", "prior: 0.2 → none"),
        ("cost: 3", "cost: 3, budget: {amount: 500, period: month}", "incentive", "gift",
         "budget.amount: none → 500"),
        ("{en: Gift}", "{en: A gift}", "incentive", "gift", "name.en: Gift → A gift"),
        ("lever: 10", "lever: 15", "issue", "grow", "lever: 10 → 15"),
        ("{card: customer.card}", '{card: "!customer.card"}', "product", "card",
         "customer.card → !customer.card"),
        ("pause: 60d", "pause: 36h", "policy", "suppression: no twice", "pause: 60d → 36h"),
        ("weight: 20", "weight: 25", "policy", "context: loyal", "weight: 20 → 25"),
        ("share: 0.5}, {id: b, share: 0.5", "share: 0.4}, {id: b, share: 0.6", "experiment", "e",
         "arms.a.share: 0.5 → 0.4"),
        ("policies:\n", "policies:\n  per_group: 2\n", "setting", "per_group", "1 → 2"),
        ("currency: EUR", "currency: CHF", "setting", "currency", "EUR → CHF"),
    ],
)  # fmt: skip
def test_a_change_is_told_by_its_field(changed, old, new, kind, key, told):
    (change,) = changed(old, new)
    assert (change.kind, change.key, change.change) == (kind, key, "changed")
    assert told in change.fields


def test_what_came_and_went_is_named(changed):
    assert changed("{id: h, issue: grow}", "{id: i, issue: grow}") == [
        Change("group", "h", "removed"),
        Change("group", "i", "added"),
    ]


def test_policies_of_one_name_are_told_apart(changed):
    twice = (
        "    - {name: no twice, outcome: DECLINED, scope: all, window: 9d, count: 3, pause: 9d}\n"
    )
    (change,) = changed("  context:", twice + "  context:")
    assert change == Change("policy", "suppression: no twice (2)", "added")


def test_an_observed_prior_is_no_change_of_the_catalogue():
    text = BEFORE.replace("    prior: 0.2\n", "")
    rated = load_catalog(text, "catalog.yaml", SCHEMA, {"g": 0.4}).catalog
    assert rated.offers["gigabit"].prior == 0.4
    assert diff(read(text), rated) == []


def test_every_part_of_a_catalogue_is_compared():
    """A field added to the catalogue one day must not be forgotten here."""
    compared = {"currency", "languages", "policies", "experiments", "channels", "products"}
    compared |= {"purposes", "issues", "groups", "incentives", "offers"}
    assert {f.name for f in fields(Catalog)} - compared == {"version", "rates"}


@pytest.mark.parametrize(
    ("old", "new", "kind", "key", "told"),
    [
        ("{id: a, share: 0.5}, {id: b, share: 0.5}", "{id: b, share: 0.5}, {id: a, share: 0.5}",
         "experiment", "e", "arms: order a, b → b, a"),
        ("[{name: long enough, when: customer.years >= 2.0}]",
         "[{name: long enough, when: customer.years >= 2.0}, {name: r, when: customer.ok}]",
         "offer", "gigabit", "eligibility.r: none → customer.ok"),
        ("value: 120", "value: 120.00000000001", "offer", "gigabit",
         "value: 120.0 → 120.00000000001"),
    ],
)  # fmt: skip
def test_what_decides_otherwise_is_told_however_small(changed, old, new, kind, key, told):
    (change,) = changed(old, new)
    assert change == Change(kind, key, "changed", (told,))


def test_the_order_of_experiments_and_policies_is_told():
    first = "{id: e, salt: s, arms: [{id: a, share: 0.5}, {id: b, share: 0.5}]}"
    second = "{id: f, salt: t, arms: [{id: a, share: 1, model: other}]}"
    one, other = (BEFORE.replace(first, f"{a}, {b}") for a, b in [(first, second), (second, first)])
    assert diff(read(one), read(other)) == [
        Change("setting", "experiments", "changed", ("order e, f → f, e",))
    ]
    early, late = "{name: loyal, when: customer.years > 5.0, group: g, weight: 20}", "{name: card, "
    late += "when: customer.card, group: h, weight: 5}"
    one, other = (BEFORE.replace(early, f"{a}, {b}") for a, b in [(early, late), (late, early)])
    (change,) = diff(read(one), read(other))
    assert change.fields == ("order loyal, card → card, loyal",)


def test_an_id_that_means_nothing_to_people_is_compared_like_any_other(changed):
    change = changed(
        "issues: [{id: grow, lever: 10}]", "issues: [{id: grow, lever: 10}, {id: none}]"
    )
    assert change == [Change("issue", "none", "added")]


@pytest.mark.parametrize("before", ["", "customer.card && "])
@pytest.mark.parametrize("after", ["", " && customer.card && customer.card && customer.card"])
def test_long_rules_are_told_where_they_differ(changed, before, after):
    long = " && ".join(["customer.years >= 2.0"] * 5)
    rule = before + long + " && {}" + after
    old = "when: customer.years >= 2.0"
    texts = [
        BEFORE.replace(old, f"when: {rule.format(last)}")
        for last in ("customer.card", "customer.ok")
    ]
    (change,) = diff(*map(read, texts))
    was, now = change.fields[0].removeprefix("eligibility.long enough: ").split(" → ")
    assert "customer.card" in was
    assert "customer.ok" in now
    assert max(len(was), len(now)) <= LONGEST_TEXT
    assert was[0] == now[0] == "…"


def of_decisions(value):
    """All of a catalogue that can change a decision, as plain values."""
    if isinstance(value, RuleText):
        return (value.name, value.when.strip())
    if is_dataclass(value):
        told = {f.name: of_decisions(getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, Offer) and not value.prior_declared:
            del told["prior"]
        if isinstance(value, Catalog):
            del told["version"], told["rates"]
            told["products"] = {product: when for product, (_, when) in told["products"].items()}
        return told
    if isinstance(value, dict):
        return {key: of_decisions(inner) for key, inner in value.items()}
    return tuple(map(of_decisions, value)) if isinstance(value, list | tuple) else value


def mutated(value, rng):  # noqa: PLR0911  # one per kind
    """The same value with one thing inside it changed, or by chance with nothing."""
    if is_dataclass(value):
        name = rng.choice([f.name for f in fields(value)])
        return replace(value, **{name: mutated(getattr(value, name), rng)})
    if isinstance(value, dict) and value:
        shuffled = dict(rng.sample(list(value.items()), len(value)))
        key = rng.choice(list(value))
        return rng.choice(
            [
                shuffled,
                {**value, key: mutated(value[key], rng)},
                {k: v for k, v in value.items() if k != key},
            ]
        )
    if isinstance(value, tuple) and value:
        at = rng.randrange(len(value))
        changed = (*value[:at], mutated(value[at], rng), *value[at + 1 :])
        return rng.choice(
            [
                changed,
                changed,
                tuple(rng.sample(value, len(value))),
                (*value, value[at]),
                (*value[:at], *value[at + 1 :]),
            ]
        )
    if isinstance(value, frozenset):
        return value ^ {"voice"}
    if isinstance(value, bool):
        return not value
    if isinstance(value, Enum):
        return rng.choice(list(type(value)))
    if isinstance(value, str):
        return value + rng.choice(["x", " and so much longer" * 9, ""])
    if isinstance(value, float | int):
        return value + rng.choice([1, 1e-12, 0])
    if isinstance(value, datetime | timedelta):
        return value + timedelta(seconds=rng.choice([0, 1, 86400]))
    return value


RICH = (
    BEFORE.replace(
        "  context:",
        """\
    - {name: no twice, outcome: ACCEPTED, scope: all, window: 9d, count: 3, pause: 9d}
  frequency: [{name: few, limit: 2, period: 7d}, {name: fewer, limit: 5, period: 30d}]
  service_first: [{name: fine, when: customer.ok}]
  selection: {policy: softmax, temperature: 2.5}
  context:""",
    )
    .replace(
        "experiments: [",
        """\
experiments:
  - {id: f, salt: t, arms: [{id: a, share: 0.5, selection: {policy: greedy}}, {id: c, share: 0.5}]}
  - """,
    )
    .replace("share: 0.5}]}]", "share: 0.5}]}")
    .replace(
        "value: 120",
        """\
value: 120
    ends: 2027-01-01
    triggers: ["web.*", "claim.made"]
    caps: {total: 50}
    attributes: {price: 5, speed: 6}
    suitability: [{name: s, when: customer.ok}, {name: t, when: customer.card}]""",
    )
)


@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 2**32), several=st.integers(1, 3))
def test_whatever_could_decide_otherwise_is_a_difference_and_nothing_else(seed, several):
    rng = random.Random(seed)
    before = after = read(RICH)
    for _ in range(several):
        after = mutated(after, rng)
    told = diff(before, after)
    assert bool(told) is (of_decisions(before) != of_decisions(after)), told
    for change in told:
        for field in change.fields:
            was, _, now = field.partition(": ")[2].partition(" → ")
            assert was != now or not now, field
