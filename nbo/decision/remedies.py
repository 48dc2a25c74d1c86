"""What would have had to differ for a rule to hold, of rules that compare facts with literals.

``customer.tenure_months >= 6.0 && !customer.has_tv`` with three months and no TV lacks only its
first part, which six months would mend. Rules that are more than a row of comparisons are not
looked into: what would mend them is their whole text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nbo.decision.comparisons import Comparison, read_row
from nbo.decision.facts import Fact, Facts
from nbo.decision.plain_rules import plain_comparison
from nbo.decision.rules import show


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
    row = read_row(expression)
    if row is None:
        return None
    comparisons, every = row if wanted else row.opposite()
    lacking = [one for one in comparisons if not _holds(one, facts)]
    if not lacking or (not every and len(lacking) < len(comparisons)):
        return None
    names = dict.fromkeys(one.name for one in lacking)
    was = ", ".join(f"{name} is {_shown(facts, name)}" for name in names)
    if len(lacking) == 1 and isinstance(lacking[0].literal, bool):
        needed = show(lacking[0].literal)  # its name has just been said
    else:
        needed = (" and " if every else " or ").join(map(_said, lacking))
    return Need(was, needed, _remedies(lacking, every=every))


def _holds(comparison: Comparison, facts: Facts) -> bool:
    """Whether it is known to be true."""
    return plain_comparison(comparison)(facts) is True


def _said(comparison: Comparison) -> str:
    """Say what is needed: flags by their value alone, the rest as in a rule."""
    name, operator, literal = comparison
    if isinstance(literal, tuple):
        return f"{name} {operator} [{', '.join(map(show, literal))}]"
    if isinstance(literal, bool):
        return f"{name} {show(literal)}"
    shown = repr(literal) if isinstance(literal, float) else show(literal)
    return f"{name} {operator} {shown}"


def _remedy(comparison: Comparison) -> Fact:
    """A value with which it holds, as near to the literal as can be."""
    _, operator, literal = comparison
    if isinstance(literal, tuple):
        return literal[0] if operator == "in" else _other_than(literal)
    if isinstance(literal, bool) or operator in ("==", ">=", "<="):
        return literal
    if isinstance(literal, str):
        return {"<": "", ">": literal + "x"}.get(operator, _other_than((literal,)))
    return math.nextafter(literal, math.inf if operator == ">" else -math.inf)


def _remedies(lacking: Sequence[Comparison], *, every: bool) -> tuple[Mapping[str, Fact], ...]:
    if not every:
        return tuple({one.name: _remedy(one)} for one in lacking)
    together: dict[str, Fact] = {}
    for one in lacking:
        if not _holds(one, together):  # an earlier change may have mended it already
            together[one.name] = _remedy(one)
    return (together,)


def _shown(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return "unknown" if value is None else show(value)


def _other_than(texts: tuple[str, ...]) -> str:
    return "other" if "other" not in texts else "_".join(("other", *texts))
