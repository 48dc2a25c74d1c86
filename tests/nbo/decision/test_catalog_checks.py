"""What things of one catalogue say about each other: contradictions, all at once, in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema
from nbo.errors import WorkspaceError

HERE = Path(__file__).parent
BASE = """\
currency: EUR
languages: [en, de]
channels: {voice: {consent: customer.consent_voice, fallback: none}, web: {fallback: none}}
products: {a: customer.has_red, b: customer.plan == 'b', c: customer.plan == 'c'}
purposes: [{id: marketing, opt_in: {voice: customer.consent_voice}}, {id: service}]
groups: [{id: g}]
incentives: [{id: gift, name: {en: Gift}, kind: gift, cost: 1}]
offers:
"""
Find = Callable[..., list[str]]


@pytest.fixture(scope="module")
def told(schema: FactSchema) -> Find:
    """What is wrong with a catalogue of these offers, each as its id and further fields."""

    def find(
        *offers: tuple[str, str], replace: tuple[str, str] = ("", ""), more: str = ""
    ) -> list[str]:
        text = BASE.replace(*replace) if replace[0] else BASE
        for name, fields in offers:
            has = {field.split(":")[0].strip() for field in fields.split(";")}
            text += f"  - {{id: {name}, group: g, value: 10, prior: 0.1"
            text += "" if "name" in has else ", name: {en: X}"
            text += "" if "channels" in has else ", channels: [voice, web]"
            text += "".join(f", {field.strip()}" for field in fields.split(";") if field.strip())
            text += "}\n"
        try:
            load_catalog(text + more, "catalog.yaml", schema)
        except WorkspaceError as error:
            return [problem.message for problem in error.problems]
        return []

    return find


def test_thirty_mistakes_are_told_in_one_go(schema: FactSchema) -> None:
    text = (HERE / "thirty_mistakes.yaml").read_text(encoding="utf-8")
    expected = {
        number: line.partition("# <- ")[2]
        for number, line in enumerate(text.splitlines(), start=1)
        if "# <- " in line
    }
    assert len(expected) == 30
    with pytest.raises(WorkspaceError) as caught:
        load_catalog(text, "catalog.yaml", schema)
    problems = caught.value.problems
    found = {problem.line: " ".join(problem.message.split()) for problem in problems}
    for line, told in expected.items():
        assert told in found.get(line, "nothing"), f"line {line}: {found.get(line)}"
    assert len(problems) == 30, [str(problem) for problem in problems]
    assert all(problem.file == "catalog.yaml" and problem.column for problem in problems)


def test_offers_that_fit_together_are_no_mistake(told: Find) -> None:
    assert (
        told(
            ("x", "sells: a"), ("y", "requires: [a]; sells: b"), ("z", "bundle: [x, w]"), ("w", "")
        )
        == []
    )


def test_nobody_holds_and_lacks_a_product(told: Find) -> None:
    (found,) = told(("x", "requires: [a]; excludes: [a]"))
    assert found == "offer 'x': excludes: 'a' is required as well: nobody holds it and lacks it"
    (found,) = told(("x", "requires: [a]; sells: a"))
    assert found == "offer 'x': sells: 'a' is required as well, and who holds it is refused"


def test_requirements_do_not_go_round(told: Find) -> None:
    (found,) = told(("x", "requires: [b]; sells: a"), ("y", "requires: [a]; sells: b"))
    assert found == (
        "offer 'x': requires: goes round in a circle (a needs b, b needs a), "
        "so nobody could ever begin"
    )
    (found,) = told(
        ("x", "requires: [b]; sells: a"),
        ("y", "requires: [c]; sells: b"),
        ("z", "requires: [a]; sells: c"),
        ("w", "requires: [c]"),
    )
    assert "(a needs b, b needs c, c needs a)" in found
    (found,) = told(
        ("x", "requires: [b, c]; sells: a"), ("y", "requires: [a]; sells: b"), ("z", "sells: c")
    )
    assert "(a needs b, b needs a)" in found, "that c is free opens nothing"


def test_a_way_into_the_circle_opens_it(told: Find) -> None:
    round_trip = ("x", "requires: [b]; sells: a"), ("y", "requires: [a]; sells: b")
    assert told(*round_trip, ("z", "sells: b")) == []
    assert told(("x", "requires: [b]; sells: a")) == [], "what nobody sells is held otherwise"


def test_a_script_speaks_every_language_of_the_name(told: Find) -> None:
    (found,) = told(("x", "name: {en: X, de: X}; script: {en: Hi}"))
    assert found == "offer 'x': script: is missing in de, which the name has"
    assert told(("x", "name: {en: X}; script: {en: Hi}"), ("y", "name: {en: Y, de: Y}")) == []


@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        ("bundle: [x]", "must name at least two offers"),
        ("bundle: [x, x]", "'x' stands here twice"),
        (f"bundle: [{', '.join(['x'] * 21)}]", "names 21 offers, must be at most 20"),
        ("bundle: [x, q]", "unknown 'q'; known are"),
        ("bundle: [x, both]", "'both' is this offer itself"),
        ("bundle: [x, other]", "'other' is a bundle itself; name its offers"),
        ("bundle: [x, web]; channels: [voice]", "on which every offer of the bundle is made"),
        ("bundle: [x, past]; starts: 2026-02-01", "'past' ends before 'both' starts"),
        ("bundle: [x, needs-a]", "'needs-a' requires a, which who is offered 'x' must lack"),
        ("bundle: [y, needs-a]", "'needs-a' requires a, which who is offered 'y' must lack"),
    ],
)
def test_a_bundle_is_one_somebody_could_be_offered(told: Find, bundle: str, said: str) -> None:
    found = told(
        ("both", bundle),
        ("x", "sells: a"),
        ("y", "excludes: [a]"),
        ("other", "bundle: [x, y]"),
        ("web", "channels: [web]"),
        ("past", "ends: 2026-01-01"),
        ("needs-a", "requires: [a]"),
    )
    assert len(found) == 1, found
    assert said in found[0]
    assert found[0].startswith("offer 'both': ")


@pytest.mark.parametrize(
    ("fallback", "why"),
    [
        ("channels: [web]", "it is not made on 'voice', only on web"),
        ("service: false", "it is no service message; write service: true"),
        ("incentives: [none, gift]", "it has incentives, which cost money; leave only none"),
        ("incentives: [gift]", "it has incentives, which cost money; leave only none"),
        ("caps: {daily: 5}", "it has caps, and what is used of them cannot be read then"),
        ("bundle: [p, q]", "it is a bundle"),
        ("triggers: [x]", "it waits for an event"),
        ("requires: [a]", "whether the customer holds a cannot be known then"),
        ("excludes: [b]", "whether the customer holds b cannot be known then"),
        ("sells: c", "whether the customer holds c cannot be known then"),
        ("purpose: marketing", "it needs the consent customer.consent_voice; give it a purpose"),
        ("purpose: ''", "it needs the consent customer.consent_voice; give it a purpose"),
        ("eligibility: [{name: r, when: customer.has_red}]", "its rule 'r' reads customer.has_red"),
        ("eligibility: [{name: r, when: customer . has_red}]", "reads customer.has_red"),
        ("suitability: [{name: i, when: interaction.intent == 'x'}]", "reads interaction.intent"),
    ],
)
def test_a_fallback_needs_nothing_that_may_be_unknown(told: Find, fallback: str, why: str) -> None:
    usual = {"service": "service: true", "purpose": "purpose: service"}
    usual.pop(fallback.partition(":")[0], "")
    found = told(
        ("note", "; ".join([fallback, *usual.values()])),
        ("p", ""),
        ("q", ""),
        replace=("fallback: none}, web", "fallback: note}, web"),
    )
    assert len(found) == 1, found
    assert why in found[0]
    told_of = "channel 'voice': fallback: 'note' cannot be made when nothing is known: "
    assert found[0].startswith(told_of)


@pytest.mark.parametrize(
    "fields", ["", "applicability: [{name: day, when: interaction.hour < 20.0}]", "mandatory: true"]
)
def test_a_fallback_that_needs_nothing(told: Find, fields: str) -> None:
    note = ("note", f"service: true; purpose: service; {fields}")
    assert told(note, replace=("fallback: none}, web", "fallback: note}, web")) == []


def test_a_channel_without_consent_needs_no_purpose_for_its_fallback(told: Find) -> None:
    note = ("note", "service: true")
    assert told(note, replace=("web: {fallback: none}", "web: {fallback: note}")) == []


ARMS = "experiments: [{id: e, salt: s, arms: [{id: a, share: 1, variant: new}]}]\n"


def test_variants_belong_to_arms_and_offers(told: Find) -> None:
    assert told(("x", "variants: [new]"), more=ARMS) == []
    (found,) = told(("x", ""), more=ARMS)
    assert found == "experiment 'e': arms: arm 'a': no offer has the variant 'new'; known are none"
    (found,) = told(("x", "variants: [new, old]"), more=ARMS)
    assert found == (
        "offer 'x': variants: no arm has the variant 'old', so nobody sees it; known are new"
    )
    several = ("x", "variants: [new, old]"), ("note", "service: true; variants: [new]")
    assert (
        len(told(*several, more=ARMS, replace=("web: {fallback: none}", "web: {fallback: note}")))
        == 2
    )


def test_stretches_of_one_layer_may_touch_and_not_overlap(told: Find) -> None:
    def experiments(*stretches: str, layer: str = "layer: l, ") -> str:
        return "experiments:\n" + "".join(
            f"  - {{id: e{n}, salt: s{n}, {layer}buckets: {stretch}, "
            "arms: [{id: a, share: 1}]}\n"
            for n, stretch in enumerate(stretches)
        )

    assert told(("x", ""), more=experiments("[0.5, 1]", "[0, 0.5]")) == []
    assert told(("x", ""), more=experiments("[0, 1]", "[0, 1]", layer="")) == []
    (found,) = told(("x", ""), more=experiments("[0.4, 1]", "[0, 0.5]"))
    assert found.startswith("experiment 'e0': buckets: [0.4, 1] overlaps those of 'e1', [0, 0.5]")


def test_each_experiment_has_a_salt_of_its_own(told: Find) -> None:
    """Equal salts would give everybody the same place in both experiments."""

    def experiments(*salts: str) -> str:
        return "experiments:\n" + "".join(
            f"  - {{id: e{n}, salt: {salt}, arms: [{{id: a, share: 1}}]}}\n"
            for n, salt in enumerate(salts)
        )

    assert told(("x", ""), more=experiments("s", "t")) == []
    found = told(("x", ""), more=experiments("s", "t", "s", "s"))
    assert [problem[:42] for problem in found] == [
        "experiment 'e2': salt: 's' is that of 'e0'",
        "experiment 'e3': salt: 's' is that of 'e0'",
    ]
    line = BASE.count("\n") + len(["x", "experiments:", "e0"])
    assert f"'e0' (line {line}), so that both" in found[0]


SOFTMAX = "policies: {selection: {policy: softmax, temperature: 2.5}}\n"


@pytest.mark.parametrize(
    ("policies", "arm", "wrong"),
    [
        (SOFTMAX, "value: false", True),
        (SOFTMAX, "value: false, selection: {policy: greedy}", False),
        (SOFTMAX, "value: false, selection: {policy: softmax, temperature: 0.1}", False),
        (SOFTMAX, "value: false, random: true", False),
        (SOFTMAX, "value: false, holdout: true", False),
        (SOFTMAX, "propensity: false, levers: false", False),
        ("", "value: false", False),
    ],
)
def test_an_arm_without_value_has_no_use_for_a_temperature_in_money(
    told: Find, policies: str, arm: str, wrong: bool
) -> None:
    experiment = f"experiments: [{{id: e, salt: s, arms: [{{id: a, share: 1, {arm}}}]}}]\n"
    found = told(("x", ""), more=policies + experiment)
    assert len(found) == wrong, found
    if wrong:
        assert found[0].startswith("experiment 'e': arms: arm 'a' ranks without value")
        assert "give the arm its own, e.g. selection: {policy: greedy}" in found[0]
