"""Rules that are plain comparisons, evaluated without the expression library.

A call into the library costs some ten times what a comparison costs here. The library still
compiles and type-checks every rule, so only well-typed text arrives here; a test holds both to
the same answer for every form.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from nbo.decision.comparisons import Comparison, read_row
from nbo.decision.facts import Fact

Plain = Callable[[Mapping[str, Fact]], bool | None]
"""From known facts to true, false, or None for unknown."""

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def plain_rule(expression: str) -> Plain | None:
    """Read a rule as plain comparisons; None when it is more than that.

    Args:
        expression: A rule that the expression library has compiled to a truth value.
    """
    row = read_row(expression)
    if row is None:
        return None
    parts = tuple(map(plain_comparison, row.comparisons))
    return parts[0] if len(parts) == 1 else _joined(parts, stops=not row.every)


def plain_comparison(comparison: Comparison) -> Plain:
    """Make one comparison a function of the facts."""
    name, compare, literal = comparison
    if isinstance(literal, tuple):
        return _among(name, frozenset(literal), wanted=compare == "in")
    if isinstance(literal, bool):
        return _flagged(name, wanted=literal)
    return _compared(name, _OPERATORS[compare], literal)


def _compared(name: str, compare: Callable[[Any, Any], bool], literal: float | str) -> Plain:
    def evaluate(facts: Mapping[str, Fact]) -> bool | None:
        value = facts.get(name)
        return None if value is None else compare(value, literal)

    return evaluate


def _among(name: str, texts: frozenset[str], *, wanted: bool) -> Plain:
    def evaluate(facts: Mapping[str, Fact]) -> bool | None:
        value = facts.get(name)
        return None if value is None else (value in texts) is wanted

    return evaluate


def _flagged(name: str, *, wanted: bool) -> Plain:
    def evaluate(facts: Mapping[str, Fact]) -> bool | None:
        value = facts.get(name)
        return None if value is None else value is wanted

    return evaluate


def _joined(parts: tuple[Plain, ...], *, stops: bool) -> Plain:
    """Join by ``||`` (``stops`` is true) or ``&&`` (false): the answer at which all is decided.

    Three-valued: unknown parts matter only if no other part decides.
    """

    def evaluate(facts: Mapping[str, Fact]) -> bool | None:
        unknown = False
        for part in parts:
            answer = part(facts)
            if answer is stops:
                return stops
            unknown = unknown or answer is None
        return None if unknown else not stops

    return evaluate
