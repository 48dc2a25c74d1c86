"""What other languages write and rules do not: the remedy for a slip of habit.

A syntax error tells where reading stopped, in the parser's words. Most often the author wrote
``=`` or ``and``, as in SQL or Python, right there.
"""

from __future__ import annotations

import re

_SLIPS = (
    (re.compile(r"(?<![=!<>])=(?![=>])"), "write == to compare"),
    (re.compile(r"=>"), "write >= for at least"),
    (re.compile(r"=<"), "write <= for at most"),
    (re.compile(r"<>"), "write != for different"),
    (re.compile(r"\band\b|(?<!&)&(?!&)", re.I), "write && for and"),
    (re.compile(r"\bor\b|(?<!\|)\|(?!\|)", re.I), "write || for or"),
    (re.compile(r"\bnot\b", re.I), "write ! for not"),
)
_NEAR = 6
"""Characters between a slip and the place at which reading stopped."""


def remedy_for(line: str, column: int) -> str:
    """Find the slip at which the reading of a line stopped.

    Args:
        line: Of the rule, with what stands in quotes blanked out.
        column: 1-based, where the parser stopped.

    Returns:
        What to write instead; empty when no slip is near.
    """
    near = [
        (abs(found.start() + 1 - column), remedy)
        for slip, remedy in _SLIPS
        for found in slip.finditer(line)
    ]
    distance, remedy = min(near, default=(_NEAR + 1, ""))
    return remedy if distance <= _NEAR else ""
