"""From text to a tree of YAML nodes that is small and plain enough to read safely.

Size, depth and aliases are checked on the stream of parsing events, before any tree is
built: a file that would unfold to something huge is refused in milliseconds.
"""

from __future__ import annotations

from typing import Any

import yaml

from nbo.errors import Problem, WorkspaceError

MAX_BYTES = 2_000_000
MAX_DEPTH = 20
MAX_NODES = 200_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPENING = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSING = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


def parse_tree(text: str, file: str) -> yaml.Node:
    """Parse one YAML document into nodes that know their line and column.

    Raises:
        WorkspaceError: It is not YAML, is empty, or is too large, too deep or uses aliases.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _refused(file, None, f"larger than {MAX_BYTES:,} bytes")
    try:
        _check_events(text, file)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        told = "; ".join(part for part in (error.context, error.problem) if part)
        if "tag" in told:
            told += "; text that begins with ! must stand in quotes"
        raise _refused(file, error.problem_mark, f"not valid YAML: {told}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise _refused(file, None, f"not valid YAML: {error}") from None
    if node is None:
        raise _refused(file, None, "empty; a catalogue has at least currency, languages and offers")
    return node


def _check_events(text: str, file: str) -> None:
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
        if nodes > MAX_NODES:
            raise _refused(file, event.start_mark, f"more than {MAX_NODES:,} values")


def _refused(file: str, mark: Any, message: str) -> WorkspaceError:
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return WorkspaceError([Problem(file, line, column, message)])
