"""What differs between two catalogues is told in the words of the catalogue."""

from __future__ import annotations

from dataclasses import fields

import pytest

from nbo.decision.catalog import Catalog
from nbo.decision.catalog_diff import Change, diff
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema, FactType

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
