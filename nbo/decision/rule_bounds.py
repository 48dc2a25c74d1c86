"""What keeps a rule small and quick: no loops, bounded length, bounded work.

The expression language has no files, clocks or recursion; what is left to forbid are the
macros that loop over lists, patterns, which it would compile anew at every evaluation (a nasty
one takes a tenth of a second), and rules so long that one of them would take as long as all
the others together.
"""

from __future__ import annotations

import re

from nbo.decision.rule_mistakes import Mistake

MAX_LENGTH = 4_000
"""Characters; longer text is refused before it is parsed."""

MAX_OPERATIONS = 100
"""Operators and calls of one rule. An evaluation of so many takes about half a millisecond."""

_COOKED = (
    r"'''(?:\\.|[^\\])*?'''"
    r'|"""(?:\\.|[^\\])*?"""'
    r"|'(?:\\.|[^'\\\n\r])*'"
    r'|"(?:\\.|[^"\\\n\r])*"'
)
_RAW = r"'''.*?'''" r'|""".*?"""' r"|'[^'\n\r]*'" r'|"[^"\n\r]*"'
_TOKEN = re.compile(
    rf"(?P<silent>//[^\n]*|[bB]?(?:[rR](?:{_RAW})|{_COOKED}))|`[^`\n]*`|\w+", re.DOTALL
)
"""What the language reads as one: a comment or string (`silent`), a quoted name, a word.

Words matter because only at the start of one are ``b`` and ``r`` the prefix of a string.
"""
_QUOTED_NAME = re.compile(r"`[^`\n]*`")
_LOOP = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(")
_HAS = re.compile(r"(?<![\w.])has\s*\(")
_MATCHES = re.compile(r"\bmatches\s*\(")
_OPERATION = re.compile(r"&&|\|\||[<>=!]=|[<>!?%*/+]|(?<=[\w\s)])-|\bin\b|\w\s*\(")
_LOOP_IN_TREE = b"\x1a\x07@result"
"""Every loop becomes one over a variable of this name, which no rule can name itself."""


def without_strings(expression: str) -> str:
    """Blank out strings and comments, so that what stands in them is not taken for code."""
    return _TOKEN.sub(
        lambda found: " " * len(found[0]) if found["silent"] else found[0], expression
    )


def loops(tree: bytes) -> bool:
    """Whether a compiled rule loops, whatever its text looks like.

    Args:
        tree: The checked expression as the expression library serializes it.
    """
    return _LOOP_IN_TREE in tree


def too_long(expression: str) -> tuple[Mistake, ...]:
    """Find text that is not even worth parsing; empty if it is short enough."""
    if len(expression) <= MAX_LENGTH:
        return ()
    return (Mistake(1, 1, f"{len(expression)} characters long, must be at most {MAX_LENGTH}", ""),)


def out_of_bounds(expression: str) -> tuple[Mistake, ...]:
    """Find every loop, and too much work, in an expression; empty if it is within bounds."""
    code = without_strings(expression)
    found = [
        _at(expression, loop.start(1), f"'{loop[1]}' loops; compare with `in [...]`, or split it")
        for loop in _LOOP.finditer(code)
    ]
    found += [
        _at(expression, has.start(), "'has' is not needed; an unknown fact refuses by itself")
        for has in _HAS.finditer(code)
    ]
    found += [
        _at(expression, name.start(), "names are written without backquotes")
        for name in _QUOTED_NAME.finditer(code)
    ]
    found += [
        _at(
            expression,
            pattern.start(),
            "'matches' takes too long; compare with startsWith, endsWith, contains or `in [...]`",
        )
        for pattern in _MATCHES.finditer(code)
    ]
    operations = len(_OPERATION.findall(code))
    if operations > MAX_OPERATIONS:
        most = f"{operations} operators, must be at most {MAX_OPERATIONS}"
        found.append(_at(expression, 0, f"{most}; write several rules, all of them must hold"))
    return tuple(found)


def _at(expression: str, position: int, message: str) -> Mistake:
    before = expression[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    return Mistake(line, column, message, expression.splitlines()[line - 1])
