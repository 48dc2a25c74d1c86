"""`nbo scenarios run`: what it refuses to read, and what it says of what does not hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from features.schema import compile_schema
from nbo.cli.scenarios.change import changed, without_chance
from nbo.cli.scenarios.command import scenarios_app
from nbo.cli.scenarios.reading import Workspace, read_scenarios
from nbo.cli.scenarios.story import Ask
from nbo.decision.catalog_text import load_catalog
from nbo.errors import WorkspaceError

CORNER = Path(__file__).parents[2] / "workspaces" / "corner"
HEAD = "now: 2026-03-10T12:00Z\nprofile: {customer.years: 4, customer.consent_voice: true}\n"


@pytest.fixture(scope="module")
def corner():
    schema = compile_schema(CORNER / "feature_repo")
    text = (CORNER / "catalog.yaml").read_text(encoding="utf-8")
    return Workspace(schema, load_catalog(text, "catalog.yaml", schema.fact_schema()).catalog, "DE")


@pytest.fixture
def read(corner, tmp_path):
    """Reads scenarios written below the usual head."""

    def read(text, head=HEAD):
        file = tmp_path / "told.yaml"
        file.write_text(head + "scenarios:\n" + text, encoding="utf-8")
        return read_scenarios([file], corner)

    return read


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("- {name: a, expect: {offered: [shop-kard]}}", 4, "did you mean 'shop-card'"),
        ("- {name: a, expect: {because: {shop-card: consents}}}", 4, "did you mean 'consent'"),
        ("- {name: a, ask: {channel: voise}, expect: {nothing: true}}", 4, "did you mean 'voice'"),
        ("- {name: a, expects: {nothing: true}}", 4, "unknown field 'expects'"),
        ("- {name: a, facts: {customer.visits_30d: 2}}", 4, "`events` of type shop.visited"),
        ("- {name: a, facts: {customer.has_card: 3}}", 4, "must be true or false, was '3'"),
        ("- {name: a, facts: {customer.yers: 3}}", 4, "did you mean 'customer.years'"),
        ("- {name: a, events: [{type: shop.visitd}]}", 4, "did you mean 'shop.visited'"),
        (
            "- {name: a, events: [{type: shop.visited, attributes: {spend: 2}}]}",
            4,
            "'shop.visited' has no 'spend' (it has: spent)",
        ),
        ("- {name: a, events: [{type: shop.visited, at: now}]}", 4, "must be a date like"),
        (
            "- {name: a, history: [{at: 2027-01-01, channel: web, offer: bread-box,"
            " outcome: DECLINED}]}",
            4,
            "must lie before the scenario begins",
        ),
        ("- name: a\n  steps:\n  - {ask: {}, later: 1h}", 6, "must be one of ask, answer"),
        ("- name: a\n  steps:\n  - ask: {}", 4, "expects nothing"),
        ("- name: a", 4, "expects nothing"),
        (
            "- name: a\n  steps:\n  - answer: {offer: bread-box, outcome: ACCEPTED}",
            6,
            "comes before the first question",
        ),
        (
            "- name: a\n  steps:\n  - ask: {}\n    expect: {nothing: true}\n"
            "  - answer: {offer: bread-box, outcome: DEFERRED}",
            8,
            "belongs to DEFERRED",
        ),
        (
            "- name: a\n  identities: [{phone: 030 123456}]\n  expect: {nothing: true}\n"
            "- name: b\n  identities: [{phone: +49 30 123456}]",
            8,
            "+4930123456 is taken by scenario 'a'",
        ),
        ("- {name: a, identities: [{phone: call me}]}", 4, "must be a phone number"),
        ("- {name: a, customer: x, customers: {y: {}}}", 4, "stands beside `customers`"),
        ("- {name: a, without: [customer.has_dog]}", 4, "'customer.has_dog' is not told anyway"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_a_remedy(read, text, line, told):
    with pytest.raises(WorkspaceError) as caught:
        read(text)
    first = caught.value.problems[0]
    assert (Path(first.file).name, first.line) == ("told.yaml", line)
    assert told in first.message


def test_every_mistake_of_a_file_is_told_at_once(read):
    with pytest.raises(WorkspaceError) as caught:
        read("- {name: a, slots: 3}\n- {name: b, expect: {first: nobody}}\n- {expect: {}}")
    assert {problem.line for problem in caught.value.problems} == {4, 5, 6}


def test_a_scenario_must_say_when(read):
    with pytest.raises(WorkspaceError, match="say when"):
        read("- {name: a, expect: {nothing: true}}", head="")


def test_times_count_from_now_and_later_moves_it(read):
    (scenario,) = read(
        "- name: a\n  events: [{type: shop.visited, ago: 2d}]\n  steps:\n"
        "  - {ask: {}, expect: {nothing: true}}\n  - later: 3h\n"
        "  - {ask: {}, expect: {nothing: true}}"
    )
    assert scenario.events[0].at == datetime(2026, 3, 8, 12, tzinfo=UTC)
    asked = [step for step in scenario.steps if isinstance(step, Ask)]
    assert [step.at.hour for step in asked] == [12, 15]
    assert len({step.interaction_id for step in asked}) == 2  # time that passes ends a contact


def test_a_plain_list_tells_its_own_instants(corner, tmp_path):
    file = tmp_path / "list.yaml"
    file.write_text("- {name: a, ask: {at: 2026-03-10T12:00Z}, expect: {nothing: true}}")
    (scenario,) = read_scenarios([file], corner)
    assert scenario.begins == datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_chance_is_taken_out_of_the_catalogue_and_nothing_else():
    text = (CORNER / "catalog.yaml").read_text(encoding="utf-8")
    told = text.replace("greedy", "softmax, temperature: 2") + (
        "experiments: [{id: x, salt: s, arms: [{id: a, share: 1}]}]\n"
    )
    ((_, without),) = without_chance([("catalog.yaml", told)])
    left = yaml.safe_load(without)
    (experiment,) = left.pop("experiments")
    assert experiment.pop("buckets") == [0.0, 1e-09]
    assert experiment == {"id": "x", "salt": "s", "arms": [{"id": "a", "share": 1}]}
    assert left == yaml.safe_load(text)


def test_a_change_replaces_fields_and_adds_offers():
    files = [
        ("a.yaml", "policies: {per_group: 1}"),
        ("b.yaml", "offers: [{id: x, value: 1, p: 2}]"),
    ]
    change = yaml.compose(
        "offers: [{id: x, value: 5}, {id: y}]\npolicies: {floor: 1}\nlanguages: [en]"
    )
    done = {name: yaml.safe_load(text) for name, text in changed(files, change)}
    assert done == {
        "a.yaml": {"policies": {"per_group": 1, "floor": 1}, "languages": ["en"]},
        "b.yaml": {"offers": [{"id": "x", "value": 5, "p": 2}, {"id": "y"}]},
    }


TOLD = """
now: 2026-03-10T12:00Z
profile: {customer.years: 4, customer.has_card: false, customer.consent_voice: true}
scenarios:
  - name: holds
    steps:
      - ask: {}
        expect: {only: [shop-card], because: {bread-box: "suitability: comes often enough"}}
      - event: {type: shop.visited, days_ago: 1, attributes: {spent: 3}}
      - event: {type: shop.visited, attributes: {spent: 3}}
      - ask: {}
        expect: {offered: [bread-box], script: {bread-box: for 4 years}}
      - answer: {offer: bread-box, outcome: DECLINED, reason: PRICE}
      - later: 1d
      - ask: {channel: web}
        expect: {not_offered: [bread-box], because: {bread-box: contact policy}}
      - screen:
          expect:
            facts: {customer.visits_30d: 2}
            contacts: [{offer: bread-box, outcome: DECLINED}]
  - name: finds both on one phone
    customers:
      anna: {identities: [{phone: 030 5550001}]}
      ben: {identities: [{phone: 030 5550001, score: 0.5}]}
    steps:
      - identify: {value: "+49 30 5550001", expect: [anna, ben]}
      - identify: {value: 030 5550009, expect: []}
  - name: does not hold
    expect: {offered: [bread-box], not_offered: [shop-card], because: {shop-card: consent}}
  - name: holds, too
    facts: {customer.consent_voice: false}
    history: [{days_ago: 1, channel: voice, offer: shop-card, outcome: DECLINED}]
    expect: {nothing: true, because: {shop-card: consent}}
