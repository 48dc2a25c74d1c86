"""A catalogue of several files: joined and parted without loss, mistakes named in their file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.catalog_source import join_files, split_files
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema
from nbo.errors import WorkspaceError

MAIN = """\
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: red}]
policies:
  per_group: 2
  suppression:
    - {name: one, outcome: DECLINED, scope: offer, window: 30d, pause: 60d}
"""
RED = """\
# Everything red.
offers:
  - {id: red-1, group: red, name: {en: Red}, channels: [voice], value: 10, prior: 0.1}
"""
BLUE = """\
---
channels: {web: {fallback: none}}
groups: [{id: blue}]
offers:
  - {id: blue-1, group: blue, name: {en: Blue}, channels: [web], value: 10, prior: 0.1}
policies:
  suppression:
    - {name: two, outcome: DECLINED, scope: group, window: 30d, pause: 60d}
"""
FILES = [("catalog/main.yaml", MAIN), ("catalog/red.yaml", RED), ("catalog/blue.yaml", BLUE)]

names = st.text("abz./- ", min_size=1, max_size=8).map(lambda name: f"c/{name.strip()}.yaml")
texts = st.text("ab:-# \n\t'é☃", max_size=40).map(lambda text: text + "\n")


@given(st.lists(st.tuples(names, texts), min_size=1, unique_by=lambda file: file[0]))
def test_what_is_joined_is_parted_again(files: list[tuple[str, str]]) -> None:
    assert split_files(join_files(files), "catalog") == files


def test_a_file_without_a_last_line_end_gets_one() -> None:
    assert split_files(join_files([("a", "x"), ("b", "")]), "f") == [("a", "x\n"), ("b", "\n")]


@pytest.mark.parametrize("text", ["", "a: 1\n", "---\na: 1\n", "a: 1\n--- # file: b\nc: 2\n"])
def test_a_text_that_was_not_joined_is_one_file(text: str) -> None:
    assert split_files(text, "catalog.yaml") == [("catalog.yaml", text)]


def test_the_text_marks_each_file() -> None:
    assert join_files([("catalog/a.yaml", "a: 1\n"), ("catalog/b.yaml", "b: 2\n")]) == (
        "--- # file: catalog/a.yaml\na: 1\n--- # file: catalog/b.yaml\nb: 2\n"
    )


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], "catalog  holds no *.yaml file"),
        ([("a", "x: 1\n--- # file: b\n")], "a:2:1  '--- # file: ' separates files; take it out"),
        ([("a\nb", "")], "'a\\nb'  is no name for a file of a catalogue"),
        ([(" ", "")], "is no name for a file"),
        ([("a", ""), ("a", "")], "is no name for a file"),
    ],
)
def test_what_could_not_be_parted_is_not_joined(files: list[tuple[str, str]], told: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        join_files(files)
    assert told in str(caught.value)


def test_lists_are_joined_and_mappings_united(schema: FactSchema) -> None:
    catalog = load_catalog(join_files(FILES), "catalog", schema).catalog
    assert list(catalog.offers) == ["red-1", "blue-1"]
    assert list(catalog.channels) == ["voice", "web"]
    assert list(catalog.groups) == ["red", "blue"]
    assert [policy.name for policy in catalog.policies.suppression] == ["one", "two"]
    assert catalog.policies.per_group == 2


def test_a_folder_says_what_one_file_says(schema: FactSchema) -> None:
    parts = load_catalog(join_files(FILES), "catalog", schema).catalog
    whole = "currency: EUR\nlanguages: [en]\n" + MAIN.partition("[en]\n")[2] + RED
    one = load_catalog(whole, "catalog.yaml", schema).catalog
    assert parts.offers["red-1"] == one.offers["red-1"]
    assert parts.version != one.version, "the version is of the text"


def broken(schema: FactSchema, *files: tuple[str, str]) -> list[str]:
    with pytest.raises(WorkspaceError) as caught:
        load_catalog(join_files(files), "catalog", schema)
    return str(caught.value).splitlines()


def test_mistakes_name_the_file_and_its_own_line(schema: FactSchema) -> None:
    wrong_red = RED.replace("value: 10", "value: much")
    wrong_blue = BLUE.replace("prior: 0.1", "prior: 0.1, eligibility: [{name: r, when: no.fact}]")
    assert broken(schema, FILES[0], ("c/red.yaml", wrong_red), ("c/blue.yaml", wrong_blue))[:2] == [
        "c/red.yaml:3:72  offer 'red-1': value: must be a number, was 'much'",
        "c/blue.yaml:5:121  offer 'blue-1': eligibility: undeclared reference to 'no.fact'",
    ]


def test_every_file_that_is_no_yaml_is_named(schema: FactSchema) -> None:
    found = broken(schema, ("a.yaml", "offers: ["), FILES[0], ("b.yaml", "x: y: z"))
    assert [line.split(":")[0] for line in found] == ["a.yaml", "b.yaml"]


def test_a_value_is_given_once(schema: FactSchema) -> None:
    found = broken(schema, *FILES, ("more.yaml", "currency: USD\npolicies: {per_group: 3}\n"))
    assert found == [
        "more.yaml:1:1  catalogue: 'currency' stands here again, first in catalog/main.yaml,"
        " on line 1",
        "more.yaml:2:12  policies: 'per_group' stands here again, first in catalog/main.yaml,"
        " on line 6",
    ]


def test_ids_are_unique_over_all_files(schema: FactSchema) -> None:
    (found,) = broken(schema, *FILES, ("more.yaml", RED))
    assert found == "more.yaml:3:10  offer 'red-1': id: 'red-1' is used twice"
    (found,) = broken(schema, *FILES, ("more.yaml", "channels: {web: {fallback: none}}"))
    assert "'web' stands here again, first in catalog/blue.yaml, on line 2" in found


def test_a_part_given_twice_in_one_file_stays_a_mistake(schema: FactSchema) -> None:
    found = broken(schema, FILES[0], ("red.yaml", RED + RED))
    assert found == ["red.yaml:5:1  catalogue: 'offers' stands here again, first on line 2"]


def test_files_without_anything_are_passed_over(schema: FactSchema) -> None:
    load_catalog(join_files([*FILES, ("empty.yaml", "# later\n")]), "catalog", schema)
    (found,) = broken(schema, ("a.yaml", ""), ("b.yaml", "# b"))
    assert "empty; a catalogue has at least" in found


def test_a_file_that_is_a_list_is_named(schema: FactSchema) -> None:
    (found,) = broken(schema, *FILES, ("list.yaml", "- a"))
    assert found.startswith("list.yaml:1:1  catalogue: must be a mapping")
