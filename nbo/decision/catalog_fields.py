"""Reading the single values of a YAML mapping, noting every mistake with its line and column.

Each field is taken once, with a type and limits. A mistake is noted and a harmless default
returned, so that one reading finds all mistakes of a file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

import yaml

from nbo.decision.catalog_notes import Notes
from nbo.decision.catalog_scalars import (
    FLAGS,
    ID,
    ID_FORM,
    LIMIT,
    as_number,
    excerpt,
    is_null,
    remedy,
)
from nbo.decision.durations import parse_duration
from nbo.decision.facts import FactType
from nbo.decision.near_names import suggestion

T = TypeVar("T")


class Fields:
    """One mapping of the file.

    Attributes:
        name: What messages call it, e.g. ``"offer 'fibre-1g'"``.
        node: Where it stands.
        notes: Where mistakes go.
    """

    def __init__(self, node: yaml.Node | None, name: str, notes: Notes) -> None:
        self.name = name
        self.node = node
        self.notes = notes
        self._fields: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        self._taken: list[str] = []
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._add_field(key, value)
        elif node is not None and not is_null(node):
            notes.add(node, f"{name}: must be a mapping of fields to values")

    def _add_field(self, key: yaml.Node, value: yaml.Node) -> None:
        if not isinstance(key, yaml.ScalarNode):
            self.notes.add(key, f"{self.name}: a field's name must be text")
        elif key.value in self._fields:
            first = self._fields[key.value][0].start_mark
            where = f"in {first.name}, " if first.name != key.start_mark.name else ""
            message = f"{key.value!r} stands here again, first {where}on line {first.line + 1}"
            self.notes.add(key, f"{self.name}: {message}")
        else:
            self._fields[key.value] = (key, value)

    def problem(self, field: str, message: str, node: yaml.Node | None = None) -> None:
        """Note a mistake in a field."""
        self.notes.add(node or self._place(field), f"{self._path(field)}: {message}")

    def warn(self, field: str, message: str, called: str | None = None) -> None:
        """Note what is allowed in a field and probably not meant; `called` renames its place."""
        path = self._path(field) if called is None else called
        self.notes.warn(self._place(field), f"{path}: {message}" if path else message)

    def _place(self, field: str) -> yaml.Node | None:
        pair = self._fields.get(field)
        if pair is None:
            return self.node
        return pair[0] if is_null(pair[1]) else pair[1]

    def _path(self, field: str) -> str:
        return f"{self.name}: {field}" if field else self.name

    def at(self, field: str) -> yaml.Node | None:
        """Give the node of a field's value; None when absent or null."""
        self._taken.append(field)
        pair = self._fields.get(field)
        return None if pair is None or is_null(pair[1]) else pair[1]

    def has(self, field: str) -> bool:
        """Whether the field is given."""
        return self.at(field) is not None

    @property
    def asked(self) -> dict[str, None]:
        """Every field that was asked for, there or not."""
        return dict.fromkeys(self._taken)

    def done(self) -> None:
        """Note every field that nobody asked for."""
        known = self.asked
        for field, (key, _) in self._fields.items():
            if field not in known:
                meant = suggestion(field, known) or f"known are {', '.join(sorted(known))}"
                self.notes.add(key, f"{self.name}: unknown field {field!r}; {meant}")

    def fields(self) -> list[tuple[str, yaml.Node]]:
        """Give all fields with their values, for mappings with free keys."""
        return [(field, value) for field, (_, value) in self._fields.items()]

    def text(self, field: str, default: str | None = None, missing: str = "is missing") -> str:
        """Read a text; required without a default, and `missing` told when it is not there."""
        node = self.at(field)
        if node is None:
            return self._absent(field, default, "", missing)
        if not isinstance(node, yaml.ScalarNode):
            self.problem(field, "must be text", node)
            return default or ""
        text = self._untagged(field, node)
        if default is None and not text.strip() and not node.tag.startswith("!"):
            self.problem(field, "is empty", node)
        return text

    def key(self, field: str, default: str | None = None) -> str:
        """Read an id: letters, digits and ``_ . : -``, at most 64, the first a letter or digit."""
        text = self.text(field, default)
        if text and not ID.match(text):
            self.problem(field, f"{text!r} must be {ID_FORM}")
        return text

    def choice(self, field: str, options: Collection[str], default: str | None = None) -> str:
        """Read one of the options."""
        text = self.text(field, default)
        if text not in options and self.has(field):
            known = dict.fromkeys(options)
            meant = suggestion(text, known) or f"must be one of {', '.join(known)}"
            self.problem(field, f"unknown {text!r}; {meant}")
        return text

    def reference(self, field: str, known: Collection[str], default: str | None = None) -> str:
        """Read the id of something else in the catalogue, one of `known`."""
        name = self.text(field, default)
        if name and name not in known:
            self.problem(field, f"unknown {name!r}; {remedy(name, known)}")
        return name

    def fact(self, field: str, kind: FactType) -> str:
        """Read the name of a fact of one type, which is not looked up here; empty when absent."""
        del kind
        return self.text(field, "")

    def flag(self, field: str, default: bool) -> bool:
        """Read true or false."""
        node = self.at(field)
        if node is None:
            return default
        value = FLAGS.get(str(node.value).lower()) if isinstance(node, yaml.ScalarNode) else None
        if value is None:
            self.problem(field, "must be true or false", node)
            return default
        return value

    def number(
        self, field: str, default: float | None = None, *, low: float = -LIMIT, high: float = LIMIT
    ) -> float:
        """Read a finite number within [low, high]."""
        node = self.at(field)
        if node is None:
            return self._absent(field, default, 0.0)
        value = as_number(node)
        if value is None:
            self.problem(field, f"must be a number, was {excerpt(node)}", node)
            return default or 0.0
        if not low <= value <= high:
            bound = f">= {low:g}" if value < low else f"<= {high:g}"
            self.problem(field, f"must be {bound}, was {node.value}", node)
        return value

    def count(
        self, field: str, default: int | None = None, *, low: int = 0, high: float = LIMIT
    ) -> int:
        """Read a whole number within [low, high]."""
        value = self.number(field, default, low=low, high=high)
        if value != int(value):
            self.problem(field, f"must be a whole number, was {value:g}")
        return int(value)

    def optional_count(self, field: str, *, low: int = 0) -> int | None:
        """Read a whole number, at least `low`; None when absent."""
        return self.count(field, 0, low=low) if self.has(field) else None

    def optional_number(
        self, field: str, *, low: float = -LIMIT, high: float = LIMIT
    ) -> float | None:
        """Read a finite number within [low, high]; None when absent."""
        return self.number(field, low=low, high=high) if self.has(field) else None

    def duration(self, field: str) -> timedelta:
        """Read a positive length of time: ``30d``, ``12h``, ``15m``, ``90s``, ``2w``."""
        text = self.text(field)
        with contextlib.suppress(ValueError):
            if length := parse_duration(text):
                return length
        if text:
            self.problem(field, f"must be a length of time like 30d, 12h or 15m, was {text!r}")
        return timedelta(days=1)

    def instant(self, field: str) -> datetime | None:
        """Read a date or a date with time, UTC unless it says otherwise; None when absent."""
        text = self.text(field, "")
        if not text:
            return None
        try:
            if len(text) == len("2026-01-01"):
                return datetime.combine(date.fromisoformat(text), time(), UTC)
            moment = datetime.fromisoformat(text)
        except ValueError:
            example = "2026-01-31 or 2026-01-31T18:00Z"
            self.problem(field, f"must be a date like {example}, was {text!r}")
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def _untagged(self, field: str, node: yaml.ScalarNode) -> str:
        if node.tag.startswith("!"):
            message = f"put it in quotes: in YAML {node.tag!r} without quotes is a tag, not text"
            self.problem(field, message, node)
        return str(node.value)

    def _absent(
        self, field: str, default: T | None, otherwise: T, missing: str = "is missing"
    ) -> T:
        if default is None:
            self.problem(field, missing)
            return otherwise
        return default