"""


@pytest.fixture(scope="module")
def told(make_corner):
    workspace = make_corner()
    (workspace / "scenarios").mkdir()
    (workspace / "scenarios" / "told.yaml").write_text(TOLD, encoding="utf-8")
    done = CliRunner().invoke(scenarios_app, ["run", "-w", str(workspace), "--json"])
    assert not (workspace / ".nbo").exists()
    return done


def test_one_that_does_not_hold_ends_with_1_and_stops_no_other(told):
    assert told.exit_code == 1
    shown = json.loads(told.stdout)
    holds = {one["name"]: one["holds"] for one in shown["scenarios"]}
    assert holds == {
        "holds": True,
        "finds both on one phone": True,
        "does not hold": False,
        "holds, too": True,
    }, shown
    assert (shown["held"], shown["failed"]) == (3, 1)


def test_a_difference_says_where_and_what_came_instead(told):
    (failed,) = [one for one in json.loads(told.stdout)["scenarios"] if not one["holds"]]
    assert failed["line"] == 28
    messages = [difference["message"] for difference in failed["differences"]]
    assert "bread-box was not offered (suitability, comes often enough" in messages[0]
    assert messages[0].endswith("offered: shop-card")
    assert messages[1] == "shop-card was offered, in slot 1 of 1"
    assert messages[2] == "shop-card was offered, expected to fall at consent"
