"""Rules as rows of comparisons: one fact against one literal each, joined by ``&&`` or ``||``.

Most rules are no more than that: ``customer.tenure_months >= 6.0``,
``customer.plan == 'small'``, ``!customer.has_tv``. Read once here, they are evaluated without the
expression library (`plain_rules`) and said in words with what would mend them (`remedies`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nbo.decision.facts import Fact

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
_NAME = r"(?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+)"
_NUMBER = r"-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)"
_TEXT = r"'[^'\\\n]*'|\"[^\"\\\n]*\""
_COMPARISON = re.compile(
    rf"{_NAME}\s*(?P<op>[=!]=|[<>]=?)\s*(?:(?P<number>{_NUMBER})|(?P<text>{_TEXT}))"
)
_FLAG = re.compile(rf"(?P<not>!?)\s*{_NAME}(?:\s*(?P<op>[=!]=)\s*(?P<flag>true|false))?")
_AMONG = re.compile(
    rf"(?P<not>!\s*\(\s*)?{_NAME}\s+in\s*\[(?P<texts>\s*(?:{_TEXT})(?:\s*,\s*(?:{_TEXT}))*\s*)\]"
    r"(?(not)\s*\))"
)
_JOINT = re.compile(r"\s*(&&|\|\|)\s*")
_QUOTED = re.compile(_TEXT)


class Comparison(NamedTuple):
    """One fact against one literal, or several texts.

    Attributes:
        name: Of the fact, without the space that may stand around its points.
        operator: As in the rule's text; ``in`` and ``not in`` for several texts, always ``==``
            for a flag.
    """

    name: str
    operator: str
    literal: Fact | tuple[str, ...]

    def opposite(self) -> Comparison:
        """What is true where this one is false."""
        if isinstance(self.literal, bool):
            return self._replace(literal=not self.literal)
        return self._replace(operator=_OPPOSITE[self.operator])


class Row(NamedTuple):
    """Comparisons that make up a rule.

    Attributes:
        comparisons: At least one.
        every: Whether each of them must hold (``&&``); else any of them (``||``).
    """

    comparisons: tuple[Comparison, ...]
    every: bool

    def opposite(self) -> Row:
        """What is true where this rule is false."""
        return Row(tuple(one.opposite() for one in self.comparisons), not self.every)


def read_row(expression: str) -> Row | None:
    """Read a rule as comparisons; None when it is more than that.

    Args:
        expression: A rule that the expression library has compiled to a truth value.
    """
    parts = _JOINT.split(expression.strip())
    joints = set(parts[1::2])
    found = [_comparison(part) for part in parts[::2]]
    comparisons = tuple(one for one in found if one is not None)
    if len(comparisons) < len(found) or len(joints) > 1:
        return None
    return Row(comparisons, every=joints != {"||"})


def _comparison(part: str) -> Comparison | None:
    if found := _COMPARISON.fullmatch(part):
        literal = float(found["number"]) if found["number"] else found["text"][1:-1]
        return Comparison(_name(found), found["op"], literal)
    if found := _AMONG.fullmatch(part):
        texts = tuple(quoted[1:-1] for quoted in _QUOTED.findall(found["texts"]))
        return Comparison(_name(found), "not in" if found["not"] else "in", texts)
    if (found := _FLAG.fullmatch(part)) and not (found["not"] and found["op"]):
        denied = bool(found["not"]) or (found["op"] == "!=") is not (found["flag"] == "false")
        return Comparison(_name(found), "==", not denied)
    return None


def _name(found: re.Match[str]) -> str:
    return "".join(found["name"].split())
