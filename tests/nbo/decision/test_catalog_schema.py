"""The JSON Schema of a catalogue: true of every catalogue that loads, and of nothing unknown."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nbo.decision.catalog_fields import Fields
from nbo.decision.catalog_schema import catalog_schema
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema

ROOT = Path(__file__).parents[3]
EVERYTHING = Path(__file__).parent / "everything.yaml"
CATALOGUES = {
    "everything": EVERYTHING,
    "telco": ROOT / "nbo/workspaces/telco/catalog.yaml",
    "retail": ROOT / "nbo/workspaces/retail/catalog.yaml",
    "corner": ROOT / "tests/workspaces/corner/catalog.yaml",
}
TYPES: dict[str, Any] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "array": list,
    "object": dict,
}


class Plain(yaml.SafeLoader):
    """Reads dates as text, as editors do."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in found if not tag.endswith("timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> Any:
    return yaml.load(text, Loader=Plain)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return catalog_schema()


def violations(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """What of a value a schema refuses; knows the words that `catalog_schema` uses."""
    wanted = schema.get("type", [])
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if kinds and not any(is_of(value, kind) for kind in kinds):
        yield f"{path}: {value!r} is no {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not fit"
    if isinstance(value, (int, float)) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{path}: {value!r} is out of bounds"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{path}: has {len(value)} items"
        if schema.get("uniqueItems") and len(set(value)) < len(value):
            yield f"{path}: has an item twice"
        for number, item in enumerate(value):
            yield from violations(item, schema.get("items", {}), f"{path}[{number}]")
    if isinstance(value, dict):
        yield from of_mapping(value, schema, path)


def of_mapping(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    if len(value) < schema.get("minProperties", 0):
        yield f"{path}: is empty"
    for field in schema.get("required", []):
        if field not in value:
            yield f"{path}: {field} is missing"
    for field, inner in value.items():
        yield from violations(field, schema.get("propertyNames", {}), f"{path}.{field}")
        own = schema.get("properties", {}).get(field, schema.get("additionalProperties", {}))
        if own is False:
            yield f"{path}: {field} is unknown"
        else:
            yield from violations(inner, own, f"{path}.{field}")


def is_of(value: Any, kind: str) -> bool:
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    return isinstance(value, TYPES[kind])


def mappings(schema: dict[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with fixed fields in a schema, by the field it is in."""
    if "properties" in schema:
        yield name, schema
    for field, own in schema.get("properties", {}).items():
        yield from mappings(own, field)
    for holder in ("items", "additionalProperties"):
        if isinstance(schema.get(holder), dict):
            yield from mappings(schema[holder], name)


@pytest.mark.parametrize("name", CATALOGUES)
def test_catalogues_that_load_are_described(described: dict[str, Any], name: str) -> None:
    value = read(CATALOGUES[name].read_text(encoding="utf-8"))
    assert list(violations(value, described)) == []
    if importlib.util.find_spec("jsonschema"):
        importlib.import_module("jsonschema").validate(value, described)


def test_the_fields_described_are_those_the_readers_ask_for(
    described: dict[str, Any], schema: FactSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[frozenset[str]] = set()
    done = Fields.done

    def remember(section: Fields) -> None:
        asked.add(frozenset(section.asked))
        done(section)

    monkeypatch.setattr(Fields, "done", remember)
    load_catalog(EVERYTHING.read_text(encoding="utf-8"), "catalog.yaml", schema)
    languages = frozenset({"en", "de"})
    known = {frozenset(mapping["properties"]) for _, mapping in mappings(described)}
    assert asked - {languages} == known


def test_a_field_the_readers_do_not_know_is_refused(described: dict[str, Any]) -> None:
    value = read(EVERYTHING.read_text(encoding="utf-8"))
    for name, mapping in mappings(described):
        assert mapping["additionalProperties"] is False, name
    value["offers"][0]["prize"] = 3
    value["policies"]["selection"]["heat"] = 3
    value["experiments"][0]["arms"][0]["valu"] = False
    assert list(violations(value, described)) == [
        ".offers[0]: prize is unknown",
        ".policies.selection: heat is unknown",
        ".experiments[0].arms[0]: valu is unknown",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("web: {fallback: none}", "web: {}", ".channels.web: fallback is missing"),
        ("currency: EUR\nlanguages", "languages", ": currency is missing"),
        ("cost: 30", "cost: -1", ".incentives[0].cost: -1 is out of bounds"),
        ("period: month", "period: moon", "'moon' is none of ['day', 'week', 'month',"),
        ("requires: [green]", "requires: [green, green]", "requires: has an item twice"),
        ("daily: 20", "daily: 2.5", "daily: 2.5 is no ['integer']"),
        ("window: 1w", "window: 1y", "window: '1y' does not fit"),
        ("buckets: [0, 0.5]", "buckets: [0]", "buckets: has 1 items"),
        ("id: red-1", "id: red 1", "id: 'red 1' does not fit"),
        ("languages: [en, de]", "languages: []", "languages: has 0 items"),
        ("policy: softmax", "policy: hot", "'hot' is none of ['greedy', 'epsilon', 'softmax'"),
    ],
)
def test_what_is_wrong_by_itself_is_refused(
    described: dict[str, Any], old: str, new: str, told: str
) -> None:
    text = EVERYTHING.read_text(encoding="utf-8")
    assert old in text
    found = list(violations(read(text.replace(old, new)), described))
    assert any(told in violation for violation in found), found


def test_every_field_is_explained(described: dict[str, Any]) -> None:
    for name, mapping in mappings(described):
        for field, own in mapping["properties"].items():
            assert own.get("description", "").endswith((".", "?", "`", ")")), f"{name}: {field}"
    offer = described["properties"]["offers"]["items"]["properties"]
    assert offer["caps"]["description"] == "How often it may be taken."
    assert offer["group"]["description"] == "Group it belongs to."
    assert offer["id"]["description"] == "Stable key, unique in the catalogue."


def test_known_facts_are_completed(schema: FactSchema) -> None:
    described = catalog_schema(schema)
    consent = described["properties"]["channels"]["additionalProperties"]["properties"]["consent"]
    assert "customer.consent_voice" in consent["enum"]
    assert "customer.plan" not in consent["enum"], "it is no flag"
    unit = described["properties"]["experiments"]["items"]["properties"]["unit"]
    assert "customer.plan" in unit["enum"]


def test_it_says_that_not_knowing_silences_too() -> None:
    policies = catalog_schema()["properties"]["policies"]["properties"]
    assert "unless it is known to be false" in policies["do_not_contact"]["description"]
