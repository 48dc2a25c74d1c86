"""A catalogue of several files as one text, as it is published, and back again.

In the text every file follows a line ``--- # file: <name>``. A catalogue of one file is its
text as it stands, without such a line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbo.errors import Problem, WorkspaceError

_MARKER = "--- # file: "
_MARKED = re.compile(rf"^{_MARKER}(.*)$", re.MULTILINE)


def join_files(files: Sequence[tuple[str, str]]) -> str:
    """Make one text of the files of a folder.

    Args:
        files: Name and text of each, in the order they are to be read.

    Raises:
        WorkspaceError: There is no file, a name breaks the line or stands twice, or a file
            holds the line that separates files.
    """
    if not files:
        raise WorkspaceError([Problem("catalog", 0, 0, "holds no *.yaml file")])
    problems = []
    parts = []
    seen: set[str] = set()
    for name, text in files:
        if name in seen or not name.strip() or name != name.strip() or not name.isprintable():
            problems.append(Problem(repr(name), 0, 0, "is no name for a file of a catalogue"))
        seen.add(name)
        if inner := _MARKED.search(text):
            line = text.count("\n", 0, inner.start()) + 1
            problems.append(Problem(name, line, 1, f"{_MARKER!r} separates files; take it out"))
        parts.append(f"{_MARKER}{name}\n{text}" + ("" if text.endswith("\n") else "\n"))
    if problems:
        raise WorkspaceError(problems)
    return "".join(parts)


def split_files(text: str, file: str) -> list[tuple[str, str]]:
    """Take a text apart into its files: name and text of each.

    Args:
        text: What `join_files` made, or the text of one file.
        file: Name of a text that is one file.
    """
    marks = list(_MARKED.finditer(text))
    if not marks or text[: marks[0].start()].strip():
        return [(file, text)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        (mark[1].strip(), text[mark.end() + 1 : end]) for mark, end in zip(marks, ends, strict=True)
    ]
