"""What a catalogue may say and probably does not mean: told, and it loads all the same."""
# ruff: noqa: E501 - a case on a line

from __future__ import annotations

from pathlib import Path

import pytest

from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import Facts, FactSchema
from nbo.decision.never_true import never_true
from nbo.errors import Problem

CATALOG = """\
currency: EUR
languages: [en, de]
channels:
  voice: {fallback: note}
  web: {fallback: none}
products: {a: customer.has_red, b: customer.plan == 'b'}
purposes: [{id: service}]
issues: [{id: grow}]
groups: [{id: g, issue: grow}, {id: h}]
incentives: [{id: gift, name: {en: Gift}, kind: gift, cost: 5, budget: {amount: 50, period: day}}]
offers:
  - {id: x, group: g, name: {en: X}, channels: [voice, web], value: 10, prior: 0.1, requires: [a]}
  - {id: y, group: h, name: {en: Y}, channels: [voice, web], value: 10, prior: 0.1, sells: b, incentives: [none, gift]}
  - {id: note, group: g, purpose: service, name: {en: N, de: N}, channels: [voice], value: 1, prior: 0.1, service: true}
  - {id: xy, group: g, name: {en: XY}, channels: [voice], value: 1, prior: 0.1, bundle: [x, y]}
policies:
  frequency: [{name: calls, limit: 5, period: 30d, group: g}]
"""


def warnings(schema: FactSchema, *replacements: tuple[str, str]) -> list[str]:
    text = CATALOG
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return [str(warning) for warning in load_catalog(text, "catalog.yaml", schema).warnings]


def test_a_catalogue_that_means_what_it_says_has_none(schema: FactSchema) -> None:
    assert warnings(schema) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("value: 10, prior: 0.1, req", "value: 0, prior: 0.1, req", "12:69  offer 'x': value: 0 is"),
        ("cost: 5", "cost: 10", "incentives: gift costs as much as the offer is worth (10) or more"),
        ("amount: 50", "amount: 4", "does not pay for one 'gift', which costs 5; it is never given"),
        (", incentives: [none, gift]", "", "incentive 'gift': no offer refers to it"),
        ("{id: h}", "{id: h}, {id: i}", "group 'i': no offer refers to it"),
        ("[{id: service}]", "[{id: service}, {id: m}]", "purpose 'm': no offer refers to it"),
        ("[{id: grow}]", "[{id: grow}, {id: keep}]", "issue 'keep': no group refers to it"),
        ("web: {fallback: none}", "web: {fallback: none}\n  app: {fallback: none}", "channel 'app'"),
        ("products: {a", "products: {c: customer.has_red, a", "6:15  product 'c': no offer requires"),
        ("value: 10, prior: 0.1, req", "value: 10, req", "so that x without a prior starts at 0.1"),
        ("requires: [a]", "requires: [a], caps: {total: 0}", "caps: a cap of 0 is never offered"),
        ("sells: b", "sells: b, excludes: [b]", "excludes: 'b' says nothing new"),
        ("period: 30d, group: g", "period: 30d, group: g, offer: y", "'calls': concerns no offer"),
        ("requires: [a]", "requires: [a], mandatory: true", "'x' is mandatory, and never stands"),
        ("channels: [voice], value: 1, prior: 0.1, b", "channels: [voice, web], value: 1, prior: 0.1,"
         " starts: 2026-01-01, b", ""),
        ("policies:\n", "policies:\n  do_not_contact: customer.do_not_contact\n", "while customer.do"),
        ("policies:\n", "policies:\n  suppression: [{name: d, outcome: DECLINED, scope: offer,"
         " window: 1d, pause: 1d}]\n", "the suppression 'd' concerns it"),
        ("{en: N, de: N}", "{en: N}", "'note' may not be made when nothing is known: it has no name"),
        ("service: true", "service: true, ends: 2027-01-01", "it has dates"),
    ],
)  # fmt: skip
def test_each_doubt_is_told(schema: FactSchema, old: str, new: str, told: str) -> None:
    found = warnings(schema, (old, new))
    if told:
        assert any(told in warning for warning in found), found
        assert len(found) == 1, found
    else:
        assert found == []


