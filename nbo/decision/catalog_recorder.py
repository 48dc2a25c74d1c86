"""A section that holds nothing and remembers what it was asked for.

The readers of a catalogue run over it as over a file; what they ask, with types and limits,
is the JSON Schema of a catalogue. So the two cannot differ.
"""
# ruff: noqa: D102 - every method records what its namesake in `Section` reads

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import yaml

from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_notes import Notes
from nbo.decision.catalog_scalars import FLAGS, ID_PATTERN, LANGUAGE_PATTERN, LIMIT
from nbo.decision.durations import PATTERN
from nbo.decision.facts import FactType

EACH = "*"
"""Stands for every key of a mapping with free keys."""

_ID = f"^{ID_PATTERN}$"
_LANGUAGE = f"^{LANGUAGE_PATTERN}$"
_DURATION = rf"^\s*{PATTERN}\s*$"
_TEXT = {"type": ["string", "number"]}

Json = dict[str, Any]


class Recorder(Section):
    """Remembers every field it is asked for.

    Attributes:
        properties: Field to its JSON Schema; that of `EACH` holds for all keys.
        required: Fields that must be there.
        nested: Fields that are mappings, or lists or mappings of mappings, to what is in them.
    """

    def __init__(self, facts: Mapping[FactType, Collection[str]]) -> None:
        super().__init__(None, "", Notes(["schema"]))
        self.properties: dict[str, Json] = {}
        self.required: list[str] = []
        self.nested: dict[str, Recorder] = {}
        self._facts = facts

    def schema(self) -> Json:
        """What was asked for, as the JSON Schema of a mapping."""
        properties = dict(self.properties)
        for field, own in self.nested.items():
            properties[field] = _around(properties[field], own.schema())
        each = properties.pop(EACH, None)
        if each is not None:
            names = {"pattern": _ID}
            return {"type": "object", "propertyNames": names, "additionalProperties": each}
        found = {"type": "object", "properties": properties, "additionalProperties": False}
        return found | ({"required": self.required} if self.required else {})

    def _record(self, field: str, schema: Json, required: object = False) -> None:
        self.properties[field] = schema
        if required and field not in self.required:
            self.required.append(field)

    def _nest(self, field: str, schema: Json, required: object = False) -> Recorder:
        self._record(field, schema, required)
        return self.nested.setdefault(field, Recorder(self._facts))

    def at(self, field: str) -> yaml.Node | None:
        del field
        return None

    def has(self, field: str) -> bool:
        """Pretend that every field is there, so that all that may follow is asked for."""
        del field
        return True

    def problem(self, field: str, message: str, node: yaml.Node | None = None) -> None:
        """Nothing is wrong with what is not there."""

    def warn(self, field: str, message: str, called: str | None = None) -> None:
        """Nothing is wrong with what is not there."""

    def text(self, field: str, default: str | None = None, missing: str = "is missing") -> str:
        del missing
        self._record(field, dict(_TEXT), default is None)
        return default or ""

    def key(self, field: str, default: str | None = None) -> str:
        self._record(field, _TEXT | {"pattern": _ID}, default is None)
        return default or ""

    def choice(self, field: str, options: Collection[str], default: str | None = None) -> str:
        schema: Json = {"enum": list(options)}
        self._record(field, schema | ({"default": default} if default else {}), default is None)
        return default or next(iter(options), "")

    def reference(self, field: str, known: Collection[str], default: str | None = None) -> str:
        return self.text(field, default)

    def references(
        self, field: str, known: Collection[str], *, required: bool = False
    ) -> tuple[str, ...]:
        schema = {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}
        self._record(field, schema, required)
        return ()

    def fact(self, field: str, kind: FactType) -> str:
        names = self._facts.get(kind)
        self._record(field, {"enum": sorted(names)} if names else {"type": "string"})
        return ""

    def flag(self, field: str, default: bool) -> bool:
        words = [word for word in FLAGS if word not in ("true", "false")]
        self._record(field, {"enum": [True, False, *words], "default": default})
        return default

    def number(
        self, field: str, default: float | None = None, *, low: float = -LIMIT, high: float = LIMIT
    ) -> float:
        self._record(field, _number("number", low, high, default), default is None)
        return low if default is None else default

    def count(
        self, field: str, default: int | None = None, *, low: int = 0, high: float = LIMIT
    ) -> int:
        self._record(field, _number("integer", low, high, default), default is None)
        return low if default is None else default

    def optional_count(self, field: str, *, low: int = 0) -> int | None:
        self._record(field, _number("integer", low, LIMIT))
        return low

    def optional_number(
        self, field: str, *, low: float = -LIMIT, high: float = LIMIT
    ) -> float | None:
        self._record(field, _number("number", low, high))
        return low

    def duration(self, field: str) -> timedelta:
        examples = ["30d", "12h", "15m"]
        self._record(field, {"type": "string", "pattern": _DURATION, "examples": examples}, True)
        return timedelta(days=1)

    def instant(self, field: str) -> datetime | None:
        examples = ["2026-01-31", "2026-01-31T18:00Z"]
        self._record(field, {"type": "string", "examples": examples})
        return None

    def section(self, field: str, name: str = "") -> Section:
        return self._nest(field, {"type": "object"})

    def keyed(self, field: str, kind: str, missing: str = "") -> list[tuple[str, Section]]:
        schema = {"type": "object", "propertyNames": {"pattern": _ID}}
        return [(EACH, self._nest(field, schema | _some(missing, "minProperties"), missing))]

    def named_texts(self, field: str) -> tuple[list[str], Section]:
        return [EACH], self._nest(field, {"type": "object"})

    def wording(
        self, field: str, languages: tuple[str, ...], *, required: bool = True
    ) -> dict[str, str]:
        schema = {
            "type": "object",
            "propertyNames": {"pattern": _LANGUAGE},
            "additionalProperties": _TEXT,
            "minProperties": 1,
        }
        self._record(field, schema, required)
        return {}

    def items(self, field: str) -> list[yaml.Node]:
        self._record(field, {"type": "array"})
        return []

    def stretch(self, field: str) -> list[yaml.Node]:
        ends = {"type": "number", "minimum": 0, "maximum": 1}
        self._record(field, {"type": "array", "items": ends, "minItems": 2, "maxItems": 2})
        return []

    def sections(
        self, field: str, kind: str, id_field: str = "name", missing: str = ""
    ) -> list[Section]:
        return [self._nest(field, {"type": "array"} | _some(missing, "minItems"), missing)]

    def texts(self, field: str, missing: str = "") -> list[tuple[str, yaml.ScalarNode]]:
        schema = {"type": "array", "items": _TEXT} | _some(missing, "minItems")
        self._record(field, schema, missing)
        return []

    def numbers(self, field: str) -> dict[str, float]:
        measure = {"type": ["number", "boolean"]}
        self._record(field, {"type": "object", "additionalProperties": measure})
        return {}


def _some(missing: str, bound: str) -> Json:
    return {bound: 1} if missing else {}


def _number(kind: str, low: float, high: float, default: float | None = None) -> Json:
    schema: Json = {"type": kind}
    if low > -LIMIT:
        schema["minimum"] = low
    if high < LIMIT:
        schema["maximum"] = high
    return schema if default is None else schema | {"default": default}


def _around(outer: Json, inner: Json) -> Json:
    """The schema of a field that is a mapping, or holds several."""
    if outer["type"] == "array":
        return outer | {"items": inner}
    return outer | ({"additionalProperties": inner} if "propertyNames" in outer else inner)
