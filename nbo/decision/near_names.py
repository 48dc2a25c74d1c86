"""Which known name was meant by an unknown one; bounded work, however many are unknown.

Comparing two names takes some ten microseconds. A file that names thousands of things that are
not there, of thousands there are, would take hours to suggest the remedy for each.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar

MOST_COMPARED = 50_000
"""Names compared in one reading, half a second; then nothing is suggested any more."""

_LONGEST = 100
"""Characters of a name worth comparing; ids have at most 64."""


class _Reading:
    """What was answered while one catalogue is read, and how many names may yet be compared."""

    def __init__(self) -> None:
        self.left = MOST_COMPARED
        # The names are kept with the answer: while they live, no others have their identity.
        self.answers: dict[tuple[str, int, int], tuple[Collection[str], str]] = {}


_reading: ContextVar[_Reading | None] = ContextVar("reading", default=None)


@contextlib.contextmanager
def one_reading() -> Iterator[None]:
    """Within it every question is answered once, and no more than so many names are compared."""
    token = _reading.set(_Reading())
    try:
        yield
    finally:
        _reading.reset(token)


def suggestion(name: str, known: Collection[str]) -> str:
    """Suggest a remedy for a misspelt name: ``"did you mean 'x'?"``; empty if none is close."""
    if len(name) > _LONGEST:
        return ""
    return once(f"near {name}", known, lambda: _suggested(name, known))


def once(question: str, known: Collection[str], answer: Callable[[], str]) -> str:
    """Answer a question about known names; in one reading the same answer serves again."""
    reading = _reading.get()
    if reading is None:
        return answer()
    key = (question, id(known), len(known))
    if key not in reading.answers:
        reading.answers[key] = (known, answer())
    return reading.answers[key][1]


def _suggested(name: str, known: Collection[str]) -> str:
    reading = _reading.get()
    if reading is not None:
        if len(known) > reading.left:
            return ""
        reading.left -= len(known)
    names = [one for one in known if len(one) <= _LONGEST]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        last = name.rpartition(".")[2]
        close = [one for one in names if one.rpartition(".")[2] == last][:1]
    return f"did you mean {close[0]!r}?" if close else ""