def test_a_bundle_is_made_only_where_its_offers_are(schema: FactSchema) -> None:
    found = warnings(
        schema,
        ("channels: [voice, web], value: 10, prior: 0.1, sells", "channels: [voice], value: 10, prior: 0.1, sells"),
        ("channels: [voice], value: 1, prior: 0.1, b", "channels: [voice, web], value: 1, prior: 0.1, b"),
    )  # fmt: skip
    assert found == [
        "catalog.yaml:15:50  offer 'xy': channels: never made on web: 'y' is not made there"
    ]


@pytest.mark.parametrize(
    ("consents", "web", "doubtful"),
    [
        ("opt_in: {voice: customer.consent_voice}", "", True),
        ("opt_in: {voice: customer.consent_voice}", "consent: customer.consent_voice, ", False),
        ("opt_in: {voice: customer.consent_voice, web: customer.has_red}", "", False),
        ("opt_in: {voice: customer.has_red}, opt_out: {web: customer.do_not_contact}", "", False),
        ("opt_out: {voice: customer.do_not_contact}", "", False),
    ],
)
def test_a_purpose_that_asks_on_one_channel_only(
    schema: FactSchema, consents: str, web: str, doubtful: bool
) -> None:
    found = warnings(
        schema,
        ("[{id: service}]", f"[{{id: service}}, {{id: m, {consents}}}]"),
        ("web: {", f"web: {{{web}"),
        ("- {id: x, group: g,", "- {id: x, group: g, purpose: m,"),
    )
    assert len(found) == doubtful, found
    if doubtful:
        assert "purpose 'm': opt_in: says nothing of web" in found[0]
        assert "so that x needs none there; name a fact for web" in found[0]


def test_a_holdout_does_nothing_else(schema: FactSchema) -> None:
    arms = "experiments: [{id: e, salt: s, arms: [{id: h, share: 1, holdout: true, random: true}]}]"
    (found,) = warnings(schema, ("policies:\n", arms + "\npolicies:\n"))
    assert "arm 'h' is a holdout: whatever else it says has no effect" in found


def test_rules_that_no_sampled_customer_fulfils(schema: FactSchema) -> None:
    text = (Path(__file__).parent / "everything.yaml").read_text(encoding="utf-8")
    compiled = load_catalog(text, "catalog.yaml", schema)
    customers: list[Facts] = [
        {"customer.tenure_months": 0.5, "customer.has_red": False, "customer.plan": "green"},
        {"customer.tenure_months": 1.5, "customer.complaint_open": True},
        {"customer.has_red": False, "interaction.intent": "sales"},
    ]
    lines = text.splitlines()
    told = {lines[found.line - 1].strip(): found for found in never_true(compiled, customers)}
    assert list(told) == [
        "red: customer.has_red",
        "blue: \"customer.plan == 'blue'\"",
        'service_first: [{name: open complaint, when: "!customer.complaint_open"}]',
        "rules: [{name: long with us, when: customer.tenure_months >= 12.0}]",
        "applicability: [{name: calls about bills, when: interaction.intent == 'billing'}]",
        "suitability: [{name: affordable, when: customer.tenure_months > 2.0 || customer.has_red}]",
    ]
    assert told["rules: [{name: long with us, when: customer.tenure_months >= 12.0}]"] == Problem(
        "catalog.yaml",
        29,
        0,
        "incentive 'discount': rules: 'long with us' is true for none of 2 sampled customers\n"
        "  customer.tenure_months >= 12.0",
    )


def test_a_rule_nobody_can_judge_is_left_out(schema: FactSchema) -> None:
    text = (Path(__file__).parent / "everything.yaml").read_text(encoding="utf-8")
    compiled = load_catalog(text, "catalog.yaml", schema)
    assert never_true(compiled, []) == []
    assert never_true(compiled, [{}, {"customer.do_not_contact": False}]) == []


def test_equal_rules_are_told_once(schema: FactSchema) -> None:
    rule = ", eligibility: [{name: r, when: customer.tenure_months > 99.0}]"
    text = CATALOG.replace("prior: 0.1", f"prior: 0.1{rule}", 2)
    compiled = load_catalog(text, "catalog.yaml", schema)
    (found,) = never_true(compiled, [{"customer.tenure_months": 5.0}] * 3)
    assert found.line == 12
    assert "none of 3 sampled customers, nor where it stands 1 times more" in found.message
