"""One condition as marketing wrote it, before it is compiled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleText:
    """A named CEL expression and where it stands.

    Attributes:
        name: What a refusal calls it, e.g. ``"minimum tenure"``.
        when: CEL expression over facts; true passes, false and unknown refuse.
        line: 1-based line in the catalogue file, for errors.
        file: Which file of the catalogue it stands in, for errors.
    """

    name: str
    when: str
    line: int = 0
    file: str = ""
