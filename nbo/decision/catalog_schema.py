"""The JSON Schema of a catalogue, so that editors complete and explain what is written in one.

It is what the readers of a catalogue ask for (`nbo.decision.catalog_recorder`), explained with
the docstrings of the values they make of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nbo.decision.arms import Arm, Experiment, Selection
from nbo.decision.catalog import Catalog, Channel, Group, Incentive, Issue, Offer, Purpose
from nbo.decision.catalog_known import Places
from nbo.decision.catalog_recorder import Recorder
from nbo.decision.catalog_rules import Rulebook
from nbo.decision.catalog_text import read_catalog
from nbo.decision.facts import FactSchema, FactType
from nbo.decision.limits import Budget, Caps
from nbo.decision.policies import ContextWeight, Frequency, Policies, Suppression, Target
from nbo.decision.rule_text import RuleText

DIALECT = "http://json-schema.org/draft-07/schema#"

_MEANT: dict[str, tuple[type, ...]] = {
    "channels": (Channel,),
    "purposes": (Purpose,),
    "issues": (Issue,),
    "groups": (Group,),
    "incentives": (Incentive,),
    "offers": (Offer,),
    "policies": (Policies,),
    "experiments": (Experiment,),
    "arms": (Arm,),
    "selection": (Selection,),
    "budget": (Budget,),
    "caps": (Caps,),
    "suppression": (Suppression, Target, RuleText),
    "frequency": (Frequency, Target, RuleText),
    "context": (ContextWeight, RuleText, Target),
    "rules": (RuleText,),
    "eligibility": (RuleText,),
    "applicability": (RuleText,),
    "suitability": (RuleText,),
    "service_first": (RuleText,),
    "products": (RuleText,),
}
"""Field to the values that what is in it becomes."""

_ATTRIBUTE = re.compile(r"^ {8}(\w+): (.*(?:\n {9,}.*)*)", re.MULTILINE)


def catalog_schema(facts: FactSchema | None = None) -> dict[str, Any]:
    """Describe every field a catalogue may have, as JSON Schema.

    Args:
        facts: The facts there are, to complete their names; None when they are not known.
    """
    schema = facts or FactSchema({})
    names = {kind: schema.of_type(kind) for kind in FactType}
    root = Recorder(names)
    read_catalog(root, Rulebook(schema), Places())
    described = root.schema()
    _describe(described, (Catalog,))
    return {"$schema": DIALECT, "title": "Catalogue of offers", **described}


def _describe(schema: dict[str, Any], meant: tuple[type, ...]) -> None:
    """Put descriptions to all properties of a mapping, and to what is in them."""
    for field, own in schema.get("properties", {}).items():
        inner = _MEANT.get(field, ())
        if described := _attribute(field, (*meant, Catalog)) or _summary((*inner, *meant)):
            own["description"] = described
        for part in _mappings(own):
            _describe(part, inner)


def _mappings(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The mapping a property is, or those it holds."""
    yield schema
    for holder in ("items", "additionalProperties"):
        if isinstance(schema.get(holder), dict):
            yield schema[holder]


def _attribute(field: str, meant: tuple[type, ...]) -> str:
    """What a docstring says of an attribute: ``id`` is ``offer_id``, ``group`` is ``group_id``."""
    for one in meant:
        told = dict(_ATTRIBUTE.findall(one.__doc__ or ""))
        own_id = f"{one.__name__.lower()}_id"
        for name in (field, f"{field}_id", own_id if field == "id" else field):
            if name in told:
                return _plain(told[name])
    return ""


def _summary(meant: tuple[type, ...]) -> str:
    """The first sentence on the value a field becomes."""
    return _plain((meant[0].__doc__ or "").split("\n\n")[0]) if meant else ""


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
