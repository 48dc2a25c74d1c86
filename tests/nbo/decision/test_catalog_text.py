"""The catalogue's text: everything it says arrives, and every mistake is found where it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from nbo.decision.arms import Arm, Selection
from nbo.decision.catalog import NO_INCENTIVE, Issue
from nbo.decision.catalog_text import load_catalog
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.facts import FactSchema
from nbo.decision.history import Outcome
from nbo.decision.policies import Frequency, Suppression
from nbo.errors import Problem, WorkspaceError

Change = Callable[..., CompiledCatalog]

EXPERIMENT = """
experiments:
  - id: policy
    salt: s
    arms:
      - {id: engine, share: 0.5}
      - {id: plain, share: 0.25, propensity: false, value: off, levers: no, context: false}
      - {id: control, share: 0.25, holdout: true, model: other, random: yes, incentives: false}
"""


def problems(change: Change, *replacements: tuple[str, str], append: str = "") -> list[Problem]:
    with pytest.raises(WorkspaceError) as caught:
        change(*replacements, append=append)
    return list(caught.value.problems)


def only(change: Change, *replacements: tuple[str, str], append: str = "") -> Problem:
    found = problems(change, *replacements, append=append)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def test_offers_arrive_as_written(compiled: CompiledCatalog) -> None:
    catalog = compiled.catalog
    assert (catalog.currency, catalog.languages) == ("EUR", ("en", "de"))
    red = catalog.offers["red-1"]
    assert (red.group_id, red.value, red.monthly_revenue, red.prior) == ("red", 100, 10, 0.3)
    assert red.channels == {"voice", "web"}
    assert red.incentives == ("none", "discount")
    assert red.attributes == {"price": 9.9}
    assert red.name["de"] == "Rot eins"
    assert red.eligibility[0].when == "!customer.has_red"
    assert red.eligibility[0].line == 38
    limited = catalog.offers["red-2"]
    assert limited.starts == datetime(2026, 1, 1, tzinfo=UTC)
    assert limited.ends == datetime(2026, 4, 1, tzinfo=UTC)
    assert limited.incentives == ("none",)
    assert catalog.offers["blue-note"].service


def test_a_value_can_be_worked_out_of_its_parts(compiled: CompiledCatalog) -> None:
    blue = compiled.catalog.offers["blue-1"]
    assert blue.value == pytest.approx(20 * 24 * 0.5 * 0.75)
    assert blue.monthly_revenue == 20


def test_policies_arrive_as_written(compiled: CompiledCatalog) -> None:
    policies = compiled.catalog.policies
    day = timedelta(days=1)
    assert policies.suppression[1] == Suppression(
        "declined group", Outcome.DECLINED, "group", 90 * day, 3, 90 * day
    )
    assert policies.frequency == (Frequency("calls a month", 5, 30 * day, "voice"),)
    assert policies.context[0].weight == 50
    assert policies.selection == Selection("greedy", 0.0)
    assert compiled.catalog.channels["voice"].consent == "customer.consent_voice"


def test_issues_are_optional_and_otherwise_must_be_listed(
    compiled: CompiledCatalog, changed: Change
) -> None:
    assert compiled.catalog.issues == {}
    assert compiled.catalog.groups["red"].issue == "grow", "free text without a list"
    listed = "issues: [{id: grow, lever: 30}, {id: retain}]\n"
    assert changed(append=listed).catalog.issues == {
        "grow": Issue("grow", 30.0),
        "retain": Issue("retain", 0.0),
    }
    found = only(changed, ("issue: grow", "issue: growe"), append=listed)
    assert found.message == "group 'red': issue: unknown 'growe'; did you mean 'grow'?"


def test_no_incentive_always_exists(compiled: CompiledCatalog) -> None:
    assert compiled.catalog.incentives["none"] is NO_INCENTIVE
    assert compiled.catalog.incentives["discount"].monthly_cost == 2.5


def test_experiments_arrive_as_written(changed: Change) -> None:
    (experiment,) = changed(append=EXPERIMENT).catalog.experiments
    assert experiment.arms[1] == Arm(
        "plain", 0.25, propensity=False, value=False, levers=False, context=False
    )
    assert experiment.arms[2] == Arm(
        "control", 0.25, holdout=True, random=True, incentives=False, model="other"
    )


def test_the_version_is_of_the_text(compiled: CompiledCatalog, changed: Change) -> None:
    assert len(compiled.catalog.version) == 12
    assert changed().catalog.version == compiled.catalog.version
    assert changed(("prior: 0.3", "prior: 0.31")).catalog.version != compiled.catalog.version


def test_equal_expressions_are_one_rule(changed: Change) -> None:
    same = changed(("customer.tenure_months > 2.0 || customer.has_red", '"!customer.has_red"'))
    assert sum(rule == "!customer.has_red" for rule in same.rules) == 1


def test_a_misspelt_fact_is_found_in_the_file(changed: Change) -> None:
    found = only(changed, ("customer.tenure_months >= 12.0", "customer.tenur >= 12.0"))
    assert str(found) == (
        "catalog.yaml:27:48  "
        "incentive 'discount': rules: undeclared reference to 'customer.tenur'\n"
        "  customer.tenur >= 12.0\n"
        "  ........^  did you mean 'customer.tenure_months'?"
    )


def test_a_rule_in_quotes_or_over_lines_is_found_too(changed: Change) -> None:
    quoted = only(changed, ('"!customer.has_red"', '"!customer.has_rod"'))
    assert (quoted.line, quoted.column) == (38, 54)
    block = "|\n          customer.has_red\n            || customer.has_rod\n"
    over_lines = only(
        changed,
        (
            '[{name: no red yet, when: "!customer.has_red"}]',
            f"\n      - name: no red yet\n        when: {block}",
        ),
    )
    assert over_lines.line == 42


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(changed: Change) -> None:
    found = problems(
        changed,
        ("prior: 0.3", "prior: 3"),
        ("group: red\n    name: {en: Red two}", "group: rot\n    nam: {en: Red two}"),
        ("count: 3, pause: 90d", "count: 0, pause: 90"),
        ("kind: discount", "kind: discount\n    cots: 3"),
        ("currency: EUR", "currency: euro"),
    )
    told = [f"{problem.line} {problem.message}" for problem in found]
    assert told == [
        "1 catalogue: currency: must be three capitals like EUR, was 'euro'",
        "13 suppression 'declined group': count: must be >= 1, was 0",
        "13 suppression 'declined group': pause: must be a length of time like 30d, 12h or 15m,"
        " was '90'",
        "25 incentive 'discount': unknown field 'cots'; did you mean 'cost'?",
        "38 offer 'red-1': prior: must be <= 0.999999, was 3",
        "42 offer 'red-2': name: is missing; write {en: ...}",
        "43 offer 'red-2': group: unknown 'rot'; known are blue, red",
        "44 offer 'red-2': unknown field 'nam'; did you mean 'name'?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: red-2", "id: red-1", "offer 'red-1': id: 'red-1' is used twice"),
        ("id: red-2", "id: red 2", "must be letters, digits and _ . : -"),
        ("id: discount", "id: none", "'none' is reserved"),
        ("channels: [voice, web]\n    value", "channels: [vice]\n    value", "mean 'voice'?"),
        ("channels: [voice]\n    value: 80", "channels: []\n    value: 80", "at least one"),
        ("[none, discount]", "[none, none]", "'none' stands here twice"),
        ("ends: 2026-04-01", "ends: 2025-04-01", "must be after starts (2026-01-01 00:00 UTC)"),
        ("ends: 2026-04-01", "ends: 1 April", "must be a date like 2026-01-31"),
        ("value: 100", "value: 100\n    margin: 0.2", "stands beside value"),
        ("    value: 80\n", "", "value: is missing; write value, or monthly_revenue, term_months"),
        ("    term_months: 24\n", "", "term_months: is missing"),
        ("value: 80", "value: a lot", "must be a number, was 'a lot'"),
        ("value: 80", "value: .nan", "must be a number, was '.nan'"),
        ("value: 80", "value: 1e300", "must be <= 1e+12"),
        ("group: red\n    name: {en: Red two}", "group: |\n    name: {en: x}", "group: is empty"),
        ("kind: discount", "kind: ''", "kind: is empty"),
        ("service: true", "service: maybe", "must be true or false"),
        ('"!customer.has_red"', "!customer.has_red", "begins with ! must stand in quotes"),
        ("[{name: no red yet, when: ", "\n      - name: x\n        when: !x #", "put it in quotes"),
        ("!customer.complaint_open", "customer.tenure_months", "yields a double"),
        ("{customer.tenure_months} months", "{customer.tenur} months", "no fact 'customer.tenur'"),
        ("do_not_contact: customer.do_not_contact", "do_not_contact: customer.plan", "be a flag"),
        ("customer.consent_voice,", "customer.consent_vice,", "mean 'customer.consent_voice'?"),
        ("per_group: 1", "per_group: 1.5", "must be a whole number"),
        ("per_group: 1", "per_group: 1\n  per_group: 2", "stands here again, first on line 10"),
        ("per_group: 1", "selection: {policy: best}", "must be one of greedy, epsilon"),
        ("per_group: 1", "selection: {policy: epsilon}", "epsilon: is missing"),
        ("per_group: 1", "propensity_floor: 1", "must be <= 0.999999"),
        ("outcome: DECLINED, scope: offer", "outcome: DECLIND, scope: offer", "'DECLINED'?"),
        ("scope: group", "scope: family", "must be one of offer, group, all"),
        ("channel: voice, limit", "channel: vice, limit", "did you mean 'voice'?"),
        (", group: red, weight", ", weight", "names no issue, group or offer"),
        ("group: red, weight: 50", "group: rod, weight: 50", "did you mean 'red'?"),
        ("name: {en: A note}", "name: {de: Zettel}", "no text in the default language 'en'"),
        ("name: {en: A note}", "name: {en: A note, fr: x}", "unknown field 'fr'"),
        ("name: {en: A note}", "name: A note", "must be a mapping"),
        ("languages: [en, de]", "languages: [en, de, en]", "'en' stands here twice"),
        ("{percent: 10}", "{percent: ten}", "percent must be a number, was 'ten'"),
        ("channels: [voice]\n    value: 5", "channels: voice\n    value: 5", "must be a list"),
    ],
)
def test_each_mistake_has_its_words(changed: Change, old: str, new: str, told: str) -> None:
    found = problems(changed, (old, new))
    assert any(told in problem.message for problem in found), [str(p) for p in found]
    assert all(problem.line > 0 and problem.column > 0 for problem in found)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("share: 0.5", "share: 0.4", "shares add up to 0.9, must be 1"),
        ("share: 0.5", "share: 0", "must be >= 1e-06"),
        ("id: plain", "id: engine", "'engine' is used twice"),
        ("    salt: s\n", "", "salt: is missing"),
        ("holdout: true", "hold_out: true", "did you mean 'holdout'?"),
    ],
)
def test_mistakes_in_experiments(changed: Change, old: str, new: str, told: str) -> None:
    assert told in only(changed, append=EXPERIMENT.replace(old, new)).message


def test_times_without_a_zone_are_utc(changed: Change) -> None:
    with_time = changed(("ends: 2026-04-01", "ends: 2026-04-01T18:30"))
    assert with_time.catalog.offers["red-2"].ends == datetime(2026, 4, 1, 18, 30, tzinfo=UTC)
    with_zone = changed(("ends: 2026-04-01", "ends: 2026-04-01T18:30+02:00"))
    assert with_zone.catalog.offers["red-2"].ends == datetime(2026, 4, 1, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("- a list", "must be a mapping"),
        ("offers: [", "not valid YAML"),
        ("a: b: c", "not valid YAML: mapping values are not allowed"),
        ("currency: \x00", "not valid YAML"),
        ("a: &x 1\nb: *x", "aliases (*name) are not read"),
        ("a: " + "[" * 10_000, "nested deeper than 20 levels"),
        ("a: 1\n---\nb: 2", "not valid YAML"),
        ("{[a, b]: c}", "a field's name must be text"),
    ],
)
def test_what_is_no_catalogue_is_refused(schema: FactSchema, text: str, told: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        load_catalog(text, "catalog.yaml", schema)
    assert told in str(caught.value)
    assert str(caught.value).startswith("catalog.yaml")


def test_an_alias_bomb_is_refused_quickly(schema: FactSchema) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(WorkspaceError, match="aliases"):
        load_catalog("\n".join(lines), "catalog.yaml", schema)
