"""The page on the catalogue says of every field what the readers of a catalogue hold it to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbo.decision.catalog_schema import catalog_schema
from nbo.decision.facts import FactSchema, FactType
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleError, RuleLanguage

PAGE = Path(__file__).parent.parent.parent / "docs" / "catalog.md"
RULES = {"rules", "eligibility", "applicability", "suitability", "service_first"}
WORDS = {
    "boolean": "yes or no",
    "integer": "whole number",
    "number": "number",
    "array": "list",
    "object": "mapping",
    "string": "text",
}


def mappings(schema: dict[str, Any], name: str = "catalogue") -> Iterator[tuple[str, Any]]:
    """Every mapping with fixed fields, by the heading it has on the page."""
    if "properties" in schema:
        yield ("rules" if name in RULES else name), schema
    for field, own in schema.get("properties", {}).items():
        yield from mappings(own, field)
    for holder in ("items", "additionalProperties"):
        if isinstance(schema.get(holder), dict):
            yield from mappings(schema[holder], name)


def told(own: dict[str, Any], needed: bool) -> str:
    """Type, limits and default of a field, as the page's third column writes them."""
    kinds = own.get("type", "string")
    kind = WORDS[kinds if isinstance(kinds, str) else kinds[0]]
    if True in own.get("enum", ()):
        kind = "yes or no"
    elif "enum" in own:
        kind = ", ".join(f"`{choice}`" for choice in own["enum"])
    elif "examples" in own:
        kind = "like " + ", ".join(f"`{example}`" for example in own["examples"])
    limits = [
        f"{sign} {own[word]:g}"
        for word, sign in (("minimum", "≥"), ("maximum", "≤"))
        if word in own
    ]
    parts = [" ".join([kind, " and ".join(limits)]).strip()]
    if needed:
        parts.append("**required**")
    elif "default" in own:
        default = own["default"]
        shown = {True: "yes", False: "no"}[default] if isinstance(default, bool) else default
        parts.append(f"default {shown:g}" if isinstance(shown, int | float) else f"default {shown}")
    return ", ".join(parts)


def tables() -> dict[str, dict[str, str]]:
    """Heading to field to third column."""
    found: dict[str, dict[str, str]] = {}
    for part in re.split(r"^##+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading = part.splitlines()[0].strip("` ")
        rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", part, re.MULTILINE)
        if rows:
            found[heading] = {field: value for field, _, value in rows}
    return found


DESCRIBED = dict(mappings(catalog_schema()))


def test_every_mapping_of_a_catalogue_has_its_table():
    assert set(tables()) == set(DESCRIBED)


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_table_says_what_the_readers_ask(name):
    schema = DESCRIBED[name]
    required = schema.get("required", ())
    expected = {field: told(own, field in required) for field, own in schema["properties"].items()}
    assert tables()[name] == expected


def _problem(expression: str) -> str:
    """What the engine has against a rule; empty if nothing."""
    types = {"customer.n": FactType.NUMBER, "customer.t": FactType.TEXT}
    try:
        RuleLanguage(FactSchema(types)).compile(RuleText("shown", expression))
    except RuleError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("refused", [False, True])
def test_what_a_rule_may_say_is_said(refused):
    said = re.search(r"^A rule is a .*?refused\.$", PAGE.read_text("utf-8"), re.M | re.S)
    assert said is not None
    may, may_not = said[0].split("Loops")
    named = set(re.findall(r"`([a-z]+)(?:\(\))?`", may_not if refused else may, re.IGNORECASE))
    assert len(named) >= 4
    for function in named:
        of_text = {"size": "customer.t.size() > 2", "has": "has(customer.t)"}
        expression = of_text.get(function, f"customer.t.{function}('a')")
        assert bool(_problem(expression)) is refused, expression


def test_operators_of_a_rule_are_those_said():
    said = re.search(r"^A rule is a .*?Numbers", PAGE.read_text("utf-8"), re.M | re.S)
    assert said is not None
    for operator in ("+", "-", "*", "/"):
        assert f"`{operator}`" in said[0]
        assert not _problem(f"customer.n {operator} 2.0 > 1.0")
    for operator in ("==", "!=", "<", "<=", ">", ">="):
        assert f"`{operator}`" in said[0]
        assert not _problem(f"customer.n {operator} 2.0 && true || !false")
    assert not _problem("customer.n in [1.0] ? true : false")
    assert _problem("customer.n > 1")
