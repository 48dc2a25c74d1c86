"""From text to a tree of YAML nodes that is small and plain enough to read safely.

Size, depth and aliases are checked while the tree grows: a file that would unfold to
something huge is refused in milliseconds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import yaml

from nbo.decision.catalog_notes import Notes
from nbo.errors import Problem, WorkspaceError

MAX_BYTES = 10_000_000
MAX_DEPTH = 20
MAX_NODES = 400_000
MAX_FILES = 1_000
# 2,000 offers of six conditions and three incentives take 2 MB and 160,000 values.

_NULL, _BOOL = "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"
_TEXT, _LIST, _MAPPING = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL"), _NULL) | {
    form: _BOOL
    for word in ("true", "false", "yes", "no", "on", "off")
    for form in (word, word.capitalize(), word.upper())
}
"""Unquoted words that are no text. Numbers and dates are read as text, by the field's type."""

_ANCHOR = re.compile(r"(?:^|[\s\[{,:?-])&[\w-]", re.MULTILINE)
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


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Grows a tree within bounds, and looks only for the types that matter."""

    def __init__(self, text: str, file: str, most: int) -> None:
        super().__init__(_Named(text, file))
        self.file = file
        self.most = most
        self.nodes = 0
        self.depth = 0

    def descend_resolver(self, parent: yaml.Node | None, index: object) -> None:
        """Count a node that begins; refuse it when it is one too many or too deep."""
        del index
        self.nodes += 1
        self.depth += 1
        mark = parent.start_mark if parent else None
        if self.depth > MAX_DEPTH + 1:
            raise _refused(self.file, mark, f"nested deeper than {MAX_DEPTH} levels")
        if self.nodes > self.most:
            raise _refused(self.file, mark, f"more than {MAX_NODES:,} values")

    def ascend_resolver(self) -> None:
        """Leave a node."""
        self.depth -= 1

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """Find the tag of a node without one."""
        if kind is yaml.ScalarNode:
            return _WORDS.get(value, _TEXT) if implicit[0] else _TEXT
        return _LIST if kind is yaml.SequenceNode else _MAPPING


def _parse(text: str, file: str, most: int) -> tuple[yaml.Node | None, int]:
    try:
        if _ANCHOR.search(text):
            _refuse_aliases(text, file)
        loader = _Loader(text, file, most)
        try:
            return loader.get_single_node(), loader.nodes
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        told = "; ".join(part for part in (error.context, error.problem) if part)
        if "tag" in told:
            told += "; text that begins with ! must stand in quotes"
        raise _refused(file, error.problem_mark, f"not valid YAML: {told}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise _refused(file, None, f"not valid YAML: {error}") from None


def _refuse_aliases(text: str, file: str) -> None:
    """Refuse the first alias; there is none without something that looks like an anchor."""
    for number, event in enumerate(yaml.parse(text, Loader=_Loader.__base__)):
        if isinstance(event, yaml.AliasEvent):
            raise _refused(file, event.start_mark, "aliases (*name) are not read; write it out")
        if number > 2 * MAX_NODES:
            raise _refused(file, event.start_mark, f"more than {MAX_NODES:,} values")


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
