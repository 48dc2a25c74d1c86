"""What would have had to differ for a rule to hold, of rules that compare facts with literals.

``customer.tenure_months >= 6.0 && !customer.has_tv`` with three months and no TV lacks only its
first part, which six months would mend. Rules that are more than a row of comparisons are not
looked into: what would mend them is their whole text.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from nbo.decision.facts import Fact, Facts
from nbo.decision.rules import show

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, texts: value in texts,
    "not in": lambda value, texts: value not in texts,
}
_OPPOSITE = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    ">=": "<",
    "<=": ">",
    ">": "<=",
    "in": "not in",
    "not in": "in",
}
_NAME = r"(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)"
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_TEXT = r"'[^'\\\n]*'|\"[^\"\\\n]*\""
_COMPARISON = re.compile(
    rf"{_NAME}\s*(?P<op>[=!]=|[<>]=?)\s*"
    rf"(?:(?P<number>{_NUMBER})|(?P<text>{_TEXT})|(?P<flag>true|false))"
)
_FLAG = re.compile(rf"(?P<not>!?)\s*{_NAME}")
_AMONG = re.compile(
    rf"(?P<not>!\s*\(\s*)?{_NAME}\s+in\s*\[(?P<texts>\s*(?:{_TEXT})(?:\s*,\s*(?:{_TEXT}))*\s*)\]"
    r"(?(not)\s*\))"
)
_JOINT = re.compile(r"\s*(&&|\|\|)\s*")


class Comparison(NamedTuple):
    """One fact against one literal, or several texts.

    Attributes:
        op: As in the rule's text; ``in`` and ``not in`` for several texts.
    """

    name: str
    op: str
    literal: Fact | tuple[str, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether it is known to be true."""
        value = facts.get(self.name)
        return value is not None and _COMPARE[self.op](value, self.literal)

    def opposite(self) -> Comparison:
        """What is true where this one is false."""
        return self._replace(op=_OPPOSITE[self.op])

    def remedy(self) -> Fact:
        """A value with which it holds, as near to the literal as can be."""
        literal = self.literal
        if isinstance(literal, tuple):
            return literal[0] if self.op == "in" else _other_than(literal)
        if isinstance(literal, bool):
            return literal if self.op == "==" else not literal
        if isinstance(literal, str):
            return literal if self.op == "==" else _other_than((literal,))
        if self.op in ("==", ">=", "<="):
            return literal
        if self.op == "!=":
            return literal + 1.0
        return math.nextafter(literal, math.inf if self.op == ">" else -math.inf)

    def __str__(self) -> str:
        """Say what is needed: flags by their value alone, the rest as in a rule."""
        literal = self.literal
        if isinstance(literal, tuple):
            texts = ", ".join(show(text) for text in literal)
            return f"{self.name} {self.op} [{texts}]"
        if isinstance(literal, bool):
            return f"{self.name} {show(self.remedy())}"
        shown = repr(literal) if isinstance(literal, float) else show(literal)
        return f"{self.name} {self.op} {shown}"


class Need(NamedTuple):
    """What a rule lacks.

    Attributes:
        was: The facts that stand in the way, with their values.
        needed: What would have to be, in the rule's own terms.
        remedies: Facts to change, one mapping per way to mend it; empty when no way is known.
    """

    was: str
    needed: str
    remedies: tuple[Mapping[str, Fact], ...] = ()


def need(expression: str, facts: Facts, *, wanted: bool = True) -> Need | None:
    """Find what a rule lacks to be true, or false if that is `wanted`.

    Args:
        expression: A rule that compiles.
        facts: As the rule saw them.
        wanted: What the rule would have to yield.

    Returns:
        None for a rule that lacks nothing, or is more than comparisons joined by one of ``&&``
        and ``||``.
    """
    read = _read(expression)
    if read is None:
        return None
    comparisons, every = read
    if not wanted:
        comparisons, every = [one.opposite() for one in comparisons], not every
    lacking = [one for one in comparisons if not one.holds(facts)]
    if not lacking or (not every and len(lacking) < len(comparisons)):
        return None
    names = dict.fromkeys(one.name for one in lacking)
    was = ", ".join(f"{name} is {_shown(facts, name)}" for name in names)
    if len(lacking) == 1 and isinstance(lacking[0].literal, bool):
        needed = show(lacking[0].remedy())  # its name has just been said
    else:
        needed = (" and " if every else " or ").join(map(str, lacking))
    return Need(was, needed, _remedies(lacking, every=every))


def _read(expression: str) -> tuple[list[Comparison], bool] | None:
    """Read the comparisons of a rule, and whether every one must hold; None if it is more."""
    parts = _JOINT.split(expression.strip())
    joints = set(parts[1::2])
    found = [_comparison(part) for part in parts[::2]]
    comparisons = [one for one in found if one is not None]
    if len(comparisons) < len(found) or len(joints) > 1:
        return None
    return comparisons, joints != {"||"}


def _comparison(part: str) -> Comparison | None:
    if found := _COMPARISON.fullmatch(part):
        return Comparison(found["name"], found["op"], _literal(found))
    if found := _AMONG.fullmatch(part):
        texts = tuple(quoted[1:-1] for quoted in re.findall(_TEXT, found["texts"]))
        return Comparison(found["name"], "not in" if found["not"] else "in", texts)
    if found := _FLAG.fullmatch(part):
        return Comparison(found["name"], "==", not found["not"])
    return None


def _literal(found: re.Match[str]) -> Fact:
    if found["number"] is not None:
        return float(found["number"])
    return found["text"][1:-1] if found["text"] is not None else found["flag"] == "true"


def _remedies(lacking: Sequence[Comparison], *, every: bool) -> tuple[Mapping[str, Fact], ...]:
    if not every:
        return tuple({one.name: one.remedy()} for one in lacking)
    together: dict[str, Fact] = {}
    for one in lacking:
        if not one.holds(together):  # an earlier change may have mended it already
            together[one.name] = one.remedy()
    return (together,)


def _shown(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return "unknown" if value is None else show(value)


def _other_than(texts: tuple[str, ...]) -> str:
    return "other" if "other" not in texts else "_".join(("other", *texts))
