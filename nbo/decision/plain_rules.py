"""Rules that are plain comparisons, evaluated without the expression library.

Most conditions compare one fact with a literal: ``customer.tenure_months >= 6.0``,
``customer.plan == 'small'``, ``!customer.has_tv``, or join a few such with ``&&`` or ``||``.
A call into the library costs some ten times what such a comparison costs here. The library
still compiles and type-checks every rule, so only well-typed text arrives here; a test holds
both to the same answer for every form.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

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
_NAME = r"(?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+)"
_NUMBER = r"-?\d+\.\d+(?:[eE][+-]?\d+)?"
_TEXT = r"'[^'\\\n]*'|\"[^\"\\\n]*\""
_COMPARISON = re.compile(
    rf"{_NAME}\s*(?P<op>[=!]=|[<>]=?)\s*(?:(?P<number>{_NUMBER})|(?P<text>{_TEXT}))"
)
_FLAG = re.compile(rf"(?P<not>!?)\s*{_NAME}")
_AMONG = re.compile(rf"{_NAME}\s+in\s*\[(?P<texts>\s*(?:{_TEXT})(?:\s*,\s*(?:{_TEXT}))*\s*)\]")
_JOINT = re.compile(r"\s*(&&|\|\|)\s*")
_QUOTED = re.compile(_TEXT)


def plain_rule(expression: str) -> Plain | None:
    """Read a rule as plain comparisons; None when it is more than that.

    Args:
        expression: A rule that the expression library has compiled to a truth value.
    """
    parts = _JOINT.split(expression.strip())
    joints = set(parts[1::2])
    comparisons = [_comparison(part) for part in parts[::2]]
    known = [comparison for comparison in comparisons if comparison is not None]
    if len(known) < len(comparisons) or len(joints) > 1:
        return None
    if not joints:
        return known[0]
    return _joined(tuple(known), stops=joints == {"||"})


def _comparison(part: str) -> Plain | None:
    """One comparison; space around the points of a fact's name is no part of the name."""
    if found := _COMPARISON.fullmatch(part):
        literal = float(found["number"]) if found["number"] else found["text"][1:-1]
        return _compared(_name(found), _OPERATORS[found["op"]], literal)
    if found := _AMONG.fullmatch(part):
        texts = frozenset(quoted[1:-1] for quoted in _QUOTED.findall(found["texts"]))
        return _among(_name(found), texts)
    if found := _FLAG.fullmatch(part):
        return _flagged(_name(found), wanted=not found["not"])
    return None


def _name(found: re.Match[str]) -> str:
    return "".join(found["name"].split())


def _compared(name: str, compare: Callable[[Any, Any], bool], literal: float | str) -> Plain:
    def evaluate(facts: Mapping[str, Fact]) -> bool | None:
        value = facts.get(name)
        return None if value is None else compare(value, literal)

    return evaluate


def _among(name: str, texts: frozenset[str]) -> Plain:
    def evaluate(facts: Mapping[str, Fact]) -> bool | None:
        value = facts.get(name)
        return None if value is None else value in texts

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
