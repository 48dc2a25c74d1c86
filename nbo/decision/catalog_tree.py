"""From text to a tree of YAML nodes that is small and plain enough to read safely.

Size, depth and aliases are checked on the stream of parsing events, before any tree is
built: a file that would unfold to something huge is refused in milliseconds.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import yaml

from nbo.decision.catalog_notes import Notes
from nbo.errors import Problem, WorkspaceError

MAX_BYTES = 20_000_000
MAX_DEPTH = 20
MAX_NODES = 1_000_000
MAX_FILES = 1_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPENING = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSING = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
_NESTED = ("policies",)
"""Mappings of the whole catalogue whose own lists are joined as well."""


def parse_files(files: Sequence[tuple[str, str]], notes: Notes) -> yaml.Node:
    """Parse files, one YAML document each, into one tree whose nodes know file and line.

    Lists that several files give are joined, mappings united; anything else is given once.

    Raises:
        WorkspaceError: One is not YAML, all are empty, or they are too large, too deep or use
            aliases.
    """
    size = sum(len(text.encode("utf-8", "surrogatepass")) for _, text in files)
    if size > MAX_BYTES:
        raise _refused(files[0][0], None, f"larger than {MAX_BYTES:,} bytes")
    if len(files) > MAX_FILES:
        raise _refused(files[0][0], None, f"more than {MAX_FILES:,} files")
    roots: list[yaml.Node] = []
    problems: list[Problem] = []
    left = MAX_NODES
    for name, text in files:
        try:
            root, used = _parse(text, name, left)
        except WorkspaceError as error:
            problems += error.problems
            continue
        left -= used
        roots += [root] if root is not None else []
    if problems:
        raise WorkspaceError(problems)
    if not roots:
        empty = "empty; a catalogue has at least currency, languages and offers"
        raise _refused(files[0][0], None, empty)
    return roots[0] if len(roots) == 1 else _united(roots, notes)


class _Named(io.StringIO):
    """A text with a name, which the parser puts into every place it tells."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def _parse(text: str, file: str, most: int) -> tuple[yaml.Node | None, int]:
    try:
        nodes = _check_events(text, file, most)
        return yaml.compose(_Named(text, file), Loader=_Loader), nodes
    except yaml.MarkedYAMLError as error:
        told = "; ".join(part for part in (error.context, error.problem) if part)
        if "tag" in told:
            told += "; text that begins with ! must stand in quotes"
        raise _refused(file, error.problem_mark, f"not valid YAML: {told}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise _refused(file, None, f"not valid YAML: {error}") from None


def _check_events(text: str, file: str, most: int) -> int:
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _refused(file, event.start_mark, "aliases (*name) are not read; write it out")
        if isinstance(event, _OPENING):
            depth += 1
        elif isinstance(event, _CLOSING):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH:
            raise _refused(file, event.start_mark, f"nested deeper than {MAX_DEPTH} levels")
        if nodes > most:
            raise _refused(file, event.start_mark, f"more than {MAX_NODES:,} values")
    return nodes


def _united(roots: Sequence[yaml.Node], notes: Notes, nested: bool = False) -> yaml.Node:
    """One mapping with the fields of several."""
    fields: dict[str, list[tuple[yaml.Node, yaml.Node]]] = {}
    odd: list[tuple[yaml.Node, yaml.Node]] = []
    for root in roots:
        if not isinstance(root, yaml.MappingNode):
            notes.add(root, "catalogue: must be a mapping of fields to values")
            continue
        for key, value in root.value:
            plain = isinstance(key, yaml.ScalarNode)
            (fields.setdefault(key.value, []) if plain else odd).append((key, value))
    pairs = [pair for name, same in fields.items() for pair in _joined(name, same, notes, nested)]
    first = roots[0]
    tag = "tag:yaml.org,2002:map"
    return yaml.MappingNode(tag, pairs + odd, first.start_mark, first.end_mark)


def _joined(
    name: str, same: list[tuple[yaml.Node, yaml.Node]], notes: Notes, nested: bool
) -> list[tuple[yaml.Node, yaml.Node]]:
    """What several files give under one name, as one; left apart where that cannot be."""
    key, first = same[0]
    values = [value for _, value in same]
    if len(values) == 1 or len({value.start_mark.name for value in values}) < len(values):
        return same
    if all(isinstance(value, yaml.SequenceNode) for value in values):
        items = [item for value in values for item in value.value]
        joined = yaml.SequenceNode(first.tag, items, first.start_mark, first.end_mark)
        return [(key, joined)]
    if not nested and all(isinstance(value, yaml.MappingNode) for value in values):
        if name in _NESTED:
            return [(key, _united(values, notes, nested=True))]
        pairs = [pair for value in values for pair in value.value]
        return [(key, yaml.MappingNode(first.tag, pairs, first.start_mark, first.end_mark))]
    return same


def _refused(file: str, mark: Any, message: str) -> WorkspaceError:
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return WorkspaceError([Problem(file, line, column, message)])
