"""Reading a YAML mapping field by field, noting every mistake with its line and column.

A `Section` takes each field once, with a type and limits. A mistake is noted and a harmless
default returned, so that one reading finds all mistakes of a file.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

import yaml

from nbo.decision.durations import parse_duration
from nbo.decision.rule_mistakes import suggestion
from nbo.errors import Problem

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
T = TypeVar("T")
LIMIT = 1e12
"""No amount, share or percentage of a catalogue is larger; more is a slip of the keyboard."""


class Notes:
    """The mistakes found in one file.

    Attributes:
        file: Path as the user knows it.
        problems: What was found, in the order of reading.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, node: yaml.Node | None, message: str, column: int = 0, line: int = 0) -> None:
        """Note a mistake at a node, or at an exact place within it (1-based)."""
        if node is not None:
            line = line or node.start_mark.line + 1
            column = column or node.start_mark.column + 1
        problem = Problem(self.file, line, column, message)
        if problem not in self.problems:
            self.problems.append(problem)


class Section:
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
            first = self._fields[key.value][0].start_mark.line + 1
            message = f"{key.value!r} stands here again, first on line {first}"
            self.notes.add(key, f"{self.name}: {message}")
        else:
            self._fields[key.value] = (key, value)

    def problem(self, field: str, message: str, node: yaml.Node | None = None) -> None:
        """Note a mistake in a field."""
        where = node or self.at(field) or self.node
        path = f"{self.name}: {field}" if field else self.name
        self.notes.add(where, f"{path}: {message}")

    def at(self, field: str) -> yaml.Node | None:
        """Give the node of a field's value; None when absent or null."""
        self._taken.append(field)
        pair = self._fields.get(field)
        return None if pair is None or is_null(pair[1]) else pair[1]

    def has(self, field: str) -> bool:
        """Whether the field is given."""
        return self.at(field) is not None

    def done(self) -> None:
        """Note every field that nobody asked for."""
        known = dict.fromkeys(self._taken)
        for field, (key, _) in self._fields.items():
            if field not in known:
                remedy = suggestion(field, known) or f"known are {', '.join(sorted(known))}"
                self.notes.add(key, f"{self.name}: unknown field {field!r}; {remedy}")

    def fields(self) -> list[tuple[str, yaml.Node]]:
        """Give all fields with their values, for mappings with free keys."""
        return [(field, value) for field, (_, value) in self._fields.items()]

    def text(self, field: str, default: str | None = None) -> str:
        """Read a text; required without a default."""
        node = self.at(field)
        if node is None:
            return self._absent(field, default, "")
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
        if text and not _ID.match(text):
            self.problem(field, f"{text!r} must be letters, digits and _ . : -, at most 64")
        return text

    def choice(self, field: str, options: Collection[str], default: str | None = None) -> str:
        """Read one of the options."""
        text = self.text(field, default)
        if text not in options and self.has(field):
            known = dict.fromkeys(options)
            remedy = suggestion(text, known) or f"must be one of {', '.join(known)}"
            self.problem(field, f"unknown {text!r}; {remedy}")
        return text

    def flag(self, field: str, default: bool) -> bool:
        """Read true or false."""
        node = self.at(field)
        if node is None:
            return default
        value = _FLAGS.get(str(node.value).lower()) if isinstance(node, yaml.ScalarNode) else None
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

    def count(self, field: str, default: int | None = None, *, low: int = 0) -> int:
        """Read a whole number, at least `low`."""
        value = self.number(field, default, low=low)
        if value != int(value):
            self.problem(field, f"must be a whole number, was {value:g}")
        return int(value)

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

    def section(self, field: str, name: str = "") -> Section:
        """Read a mapping within this one; empty when absent."""
        return Section(self.at(field), name or f"{self.name}: {field}", self.notes)

    def items(self, field: str) -> list[yaml.Node]:
        """Read the items of a list; empty when absent."""
        node = self.at(field)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.problem(field, "must be a list", node)
            return []
        return list(node.value)

    def sections(self, field: str, kind: str, id_field: str = "name") -> list[Section]:
        """Read a list of mappings, each called by its id: ``offer 'fibre-1g'``."""
        found = []
        for position, node in enumerate(self.items(field), start=1):
            own = Section(node, f"{kind} {position}", self.notes)
            identity = own.at(id_field)
            if isinstance(identity, yaml.ScalarNode):
                own.name = f"{kind} {identity.value!r}"
            found.append(own)
        return found

    def texts(self, field: str) -> list[tuple[str, yaml.ScalarNode]]:
        """Read a list of texts, each with its node."""
        found = []
        for node in self.items(field):
            if isinstance(node, yaml.ScalarNode):
                found.append((self._untagged(field, node), node))
            else:
                self.problem(field, "must be a list of texts", node)
        return found

    def numbers(self, field: str) -> dict[str, float]:
        """Read a mapping of names to finite numbers; true counts as 1, false as 0."""
        found: dict[str, float] = {}
        for name, node in self.section(field).fields():
            value = as_number(node)
            if value is None:
                self.problem(field, f"{name} must be a number, was {excerpt(node)}", node)
            else:
                found[name] = value
        return found

    def _untagged(self, field: str, node: yaml.ScalarNode) -> str:
        if node.tag.startswith("!"):
            message = f"put it in quotes: in YAML {node.tag!r} without quotes is a tag, not text"
            self.problem(field, message, node)
        return str(node.value)

    def _absent(self, field: str, default: T | None, otherwise: T) -> T:
        if default is None:
            self.problem(field, "is missing")
            return otherwise
        return default


def is_null(node: yaml.Node) -> bool:
    """Whether a field is there without a value."""
    return bool(node.tag == "tag:yaml.org,2002:null")


def as_number(node: yaml.Node) -> float | None:
    """Read the finite number a scalar holds; None when it holds something else."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    if node.tag == "tag:yaml.org,2002:bool":
        return float(_FLAGS[node.value.lower()])
    try:
        value = float(node.value)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def excerpt(node: yaml.Node) -> str:
    """Quote what stands at a node, short, for messages."""
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value if len(node.value) <= 40 else node.value[:37] + "...")
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
