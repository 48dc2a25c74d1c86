"""Facts as a scenario gives them, checked against the workspace's feature schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import yaml

from features.schema import FeatureSchema
from features.windows import matches
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_scalars import as_number, excerpt
from nbo.decision.facts import Fact, FactType
from nbo.decision.near_names import suggestion

_FLAGS = {"true": True, "false": False}


def read_facts(
    section: Section, name: str, schema: FeatureSchema, room: Literal["customer", "desktop"]
) -> dict[str, Fact]:
    """Read a mapping of dotted names to values.

    Args:
        name: The field of `section` that holds it.
        room: ``"customer"``: fields of the profile, for a window's value comes of events;
            ``"desktop"``: what a caller may say with a question.
    """
    types = _profile(schema) if room == "customer" else _desktop(schema)
    facts: dict[str, Fact] = {}
    for fact, node in section.section(name).fields():
        if fact in types:
            value = read_fact(section, f"{name}: {fact}", node, types[fact])
            if value is not None:
                facts[fact] = value
        else:
            remedy = _remedy(fact, types, schema)
            section.problem(name, f"{fact!r} cannot be given here; {remedy}", node)
    return facts


def read_fact(section: Section, field: str, node: yaml.Node, kind: FactType) -> Fact | None:
    """Read one value of a kind; None, and a problem noted, when it is none."""
    if kind is FactType.NUMBER:
        value: Fact | None = as_number(node)
    elif kind is FactType.FLAG and isinstance(node, yaml.ScalarNode):
        value = _FLAGS.get(node.value.lower())
    elif kind is FactType.TEXT and isinstance(node, yaml.ScalarNode):
        value = str(node.value)
    else:
        value = None
    if value is None:
        meaning = {FactType.FLAG: "true or false"}.get(kind, f"a {kind}")
        section.problem(field, f"must be {meaning}, was {excerpt(node)}", node)
    return value


def _profile(schema: FeatureSchema) -> dict[str, FactType]:
    return {
        f"customer.{column.name}": column.fact_type
        for view in schema.views.values()
        for column in view.columns
    }


def _desktop(schema: FeatureSchema) -> dict[str, FactType]:
    return {
        name: kind
        for name, kind in schema.fact_schema().types.items()
        if name.startswith(("interaction.", "event."))
    }


def _remedy(fact: str, types: Mapping[str, FactType], schema: FeatureSchema) -> str:
    for window in schema.windows:
        if fact == f"customer.{window.name}":
            events = ", ".join(name for name in schema.events if matches(window, name))
            over = f"{window.kind} of {window.attribute or 'events'}"
            return f"it is the {over} in a window: tell it by `events` of type {events}"
    if fact.startswith("event."):
        return "tell it by `events`"
    if fact.startswith("history."):
        return "tell it by `history`"
    return suggestion(fact, types) or f"known are {', '.join(types)}"
